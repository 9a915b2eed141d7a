// The check of the other end: page and core, page and page, page and an old peer.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OldPage } from '../support/old-page.js';
import { stories } from '../support/story.js';
import { withCore as storiesWithCore } from '../support/with-core.js';

const story = stories();
const withCore = storiesWithCore(story);

// What this person sees of the check, once it is so far.
async function checked(person, result) {
  const panel = person.page.locator(`#verification[data-result="${result}"]`);
  await panel.waitFor({ state: 'attached' });
  const texts = (selector) => panel.locator(selector).evaluateAll((all) => all.map((one) => one.textContent));
  return { words: await texts('.emoji'), names: await texts('li span:not(.emoji)'), trust: await panel.getAttribute('data-trust') };
}

withCore('page and core show the same words, say so, and know each other in the next call', async ({ enter, answer, call }) => {
  const folder = await mkdtemp(join(tmpdir(), 'chamada-'));
  try {
    const known = ['--verify', '--remember', join(folder, 'people.json')];
    const ana = await enter('ana');
    let core = answer('rui', ...known);
    await ana.call('rui');
    const there = await core.event('verification', ({ result }) => result === 'compare');
    const here = await checked(ana, 'compare');
    assert.equal(here.words.length, 4);
    assert.deepEqual([here.words, here.names, here.trust], [there.words, there.names.en, 'unknown']);
    await ana.press('verification-toggle');
    await ana.press('verification-same');
    await ana.sees('Waiting for rui', '#verification');
    core.type('yes');
    await ana.sees('Checked: nobody is in between', '#verification');
    await core.event('verification', ({ result }) => result === 'confirmed');
    assert.equal((await checked(ana, 'confirmed')).trust, 'verified');
    await ana.press('hang-up');
    await core.end();
    const [{ name, secrets }] = JSON.parse(await readFile(known[2], 'utf8'));
    const kept = JSON.parse(await ana.page.evaluate(() => localStorage.getItem('chamada.verified')));
    assert.deepEqual([name, kept], ['ana', [{ room: '/', name: 'rui', secrets }]]);

    core = call('ana', 'rui', ...known);
    await ana.accept();
    await core.event('verification', ({ result }) => result === 'remembered');
    assert.equal((await checked(ana, 'remembered')).trust, 'verified');
    await ana.press('hang-up');
    await core.end();

    // Somebody else, or the same person without the file, under that name.
    core = answer('rui', '--verify');
    await ana.call('rui');
    assert.equal((await checked(ana, 'changed')).trust, 'doubtful');
    await ana.sees('none of the devices of rui', '#notices');
    await core.event('verification', ({ result }) => result === 'compare');
    core.type('no');
    await ana.sees('You two do not see the same', '#notices');
    await ana.press('hang-up');
    await ana.page.getByText('You two do not see the same').first().waitFor({ state: 'hidden' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

story('two pages show the same words, each in its language, and a page that is loaded anew is checked anew', async ({ enter }) => {
  const ana = await enter('ana');
  const rui = await enter('rui', { locale: 'pt-BR' });
  await ana.call('rui');
  await rui.accept();
  const [here, there] = [await checked(ana, 'compare'), await checked(rui, 'compare')];
  assert.equal(here.words.length, 4);
  assert.deepEqual(here.words, there.words);
  assert.notDeepEqual(here.names, there.names);
  for (const person of [ana, rui]) {
    await person.page.locator('#verification-toggle').focus();
    await person.page.keyboard.press('Enter');
    await person.page.locator('#verification-same').focus();
    await person.page.keyboard.press('Enter');
  }
  for (const person of [ana, rui]) assert.equal((await checked(person, 'confirmed')).trust, 'verified');
  await rui.page.reload();
  const again = [await checked(ana, 'remembered'), await checked(rui, 'remembered')];
  assert.deepEqual(again[0].words, again[1].words);
  assert.notDeepEqual(again[0].words, here.words, 'another connection');
});

story('an old page cannot be checked, and nobody is warned', async ({ enter, browser, server }) => {
  const ana = await enter('ana');
  const old = await OldPage.enter(browser, server, 'velho');
  try {
    await ana.call('velho');
    const seen = await checked(ana, 'unsupported');
    assert.deepEqual([seen.words, seen.trust], [[], 'unknown']);
    assert.equal(await ana.page.locator('#notices .standing').count(), 0);
    await ana.press('hang-up');
    await old.isIdle();
    await old.call('ana');
    await ana.accept();
    await checked(ana, 'unsupported');
    await ana.isConnected();
  } finally {
    await old.leave();
  }
});

withCore('the core cannot check an old page, whichever of them calls', async ({ answer, call, browser, server }) => {
  const old = await OldPage.enter(browser, server, 'velho');
  try {
    let core = call('velho', 'rui', '--verify');
    await core.event('verification', ({ result }) => result === 'unsupported');
    await old.hangUp();
    await core.end();
    core = answer('rui', '--verify');
    await core.event('logged-in');
    await old.call('rui');
    const { words } = await core.event('verification', ({ result }) => result === 'unsupported');
    assert.deepEqual(words, []);
  } finally {
    await old.leave();
  }
});
