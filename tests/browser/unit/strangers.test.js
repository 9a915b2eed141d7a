// What people who are not in the call can do to it: nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, sdpOf } from './sim-peer.js';
import { World, answer, hangUp, numbered, offer } from './sim.js';
import { seeded } from './support.js';

const [ANA, RUI] = [0, 1];

const candidate = (name, call, connection = 1) => ({
  type: 'new-ice-candidate', name, ...(call && { call }), candidate: candidateOf({ connection, restart: 1 }),
});

// Anything that a stranger can send, with call identifiers that are guesses.
function anything(draw) {
  const name = ['eva', 'ivo', 'ANA', 'Rui', 'rui '][draw(5)];
  const call = draw(2) ? numbered(0xdead0000 + draw(40)) : undefined;
  const sdp = `v=0\r\no=- ${draw(1_000)} 1 IN IP4 0\r\n`;
  const reason = [undefined, 'busy', 'ended', 'media-error'][draw(4)];
  return [
    offer(name, sdp, call), answer(name, sdp, call), hangUp(name, call, reason), hangUp(null, call, reason), candidate(name, call),
    { type: 'call-ringing', name, call }, { type: 'media-state', name, call, audio: true, video: false, screen: false },
  ][draw(7)];
}

test('strangers change nothing in a call, and fill no memory', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = seeded(seed);
    const draw = (limit) => Math.floor(random() * limit);
    const world = new World('ana', 'rui');
    world.pages = ['eva', 'ivo', 'ANA', 'Rui', 'rui '];
    world.connect(ANA, RUI);
    const { heard, sent, engine } = world.phones[ANA];
    const [hadHeard, hadSent] = [heard.length, sent.length];
    const messages = 1 + draw(400);
    for (let n = 0; n < messages; n += 1) world.tell(ANA, anything(draw));
    world.run(1_000);
    world.assertConnected(ANA, RUI);
    assert.equal(heard.length, hadHeard, 'the page hears of nothing');
    assert.ok(sent.length - hadSent <= messages, 'at most one answer for each message');
    assert.ok(sent.slice(hadSent).every(({ type, target }) => type === 'hang-up' && target !== 'rui'));
    assert.ok(engine.memory <= 200);
  }
});

test('a stranger cannot spoil the name of a call that somebody else is about to make', () => {
  const world = new World('ana');
  world.pages = ['rui'];
  world.tell(ANA, hangUp('eva', numbered(5)));
  world.tell(ANA, offer('rui', 'v=0', numbered(5)));
  assert.equal(world.phones[ANA].state, 'ringing-here');
});

test('a flood of hang-ups does not make us forget our own calls', () => {
  const world = new World('ana');
  world.pages = ['rui'];
  world.tell(ANA, offer('rui', 'v=0', numbered(5)));
  world.hangUp(ANA);
  for (let n = 100; n < 1_000; n += 1) {
    world.tell(ANA, hangUp('eva', numbered(n)));
    world.tell(ANA, candidate('eva', numbered(n)));
  }
  world.tell(ANA, offer('rui', 'v=0', numbered(5)));
  assert.equal(world.phones[ANA].rings, 1);
  assert.ok(world.phones[ANA].engine.memory <= 200);
});

test('late candidates of a call that is over are not kept', () => {
  const world = new World('ana');
  world.pages = ['rui'];
  world.tell(ANA, offer('rui', 'v=0', numbered(5)));
  world.hangUp(ANA);
  world.tell(ANA, hangUp('rui', numbered(6)));
  const before = world.phones[ANA].engine.memory;
  for (const call of [5, 6]) world.tell(ANA, candidate('rui', numbered(call)));
  assert.equal(world.phones[ANA].engine.memory, before);
});

test('candidates of a flood leave room for those of the one who calls', () => {
  const world = new World('ana');
  world.pages = ['rui'];
  world.tell(ANA, candidate('rui', numbered(5)));
  for (let n = 100; n < 1_000; n += 1) world.tell(ANA, candidate('eva', numbered(n)));
  world.tell(ANA, offer('rui', sdpOf({ connection: 1, restart: 1 }, 1), numbered(5)));
  world.accept(ANA);
  world.run(100);
  assert.equal(world.phones[ANA].total((peer) => peer.heard.length), 1);
});

test('an identifier is good for one call', () => {
  const world = new World('ana', 'rui');
  world.connect(ANA, RUI);
  const { call } = world.phones[ANA];
  world.hangUp(ANA);
  world.run(1_000);
  world.pages = ['eva'];
  world.tell(ANA, offer('eva', 'v=0', call));
  assert.equal(world.phones[ANA].state, 'idle');
});

test('a third person’s offer is answered with busy, about their call and not ours', () => {
  const world = new World('ana', 'rui');
  world.connect(ANA, RUI);
  world.pages = ['eva'];
  world.tell(ANA, offer('eva', 'v=0', numbered(7)));
  assert.deepEqual(world.toPages, [{ type: 'hang-up', name: 'ana', target: 'eva', reason: 'busy', call: numbered(7) }]);
});

test('messages under an empty name, or under our own, are nobody’s', () => {
  const world = new World('ana');
  for (const name of ['', 'ana']) {
    world.tell(ANA, offer(name, 'v=0', numbered(5)));
    world.tell(ANA, answer(name, 'v=0', numbered(5)));
    world.tell(ANA, { type: 'call-ringing', name, call: numbered(5) });
  }
  assert.deepEqual([world.phones[ANA].heard, world.phones[ANA].sent], [[], []]);
});

test('errors about other messages and other calls end nothing', () => {
  const world = new World('ana', 'rui');
  world.call(ANA, RUI);
  world.run(1_000);
  const { call } = world.phones[ANA];
  const refused = { type: 'error', code: 'no-such-user', for: 'video-offer', target: 'rui', call };
  for (const change of [{ for: 'new-ice-candidate' }, { call: numbered(77) }, { call: undefined, target: 'eva' }, { call: undefined, target: undefined }]) {
    world.tell(ANA, { ...refused, ...change });
  }
  assert.equal(world.phones[ANA].state, 'ringing-there');
  world.tell(ANA, refused);
  world.assertEnds(['unreachable']);
});
