// The page and the Rust core, in calls both ways; pictures and sound are checked on both sides.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/person.js';
import { stories } from '../support/story.js';
import { withCore as storiesWithCore } from '../support/with-core.js';

const withCore = storiesWithCore(stories());

// Scripts that make Chromium another kind of peer, before the page's own.
const script = (change, ...values) => ({ content: `(${change})(...${JSON.stringify(values)})` });

// A film of grey pictures.
function y4m(width, height, pictures) {
  const picture = Buffer.concat([Buffer.from('FRAME\n'), Buffer.alloc(width * height, 150), Buffer.alloc(width * height / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F5:1 Ip A1:1 C420jpeg\n`), ...Array(pictures).fill(picture)]);
}

// One whose offers know only what nobody else does.
const withoutCodecs = script(() => {
  const create = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = async function (...options) {
    const { type, sdp } = await create.apply(this, options);
    const lines = sdp.replace(/^a=rtpmap:(\d+) [^/\r]+/gm, 'a=rtpmap:$1 unheard-of');
    return { type, sdp: lines.replace(/^a=(fmtp|rtcp-fb):.*\r\n/gm, '') };
  };
  const set = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = async function (description) {
    await set.call(this);
    Object.defineProperty(this, 'localDescription', { value: description });
  };
});

withCore('the page sees the core flip its camera, and goes on seeing', async ({ enter, call }) => {
  const ana = await enter('ana');
  const core = call('ana', 'rui', '--flip-after', '1');
  await ana.accept();
  await ana.isConnected();
  await core.event('camera', ({ facing }) => facing === 'environment');
  await ana.seesMotion();
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});

withCore('the core hears what the page has off, and the page turns it on again', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui');
  await ana.call('rui');
  await ana.isConnected();
  await ana.press('camera');
  await core.event('state', ({ remote }) => remote.video === false);
  await ana.press('microphone');
  await core.event('state', ({ remote }) => remote.audio === false && remote.video === false);
  await ana.press('camera');
  const frames = () => core.events.filter((one) => one.event === 'stats').at(-1)?.received?.frames ?? 0;
  const before = frames();
  await until(() => frames() > before + 30, 'no picture after the camera came back');
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});

withCore('the page puts the call with the core on hold and takes it up again', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui');
  await ana.call('rui');
  await ana.isConnected();
  await ana.press('hold');
  await ana.sees('The call is on hold', '#cover');
  await core.event('state', ({ remote }) => remote.held === true && !remote.audio && !remote.video);
  await ana.press('hold');
  await core.event('state', ({ remote }) => !remote.held && remote.audio && remote.video);
  await ana.gone('#cover');
  await ana.seesMotion();
  const frames = () => core.events.filter((one) => one.event === 'stats').at(-1)?.received?.frames ?? 0;
  const before = frames();
  await until(() => frames() > before + 30, 'no picture after the hold');
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});

withCore('the core puts the call with the page on hold, and the page says who', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--commands');
  await ana.call('rui');
  await ana.isConnected();
  core.type('hold');
  await ana.sees('rui has put the call on hold', '#cover');
  await core.event('state', ({ local }) => local.held === true);
  core.type('resume');
  await ana.gone('#cover');
  await ana.seesMotion();
  await ana.hears();
  core.type('hang-up');
  assert.equal((await core.end()).code, 0);
});

withCore('the core sees the page\'s screen as one, and the camera again when it is stopped', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui');
  await ana.call('rui');
  await ana.isConnected();
  await ana.press('screen');
  await core.event('state', ({ remote }) => remote.screen === true && remote.video);
  const [{ trackIdentifier }] = await ana.stats({ type: 'media-source', kind: 'video' });
  assert.ok(await ana.page.evaluate((id) => document.querySelector('#local').srcObject.getVideoTracks()[0].id === id, trackIdentifier));
  const frames = () => core.events.filter((one) => one.event === 'stats').at(-1)?.received?.frames ?? 0;
  const before = frames();
  await until(() => frames() > before + 10, 'no picture of the screen');
  // Stopped in the browser's own bar.
  await ana.page.evaluate(() => {
    const [track] = document.querySelector('#local').srcObject.getVideoTracks();
    track.stop();
    track.dispatchEvent(new Event('ended'));
  });
  await core.event('state', ({ remote }) => remote.screen === false && remote.video);
  await ana.seesMotion('#local');
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});

withCore('the page sees the core\'s screen whole and looks closer by buttons and keys', async ({ enter, answer }) => {
  const film = join(tmpdir(), `chamada-screen-${process.pid}.y4m`);
  writeFileSync(film, y4m(960, 600, 2));
  const ana = await enter('ana');
  const core = answer('rui', '--commands', '--screen', film);
  await ana.call('rui');
  await ana.isConnected();
  core.type('share-screen');
  await ana.sees('rui shares a screen', '#screen-there');
  await ana.page.waitForFunction(() => document.querySelector('#remote').videoWidth === 960);
  const look = () => ana.page.evaluate(() => {
    const { objectFit, transform } = getComputedStyle(document.querySelector('#remote'));
    return [objectFit, transform];
  });
  assert.deepEqual(await look(), ['contain', 'none']);
  await ana.press('zoom-in');
  assert.equal((await look())[1], 'matrix(1.5, 0, 0, 1.5, 0, 0)');
  await ana.page.focus('#stage');
  await ana.page.keyboard.press('+');
  await ana.page.keyboard.press('ArrowRight');
  assert.match((await look())[1], /^matrix\(2\.25, 0, 0, 2\.25, -\d/);
  await ana.page.keyboard.press('0');
  assert.equal((await look())[1], 'none');
  await ana.press('zoom-in');
  core.type('stop-screen');
  await ana.gone('#zoom');
  assert.equal((await look())[1], 'none', 'a camera is shown as ever');
  await ana.seesMotion();
  core.type('hang-up');
  assert.equal((await core.end()).code, 0);
  rmSync(film);
});

withCore('the core hangs up after the time it was given', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--seconds', '2');
  await ana.call('rui');
  await ana.isConnected();
  await ana.gone('#stage');
  await ana.sees('rui ended the call', '#notices');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [0, 'hung-up-here']);
});

withCore('a page that is loaded anew is back in its call with the core', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui');
  await ana.call('rui');
  await ana.isConnected();
  await ana.page.reload();
  await ana.state('connected');
  await ana.isConnected();
  const frames = () => core.events.filter((one) => one.event === 'stats').at(-1)?.received?.frames ?? 0;
  const before = frames();
  await until(() => frames() > before + 20, 'the core gets no pictures after the reload');
  await ana.press('hang-up');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [0, 'hung-up-there']);
});

withCore('the page and the core have no codec in common, and the page says so', async ({ enter, answer }) => {
  const ana = await enter('ana', { init: withoutCodecs });
  answer('rui');
  await ana.call('rui');
  await ana.sees('no way to send sound or pictures in common', '#notices');
});

withCore('the core declines, and the page says so', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--decline');
  await ana.call('rui');
  await ana.sees('rui declined the call', '#notices');
  await core.end();
});

withCore('the page declines the core', async ({ enter, call }) => {
  const ana = await enter('ana');
  const core = call('ana', 'rui');
  await ana.sees('rui is calling', '#incoming');
  await ana.press('decline');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [4, 'declined-there']);
});

withCore('the core hears that the page is busy', async ({ inCall, call }) => {
  const [ana] = await inCall('ana', 'eva');
  const core = call('ana', 'rui');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [4, 'busy']);
  await ana.isConnected();
});

withCore('the core chats in the page’s room', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--say', 'olá <b>mundo</b>');
  await ana.sees('olá mundo', '#chat');
  await ana.say('olá, rui');
  await core.event('chat', ({ from, text }) => from === 'ana' && text === 'olá, rui');
});

withCore('keys that are pressed on the page are heard by the core, and the core’s do the page no harm', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--dtmf', '12,3');
  await ana.call('rui');
  await ana.isConnected();
  await ana.press('keypad-toggle');
  for (const key of '0#5') await ana.page.locator('#keypad-keys').getByText(key, { exact: true }).click();
  await ana.sees('0#5', '#keypad-pressed');
  const tones = () => core.events.filter(({ event }) => event === 'dtmf').map(({ tone }) => tone).join('');
  await until(() => tones().length === 3, 'the keys are not heard');
  assert.equal(tones(), '0#5');
  await ana.isConnected();
  await core.event('stats', ({ audio }) => audio !== null);
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});
