// The small pure parts: messages, texts, formats, statistics, cameras, identifiers.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Devices, facingOf, nextCamera } from '../../../server/web/devices.js';
import { duration, hueOf, initial, photoName } from '../../../server/web/format.js';
import { readMessage } from '../../../server/web/message.js';
import { PathSearch } from '../../../server/web/path-search.js';
import { readStats } from '../../../server/web/stats.js';
import { chooseLanguage, textsIn } from '../../../server/web/texts.js';
import { newUuid } from '../../../server/web/uuid.js';

const WEB = new URL('../../../server/web/', import.meta.url);
const files = readdirSync(WEB, { recursive: true }).filter((file) => /\.(js|html)$/.test(file));
const sources = Object.fromEntries(files.map((file) => [file, readFileSync(new URL(file, WEB), 'utf8')]));

test('no module writes markup or inline styles', () => {
  for (const [file, source] of Object.entries(sources)) {
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bstyle=|\bon\w+="|\beval\(/, file);
  }
});

test('the elements that tsc knows of are those of the document', () => {
  const ids = (text, pattern) => [...text.matchAll(pattern)].map(([, id]) => id).sort();
  const known = ids(readFileSync(new URL('../page.d.ts', import.meta.url), 'utf8'), /^ {2}'([\w-]+)':/gm);
  assert.deepEqual(known, ids(sources['index.html'], /\bid="([\w-]+)"/g));
});

test('the language is the one asked for, or the first of the browser’s that there is', () => {
  assert.equal(chooseLanguage(null, ['de', 'pt-PT', 'en']), 'pt-BR');
  assert.equal(chooseLanguage(null, ['fr', 'en-GB', 'pt']), 'en');
  assert.equal(chooseLanguage('pt', ['en']), 'pt-BR');
  assert.equal(chooseLanguage('xx', []), 'en');
  assert.equal(textsIn('pt-BR')('incoming', { name: '{name}$&' }), '{name}$& está ligando');
  assert.throws(() => textsIn('en')('toString'));
  assert.equal(textsIn('en', ['pt-BR', 'en-GB']).locale, 'en-GB');
  assert.equal(textsIn('pt-BR', ['en-GB']).locale, 'pt-BR');
});

test('a path that is not found is told after 2.5 s, with what is known of it', () => {
  const sdp = (...types) => ({ sdp: ['v=0', ...types.map((type) => `a=candidate:1 1 udp 1 10.0.0.1 9 typ ${type}`)].join('\r\n') });
  const search = (here, there, iceConnectionState = 'checking') => {
    const of = (types) => types && sdp(...types);
    return { currentLocalDescription: of(here), currentRemoteDescription: of(there), iceConnectionState };
  };
  const told = (...given) => {
    const one = new PathSearch();
    one.look(0, search(...given));
    return one.look(2_500, search(...given));
  };
  assert.equal(told([], ['host']), 'no-network-here');
  assert.equal(told(['host'], [], 'new'), 'nothing-from-there');
  assert.equal(told(['host', 'srflx'], ['host']), 'no-relay');
  assert.equal(told(['host'], ['srflx', 'relay']), 'unanswered');
  for (const state of ['connected', 'completed', 'disconnected', 'failed', 'closed']) assert.equal(told(['host'], ['host'], state), null);
  assert.equal(told(['host'], null), null, 'nobody has answered yet');
  const one = new PathSearch();
  assert.equal(one.look(9_000, search(['host'], ['host'])), null);
  assert.equal(one.look(11_499, search(['host'], ['host'])), null, 'the search is young');
  one.look(11_500, search(['host'], ['host'], 'connected'));
  assert.equal(one.look(20_000, search(['host'], ['host'])), null, 'it is another one');
});

test('durations, letters and file names', () => {
  assert.deepEqual([0, 7_900, 754_000, 3_723_000, -5].map(duration), ['0:00', '0:07', '12:34', '1:02:03', '0:00']);
  assert.deepEqual(['ána', ' 😀x', ''].map(initial), ['Á', '😀', '?']);
  assert.equal(hueOf('ana'), hueOf('ana'));
  const date = new Date(2026, 10, 5, 9, 3, 7);
  assert.equal(photoName('a/../b: José', date), 'chamada-a-b-José-20261105-090307.png');
  assert.equal(photoName('///', date), 'chamada-photo-20261105-090307.png');
});

test('identifiers are random UUIDs with and without the browser’s help', () => {
  const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const withoutHelp = { getRandomValues: (bytes) => crypto.getRandomValues(bytes) };
  assert.match(newUuid(), pattern);
  assert.match(newUuid(withoutHelp), pattern);
  assert.notEqual(newUuid(withoutHelp), newUuid(withoutHelp));
});

test('messages keep their known fields and nothing else', () => {
  const read = (message) => readMessage(JSON.stringify(message));
  assert.deepEqual(
    read({ type: 'video-offer', name: 'bia', call: 'ABCDEF00-0000-4000-8000-000000000001', sdp: { type: 'offer', sdp: 'v=0', x: 1 }, y: 2 }),
    { type: 'video-offer', name: 'bia', call: 'abcdef00-0000-4000-8000-000000000001', sdp: { type: 'offer', sdp: 'v=0' } },
  );
  assert.deepEqual(read({ type: 'media-state', facing: 'sideways' }), { type: 'media-state', audio: true, video: true, screen: false });
  assert.deepEqual(read({ type: 'new-ice-candidate' }), { type: 'new-ice-candidate', candidate: null });
  assert.deepEqual(read({ type: 'hang-up', name: 'bia', target: null }), { type: 'hang-up', name: 'bia' });
  assert.equal(read({ type: 'of tomorrow' }), null);
});

test('statistics become rates, losses and a path', () => {
  const at = (timestamp, bytes, packets, lost) => [
    { id: 'V', type: 'inbound-rtp', kind: 'video', timestamp, codecId: 'C', frameWidth: 640, frameHeight: 360, framesPerSecond: 24,
      bytesReceived: bytes, packetsReceived: packets, packetsLost: lost },
    { id: 'C', type: 'codec', mimeType: 'video/VP8' },
    { id: 'T', type: 'transport', selectedCandidatePairId: 'P' },
    { id: 'P', type: 'candidate-pair', currentRoundTripTime: 0.012, localCandidateId: 'L', remoteCandidateId: 'R' },
    { id: 'L', type: 'local-candidate', candidateType: 'relay', protocol: 'udp' },
    { id: 'R', type: 'remote-candidate', candidateType: 'host' },
  ];
  const shown = readStats(at(2_000, 126_000, 190, 10), at(1_000, 1_000, 100, 0));
  assert.deepEqual(shown.received, { codec: 'VP8', width: 640, height: 360, fps: 24, kbps: 1_000 });
  assert.equal(shown.sent, null);
  assert.deepEqual([shown.rtt, shown.loss, shown.path], [12, 0.1, { local: 'relay', remote: 'host', protocol: 'udp' }]);
  const first = readStats(at(1_000, 1_000, 0, 0), null);
  assert.deepEqual([first.received.kbps, first.loss], [null, null]);
});

test('which way a camera looks, and which one is next', () => {
  assert.equal(facingOf({ facingMode: 'environment' }, 'front'), 'environment');
  assert.equal(facingOf({}, 'camera2 0, facing back'), 'environment');
  assert.equal(facingOf({}, 'FaceTime HD Camera'), 'user');
  assert.equal(facingOf({}, 'Webcam C920'), null);
  const cameras = ['a', 'b', 'c'].map((deviceId) => ({ deviceId }));
  assert.equal(nextCamera(cameras, 'c').deviceId, 'a');
  assert.equal(nextCamera(cameras, 'gone').deviceId, 'a');
  assert.equal(nextCamera(cameras.slice(1, 2), 'b'), null);
});

// Cameras made by hand: what was asked for, and tracks that remember whether they were stopped.
function fakeMedia(cameras, refuse = () => false) {
  const asked = [];
  const tracks = [];
  const track = (kind, settings) => {
    const made = { kind, label: '', enabled: true, stopped: false, stop() { made.stopped = true; }, getSettings: () => settings };
    tracks.push(made);
    return made;
  };
  return {
    asked,
    tracks,
    enumerateDevices: async () => cameras.map(({ deviceId }) => ({ kind: 'videoinput', deviceId })),
    async getUserMedia(wanted) {
      asked.push(wanted);
      if (refuse(wanted)) throw new DOMException('no', refuse(wanted));
      const { deviceId, facingMode } = wanted.video ?? {};
      const fitting = cameras.find((one) => (deviceId ? one.deviceId === deviceId.exact : !facingMode?.exact || one.facingMode === facingMode.exact));
      if (wanted.video && !fitting) throw new DOMException('none', 'OverconstrainedError');
      const found = [...(wanted.audio ? [track('audio', {})] : []), ...(wanted.video ? [track('video', fitting)] : [])];
      return { getTracks: () => found, getVideoTracks: () => found.filter((one) => one.kind === 'video') };
    },
  };
}
const devicesOf = (mediaDevices) => new Devices({ mediaDevices, saveData: () => false, changed: () => {} });
const PHONE = [{ deviceId: 'f', facingMode: 'user' }, { deviceId: 'b', facingMode: 'environment' }];

test('a phone’s flip closes one camera before it opens the one that looks the other way', async () => {
  const media = fakeMedia(PHONE);
  const devices = devicesOf(media);
  assert.equal(await devices.open(), null);
  const first = devices.video;
  await devices.flip();
  assert.ok(first.stopped);
  assert.equal(devices.facing, 'environment');
  assert.deepEqual(media.asked.at(-1).video.facingMode, { exact: 'environment' });
  await devices.flip();
  assert.equal(devices.facing, 'user');
});

test('a flip that fails opens the camera of before again', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const devices = devicesOf(fakeMedia(PHONE, ({ video }) => (video?.facingMode?.exact || video?.deviceId?.exact === 'b') && 'NotReadableError'));
  await devices.open();
  await assert.rejects(devices.flip(), { name: 'NotReadableError' });
  assert.equal(devices.video.getSettings().deviceId, 'f');
});

test('what cannot be opened is left out, and said', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const missing = async (refuse) => devicesOf(fakeMedia(PHONE, refuse)).open();
  assert.equal(await missing(({ video }) => video && 'NotReadableError'), 'media.no-camera');
  assert.equal(await missing(({ audio }) => audio && 'NotFoundError'), 'media.no-microphone');
  assert.equal(await missing(() => 'NotFoundError'), 'media.nothing');
  assert.equal(await missing(() => 'NotAllowedError'), 'media.denied');
  assert.equal(await missing(({ video }) => video && 'NotAllowedError'), 'media.camera-denied');
  assert.equal(await missing(({ audio }) => audio && 'NotAllowedError'), 'media.microphone-denied');
  assert.equal(await devicesOf(undefined).open(), 'media.insecure');
});

test('whoever has just refused both is not asked for each, and what is refused for good is left out', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const open = async (states, refuse) => {
    const media = fakeMedia(PHONE, refuse);
    const permissions = { query: async ({ name }) => ({ state: states[name] }) };
    const devices = new Devices({ mediaDevices: media, permissions, saveData: () => false, changed: () => {} });
    return [await devices.open(), media.asked.length];
  };
  const all = () => 'NotAllowedError';
  assert.deepEqual(await open({ camera: 'prompt', microphone: 'prompt' }, all), ['media.denied', 1]);
  assert.deepEqual(await open({ camera: 'denied', microphone: 'denied' }, all), ['media.denied', 1]);
  assert.deepEqual(await open({ camera: 'denied', microphone: 'granted' }, ({ video }) => video && 'NotAllowedError'), ['media.camera-denied', 2]);
});

test('a device that was chosen is asked for, and one that cannot be opened gives way to that of before', async () => {
  const media = fakeMedia(PHONE, ({ video }) => video?.deviceId?.exact === 'b' && 'NotReadableError');
  const devices = new Devices({ mediaDevices: media, saveData: () => false, changed: () => {}, chosen: { video: 'f', audio: 'm' } });
  await devices.open();
  assert.deepEqual([media.asked[0].video.deviceId, media.asked[0].audio.deviceId], [{ exact: 'f' }, { exact: 'm' }]);
  await assert.rejects(devices.choose('video', 'b'), { name: 'NotReadableError' });
  assert.deepEqual(media.asked.at(-1).video.deviceId, { exact: 'f' });
  assert.ok(devices.video && !devices.video.stopped);
});

test('a device that was chosen and is gone gives way to another', async () => {
  const devices = new Devices({ mediaDevices: fakeMedia(PHONE), saveData: () => false, changed: () => {}, chosen: { video: 'gone' } });
  assert.equal(await devices.open(), null);
  assert.ok(devices.video);
});

test('a camera that opens after the call has ended is closed at once', async () => {
  const media = fakeMedia(PHONE);
  const devices = devicesOf(media);
  const opening = devices.open();
  devices.release();
  await opening;
  assert.ok(media.tracks.length > 0 && media.tracks.every((one) => one.stopped));
  assert.equal(devices.video, null);
});
