// Both call each other, or both offer at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_ON, isPolite } from '../../../server/web/state.js';
import { candidateOf, same, sdpOf } from './sim-peer.js';
import { World, answer, numbered, offer } from './sim.js';
import { engineIn } from './support.js';

const [ANA, RUI] = [0, 1];
const anaAndRui = () => new World('ana', 'rui');
const page = (restart) => ({ connection: 500, restart });
const endsOf = (world) => world.phones.flatMap((phone) => phone.ends);

test('the smaller name in UTF-8 bytes is polite, and never both are', () => {
  // UTF-16 would say the opposite of the last pair.
  for (const [one, other] of [['ana', 'rui'], ['Z', 'a'], ['a', 'aa'], ['z', 'é'], ['\uFF5E', '😀']]) {
    assert.ok(isPolite(one, other) && !isPolite(other, one), `${one} ${other}`);
  }
  assert.ok(!isPolite('ana', 'ana'));
});

test('two who call each other at once are in one call without any ringing', () => {
  for (const first of [ANA, RUI]) {
    const world = anaAndRui();
    world.net.wire = 100;
    world.call(first, 1 - first);
    world.run(5);
    world.call(1 - first, first);
    const [ana, rui] = world.phones.map((phone) => phone.call);
    world.run(2_000);
    world.assertConnected(ANA, RUI);
    for (const phone of world.phones) {
      assert.ok(phone.kindsSent.includes('video-offer'), 'both had called');
      assert.equal(phone.rings, 0, phone.name);
    }
    assert.deepEqual(endsOf(world), []);
    assert.equal(world.phones[RUI].call, rui, 'the call of the impolite one');
    const [{ call, reason }] = world.phones[ANA].sentOf('hang-up');
    assert.deepEqual([call, reason], [ana, 'cancelled'], 'and the other hears that its own is over');
    world.hangUp(ANA);
    world.run(1_000);
    assert.deepEqual(world.phones[RUI].ends, ['hung-up-there']);
  }
});

test('a call that is not sent yet gives way to the one that comes, whatever the names', () => {
  for (const [early, late] of [[ANA, RUI], [RUI, ANA]]) {
    const world = anaAndRui();
    // This one's offer takes long to be made.
    world.net.delay = 1_000_000;
    world.call(late, early);
    world.net.delay = 20;
    world.call(early, late);
    world.run(3_000);
    world.assertConnected(early, late);
    assert.equal(world.phones[late].sentOf('video-offer').length, 0);
  }
});

test('the offer of the call that gave way disturbs no more when it comes again', () => {
  // Whether or not rui has heard that it was cancelled.
  const world = new World('rui');
  world.pages = ['ana'];
  world.command(0, { kind: 'call', to: 'ana', media: ALL_ON });
  world.run(100);
  const { call } = world.phones[0];
  const given = offer('ana', sdpOf(page(0), 1), numbered(9));
  world.tell(0, given);
  world.tell(0, answer('ana', sdpOf(page(0), 2), call));
  world.run(100);
  world.connection(0, 'connected');
  world.tell(0, given);
  assert.deepEqual([world.phones[0].state, world.phones[0].call, world.phones[0].rings], ['connected', call, 0]);
});

test('an impolite offer that was lost is sent again when the polite one asks again', () => {
  const world = anaAndRui();
  world.call(RUI, ANA);
  world.net.lost = 100;
  world.run(1_000);
  world.net.lost = 0;
  world.call(ANA, RUI);
  world.run(1_000);
  assert.equal(world.phones[ANA].state, 'calling', 'rui ignores the offer, and ana has none of rui’s');
  world.goOffline(ANA);
  world.comeBack(ANA);
  world.run(2_000);
  world.assertConnected(ANA, RUI);
});

test('somebody who rang and calls instead has lost our call, and is answered', () => {
  // Rui is impolite, and would ignore the offer if both had only called at once.
  const world = anaAndRui();
  world.call(RUI, ANA);
  world.run(1_000);
  assert.equal(world.phones[RUI].state, 'ringing-there');
  [, , world.phones[ANA]] = new World('nobody', 'x', 'ana').phones;
  world.call(ANA, RUI);
  world.run(2_000);
  world.assertConnected(ANA, RUI);
});

// The other side renegotiates as perfect negotiation allows, by hand, while an ICE restart of ours is being made or is out.
function collide({ polite, whileMade }) {
  const world = new World(polite ? 'ana' : 'zoe');
  world.pages = ['rui'];
  world.command(0, { kind: 'call', to: 'rui', media: ALL_ON });
  world.run(100);
  const { call } = world.phones[0];
  world.tell(0, answer('rui', sdpOf(page(0), 1), call));
  world.run(100);
  world.connection(0, 'connected', 'failed');
  if (!whileMade) world.run(100);
  world.toPages = [];
  world.tell(0, offer('rui', sdpOf(page(0), 2), call));
  world.tell(0, offer('rui', sdpOf(page(0), 3), call));
  world.run(100);
  return world;
}

const descriptions = (world) => world.toPages.map((message) => message.type).filter((type) => type.startsWith('video'));
const rollbacks = (world) => world.phones[0].total((peer) => peer.rollbacks);

test('a polite side takes back the offer that it has sent, and answers', () => {
  const world = collide({ polite: true, whileMade: false });
  assert.deepEqual(descriptions(world), ['video-answer', 'video-answer']);
  assert.equal(rollbacks(world), 1);
  assert.equal(world.phones[0].state, 'reconnecting');
});

test('a polite side does not send the offer that was being made, and answers the newer of two', () => {
  const world = collide({ polite: true, whileMade: true });
  assert.deepEqual(descriptions(world), ['video-answer']);
  assert.equal(rollbacks(world), 1);
});

test('an impolite side ignores the offer and waits for its answer', () => {
  assert.deepEqual(descriptions(collide({ polite: false, whileMade: false })), []);
  const world = collide({ polite: false, whileMade: true });
  assert.deepEqual(descriptions(world), ['video-offer']);
  world.tell(0, answer('rui', sdpOf(page(1), 4), world.phones[0].call));
  world.run(100);
  assert.ok(same(world.phones[0].openPeers[0].agreed.theirs, page(1)));
});

test('an offer that comes while another is answered waits, and its candidates wait with it', () => {
  const { engine, outputs, now, peer, call } = engineIn('connected', { caller: false });
  const actions = () => outputs().filter((one) => one.kind === 'peer').map((one) => one.action.kind);
  engine.message(now, offer('bia', 'one', call));
  engine.message(now, offer('bia', 'other', call));
  engine.message(now, { type: 'new-ice-candidate', name: 'bia', call, candidate: candidateOf(page(1)) });
  assert.deepEqual(actions(), ['answer']);
  engine.report(now, peer, { kind: 'description', sdp: { type: 'answer', sdp: 'to one' } });
  assert.deepEqual(actions(), ['answer', 'add-candidate']);
});
