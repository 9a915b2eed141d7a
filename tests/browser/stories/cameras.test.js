// Two cameras, one that fails, none at all, and a page that may not use any.

import assert from 'node:assert/strict';
import { stories } from '../support/story.js';

// Of Chromium's four fake cameras the second measures depth and the third gives a still picture: two are left.
const story = stories({ cameras: 4 });

story('flip changes the camera in the call, without renegotiation', async ({ inCall }) => {
  const [ana, rui] = await inCall('ana', 'rui', { init: countOffersAndLeaveTwoCameras });
  const camera = () => ana.page.evaluate(() => document.querySelector('#local').srcObject?.getVideoTracks()[0]?.getSettings().deviceId ?? null);
  const first = await camera();
  assert.ok(first);
  const flipped = (from) => ana.page.waitForFunction((before) => {
    const track = document.querySelector('#local').srcObject?.getVideoTracks()[0];
    return track && track.readyState === 'live' && track.getSettings().deviceId !== before;
  }, from);
  await ana.press('flip');
  await flipped(first);
  const second = await camera();
  await Promise.all([rui.seesMotion(), ana.seesMotion('#local')]);
  await ana.press('flip');
  await flipped(second);
  assert.equal(await camera(), first, 'the second flip comes back');
  await rui.seesMotion();
  assert.equal(await ana.page.evaluate(() => globalThis.offers), 1, 'one offer for the whole call');
});

story('a camera that fails leaves the sound, and both are told', async ({ enter }) => {
  const ana = await enter('ana', { init: breakCamera });
  const rui = await enter('rui');
  await ana.call('rui');
  await ana.sees('you are heard but not seen', '#notices');
  await rui.accept();
  await rui.state('connected');
  await rui.sees('ana has the camera off', '#stage');
  await Promise.all([rui.hears(), ana.hears(), ana.seesMotion()]);
  // Trying again says so again.
  await ana.press('camera');
  await ana.sees('Your camera is off', '#stage');
  assert.equal(await ana.page.getAttribute('#camera', 'aria-label'), 'Turn camera on');
});

story('who may not use camera and microphone still sees and hears', async ({ enter }) => {
  const ana = await enter('ana');
  const rui = await enter('rui', { init: denyAll });
  await ana.call('rui');
  await rui.accept();
  await rui.sees('does not allow this page', '#notices');
  await Promise.all([rui.state('connected'), ana.state('connected')]);
  await Promise.all([rui.seesMotion(), rui.hears()]);
  await ana.sees('rui has the camera off', '#stage');
  await ana.sees('rui is muted', '#stage');
});

story('on an address that is not secure the page says what that means, and still receives', async ({ visit, enter }) => {
  const ana = await visit({ init: insecure });
  await ana.sees('This address is not secure', '#login-hint');
  await ana.logIn('ana');
  const rui = await enter('rui');
  await ana.call('rui');
  await ana.sees('This address is not secure', '#notices');
  await rui.accept();
  await ana.state('connected');
  await Promise.all([ana.seesMotion(), ana.hears()]);
});

// What follows runs in the page.

function countOffersAndLeaveTwoCameras() {
  globalThis.offers = 0;
  const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
  navigator.mediaDevices.enumerateDevices = async () => (await list()).filter((device) => !/^fake_device_[12]$/.test(device.label));
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    if (JSON.parse(text).type === 'video-offer') globalThis.offers += 1;
    return send.call(this, text);
  };
}

function breakCamera() {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => (wanted.video
    ? Promise.reject(new DOMException('in use by another program', 'NotReadableError'))
    : real(wanted));
}

function denyAll() {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
}

// What browsers leave out of pages that are not secure.
function insecure() {
  Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
  delete Crypto.prototype.randomUUID;
}
