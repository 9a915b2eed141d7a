// What two people with two phones live through.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_ON, RING_TIMEOUT } from '../../../server/web/state.js';
import { World, hangUp } from './sim.js';

const [ANA, RUI, EVA] = [0, 1, 2];
const anaAndRui = () => new World('ana', 'rui');

// Ana's call rings at rui's.
function ringing() {
  const world = anaAndRui();
  world.call(ANA, RUI);
  world.run(1_000);
  return world;
}

test('a call rings, is accepted, connects and is hung up', () => {
  const world = ringing();
  assert.deepEqual([world.phones[ANA].state, world.phones[RUI].state], ['ringing-there', 'ringing-here']);
  world.accept(RUI);
  assert.equal(world.phones[RUI].state, 'connecting');
  world.run(1_000);
  world.assertConnected(ANA, RUI);
  world.hangUp(RUI);
  world.run(1_000);
  world.assertEnds(['hung-up-there'], ['hung-up-here']);
  world.assertAllIdle();
});

test('the page hears of an incoming call after its state, and of the end before idle', () => {
  const world = ringing();
  world.hangUp(ANA);
  world.run(1_000);
  const heard = world.phones[RUI].heard.map(({ kind, state, from, with: person, reason }) => [kind, state ?? reason ?? from, person]);
  assert.deepEqual(heard, [
    ['changed', 'ringing-here', 'ana'], ['incoming', 'ana', undefined], ['ended', 'cancelled-there', 'ana'], ['changed', 'idle', null],
  ]);
});

test('a call is declined, by hanging up too', () => {
  for (const kind of ['decline', 'hang-up']) {
    const world = ringing();
    assert.equal(world.command(RUI, { kind }), null);
    world.run(1_000);
    world.assertEnds(['declined-there'], ['declined-here']);
    world.assertAllIdle();
  }
});

test('a third person hears that the phone is busy, and disturbs nobody', () => {
  const world = new World('ana', 'rui', 'eva');
  world.connect(ANA, RUI);
  const before = world.phones.slice(0, 2).map((phone) => phone.heard.length);
  for (const whom of [RUI, ANA]) {
    world.call(EVA, whom);
    world.run(1_000);
  }
  assert.deepEqual(world.phones[EVA].ends, ['busy', 'busy']);
  assert.deepEqual(world.phones.slice(0, 2).map((phone) => phone.heard.length), before);
  world.assertConnected(ANA, RUI);
});

test('a phone is busy while it rings and while it calls', () => {
  const world = new World('ana', 'rui', 'eva');
  world.call(ANA, RUI);
  world.run(1_000);
  for (const whom of [RUI, ANA]) {
    world.call(EVA, whom);
    world.run(1_000);
  }
  assert.deepEqual(world.phones[EVA].ends, ['busy', 'busy']);
  world.accept(RUI);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
});

test('a caller who gives up stops the ringing', () => {
  const world = ringing();
  world.hangUp(ANA);
  world.run(1_000);
  world.assertEnds(['cancelled-here'], ['cancelled-there']);
  world.assertAllIdle();
});

test('nobody hears of a call that ends before its offer was made', () => {
  const world = anaAndRui();
  world.call(ANA, RUI);
  world.hangUp(ANA);
  world.run(1_000);
  world.assertEnds(['cancelled-here'], []);
  assert.deepEqual(world.phones[ANA].sent, []);
  assert.deepEqual(world.phones[RUI].heard, []);
});

test('a call that nobody answers rings for its whole time, and ends at both ends', () => {
  const world = anaAndRui();
  world.call(ANA, RUI);
  world.run(RING_TIMEOUT - 1_000);
  assert.equal(world.phones[RUI].state, 'ringing-here');
  world.run(2_000);
  world.assertEnds(['timeout'], ['timeout']);
  world.assertAllIdle();
});

test('each end times out by itself when the other says nothing', () => {
  const world = ringing();
  world.net.lost = 100;
  world.run(RING_TIMEOUT + 1_000);
  world.assertEnds(['timeout'], ['timeout']);
  world.assertAllIdle();
});

test('nobody calls oneself, or nobody, or without the server', () => {
  const world = anaAndRui();
  const call = (to) => world.command(ANA, { kind: 'call', to, media: ALL_ON });
  assert.equal(call('ana'), 'self-call');
  assert.equal(call(''), 'nobody');
  world.goOffline(ANA);
  assert.equal(call('rui'), 'not-logged-in');
  assert.deepEqual([world.phones[ANA].heard, world.phones[ANA].peers.size], [[], 0]);
});

test('there is one call at a time, also while it rings', () => {
  const world = new World('ana', 'rui', 'eva');
  world.call(ANA, RUI);
  world.run(1_000);
  for (const phone of [ANA, RUI]) assert.equal(world.command(phone, { kind: 'call', to: 'eva', media: ALL_ON }), 'in-call');
});

test('a call to somebody who is not there ends at once', () => {
  const world = anaAndRui();
  world.command(ANA, { kind: 'call', to: 'ivo', media: ALL_ON });
  world.run(1_000);
  world.assertEnds(['unreachable']);
  world.assertAllIdle();
});

test('one calls again right after the end', () => {
  const world = anaAndRui();
  world.connect(ANA, RUI);
  for (const [who, whom] of [[ANA, RUI], [RUI, ANA]]) {
    world.hangUp(who);
    world.call(who, whom);
    world.run(1_000);
    world.accept(whom);
    world.run(1_000);
    world.assertConnected(ANA, RUI);
  }
  world.assertEnds(['hung-up-here', 'hung-up-there'], ['hung-up-there', 'hung-up-here']);
});

test('a caller whose page was loaded anew calls anew, and the dead call ends', () => {
  const world = anaAndRui();
  world.connect(ANA, RUI);
  const dead = world.phones[RUI].call;
  world.restart(ANA);
  world.call(ANA, RUI);
  world.run(1_000);
  assert.deepEqual(world.phones[RUI].ends, ['hung-up-there']);
  assert.notEqual(world.phones[RUI].call, dead);
  world.accept(RUI);
  world.run(1_000);
  world.assertConnected(ANA, RUI);
});

test('an answer that crosses the cancel leaves no half of a call', () => {
  const world = ringing();
  world.net.delay = 400;
  world.accept(RUI);
  world.hangUp(ANA);
  world.run(3_000);
  world.assertEnds(['cancelled-here'], ['hung-up-there']);
  world.assertAllIdle();
});

test('whoever takes a call whose cancel was lost is told at once', () => {
  const world = ringing();
  world.net.lost = 100;
  world.hangUp(ANA);
  world.run(1_000);
  world.net.lost = 0;
  world.accept(RUI);
  world.run(1_000);
  assert.deepEqual(world.phones[RUI].ends, ['hung-up-there'], 'not after thirty seconds of connecting');
  world.assertAllIdle();
});

test('a phone that starts to ring for a call that is over is told why it ended', () => {
  const world = anaAndRui();
  world.call(ANA, RUI);
  world.run(15);
  world.hangUp(ANA);
  const [{ call }] = world.phones[ANA].sent;
  world.pages = ['ivo'];
  world.tell(ANA, { type: 'call-ringing', name: 'ivo', call });
  const { type, target, reason } = world.phones[ANA].sent.at(-1);
  assert.deepEqual([type, target, reason], ['hang-up', 'ivo', 'cancelled']);
});

test('a cancel that overtakes its offer keeps the phone from ringing', () => {
  const [offered] = ringing().phones[ANA].sentOf('video-offer');
  const world = anaAndRui();
  world.tell(RUI, hangUp('ana', offered.call, 'cancelled'));
  world.tellAgain(RUI, 'ana', offered);
  assert.deepEqual(world.phones[RUI].heard, []);
});

test('an offer that comes again is told again that it rings, once more without a ring', () => {
  const world = ringing();
  const [offered] = world.phones[ANA].sentOf('video-offer');
  world.tellAgain(RUI, 'ana', offered);
  assert.deepEqual([world.phones[RUI].kindsSent, world.phones[RUI].rings], [['call-ringing', 'call-ringing'], 1]);
});

test('candidates wait for the call to be accepted, and for their offer if they overtake it', () => {
  const { sent } = ringing().phones[ANA];
  assert.deepEqual(sent.map((message) => message.type), ['video-offer', 'new-ice-candidate']);
  const world = new World('rui');
  world.pages = ['ana'];
  for (const message of sent.toReversed()) world.tellAgain(0, 'ana', message);
  assert.equal(world.phones[0].peers.size, 0);
  world.accept(0);
  world.run(1_000);
  assert.equal(world.phones[0].total((peer) => peer.heard.length), 1);
});

test('microphone, camera and facing are told to the other side without renegotiation', () => {
  const world = anaAndRui();
  const media = { ...ALL_ON, facing: 'user', audio: false };
  world.command(ANA, { kind: 'call', to: 'rui', media });
  world.run(1_000);
  world.accept(RUI);
  world.run(1_000);
  const remote = () => world.phones[RUI].engine.snapshot().remote;
  assert.deepEqual(remote(), media, 'what was on at the start');
  world.command(ANA, { kind: 'set-facing', facing: 'environment' });
  world.command(ANA, { kind: 'set-microphone', on: true });
  world.command(ANA, { kind: 'set-camera', on: false });
  world.run(1_000);
  assert.deepEqual(remote(), { audio: true, video: false, screen: false, facing: 'environment' });
  assert.deepEqual(world.phones[ANA].engine.snapshot().local, remote());
  assert.equal(world.phones[ANA].total((peer) => peer.offersMade), 1);
  const said = world.phones[ANA].sent.length;
  world.command(ANA, { kind: 'set-camera', on: false });
  assert.equal(world.phones[ANA].sent.length, said, 'what does not change is not told');
});

test('both see who has the call on hold, and what is sent again afterwards', () => {
  const world = anaAndRui();
  world.connect(ANA, RUI);
  world.command(ANA, { kind: 'set-microphone', on: false });
  world.command(ANA, { kind: 'set-held', on: true });
  world.command(ANA, { kind: 'set-camera', on: false });
  world.run(1_000);
  const [ana, rui] = [ANA, RUI].map((phone) => () => world.phones[phone].engine.snapshot());
  assert.deepEqual(rui().remote, { audio: false, video: false, screen: false, held: true });
  assert.equal(ana().local.held, true);
  world.command(ANA, { kind: 'set-camera', on: true });
  world.command(ANA, { kind: 'set-held', on: false });
  world.run(1_000);
  assert.deepEqual(rui().remote, { audio: false, video: true, screen: false });
  assert.equal(world.phones[ANA].total((peer) => peer.offersMade), 1, 'without renegotiation');
});

test('a screen takes the place of the camera, which is as it was afterwards', () => {
  const world = anaAndRui();
  assert.equal(world.phones[ANA].engine.command(0, { kind: 'set-screen', on: true }), 'no-call');
  world.connect(ANA, RUI);
  world.command(ANA, { kind: 'set-camera', on: false });
  world.command(ANA, { kind: 'set-screen', on: true });
  world.run(1_000);
  const remote = () => world.phones[RUI].engine.snapshot().remote;
  assert.deepEqual(remote(), { audio: true, video: true, screen: true }, 'a picture for those who know no screens');
  world.command(ANA, { kind: 'set-held', on: true });
  world.run(1_000);
  assert.deepEqual(remote(), { audio: false, video: false, screen: false, held: true });
  world.command(ANA, { kind: 'set-held', on: false });
  world.run(1_000);
  assert.deepEqual(remote(), { audio: true, video: true, screen: true });
  world.command(ANA, { kind: 'set-screen', on: false });
  world.run(1_000);
  assert.deepEqual(remote(), { audio: true, video: false, screen: false });
  assert.equal(world.phones[ANA].total((peer) => peer.offersMade), 1, 'without renegotiation');
});

test('a camera that fails ends the call, and both know why', () => {
  const world = anaAndRui();
  world.connect(ANA, RUI);
  world.report(ANA, { kind: 'media-failed', why: 'taken by another program' });
  world.run(1_000);
  world.assertEnds(['media-failed-here'], ['media-failed-there']);
  world.assertAllIdle();
});

test('an offer that is too long to send ends the call at once', () => {
  const world = anaAndRui();
  world.net.lost = 100;
  world.call(ANA, RUI);
  world.run(1_000);
  world.phones[ANA].engine.notSent(world.phones[ANA].sent[0]);
  world.pump(ANA);
  world.assertEnds(['negotiation-failed']);
  world.assertAllIdle();
});
