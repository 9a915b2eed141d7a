// Media is lost and comes back, the server is lost and comes back, names change.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_ON } from '../../../server/web/state.js';
import { same, sdpOf } from './sim-peer.js';
import { World, answer, offer } from './sim.js';

const [ANA, RUI] = [0, 1];

function inACall() {
  const world = new World('ana', 'rui');
  world.connect(ANA, RUI);
  return world;
}

function ringing() {
  const world = new World('ana', 'rui');
  world.call(ANA, RUI);
  world.run(1_000);
  return world;
}

const offers = (world) => world.phones.map((phone) => phone.sentOf('video-offer').length);

test('a short loss of media mends itself without a restart', () => {
  const world = inACall();
  world.net.media = false;
  world.run(1_500);
  assert.equal(world.phones[ANA].state, 'reconnecting');
  world.net.media = true;
  world.run(1_000);
  world.assertConnected(ANA, RUI);
  assert.deepEqual(offers(world), [1, 0]);
});

test('a longer loss is repaired by an ICE restart of the side that called', () => {
  const world = inACall();
  world.net.media = false;
  world.run(5_000);
  assert.deepEqual(offers(world), [2, 0]);
  world.net.media = true;
  world.run(1_000);
  world.assertConnected(ANA, RUI);
  assert.equal(world.phones[ANA].openPeers[0].agreed.ours.restart, 1);
  world.run(60_000);
  assert.deepEqual(offers(world), [2, 0], 'and no more once it is good');
});

test('a loss that nothing repairs ends the call at both ends', () => {
  const world = inACall();
  world.net.media = false;
  world.run(40_000);
  world.assertEnds(['connection-failed'], ['connection-failed']);
  assert.ok(offers(world)[ANA] >= 4 && offers(world)[ANA] <= 6, `${offers(world)}`);
  world.assertAllIdle();
});

test('an accepted call that never connects ends', () => {
  const world = ringing();
  world.net.media = false;
  world.accept(RUI);
  world.run(31_000);
  world.assertEnds(['no-path'], ['no-path']);
  world.assertAllIdle();
});

test('losing the server alone ends nothing, and what changed meanwhile is told afterwards', () => {
  const world = inACall();
  world.goOffline(ANA);
  world.goOffline(RUI);
  world.command(ANA, { kind: 'set-facing', facing: 'environment' });
  world.run(120_000);
  assert.equal(world.phones[ANA].state, 'connected');
  world.comeBack(RUI);
  world.comeBack(ANA);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
  assert.equal(world.phones[RUI].engine.snapshot().remote.facing, 'environment');
});

test('with media and server both gone the restart comes when the server does', () => {
  const world = inACall();
  world.net.media = false;
  world.goOffline(ANA);
  world.goOffline(RUI);
  world.run(17_000);
  assert.deepEqual(offers(world), [1, 0], 'there is nobody to tell');
  world.net.media = true;
  world.comeBack(RUI);
  world.comeBack(ANA);
  world.run(1_000);
  assert.deepEqual(offers(world), [2, 0]);
  world.assertConnected(ANA, RUI);
});

test('a peer that has hung up unheard says so to the next restart', () => {
  const world = inACall();
  world.net.lost = 100;
  world.hangUp(RUI);
  world.run(500);
  world.net.lost = 0;
  world.run(6_000);
  assert.deepEqual(world.phones[ANA].ends, ['hung-up-there'], 'long before the repair is given up');
  world.assertAllIdle();
});

test('an offer that was lost with the connection is sent again', () => {
  const world = new World('ana', 'rui');
  world.net.lost = 100;
  world.call(ANA, RUI);
  world.run(1_000);
  world.net.lost = 0;
  world.goOffline(ANA);
  world.run(3_000);
  world.comeBack(ANA);
  world.run(1_000);
  assert.equal(world.phones[ANA].state, 'ringing-there');
  world.accept(RUI);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
});

test('an offer that waits for the server is not sent twice', () => {
  const world = new World('ana', 'rui');
  world.call(ANA, RUI);
  world.goOffline(ANA);
  world.run(1_000);
  world.comeBack(ANA);
  world.run(1_000);
  assert.deepEqual([offers(world), world.phones[RUI].rings], [[1, 0], 1]);
  world.accept(RUI);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
});

test('an answer that was lost with either connection is given again', () => {
  for (const loser of [ANA, RUI]) {
    const world = ringing();
    world.accept(RUI);
    world.net.lost = 100;
    world.run(1_000);
    world.net.lost = 0;
    assert.equal(world.phones[ANA].state, 'ringing-there');
    world.goOffline(loser);
    world.run(3_000);
    world.comeBack(loser);
    world.run(1_000);
    world.assertConnected(ANA, RUI);
    assert.equal(world.phones[RUI].total((peer) => peer.rollbacks), 0);
  }
});

test('a caller who leaves the list and comes back rings again', () => {
  const world = ringing();
  world.goOffline(ANA);
  world.users(RUI, ['rui']);
  assert.deepEqual(world.phones[RUI].ends, ['cancelled-there']);
  world.comeBack(ANA);
  world.run(1_000);
  assert.equal(world.phones[RUI].state, 'ringing-here');
  world.accept(RUI);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
});

test('a connected peer who leaves the user list stays in the call', () => {
  const world = inACall();
  world.users(ANA, ['ana']);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
});

test('who comes back to the user list hears again what is on here', () => {
  const world = inACall();
  const told = () => world.phones[ANA].sentOf('media-state').length;
  // What is said while the other side is away from the server is refused there, and nobody repeats it for us.
  world.users(ANA, ['ana']);
  world.command(ANA, { kind: 'set-microphone', on: false });
  const before = told();
  world.users(ANA, ['ana', 'rui']);
  assert.equal(told(), before + 1);
  world.users(ANA, ['ana', 'eva', 'rui']);
  assert.equal(told(), before + 1, 'once is enough');
});

test('a new name in the call is learnt, and both still reach each other', () => {
  const world = inACall();
  // An old server gives a second name to whoever comes back while the first still seems to be there. It turns the names round,
  // but not who gives way.
  world.goOffline(ANA);
  world.comeBack(ANA, 'zoe');
  world.run(1_000);
  world.assertConnected(ANA, RUI);
  world.net.media = false;
  world.run(5_000);
  world.net.media = true;
  world.run(1_000);
  world.assertConnected(ANA, RUI);
  world.hangUp(ANA);
  world.run(1_000);
  assert.deepEqual(world.phones[RUI].ends, ['hung-up-there']);
  world.assertAllIdle();
});

test('a new name while it rings is learnt by the caller', () => {
  const world = ringing();
  world.phones[RUI].name = 'rui2';
  world.phones[RUI].engine.renamed('rui2');
  world.pump(RUI);
  world.run(100);
  world.tellUsers();
  world.accept(RUI);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
});

const rui = (restart) => ({ connection: 700, restart });

// In a call with rui, whose messages are made by hand.
function withRui(name) {
  const world = new World(name);
  world.pages = ['rui'];
  world.command(0, { kind: 'call', to: 'rui', media: ALL_ON });
  world.run(100);
  const { call } = world.phones[0];
  world.tell(0, answer('rui', sdpOf(rui(0), 1), call));
  world.run(100);
  world.connection(0, 'connected');
  return { world, call };
}

test('a caller that is answered says its candidates again, not its offer', () => {
  const world = new World('ana');
  world.pages = ['rui'];
  world.command(0, { kind: 'call', to: 'rui', media: ALL_ON });
  world.run(100);
  world.tell(0, answer('rui', sdpOf(rui(0), 1), world.phones[0].call));
  world.run(100);
  world.goOffline(0);
  world.toPages = [];
  world.comeBack(0);
  assert.deepEqual(world.toPages.map((message) => message.type), ['new-ice-candidate', 'new-ice-candidate', 'media-state']);
});

test('a late answer to a restart that was replaced is made good by another at once', () => {
  const { world, call } = withRui('ana');
  world.connection(0, 'disconnected');
  world.run(11_000);
  assert.deepEqual(offers(world), [3], 'the first restart was not answered in time');
  world.tell(0, answer('rui', sdpOf(rui(1), 2), call));
  world.tell(0, answer('rui', sdpOf(rui(2), 3), call));
  world.run(100);
  assert.deepEqual(offers(world), [4]);
  world.tell(0, answer('rui', sdpOf(rui(3), 4), call));
  world.run(100);
  assert.ok(same(world.phones[0].openPeers[0].agreed.theirs, rui(3)));
});

test('a restart that is being made already is not asked for again', () => {
  const { world } = withRui('ana');
  world.connection(0, 'failed', 'failed');
  world.run(100);
  assert.deepEqual(offers(world), [2]);
});

test('a restart that waited for its turn is dropped when the connection is back', () => {
  const { world, call } = withRui('zoe');
  world.tell(0, offer('rui', sdpOf(rui(0), 2), call));
  world.connection(0, 'failed', 'connected');
  world.run(60_000);
  assert.deepEqual(offers(world), [1]);
  assert.equal(world.phones[0].state, 'connected');
});

test('what comes twice is taken once', () => {
  const world = new World('ana', 'rui');
  world.net.twice = 100;
  world.connect(ANA, RUI);
  world.net.media = false;
  world.run(5_000);
  world.net.media = true;
  world.run(2_000);
  world.assertConnected(ANA, RUI);
  world.assertEnds([], []);
  assert.deepEqual(world.phones[RUI].sentOf('hang-up'), []);
});
