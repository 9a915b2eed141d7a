// Calls from page to page, pictures and sound included.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Glare } from '../support/glare.js';
import { until } from '../support/person.js';
import { stories } from '../support/story.js';

const story = stories();

story('a call rings, is accepted, and pictures and sound go both ways until somebody hangs up', async ({ enter }) => {
  const ana = await enter('ana');
  const rui = await enter('rui');
  await ana.call('rui');
  await ana.state('ringing-there');
  await ana.sees('Ringing…', '#stage');
  await ana.seesMotion('#local');
  await rui.sees('ana is calling', '#incoming');
  assert.equal(await rui.page.evaluate(() => document.activeElement.id), 'accept');
  await rui.accept();
  await Promise.all([ana.isConnected(), rui.isConnected()]);
  await rui.seesMotion('#local');
  assert.match(await ana.text('#stage-time'), /^0:\d\d$/);
  assert.match(await ana.page.locator('#local').evaluate((video) => getComputedStyle(video).transform), /^matrix\(-1,/, 'a mirror');
  await ana.page.locator('#hang-up').focus();
  await ana.page.keyboard.press('Enter');
  await ana.gone('#stage');
  await rui.gone('#stage');
  await ana.sees('You ended the call with rui', '#notices');
  await rui.sees('ana ended the call', '#notices');
  for (const person of [ana, rui]) {
    assert.equal(await person.page.evaluate(() => document.querySelector('#local').srcObject), null, 'the camera is closed');
  }
  // And once more, the other way.
  await rui.call('ana');
  await ana.accept();
  await Promise.all([ana.isConnected(), rui.isConnected()]);
});

story('mute and camera off are seen at the other side, and undone', async ({ inCall }) => {
  const [ana, rui] = await inCall('ana', 'rui');
  // The energy of what is heard at one end, in a stretch of at least 0.3 s.
  const heard = async () => {
    const look = async () => (await rui.stats({ type: 'inbound-rtp', kind: 'audio' }))[0];
    const from = await look();
    let to = from;
    await until(async () => (to = await look()).totalSamplesDuration > from.totalSamplesDuration + 0.3, 'no sound is played');
    return to.totalAudioEnergy - from.totalAudioEnergy;
  };
  await ana.press('microphone');
  await rui.sees('ana is muted', '#stage');
  assert.equal(await ana.page.getAttribute('#microphone', 'aria-label'), 'Unmute microphone');
  await until(async () => (await heard()) < 1e-6, 'a muted microphone is heard');
  await ana.press('microphone');
  await rui.gone('#muted-there');
  await rui.hears();

  await ana.press('camera');
  await rui.sees('ana has the camera off', '#stage');
  await ana.sees('Your camera is off', '#stage');
  assert.ok(await rui.page.locator('#photo').isDisabled());
  await ana.press('camera');
  await rui.gone('#cover');
  await rui.seesMotion();
  await ana.seesMotion('#local');
});

story('a photo is a PNG of the size of the picture', async ({ inCall }) => {
  const [ana] = await inCall('ana', 'rui');
  const [download] = await Promise.all([ana.page.waitForEvent('download'), ana.press('photo')]);
  await ana.sees('Photo saved', '#notices');
  assert.match(download.suggestedFilename(), /^chamada-rui-\d{8}-\d{6}\.png$/);
  const png = await readFile(await download.path());
  assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  const picture = await ana.page.evaluate(() => {
    const { videoWidth, videoHeight } = document.querySelector('#remote');
    return [videoWidth, videoHeight];
  });
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], picture);
  assert.equal(picture[0] / picture[1], 16 / 9);
});

story('the connection’s details show codec, size, rate, round trip and loss', async ({ inCall }) => {
  const [ana] = await inCall('ana', 'rui');
  await ana.press('stats-toggle');
  await until(async () => /kbit\/s/.test(await ana.text('#stats .stats-sent')), 'no rate is shown');
  assert.match(await ana.text('#stats .stats-received'), /^(VP8|H264|VP9|AV1) · \d+×\d+ · \d+ fps · [\d,]+ kbit\/s$/);
  assert.match(await ana.text('#stats .stats-sound'), /^opus · \d+ kbit\/s$/);
  assert.match(await ana.text('#stats .stats-rtt'), /^\d+ ms$/);
  assert.match(await ana.text('#stats .stats-loss'), /^\d+\.\d %$/);
  assert.match(await ana.text('#stats .stats-path'), /host.*udp$/);
  await ana.press('stats-toggle');
  await ana.gone('#stats');
});

story('Escape declines, and the caller hears of it', async ({ enter }) => {
  const [ana, rui] = [await enter('ana'), await enter('rui')];
  await ana.call('rui');
  await rui.sees('ana is calling', '#incoming');
  await rui.page.keyboard.press('Tab');
  await rui.page.keyboard.press('Tab');
  assert.ok(await rui.page.evaluate(() => document.activeElement.closest('#incoming') !== null || document.activeElement === document.body));
  await rui.page.keyboard.press('Escape');
  await ana.sees('rui declined the call', '#notices');
  await rui.gone('#incoming');
  await ana.gone('#stage');
  await until(() => ana.personButton('rui').isEnabled(), 'rui cannot be called again');
});

story('the caller thinks better of it, and it stops ringing', async ({ enter }) => {
  const [ana, rui] = [await enter('ana'), await enter('rui')];
  await ana.call('rui');
  await ana.state('ringing-there');
  assert.equal(await ana.page.getAttribute('#hang-up', 'aria-label'), 'Cancel the call');
  await ana.press('hang-up');
  await rui.gone('#incoming');
  await rui.sees('You missed a call from ana', '#notices');
});

story('a call to a page that is hidden shows in its title and as a notification, until it rings no more', async ({ enter }) => {
  const ana = await enter('ana');
  const rui = await enter('rui', { init: hide });
  await rui.press('notify');
  await rui.gone('#notify');
  await ana.call('rui');
  await rui.page.locator('#incoming[open]').waitFor();
  assert.equal(await rui.page.title(), 'ana is calling');
  const shown = () => rui.page.evaluate(() => globalThis.shown);
  assert.deepEqual(await shown(), [{ title: 'ana is calling', body: 'Video call', open: true }]);
  await ana.press('hang-up');
  await rui.gone('#incoming');
  assert.equal(await rui.page.title(), 'You missed a call from ana.');
  assert.equal((await shown())[0].open, false);
  await rui.page.evaluate(() => globalThis.show());
  assert.equal(await rui.page.title(), 'Chamada');
});

story('a third person hears that the line is busy, and the call goes on', async ({ inCall, enter }) => {
  const [ana, rui] = await inCall('ana', 'rui');
  const eva = await enter('eva');
  await eva.call('rui');
  await eva.sees('rui is in another call', '#notices');
  assert.equal(await rui.page.locator('#incoming[open]').count(), 0);
  await Promise.all([ana.isConnected(), rui.isConnected()]);
});

story('two who call each other at the same time are in one call, without a ring', async ({ enter }) => {
  const glare = new Glare();
  const [ana, rui] = [await enter('ana', { route: glare.route('ana') }), await enter('rui', { route: glare.route('rui') })];
  for (let round = 0; round < 2; round += 1) {
    glare.prepare();
    for (const [one, other] of [[ana, 'rui'], [rui, 'ana']]) await one.personButton(other).and(one.page.locator(':enabled')).waitFor();
    await Promise.all([ana.call('rui'), rui.call('ana')]);
    await Promise.all([ana.isConnected(), rui.isConnected()]);
    assert.deepEqual(glare.said('video-offer').sort(), ['ana', 'rui'], 'both called');
    assert.deepEqual(glare.said('video-answer'), ['ana'], 'the smaller name gives way');
    assert.deepEqual(glare.said('call-ringing'), [], 'nowhere did it ring');
    await (round ? ana : rui).press('hang-up');
    await Promise.all([ana.gone('#stage'), rui.gone('#stage')]);
  }
});

story('whoever reloads the page in a call is back in it, and whoever closes it ends it', async ({ inCall }) => {
  const [ana, rui] = await inCall('ana', 'rui');
  await rui.press('microphone');
  await ana.sees('rui is muted', '#stage');
  // First the one who was called, then the one who called.
  for (const [one, other] of [[rui, ana], [ana, rui]]) {
    await one.page.reload();
    await one.state('connected');
    await Promise.all([one.seesMotion(), other.seesMotion()]);
  }
  await ana.sees('rui is muted', '#stage');
  await rui.press('microphone');
  await Promise.all([ana.isConnected(), rui.isConnected()]);
  assert.equal(await ana.page.locator('.system', { hasText: /arrived|left/ }).count(), 0, 'nobody was said to have come or gone');
  await rui.page.close();
  await ana.gone('#stage');
  await ana.sees('rui ended the call', '#notices');
});

story('chat goes on in a call, on a phone behind a button that shows what is unread', async ({ enter }) => {
  const ana = await enter('ana', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  const rui = await enter('rui');
  await ana.call('rui');
  await rui.accept();
  await ana.isConnected();
  for (const id of ['microphone', 'camera', 'photo', 'stats-toggle', 'chat-toggle', 'hang-up']) {
    const box = await ana.page.locator(`#${id}`).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y + box.height <= 740, `${id} is in sight`);
  }
  assert.ok(await ana.page.locator('#chat').isHidden());
  await rui.say('psst');
  await ana.page.locator('#chat-toggle.unread').waitFor();
  await ana.press('chat-toggle');
  await ana.sees('psst', '#chat');
  await ana.page.locator('#chat-toggle:not(.unread)').waitFor();
  await ana.say('yes?');
  await rui.sees('yes?', '#chat');
  assert.ok(await ana.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await ana.press('hang-up');
  await rui.gone('#stage');
});

// Runs in the page: it is hidden until `show()`, and keeps what it would notify of.
function hide() {
  let isHidden = true;
  Object.defineProperty(document, 'hidden', { get: () => isHidden });
  globalThis.show = () => {
    isHidden = false;
    document.dispatchEvent(new Event('visibilitychange'));
  };
  globalThis.shown = [];
  globalThis.Notification = class {
    static permission = 'default';
    static async requestPermission() {
      this.permission = 'granted';
    }
    constructor(title, { body }) {
      this.kept = { title, body, open: true };
      globalThis.shown.push(this.kept);
    }
    close() {
      this.kept.open = false;
    }
  };
}
