// What gets lost and comes back: the server, the network between the two.

import assert from 'node:assert/strict';
import { Path } from '../support/path.js';
import { SERVER_AWAY, until } from '../support/person.js';
import { stories } from '../support/story.js';

const story = stories();

story('a call outlives the server, and everything works when it is back', async ({ inCall, enter, serverGoes, serverComesBack }) => {
  const [ana, rui] = await inCall('ana', 'rui', { forgiven: SERVER_AWAY });
  await serverGoes();
  await Promise.all([ana, rui].map((one) => one.sees('Your call goes on', '#notices')));
  await Promise.all([ana.isConnected(), rui.isConnected()]);
  // What is said meanwhile waits.
  await ana.press('camera');
  await serverComesBack();
  await Promise.all([ana, rui].map((one) => one.sees('Connected to the server again', '#notices')));
  await rui.sees('ana has the camera off', '#stage');
  await ana.isConnected();
  await ana.say('still here');
  await rui.sees('still here', '#chat');
  const eva = await enter('eva');
  await eva.call('ana');
  await eva.sees('ana is in another call', '#notices');
  await rui.press('hang-up');
  await ana.gone('#stage');
});

story('a restart of the server is not told as everybody leaving', async ({ enter, serverGoes, serverComesBack }) => {
  const everybody = [];
  for (const name of ['ana', 'rui', 'eva']) everybody.push(await enter(name, { forgiven: SERVER_AWAY }));
  const [ana] = everybody;
  await ana.sees('eva arrived', '#chat');
  await serverGoes();
  await Promise.all(everybody.map((one) => one.sees('connection to the server is lost', '#notices')));
  await serverComesBack();
  await Promise.all(everybody.map((one) => one.sees('Connected to the server again', '#notices')));
  await until(async () => await ana.text('#people-count') === '3', 'not everybody is back');
  const told = await ana.page.locator('.system').allInnerTexts();
  assert.deepEqual(told.map((text) => text.replace(/ \d.*/, '')), ['Everyone here reads what you write.', 'rui arrived', 'eva arrived']);
});

story('a connection to the server that breaks is resumed under the same name, and nobody sees it', async ({ inCall }) => {
  const [ana, rui] = await inCall('ana', 'rui', { init: keepSockets });
  await ana.page.evaluate(() => globalThis.sockets.at(-1).close(4000));
  await ana.sees('Connected to the server again', '#notices');
  assert.equal(await ana.text('#me'), 'ana');
  await ana.say('hello again');
  await rui.sees('hello again', '#chat');
  assert.equal(await rui.page.locator('.system', { hasText: 'ana' }).count(), 0, 'ana never left');
  await rui.isConnected();
});

story('without a server nobody gets in, and the form says so', async ({ visit, serverGoes, serverComesBack }) => {
  const ana = await visit({ forgiven: SERVER_AWAY });
  await serverGoes();
  await ana.page.fill('#name', 'ana');
  await ana.press('enter');
  await ana.sees('The server cannot be reached', '#login-error');
  await serverComesBack();
  await ana.logIn('ana');
});

story('a path that is lost is shown, and repaired by the caller when it is back', async ({ enter }) => {
  const path = new Path();
  try {
    const [ana, rui] = [await enter('ana', { route: path.route('a') }), await enter('rui', { route: path.route('b') })];
    await ana.call('rui');
    await rui.accept();
    await Promise.all([ana.isConnected(), rui.isConnected()]);
    path.cut();
    await Promise.all([ana, rui].map((one) => one.sees('The connection is interrupted', '#stage')));
    await until(() => path.said.b.filter((type) => type === 'video-answer').length > 1, 'nobody restarted ICE');
    path.mend();
    await Promise.all([ana.isConnected(), rui.isConnected()]);
    await ana.gone('#stage-notice');
    assert.equal(path.said.b.filter((type) => type === 'video-offer').length, 0, 'only the caller offers');
  } finally {
    path.close();
  }
});

// Runs in the page.
function keepSockets() {
  globalThis.sockets = [];
  const Native = globalThis.WebSocket;
  globalThis.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      globalThis.sockets.push(this);
    }
  };
}
