// What two people of a call write and send to each other alone: pages among themselves, and with the Rust core both ways.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stories } from '../support/story.js';
import { withCore as storiesWithCore } from '../support/with-core.js';

const story = stories();
const withCore = storiesWithCore(story);

// A picture of one pixel.
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), 'chamada-files-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const opens = (person) => person.page.click('#tab-private');

async function writes(person, text) {
  await person.page.fill('#private-text', text);
  await person.page.press('#private-text', 'Enter');
}

async function offers(person, name, buffer, mimeType = 'application/octet-stream') {
  await person.page.setInputFiles('#private-picker', { name, mimeType, buffer });
}

// The file that this link saves.
async function saves(person, name) {
  const link = person.page.locator('#private-lines .file').filter({ hasText: name }).locator('a[download]');
  const [download] = await Promise.all([person.page.waitForEvent('download'), link.click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

story('two pages write to each other alone, beside the chat that all read', async ({ inCall, enter }) => {
  const [ana, rui] = await inCall('ana', 'rui');
  const eva = await enter('eva');
  await opens(ana);
  await ana.page.locator('#private-text').pressSequentially('só <b>para</b> você');
  await rui.page.locator('#tab-private.unread, #tab-private:visible').first().waitFor();
  await opens(rui);
  await rui.sees('ana is typing', '#private');
  await ana.page.press('#private-text', 'Enter');
  await rui.sees('só <b>para</b> você', '#private-lines');
  await ana.sees('delivered', '#private-lines .own');
  await writes(rui, 'oi');
  await ana.sees('oi', '#private-lines');
  await ana.page.click('#tab-everyone');
  await ana.say('for all');
  await eva.sees('for all', '#chat');
  assert.equal(await eva.page.getByText('você').count(), 0);
  // It can still be read and saved when the call is over.
  await ana.press('hang-up');
  await ana.gone('#stage');
  await opens(ana);
  const [download] = await Promise.all([ana.page.waitForEvent('download'), ana.press('private-save')]);
  assert.match(await readFile(await download.path(), 'utf8'), /you: só <b>para<\/b> você\n.* rui: oi\n/i);
  assert.ok(await ana.page.isDisabled('#private-text'));
});

story('a picture is asked about, shown and saved, and a file that is refused does not come', async ({ inCall }) => {
  const [ana, rui] = await inCall('ana', 'rui');
  await opens(ana);
  await offers(ana, 'férias.png', PNG, 'image/png');
  await rui.sees('ana wants to send you férias.png', '#notices');
  await opens(rui);
  await rui.page.click('#private-lines .accept');
  await rui.page.locator('#private-lines img.file-picture').waitFor();
  assert.deepEqual(await saves(rui, 'férias.png'), { name: 'férias.png', bytes: PNG });
  await ana.sees('arrived', '#private-lines');
  await offers(ana, 'page.html', Buffer.from('<script>document.title = "x"</script>'), 'text/html');
  await rui.page.getByRole('button', { name: 'Refuse' }).click();
  await ana.sees('not wanted', '#private-lines');
});

withCore('the page writes to the core and is answered', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--text', 'olá ana');
  await ana.call('rui');
  await ana.isConnected();
  await opens(ana);
  await ana.sees('olá ana', '#private-lines');
  await core.event('text', ({ state }) => state === 'delivered');
  await writes(ana, 'olá rui');
  await core.event('text', ({ state, text }) => state === 'received' && text === 'olá rui');
  await ana.sees('delivered', '#private-lines .own');
});

withCore('the core calls, and writes and sends files to the page', async ({ enter, call }) => inFolder(async (folder) => {
  const bytes = randomBytes(2_000_000);
  await writeFile(join(folder, 'big.bin'), bytes);
  const ana = await enter('ana');
  const core = call('ana', 'rui', '--text', 'here it is', '--send-file', join(folder, 'big.bin'));
  await ana.accept();
  await ana.isConnected();
  await opens(ana);
  await ana.sees('here it is', '#private-lines');
  await ana.page.click('#private-lines .accept');
  const { code, complaints } = await core.end();
  assert.equal(code, 0, complaints);
  const saved = await saves(ana, 'big.bin');
  assert.ok(saved.bytes.equals(bytes));
}));

withCore('the page sends files to the core, beside the call', async ({ enter, answer }) => inFolder(async (folder) => {
  const bytes = randomBytes(2_000_000);
  const ana = await enter('ana');
  const core = answer('rui', '--receive-dir', folder);
  await ana.call('rui');
  await ana.isConnected();
  await opens(ana);
  await offers(ana, 'big.bin', bytes);
  await offers(ana, 'con.png', PNG, 'image/png');
  await core.event('file', ({ state, name }) => state === 'offered' && name === '_con.png');
  await ana.sees('arrived', '#private-lines .file:nth-child(1)');
  await ana.sees('arrived', '#private-lines .file:nth-child(2)');
  assert.ok((await readFile(join(folder, 'big.bin'))).equals(bytes));
  assert.ok((await readFile(join(folder, '_con.png'))).equals(PNG));
  await ana.isConnected();
}));

withCore('a page that is loaded anew gets what was not delivered', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui');
  await ana.call('rui');
  await ana.isConnected();
  await ana.page.reload();
  await ana.state('connected');
  await ana.isConnected();
  await opens(ana);
  await writes(ana, 'back again');
  await core.event('text', ({ state, text }) => state === 'received' && text === 'back again');
});
