// Two cameras, one that fails, none at all, and a page that may not use any.

import assert from 'node:assert/strict';
import { until } from '../support/person.js';
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
  await rui.sees('does not allow this page to use camera or microphone: you can watch and listen', '#notices');
  assert.equal(await rui.page.locator('.notice').count(), 1, 'one sentence');
  await Promise.all([rui.state('connected'), ana.state('connected')]);
  await Promise.all([rui.seesMotion(), rui.hears()]);
  await ana.sees('rui has the camera off', '#stage');
  await ana.sees('rui is muted', '#stage');
  // Asked again, the browser refuses again, and what is said stays true.
  await rui.press('camera');
  await until(async () => await rui.page.locator('.notice').count() === 2, 'nothing is said');
  await rui.sees('you can watch and listen', '.notice:last-child');
  // Then it is allowed.
  await rui.page.evaluate(() => globalThis.allow());
  await rui.press('microphone');
  await rui.press('camera');
  await Promise.all([ana.seesMotion(), ana.hears(), rui.seesMotion('#local')]);
});

story('camera, microphone and speaker can be chosen, before and in a call, and stay chosen', async ({ enter }) => {
  const [ana, rui] = [await enter('ana'), await enter('rui')];
  const camera = () => ana.page.evaluate(() => document.querySelector('#local').srcObject.getVideoTracks()[0].label);
  await ana.page.locator('header .open-settings').click();
  const labels = await ana.page.locator('#choose-camera option').allInnerTexts();
  assert.ok(labels.length > 1 && labels.every(Boolean), JSON.stringify(labels));
  await ana.page.selectOption('#choose-camera', { label: labels.at(-1) });
  await ana.press('settings-close');
  await ana.call('rui');
  await rui.accept();
  await ana.isConnected();
  assert.equal(await camera(), labels.at(-1));
  await ana.page.locator('#stage .open-settings').click();
  assert.equal(await ana.page.locator('#choose-camera option:checked').innerText(), labels.at(-1));
  await ana.page.selectOption('#choose-camera', { label: labels[0] });
  await until(async () => await camera() === labels[0], 'the camera does not change');
  const speakers = await ana.page.locator('#choose-speaker option').evaluateAll((all) => all.map(({ value }) => value));
  await ana.page.selectOption('#choose-speaker', speakers.at(-1));
  await ana.page.waitForFunction((id) => document.querySelector('#remote').sinkId === id, speakers.at(-1));
  const microphones = await ana.page.locator('#choose-microphone option').allInnerTexts();
  await ana.page.selectOption('#choose-microphone', { label: microphones.at(-1) });
  await ana.press('settings-close');
  await Promise.all([rui.seesMotion(), rui.hears()]);
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
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  globalThis.allow = () => { navigator.mediaDevices.getUserMedia = real; };
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
}

// What browsers leave out of pages that are not secure.
function insecure() {
  Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
  delete Crypto.prototype.randomUUID;
}
