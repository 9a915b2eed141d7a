// The page and an old one, which knows nothing of what came later.

import assert from 'node:assert/strict';
import { OldPage } from '../support/old-page.js';
import { until } from '../support/person.js';
import { stories } from '../support/story.js';

const story = stories();

// Both in the room; the old one leaves at the end, and must not have thrown anything.
const withOldPage = (name, tell, more) => story(name, async (world) => {
  const ana = await world.enter('ana', more);
  const old = await OldPage.enter(world.browser, world.server, 'velho');
  const thrown = [];
  old.page.on('pageerror', (error) => thrown.push(error.message));
  try {
    await tell(ana, old, world);
    assert.deepEqual(thrown, [], 'the old page threw');
  } finally {
    await old.leave();
  }
});

withOldPage('an old page chats with the new one, and no markup reaches it', async (ana, old) => {
  await ana.sees('velho arrived', '#chat');
  await old.say('bom dia');
  await ana.sees('bom dia', '#chat');
  await ana.say('hello <b>there</b> <img src=x onerror=alert(1)');
  await until(async () => (await old.lines()).length === 2, 'the old page hears nothing');
  const [, { name, text }] = await old.lines();
  assert.equal(name, 'ana');
  assert.ok(text.startsWith('hello there') && !text.includes('<'), text);
});

withOldPage('an old page answers at once, and its hang-up without a target ends the call', async (ana, old) => {
  await ana.call('velho');
  await ana.isConnected();
  await old.receives();
  await ana.press('camera');
  await ana.press('camera');
  await ana.seesMotion('#local');
  await old.hangUp();
  await ana.gone('#stage');
  await ana.sees('velho ended the call', '#notices');
  // Again, and this time the new page ends it.
  await ana.call('velho');
  await ana.isConnected();
  await ana.press('hang-up');
  await old.isIdle();
});

withOldPage('an old page calls with one offer for its sound and another for its picture: one call', async (ana, old) => {
  await old.call('ana');
  await ana.sees('velho is calling', '#incoming');
  await ana.accept();
  await ana.isConnected();
  await old.receives();
  assert.equal((await old.heard()).filter((type) => type === 'video-answer').length, 2);
  await old.hangUp();
  await ana.gone('#stage');
});

withOldPage('an old page that calls somebody who is busy hears a hang-up, and the call goes on', async (ana, old, { enter }) => {
  const rui = await enter('rui');
  await rui.call('ana');
  await ana.accept();
  await ana.isConnected();
  await old.call('ana');
  await old.isIdle();
  await old.hangUp();
  await old.say('sorry');
  await ana.sees('sorry', '#chat');
  await Promise.all([ana.isConnected(), rui.isConnected()]);
});

const crossing = crossWithTheirs();
withOldPage('an old page that calls at the same time as the new one starts afresh, and both are in one call', async (ana, old) => {
  await ana.call('velho');
  await crossing.ours;
  await old.call('ana');
  await ana.isConnected();
  await old.receives();
  assert.equal(await ana.page.locator('#incoming[open]').count(), 0, 'it does not ring');
  assert.ok((await old.heard()).includes('hang-up'));
  await old.hangUp();
  await ana.gone('#stage');
}, { route: crossing.route });

withOldPage('an old page that is loaded anew in a call and calls again rings again', async (ana, old) => {
  await ana.call('velho');
  await ana.isConnected();
  await old.forget();
  await old.call('ana');
  await ana.sees('velho is calling', '#incoming');
  await ana.accept();
  await ana.isConnected();
  await old.receives();
});

// Holds our first offer, and what follows it, on its way to the server until the other side's has come.
function crossWithTheirs() {
  let oursCame;
  let theirsCame;
  const ours = new Promise((go) => { oursCame = go; });
  const theirs = new Promise((go) => { theirsCame = go; });
  const isOffer = (text) => JSON.parse(text).type === 'video-offer';
  const route = (socket) => {
    const server = socket.connectToServer();
    let queue = Promise.resolve();
    socket.onMessage((text) => {
      if (isOffer(text)) {
        oursCame();
        queue = queue.then(() => theirs);
      }
      queue = queue.then(() => server.send(text));
    });
    server.onMessage((text) => {
      socket.send(text);
      if (isOffer(text)) theirsCame();
    });
  };
  return { ours, route };
}
