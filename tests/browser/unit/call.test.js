// What the call engine does beyond the table: candidates, old peers, glare, repair, and two engines over a hostile network.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_ON, CallEngine, RESTART_AFTER, RESTART_EVERY, RING_TIMEOUT, isPolite } from '../../../server/web/call.js';
import { OTHER_CALL, OUR_CALL, THEIR_CALL, answer, engineIn, offer, seeded } from './support.js';

const candidate = (n) => ({ candidate: `candidate:${n}`, sdpMid: '0', sdpMLineIndex: 0 });
const actions = (outputs) => outputs.filter((one) => one.kind === 'peer').map((one) => one.action);

test('the smaller name by UTF-8 bytes is polite, beyond the basic plane too', () => {
  assert.ok(isPolite('ana', 'bia'));
  assert.ok(isPolite('an', 'ana'));
  assert.ok(!isPolite('ana', 'an'));
  assert.ok(!isPolite('ana', 'ana'));
  // UTF-16 would say the opposite here.
  assert.ok(isPolite('\uFF5E', '😀'));
});

test('our candidates wait until the offer was sent, and their end is for those only who name calls', () => {
  const engine = new CallEngine(() => OUR_CALL);
  engine.loggedIn(0, 'ana');
  engine.command(0, { kind: 'call', to: 'bia', media: ALL_ON });
  engine.take();
  engine.report(0, 1, { kind: 'candidate', candidate: candidate(1) });
  assert.deepEqual(engine.take(), []);
  engine.report(0, 1, { kind: 'description', sdp: offer });
  const sent = engine.take().map((one) => one.message);
  assert.deepEqual(sent.map((one) => one.type), ['video-offer', 'new-ice-candidate']);
  assert.deepEqual({ name: sent[0].name, target: sent[0].target, call: sent[0].call }, { name: 'ana', target: 'bia', call: OUR_CALL });
  engine.report(0, 1, { kind: 'candidate', candidate: null });
  assert.deepEqual(engine.take(), [], 'an old page chokes on it');
  engine.message(0, { type: 'call-ringing', name: 'bia', call: OUR_CALL });
  engine.take();
  engine.report(0, 1, { kind: 'candidate', candidate: null });
  assert.equal(engine.take()[0].message.candidate, null);
});

test('their candidates wait for the answer, and those of an old peer need no name', () => {
  const world = engineIn('calling');
  world.engine.message(0, { type: 'new-ice-candidate', candidate: candidate(1) });
  world.engine.message(0, { type: 'new-ice-candidate', name: 'eva', candidate: candidate(2) });
  assert.deepEqual(world.outputs(), []);
  world.engine.message(0, { type: 'video-answer', name: 'bia', sdp: answer });
  assert.deepEqual(actions(world.outputs()), [{ kind: 'apply-answer', answer }, { kind: 'add-candidate', candidate: candidate(1) }]);
  world.engine.message(0, { type: 'new-ice-candidate', candidate: { candidate: '' } });
  assert.deepEqual(actions(world.outputs()), [{ kind: 'add-candidate', candidate: null }]);
});

test('candidates that come before their call are kept for it', () => {
  const world = engineIn('idle');
  world.engine.message(0, { type: 'new-ice-candidate', name: 'bia', call: THEIR_CALL, candidate: candidate(1) });
  world.engine.message(0, { type: 'video-offer', name: 'bia', call: THEIR_CALL, sdp: offer });
  world.outputs();
  world.engine.command(0, { kind: 'accept', media: ALL_ON });
  assert.deepEqual(actions(world.outputs()).map((one) => one.kind), ['create', 'answer', 'add-candidate']);
});

test('a hang-up that overtakes its offer keeps it from ringing', () => {
  const world = engineIn('idle');
  world.engine.message(0, { type: 'hang-up', name: 'bia', call: THEIR_CALL, reason: 'cancelled' });
  world.engine.message(0, { type: 'video-offer', name: 'bia', call: THEIR_CALL, sdp: offer });
  assert.equal(world.engine.snapshot().state, 'idle');
  // Another call of hers rings.
  world.engine.message(0, { type: 'video-offer', name: 'bia', call: OTHER_CALL, sdp: offer });
  assert.equal(world.engine.snapshot().state, 'ringing-here');
});

test('a stranger’s offer is answered with busy, about their call and not ours', () => {
  const world = engineIn('connected');
  world.engine.message(0, { type: 'video-offer', name: 'eva', call: OTHER_CALL, sdp: offer });
  assert.deepEqual(world.sent(), [{ type: 'hang-up', name: 'ana', target: 'eva', reason: 'busy', call: OTHER_CALL }]);
});

test('glare at the start: the polite side takes the other’s call at once, late messages of its own mean nothing', () => {
  const world = engineIn('calling', { polite: true });
  const first = world.peer;
  world.engine.message(0, { type: 'video-offer', name: 'bia', call: THEIR_CALL, sdp: offer });
  const done = world.outputs().filter((one) => one.kind === 'peer').map((one) => [one.peer === first, one.action.kind]);
  assert.deepEqual(done, [[true, 'close'], [false, 'create'], [false, 'answer']]);
  assert.deepEqual({ ...world.engine.snapshot(), local: null, remote: null }, { state: 'connecting', with: 'bia', call: THEIR_CALL, local: null, remote: null });
  world.engine.message(0, { type: 'hang-up', name: 'bia', call: OUR_CALL });
  world.engine.report(0, first, { kind: 'description', sdp: offer });
  assert.deepEqual(world.outputs(), []);
});

test('glare in the call: the polite side takes its offer back, and does not send one that was still being made', () => {
  for (const made of [true, false]) {
    const world = engineIn('reconnecting', { polite: true });
    world.engine.handleTimeout(world.now + RESTART_AFTER);
    assert.deepEqual(actions(world.outputs()), [{ kind: 'offer', iceRestart: true }]);
    if (made) world.engine.report(0, world.peer, { kind: 'description', sdp: offer });
    world.outputs();
    world.engine.message(0, { type: 'video-offer', name: 'bia', call: OUR_CALL, sdp: offer });
    assert.deepEqual(actions(world.outputs()), [{ kind: 'answer', offer, rollback: true }]);
    if (!made) {
      world.engine.report(0, world.peer, { kind: 'description', sdp: offer });
      assert.deepEqual(world.sent(), [], 'the offer was overtaken');
    }
    world.engine.report(0, world.peer, { kind: 'description', sdp: answer });
    assert.equal(world.sent()[0].type, 'video-answer');
  }
});

test('the impolite side ignores an offer that collides with its own', () => {
  const world = engineIn('calling', { polite: false });
  world.engine.message(0, { type: 'video-offer', name: 'bia', call: THEIR_CALL, sdp: offer });
  assert.deepEqual(world.outputs(), []);
});

test('the caller restarts ICE, again until it works, and at once when the server is back', () => {
  const world = engineIn('reconnecting');
  let now = world.now + RESTART_AFTER;
  assert.equal(world.engine.timeoutAt(), now);
  world.engine.handleTimeout(now);
  assert.deepEqual(actions(world.outputs()), [{ kind: 'offer', iceRestart: true }]);
  world.engine.report(now, world.peer, { kind: 'description', sdp: offer });
  world.outputs();
  world.engine.signalingLost();
  now += RESTART_EVERY;
  world.engine.handleTimeout(now);
  assert.deepEqual(actions(world.outputs()), [], 'nobody would hear of it');
  world.engine.loggedIn(now + 10, 'ana');
  assert.deepEqual(actions(world.outputs()), [{ kind: 'offer', iceRestart: true }]);
});

test('what is on is told once the call is answered, and again when it changes', () => {
  const world = engineIn('ringing-there');
  world.engine.command(0, { kind: 'set-camera', on: false });
  assert.deepEqual(world.sent(), [], 'nobody has answered yet');
  world.engine.message(0, { type: 'video-answer', name: 'bia', call: OUR_CALL, sdp: answer });
  const [told] = world.sent();
  assert.deepEqual([told.type, told.audio, told.video], ['media-state', true, false]);
  world.engine.command(0, { kind: 'set-camera', on: false });
  assert.deepEqual(world.sent(), [], 'nothing changed');
  world.engine.command(0, { kind: 'set-facing', facing: 'environment' });
  assert.equal(world.sent()[0].facing, 'environment');
});

test('a ring ends after its time, and both sides say so', () => {
  const world = engineIn('ringing-there');
  assert.equal(world.engine.timeoutAt(), world.now + RING_TIMEOUT);
  world.engine.handleTimeout(world.now + RING_TIMEOUT - 1);
  assert.equal(world.engine.snapshot().state, 'ringing-there');
  world.engine.handleTimeout(world.now + RING_TIMEOUT);
  assert.equal(world.sent()[0].reason, 'timeout');
});

test('nobody hears of a call that ends before its offer was made', () => {
  const engine = new CallEngine(() => OUR_CALL);
  engine.loggedIn(0, 'ana');
  engine.command(0, { kind: 'call', to: 'bia', media: ALL_ON });
  engine.take();
  engine.command(0, { kind: 'hang-up' });
  assert.deepEqual(engine.take().filter((one) => one.kind === 'send'), []);
});

// Two engines, whose messages and reports come late, in any order between the two ways, and the calls of both at any time.
test('two engines that call each other at random moments never disagree for ever', () => {
  for (let seed = 1; seed <= 400; seed += 1) twoEngines(seed);
});

function twoEngines(seed) {
  const random = seeded(seed);
  const pick = (items) => items[Math.floor(random() * items.length)];
  let ids = 0;
  let now = 0;
  const sides = ['ana', 'bia'].map((name) => {
    const engine = new CallEngine(() => `00000000-0000-4000-8000-${String(ids += 1).padStart(12, '0')}`);
    engine.loggedIn(now, name);
    return { name, engine, inbox: [], work: [] };
  });
  const pump = (side) => {
    const other = sides.find((one) => one !== side);
    for (const output of side.engine.take()) {
      if (output.kind === 'send') {
        other.inbox.push({ ...output.message });
        // Now and then the network says things twice.
        if (random() < 0.05) other.inbox.push({ ...output.message });
      }
      if (output.kind !== 'peer') continue;
      const { peer, action } = output;
      const answers = {
        offer: { kind: 'description', sdp: offer },
        answer: { kind: 'description', sdp: answer },
      }[action.kind];
      if (answers) side.work.push(() => side.engine.report(now, peer, answers));
    }
  };
  const settled = () => sides.every((side) => !side.inbox.length && !side.work.length);
  const step = (side) => {
    now += Math.floor(random() * 50);
    if (side.work.length && random() < 0.5) side.work.shift()();
    else if (side.inbox.length) side.engine.message(now, side.inbox.shift());
    pump(side);
  };
  for (let i = 0; i < 60; i += 1) {
    const side = pick(sides);
    const other = sides.find((one) => one !== side);
    if (random() < 0.25) {
      side.engine.command(now, pick([
        { kind: 'call', to: other.name, media: ALL_ON },
        { kind: 'accept', media: ALL_ON },
        { kind: 'decline' },
        { kind: 'hang-up' },
      ]));
      pump(side);
    } else {
      step(side);
    }
  }
  for (let i = 0; i < 10_000 && !settled(); i += 1) step(pick(sides));
  assert.ok(settled(), `seed ${seed}: they talk for ever`);
  // Whoever waits for nobody is done when the time is over; nothing else may keep a call.
  for (let i = 0; i < 4; i += 1) {
    now += RING_TIMEOUT;
    for (const side of sides) {
      if (side.engine.snapshot().state === 'connecting' && sides.every((one) => one.engine.snapshot().state === 'connecting')) {
        for (const one of sides) {
          assert.equal(one.engine.snapshot().call, side.engine.snapshot().call, `seed ${seed}: two calls`);
        }
        return;
      }
      side.engine.handleTimeout(now);
      pump(side);
      for (let j = 0; j < 1_000 && !settled(); j += 1) step(pick(sides));
    }
  }
  assert.deepEqual(sides.map((side) => side.engine.snapshot().state), ['idle', 'idle'], `seed ${seed}`);
}
