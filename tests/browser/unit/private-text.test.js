// Private text: two sides, a channel that loses everything while it is off, and somebody who keeps to nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversation, clean } from '../../../server/web/private-text.js';

function two() {
  const world = { now: 0, on: true, sides: [], events: [[], []], frames: [[], []], sent: 0 };
  for (const n of [0, 1]) {
    world.sides.push(new Conversation({
      now: () => world.now,
      send: (frame) => { world.sent += 1; world.frames[n].push(frame); },
      tell: (event) => world.events[n].push(event),
    }));
  }
  world.carry = () => {
    while (world.frames.some((frames) => frames.length)) {
      for (const n of [0, 1]) for (const frame of world.frames[n].splice(0)) if (world.on) world.sides[1 - n].receive(frame);
    }
  };
  world.reconnect = () => {
    world.on = true;
    for (const side of world.sides) side.connected();
    world.carry();
  };
  world.pass = (ms) => {
    world.now += ms;
    for (const side of world.sides) if ((side.timeoutAt() ?? Infinity) <= world.now) side.handleTimeout();
    world.carry();
  };
  world.told = (n) => world.events[n].splice(0).map(({ kind, text, on }) => text ?? (on === undefined ? kind : `${kind} ${on}`));
  world.says = (n, text) => {
    const id = world.sides[n].write(text);
    world.carry();
    return id;
  };
  world.reconnect();
  assert.deepEqual([world.told(0), world.told(1)], [['available'], ['available']]);
  return world;
}

test('a text arrives clean, and its mark comes back', () => {
  const world = two();
  assert.ok(world.says(0, ' ol\u202Eá\u0007\nrui '));
  assert.deepEqual([world.told(1), world.told(0)], [['olá\nrui'], ['delivered']]);
  assert.equal(clean('\u2066\u0000 '), '');
});

test('what a lost connection took with it comes once over the next one, and again on the same one after a while', () => {
  const world = two();
  world.on = false;
  world.says(0, 'one');
  world.reconnect();
  assert.deepEqual(world.told(1), ['one']);
  world.on = false;
  world.says(0, 'two');
  world.on = true;
  world.pass(9_999);
  assert.deepEqual(world.told(1), []);
  world.pass(1);
  assert.deepEqual([world.told(1), world.told(0)], [['two'], ['delivered', 'delivered']]);
  // The mark was lost, and not the text.
  world.sides[1].receive(JSON.stringify({ v: 1, type: 'text', id: '7d0c2f5e-3a41-4c6b-9a55-0d5c1b7a9e10', text: 'x' }));
  world.sides[1].receive(JSON.stringify({ v: 1, type: 'text', id: '7d0c2f5e-3a41-4c6b-9a55-0d5c1b7a9e10', text: 'x' }));
  assert.deepEqual(world.told(1), ['x']);
});

test('what cannot be sent is refused here, and what should not have been is refused there', () => {
  const world = two();
  assert.equal(world.says(0, ' '), null);
  assert.equal(world.says(0, 'x'.repeat(2_001)), null);
  world.frames[1].length = 0;
  const send = (text, n = 0) => {
    world.sides[1].receive(JSON.stringify({ v: 1, type: 'text', id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`, text }));
    return JSON.parse(world.frames[1].splice(0).at(-1)).why;
  };
  assert.equal(send('x'.repeat(2_001)), 'too-long');
  assert.equal(send('\u202E'), 'empty');
  assert.equal(Array.from({ length: 500 }, (_, n) => send('x', n + 1)).at(-1), 'too-fast');
  for (const nonsense of ['{', '[]', 'null', '{"v":2,"type":"hello"}', '{"v":1,"type":"text","id":7,"text":"x"}', '{"v":1,"type":"text","id":"x","text":"x"}', 7, new ArrayBuffer(3)]) {
    world.sides[1].receive(nonsense);
  }
  assert.deepEqual(world.frames[1], []);
});

test('typing is said rarely, told rarely, and ends by itself or with the text', () => {
  const world = two();
  const before = world.sent;
  for (let n = 0; n < 50; n += 1) {
    world.sides[0].typing(true);
    world.pass(100);
  }
  assert.equal(world.sent - before, 2);
  world.pass(6_000);
  assert.deepEqual(world.told(1), ['typing true', 'typing false']);
  world.sides[0].typing(true);
  world.carry();
  world.says(0, 'x');
  assert.deepEqual(world.told(1), ['typing true', 'typing false', 'x']);
  for (let n = 0; n < 10_000; n += 1) world.sides[0].receive(`{"v":1,"type":"typing","on":${n % 2 === 0}}`);
  assert.ok(world.told(0).length < 20);
});
