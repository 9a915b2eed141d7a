// How good a call is, in both directions, out of W3C statistics: the same thresholds and times as the core's judge.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QualityMonitor, noticeOf, sampleOf } from '../../../server/web/quality.js';

const ON = { local: { audio: true, video: true }, remote: { audio: true, video: true, screen: false } };
const GOOD = { level: 'good', reason: null, audioOnly: false };
const AUDIO_ONLY = { level: 'bad', reason: 'bandwidth', audioOnly: true };
const is = (level, reason) => ({ level, reason, audioOnly: false });

// A call whose every second is the same until it is changed; fine for as long as nothing is judged.
class Call {
  media = ON;
  now = 0;
  monitor = new QualityMonitor();
  sample = {
    rtt: 50, videoPackets: 0, audioPackets: 0, lost: 0, frozen: 0, fps: 30, decodeMs: 3, samples: 0, concealed: 0, bufferMs: 20,
    target: 900_000, needed: 900_000, limitedBy: 'none', sentFps: 30, encodeMs: 5, sentPackets: 0, sentLost: 0,
  };

  constructor() {
    assert.deepEqual(this.seconds(7), []);
  }

  // What is told in so many seconds, with the second of each.
  seconds(seconds, { frozen = 0, concealed = 0, lost = 0, sentLost = 0, video = 50 } = {}) {
    const told = [];
    for (let n = 1; n <= seconds; n += 1) {
      this.now += 1000;
      const add = { sentPackets: 100, sentLost, videoPackets: video, audioPackets: 50, lost, frozen, samples: 48_000, concealed };
      for (const [field, more] of Object.entries(add)) this.sample[field] += more;
      const quality = this.monitor.update(this.now, this.sample, this.media);
      if (quality) told.push([n, quality]);
    }
    return told;
  }
}

function after(sample, second) {
  const call = new Call();
  Object.assign(call.sample, sample);
  call.seconds(20, second);
  return call.monitor.quality;
}

test('each measurement is judged on both sides of its thresholds', () => {
  const received = (second, sample) => after(sample, second).received;
  const sent = (sample, second) => after(sample, second).sent;
  assert.deepEqual(received({ frozen: 49 }), GOOD);
  assert.deepEqual(received({ frozen: 50 }), is('poor', 'bandwidth'));
  assert.deepEqual(received({ frozen: 299 }), is('poor', 'bandwidth'));
  assert.deepEqual(received({ frozen: 300 }), is('bad', 'bandwidth'));
  assert.deepEqual(received({}, { fps: 12.1 }), GOOD);
  assert.deepEqual(received({}, { fps: 12 }), is('poor', 'bandwidth'));
  assert.deepEqual(received({}, { fps: 6 }), is('bad', 'bandwidth'));
  assert.deepEqual(received({ concealed: 959 }), GOOD);
  assert.deepEqual(received({ concealed: 960 }), is('poor', 'delay'));
  assert.deepEqual(received({ concealed: 960, lost: 3 }), is('poor', 'loss'));
  assert.deepEqual(received({ concealed: 4_800, lost: 3 }), is('bad', 'loss'));
  assert.deepEqual(received({ lost: 20 }), GOOD, 'loss that was repaired');
  assert.deepEqual(received({}, { rtt: 200, bufferMs: 149 }), GOOD);
  assert.deepEqual(received({}, { rtt: 200, bufferMs: 150 }), is('poor', 'delay'));
  assert.deepEqual(received({}, { rtt: 200, bufferMs: 300 }), is('bad', 'delay'));
  assert.deepEqual(received({}, { decodeMs: 30 }), is('poor', 'device'));
  assert.deepEqual(sent({ rtt: 399 }), GOOD);
  assert.deepEqual(sent({ rtt: 400 }), is('poor', 'delay'));
  assert.deepEqual(sent({ rtt: 700 }), is('bad', 'delay'));
  assert.deepEqual(sent({}, { sentLost: 4 }), GOOD);
  assert.deepEqual(sent({}, { sentLost: 5 }), is('poor', 'loss'));
  assert.deepEqual(sent({}, { sentLost: 15 }), is('bad', 'loss'));
  assert.deepEqual(sent({ target: 450_100 }), GOOD);
  assert.deepEqual(sent({ target: 450_000 }), is('poor', 'bandwidth'));
  assert.deepEqual(sent({ target: 134_900 }), is('bad', 'bandwidth'));
  assert.deepEqual(sent({ target: null }), GOOD, 'a browser that does not tell');
  assert.deepEqual(sent({ encodeMs: 28.3 }), GOOD);
  assert.deepEqual(sent({ encodeMs: 28.4 }), is('poor', 'device'));
  assert.deepEqual(sent({ limitedBy: 'cpu', target: 200_000 }), is('poor', 'device'));
});

test('worse is told after two seconds, better after five and beyond a stricter threshold', () => {
  const call = new Call();
  call.sample.target = 400_000;
  assert.deepEqual(call.seconds(10), [[3, { sent: is('poor', 'bandwidth'), received: GOOD }]]);
  call.sample.target = 580_000;
  assert.deepEqual(call.seconds(30), [], 'just better is not yet good');
  call.sample.target = 590_000;
  assert.deepEqual(call.seconds(30), [[6, { sent: GOOD, received: GOOD }]]);
});

test('what swings around a threshold is told once', () => {
  const call = new Call();
  const told = [];
  for (let n = 0; n < 120; n += 1) {
    call.sample.target = n % 8 < 4 ? 440_000 : 460_000;
    told.push(...call.seconds(1));
  }
  assert.equal(told.length, 1);
});

test('sound without the pictures of a camera that is on is sound alone, and told as that', () => {
  const call = new Call();
  assert.deepEqual(call.seconds(10, { video: 0 }), [[3, { sent: GOOD, received: AUDIO_ONLY }]]);
  assert.equal(noticeOf(call.monitor.quality), 'quality.audio-only');
  assert.deepEqual(call.seconds(10), [[1, { sent: GOOD, received: GOOD }]]);
  const off = new Call();
  off.media = { ...ON, remote: { audio: true, video: false, screen: false } };
  assert.deepEqual(off.seconds(20, { video: 0 }), []);
});

test('a screen that stands still is no frozen picture', () => {
  const call = new Call();
  call.media = { ...ON, remote: { audio: true, video: true, screen: true } };
  assert.deepEqual(call.seconds(20, { frozen: 1000 }), []);
});

test('nothing is judged at the start and after a gap', () => {
  const call = new Call();
  call.monitor = new QualityMonitor();
  assert.equal(call.seconds(20, { frozen: 1000 })[0][0], 8);
  call.now += 10_000;
  assert.deepEqual(call.seconds(10), []);
  assert.equal(call.seconds(3).length, 1);
});

test('of two directions the worse one is what people are told of', () => {
  assert.equal(noticeOf({ sent: GOOD, received: GOOD }), null);
  assert.equal(noticeOf({ sent: is('poor', 'loss'), received: GOOD }), 'quality.sent');
  assert.equal(noticeOf({ sent: is('poor', 'loss'), received: is('poor', 'bandwidth') }), 'quality.received');
  assert.equal(noticeOf({ sent: is('bad', 'device'), received: is('poor', 'bandwidth') }), 'quality.device');
  assert.equal(noticeOf({ sent: GOOD, received: is('poor', 'delay') }), 'quality.delay');
});

test('a report that says little is no bad call', () => {
  const empty = sampleOf([]);
  assert.deepEqual(Object.values(empty).filter((value) => Number.isNaN(value)), []);
  const monitor = new QualityMonitor();
  for (let n = 0; n < 20; n += 1) assert.equal(monitor.update(n * 1000, sampleOf([]), ON), null);
  const sample = sampleOf([
    { type: 'inbound-rtp', kind: 'video', packetsReceived: 9, packetsLost: 1, framesDecoded: 4, framesPerSecond: 30, totalDecodeTime: 0.02 },
    { type: 'media-source', kind: 'video', width: 1280, height: 720, framesPerSecond: 30 },
    { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 2 },
  ]);
  assert.deepEqual([sample.videoPackets, sample.lost, sample.fps, sample.decodeMs, Math.round(sample.needed), sample.sentLost], [9, 1, 30, 5, 900_000, 2]);
});
