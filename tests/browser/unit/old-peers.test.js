// Old pages: they name no call, answer at once, offer once for each track, hang up into the blue, and forget their offers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_ON, sessionOf } from '../../../server/web/state.js';
import { candidateOf, sdpOf } from './sim-peer.js';
import { World, answer, hangUp, numbered, offer } from './sim.js';

const ANA = 0;

// A description of one of the page's peer connections: they come one after the other.
const sdp = (connection, version) => sdpOf({ connection, restart: 0 }, version);
const candidate = () => ({ type: 'new-ice-candidate', candidate: candidateOf({ connection: 900, restart: 0 }) });
const end = () => ({ type: 'new-ice-candidate', candidate: null });

function anaAndAPage(name = 'ana') {
  const world = new World(name);
  world.pages = ['page'];
  return world;
}

function callPage(world) {
  assert.equal(world.command(ANA, { kind: 'call', to: 'page', media: ALL_ON }), null);
  world.run(100);
}

// Ana has accepted the page's call.
function accepted() {
  const world = anaAndAPage();
  world.tell(ANA, offer('page', sdp(900, 1)));
  world.accept(ANA);
  world.run(100);
  return world;
}

function connected() {
  const world = accepted();
  world.connection(ANA, 'connected');
  assert.equal(world.phones[ANA].state, 'connected');
  return world;
}

const toldPage = (world) => world.toPages.map((message) => message.type);
const answers = (world) => toldPage(world).filter((type) => type === 'video-answer').length;
const candidates = (world) => world.phones[ANA].total((peer) => peer.heard.length);

test('a description’s session is its user and number in o=, if they say anything', () => {
  const of = (text) => sessionOf({ sdp: text });
  assert.equal(of(sdp(900, 1)), of(sdp(900, 2)));
  assert.notEqual(of(sdp(900, 1)), of(sdp(901, 1)));
  for (const nothing of ['', 'v=0', 'v=0\r\no=-\r\n', 'v=0\r\no=- 000 1 IN IP4 0\r\n', 'a\nb\nc\nd\no=- 5 1 IN IP4 0']) assert.equal(of(nothing), null, nothing);
  assert.ok(of(`v=0\no=- ${'1'.repeat(60_000)} 1`).length <= 200);
});

test('a page that answers at once is in the call, and its candidates need no name', () => {
  const world = anaAndAPage();
  callPage(world);
  world.tell(ANA, candidate());
  world.tell(ANA, answer('page', sdp(900, 1)));
  world.tell(ANA, candidate());
  world.tell(ANA, end());
  world.run(100);
  assert.deepEqual([world.phones[ANA].state, candidates(world)], ['connecting', 2]);
  world.connection(ANA, 'connected');
  assert.equal(world.phones[ANA].state, 'connected');
  const sent = world.toPages.filter((message) => message.type === 'new-ice-candidate');
  assert.ok(sent.length > 0 && sent.every((message) => message.candidate !== null), 'it chokes on the end of candidates');
});

test('candidates without a name are not taken for those of somebody who names calls', () => {
  const world = new World('ana', 'rui');
  world.connect(0, 1);
  const before = candidates(world);
  world.tell(ANA, candidate());
  assert.equal(candidates(world), before);
});

test('a second offer before the call is accepted replaces the first, and it rings once', () => {
  const world = anaAndAPage();
  world.tell(ANA, offer('page', sdp(900, 1)));
  world.tell(ANA, offer('page', sdp(900, 2)));
  assert.equal(world.phones[ANA].rings, 1);
  world.accept(ANA);
  world.run(100);
  assert.deepEqual([world.phones[ANA].state, answers(world)], ['connecting', 1]);
});

test('an offer for another track in the call is answered in the call', () => {
  const world = anaAndAPage();
  world.tell(ANA, offer('page', sdp(900, 1)));
  world.accept(ANA);
  // Before the first is answered, too.
  world.tell(ANA, offer('page', sdp(900, 2)));
  world.run(200);
  world.connection(ANA, 'connected');
  world.tell(ANA, offer('page', sdp(900, 3)));
  world.run(200);
  assert.deepEqual([answers(world), world.phones[ANA].rings, world.phones[ANA].peers.size], [3, 1, 1]);
});

test('nonsense in a running call is survived, and nonsense at its start ends it', () => {
  const world = accepted();
  world.tell(ANA, offer('page', 'v=0'));
  world.run(100);
  assert.equal(world.phones[ANA].state, 'connecting', 'what was agreed on before still holds');
  world.connection(ANA, 'connected');
  for (let times = 0; times < 2; times += 1) {
    world.tell(ANA, offer('page', 'v=1'));
    world.run(100);
  }
  assert.equal(answers(world), 1, 'nor is the last answer given to it when it comes again');
  world.tell(ANA, offer('page', sdp(900, 2)));
  world.run(100);
  assert.deepEqual([world.phones[ANA].state, answers(world)], ['connected', 2]);

  const other = anaAndAPage();
  other.tell(ANA, offer('page', 'v=0'));
  other.accept(ANA);
  other.run(100);
  other.assertEnds(['negotiation-failed']);
  other.assertAllIdle();
});

test('a second offer that crosses the decline does not ring again, but a new call of the page’s does', () => {
  const world = anaAndAPage();
  world.tell(ANA, offer('page', sdp(900, 1)));
  world.command(ANA, { kind: 'decline' });
  world.toPages = [];
  world.tell(ANA, offer('page', sdp(900, 2)));
  assert.equal(world.phones[ANA].state, 'idle');
  assert.deepEqual(world.toPages, [], 'and no hang-up meets what the page may do next');
  world.tell(ANA, offer('page', sdp(901, 1)));
  assert.equal(world.phones[ANA].state, 'ringing-here');
});

test('a page that was loaded anew and calls again ends the dead call and rings', () => {
  const world = connected();
  world.toPages = [];
  world.tell(ANA, offer('page', sdp(901, 1)));
  world.assertEnds(['hung-up-there']);
  assert.equal(world.phones[ANA].state, 'ringing-here');
  assert.deepEqual(toldPage(world), ['call-ringing'], 'it would take a hang-up for its new call');
});

test('a page that answered us, was loaded anew and calls rings too', () => {
  const world = anaAndAPage();
  callPage(world);
  world.tell(ANA, answer('page', sdp(900, 1)));
  world.run(100);
  world.connection(ANA, 'connected');
  world.tell(ANA, offer('page', sdp(900, 2)));
  assert.equal(world.phones[ANA].state, 'connected', 'the same page offers another track');
  world.run(100);
  world.tell(ANA, offer('page', sdp(901, 1)));
  world.assertEnds(['hung-up-there']);
  assert.equal(world.phones[ANA].state, 'ringing-here');
});

test('an offer that comes again gets the same answer, and one that was left behind gets none', () => {
  const world = connected();
  for (const version of [2, 3]) {
    world.tell(ANA, offer('page', sdp(900, version)));
    world.run(100);
  }
  const given = world.toPages.findLast((message) => message.type === 'video-answer');
  world.toPages = [];
  for (const version of [2, 3, 1]) {
    world.tell(ANA, offer('page', sdp(900, version)));
    world.run(100);
  }
  assert.deepEqual(world.toPages.filter((message) => message.type === 'video-answer'), [given]);
});

test('a page hangs up without a target, and only its own call ends', () => {
  const world = connected();
  for (const name of ['another page', 'ana', null]) world.tell(ANA, hangUp(name));
  assert.equal(world.phones[ANA].state, 'connected');
  world.tell(ANA, hangUp('page'));
  world.assertEnds(['hung-up-there']);
  world.assertAllIdle();
});

test('a page that calls while our offer is being made is answered', () => {
  const world = anaAndAPage();
  world.command(ANA, { kind: 'call', to: 'page', media: ALL_ON });
  world.tell(ANA, offer('page', sdp(900, 1)));
  world.run(200);
  assert.deepEqual([world.phones[ANA].state, answers(world)], ['connecting', 1]);
  assert.ok(!toldPage(world).includes('video-offer'));
});

test('a page that called at the same time is hung up and called again, since it forgets its offer', () => {
  // The names decide nothing: the page knows no politeness.
  for (const name of ['ana', 'zoe']) {
    const world = anaAndAPage(name);
    callPage(world);
    world.toPages = [];
    world.tell(ANA, candidate());
    world.tell(ANA, offer('page', sdp(900, 1)));
    // For another track, sent before the hang-up reached it.
    world.tell(ANA, offer('page', sdp(900, 2)));
    assert.deepEqual(toldPage(world), ['hang-up', 'video-offer', 'new-ice-candidate']);
    assert.equal(world.phones[ANA].state, 'calling');
    world.tell(ANA, answer('page', sdp(901, 1)));
    world.run(100);
    assert.deepEqual([world.phones[ANA].state, candidates(world)], ['connecting', 0], 'none of the page’s first try');
    world.connection(ANA, 'connected');
    assert.equal(world.phones[ANA].state, 'connected');
  }
});

test('a page whose offers cannot be told apart is called again only once', () => {
  const world = anaAndAPage();
  callPage(world);
  world.toPages = [];
  for (let n = 0; n < 10; n += 1) world.tell(ANA, offer('page', `v=0\r\no=- 0 ${n} IN IP4 0.0.0.0\r\n`));
  assert.equal(toldPage(world).filter((type) => type === 'hang-up').length, 1);
});

test('a page that answers a call which is over is told so', () => {
  const world = anaAndAPage();
  callPage(world);
  world.hangUp(ANA);
  world.toPages = [];
  world.tell(ANA, answer('page', sdp(900, 1)));
  assert.deepEqual(toldPage(world), ['hang-up']);
  world.assertAllIdle();
});

test('a flood of offers in a call is answered one at a time, and one of candidates is cut', () => {
  const world = connected();
  world.toPages = [];
  for (let version = 2; version < 1_000; version += 1) world.tell(ANA, offer('page', sdp(900, version)));
  world.run(200);
  assert.equal(answers(world), 2);
  for (let n = 0; n < 10_000; n += 1) world.tell(ANA, candidate());
  assert.ok(candidates(world) <= 600, `${candidates(world)} candidates were passed on`);
});

test('an offer that names an earlier call is told why that is over', () => {
  const world = anaAndAPage();
  world.tell(ANA, offer('page', sdp(900, 1), numbered(5)));
  world.command(ANA, { kind: 'decline' });
  world.toPages = [];
  world.tell(ANA, offer('page', sdp(900, 2), numbered(5)));
  assert.equal(world.phones[ANA].rings, 1);
  assert.deepEqual(world.toPages.map(({ type, reason, call }) => [type, reason, call]), [['hang-up', 'declined', numbered(5)]]);
});
