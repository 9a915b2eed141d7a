// Files of a call, between two pages of which only the channel is none.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { writeChunk } from '../../../server/web/call-frames.js';
import { FilePace } from '../../../server/web/file-pace.js';
import { FileTransfers } from '../../../server/web/file-transfers.js';
import { fileSize, safeName } from '../../../server/web/format.js';
import { Sha256 } from '../../../server/web/sha256.js';
import { until } from '../support/person.js';

// One end of a channel, as far as transfers use it.
class Channel extends EventTarget {
  readyState = 'open';
  bufferedAmount = 0;
  sent = 0;
  /** @type {(data: unknown) => void} */
  deliver = () => {};

  send(data) {
    this.sent += 1;
    const copy = typeof data === 'string' ? data : data.slice().buffer;
    setImmediate(() => this.readyState === 'open' && this.deliver(copy));
  }
}

function two() {
  const world = { files: [new Map(), new Map()], channels: [] };
  world.ends = [0, 1].map((n) => new FileTransfers({ changed: (file) => world.files[n].set(file.id, file), available: () => {} }));
  world.connect = () => {
    for (const old of world.channels) old.readyState = 'closed';
    world.channels = [new Channel(), new Channel()];
    for (const n of [0, 1]) world.channels[n].deliver = (data) => world.ends[1 - n].receive(data);
    for (const n of [0, 1]) world.ends[n].connected(world.channels[n]);
  };
  world.file = (n, state) => until(() => [...world.files[n].values()].some((file) => file.state === state), `none is ${state}`)
    .then(() => [...world.files[n].values()].find((file) => file.state === state));
  world.connect();
  return world;
}

const made = (bytes, name = 'a.png', type = 'image/png') => new File([bytes], name, { type });

test('a file comes after a yes, whole, and a picture keeps its type', async () => {
  const world = two();
  const bytes = randomBytes(2_500_000);
  world.ends[0].send(made(bytes, 'férias.png'));
  const asked = await world.file(1, 'asked');
  assert.deepEqual([asked.name, asked.size, asked.mediaType], ['férias.png', 2_500_000, 'image/png']);
  assert.ok(world.channels[0].sent < 5);
  await world.ends[1].accept(asked.id);
  const done = await world.file(1, 'done');
  await world.file(0, 'done');
  assert.ok(Buffer.from(await done.blob.arrayBuffer()).equals(bytes));
  assert.equal(done.blob.type, 'image/png');
});

test('an empty file, and one whose type would be believed, come as what they are', async () => {
  const world = two();
  world.ends[0].send(made(Buffer.alloc(0), '../x.html', 'text/html'));
  const asked = await world.file(1, 'asked');
  await world.ends[1].accept(asked.id);
  const { blob, name } = await world.file(1, 'done');
  assert.deepEqual([blob.size, blob.type, name], [0, 'application/octet-stream', 'x.html']);
});

test('it goes on after a reconnect, and what was paused waits', async () => {
  const world = two();
  const bytes = randomBytes(3_000_000);
  world.ends[0].send(made(bytes));
  const asked = await world.file(1, 'asked');
  await world.ends[1].accept(asked.id);
  await until(() => asked.bytes > 500_000, 'nothing comes');
  world.connect();
  world.ends[1].pause(asked.id, true);
  await until(() => [...world.files[0].values()][0].pausedThere, 'the sender does not hear of the pause');
  assert.equal(asked.state, 'receiving');
  world.ends[1].pause(asked.id, false);
  const { blob } = await world.file(1, 'done');
  assert.ok(Buffer.from(await blob.arrayBuffer()).equals(bytes));
  await world.file(0, 'done');
});

test('who says no, and who stops it, is heard on the other side', async () => {
  const world = two();
  world.ends[0].send(made(randomBytes(10)));
  world.ends[1].end((await world.file(1, 'asked')).id);
  assert.equal((await world.file(0, 'ended')).why, 'declined');
  world.files = [new Map(), new Map()];
  world.ends[0].send(made(randomBytes(50_000_000)));
  const asked = await world.file(1, 'asked');
  await world.ends[1].accept(asked.id);
  await until(() => asked.bytes > 0, 'nothing comes');
  world.ends[0].end(asked.id);
  assert.equal((await world.file(1, 'ended')).why, 'cancelled');
});

test('a sender that keeps to nothing is stopped with a reason, and nothing is kept', async () => {
  const id = '00000000-0000-4000-8000-000000000001';
  const chunk = (offset, length) => writeChunk(id, offset, new Uint8Array(length)).buffer;
  const end = (sha256) => JSON.stringify({ v: 1, type: 'end', id, sha256 });
  for (const [messages, why] of [
    [[chunk(0, 101)], 'size'],
    [[chunk(1, 10)], 'protocol'],
    [[chunk(0, 10), chunk(0, 10)], 'protocol'],
    [[chunk(0, 99), end('0'.repeat(64))], 'size'],
    [[chunk(0, 100), end('beef')], 'protocol'],
    [[chunk(0, 100), end('0'.repeat(64))], 'checksum'],
  ]) {
    const world = two();
    world.ends[1].receive(JSON.stringify({ v: 1, type: 'offer', id, name: 'a', size: 100 }));
    await world.ends[1].accept(id);
    for (const message of messages) world.ends[1].receive(message);
    const file = await world.file(1, 'ended');
    assert.deepEqual([file.why, file.blob], [why, null]);
  }
  const world = two();
  for (const nonsense of ['{', '[]', '{"v":1,"type":"offer"}', '{"v":1,"type":"accept","id":7}', new ArrayBuffer(3), new ArrayBuffer(20_000)]) world.ends[1].receive(nonsense);
  for (let n = 0; n < 200; n += 1) {
    world.ends[1].receive(JSON.stringify({ v: 1, type: 'offer', id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`, name: 'a', size: 1 }));
  }
  assert.equal(world.files[1].size, 16);
});

test('files give way where their chunks take long, and take the path that is free', () => {
  const pace = new FilePace();
  let now = 0;
  const pass = (ms, took) => {
    for (const end = now + ms; now < end; now += 1) {
      while (pace.take(now, pace.chunk(16_000)) === 0);
      if (now % 20 === 0) pace.answered(now, took);
    }
  };
  pass(2_000, 30);
  const fast = pace.rate;
  assert.ok(fast > 10_000_000, `${fast}`);
  pass(1_000, 300);
  assert.ok(pace.rate < fast / 4, `${pace.rate}`);
});

test('the checksum is SHA-256 however the bytes come', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 10_000]) {
    const bytes = randomBytes(length);
    const hash = new Sha256();
    for (let at = 0; at < length;) {
      const next = Math.min(length, at + 1 + (at * 7 + length) % 130);
      hash.update(bytes.subarray(at, next));
      at = next;
    }
    assert.equal(hash.digest(), createHash('sha256').update(bytes).digest('hex'), `${length} bytes`);
  }
});

test('names of strangers lead nowhere, and sizes are for people', () => {
  for (const [name, safe] of [['../../etc/passwd', 'passwd'], ['C:\\a\\b.txt', 'b.txt'], ['..', 'file'], ['a\u202Egpj.exe', 'agpj.exe'], ['.x', 'x'], ['a?b*.png', 'ab.png'], ['', 'file']]) {
    assert.equal(safeName(name), safe);
  }
  assert.ok(safeName(`${'é'.repeat(300)}.png`).endsWith('é.png'));
  assert.deepEqual([0, 999, 3_400_000].map((bytes) => fileSize(bytes, 'en')), ['0 byte', '999 byte', '3.4 MB']);
});
