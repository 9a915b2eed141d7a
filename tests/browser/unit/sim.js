// Phones with simulated peer connections, a simulated server and network between them, and a virtual clock in milliseconds.

import assert from 'node:assert/strict';
import { CallEngine } from '../../../server/web/call.js';
import { ALL_ON } from '../../../server/web/state.js';
import { SimPeer } from './sim-peer.js';
import { seeded } from './support.js';

// How long a path that is down goes unnoticed, and then until it is given up.
const UNNOTICED = 1_000;
const GIVEN_UP = 15_000;
const TICK = 100;

// How the network treats messages. Percent of messages that are lost, that come twice, and of actions of peer connections that
// fail; the longest delay of a message and of an action; the shortest delay of a message; whether messages of one sender to one
// receiver stay in order, as they do on a TCP connection; whether media gets through.
export const GOOD = Object.freeze({ lost: 0, twice: 0, failing: 0, delay: 20, wire: 0, inOrder: true, media: true });

export const numbered = (number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

// Messages as others than the engine send them.
export const offer = (name, sdp, call) => ({ type: 'video-offer', name, sdp: { type: 'offer', sdp }, ...(call && { call }) });
export const answer = (name, sdp, call) => ({ type: 'video-answer', name, sdp: { type: 'answer', sdp }, ...(call && { call }) });
export const hangUp = (name, call, reason) => ({ type: 'hang-up', ...(name && { name }), ...(call && { call }), ...(reason && { reason }) });

class Phone {
  online = true;
  unsent = [];
  peers = new Map();
  // Events, and messages sent.
  heard = [];
  sent = [];
  // Calls that were placed or that rang.
  begun = 0;

  constructor(name, engine) {
    this.name = name;
    this.engine = engine;
  }

  get state() { return this.engine.snapshot().state; }

  get call() { return this.engine.snapshot().call; }

  get ends() { return this.heard.filter((event) => event.kind === 'ended').map((event) => event.reason); }

  get rings() { return this.heard.filter((event) => event.kind === 'incoming').length; }

  get openPeers() { return [...this.peers.values()].filter((peer) => !peer.closed); }

  get kindsSent() { return this.sent.map((message) => message.type); }

  sentOf(kind) { return this.sent.filter((message) => message.type === kind); }

  // The total of a number over the open peer connections.
  total(of) { return this.openPeers.reduce((sum, peer) => sum + of(peer), 0); }
}

export class World {
  net = { ...GOOD };
  phones = [];
  // Names of people who are there but are no simulated phones, such as old pages, and what was sent to them.
  pages = [];
  toPages = [];
  now = 0;
  #coming = [];
  #lastArrival = new Map();
  #connections = 0;
  #random = seeded(1);

  // These people are logged in.
  constructor(...names) {
    names.forEach((name, index) => {
      let calls = (index + 1) << 24;
      const engine = new CallEngine(() => numbered(calls += 1));
      engine.loggedIn(0, name);
      this.phones.push(new Phone(name, engine));
    });
  }

  seed(seed) {
    this.#random = seeded(seed);
  }

  below(end) {
    return Math.floor(this.#random() * end);
  }

  // What people do.

  command(index, command) {
    const phone = this.phones[index];
    const refusal = phone.engine.command(this.now, command);
    if (command.kind === 'call' && refusal === null) phone.begun += 1;
    this.pump(index);
    return refusal;
  }

  call(from, to) {
    assert.equal(this.command(from, { kind: 'call', to: this.phones[to].name, media: ALL_ON }), null);
  }

  accept(index) {
    assert.equal(this.command(index, { kind: 'accept', media: ALL_ON }), null);
  }

  hangUp(index) {
    assert.equal(this.command(index, { kind: 'hang-up' }), null);
  }

  // Rings, is accepted, connects.
  connect(from, to) {
    this.call(from, to);
    this.run(1_000);
    this.accept(to);
    this.run(1_000);
    this.assertConnected(from, to);
  }

  // This phone forgets everything, as a page that is loaded anew.
  restart(index) {
    const { name } = this.phones[index];
    [, this.phones[index]] = new World('nobody', name).phones;
  }

  goOffline(index) {
    this.phones[index].online = false;
    this.phones[index].engine.signalingLost();
    this.pump(index);
  }

  // Comes back, possibly under another name, and sends what waited.
  comeBack(index, name = this.phones[index].name) {
    const phone = this.phones[index];
    Object.assign(phone, { online: true, name });
    for (const message of phone.unsent.splice(0)) this.#route(index, message);
    phone.engine.loggedIn(this.now, name);
    this.pump(index);
    this.tellUsers();
  }

  tellUsers() {
    const users = [...this.phones.map((phone) => phone.name), ...this.pages];
    this.phones.forEach((phone, index) => phone.online && this.users(index, users));
  }

  users(index, users) {
    this.phones[index].engine.users(this.now, users);
    this.pump(index);
  }

  // A message from somebody who is no simulated phone, such as an old page.
  tell(index, message) {
    this.phones[index].engine.message(this.now, message);
    this.pump(index);
  }

  // What somebody has sent comes once more.
  tellAgain(index, from, message) {
    this.tell(index, { ...message, name: from });
  }

  report(index, report) {
    const phone = this.phones[index];
    const [peer] = [...phone.peers].findLast(([, one]) => !one.closed);
    phone.engine.report(this.now, peer, report);
    this.pump(index);
  }

  connection(index, ...states) {
    for (const state of states) this.report(index, { kind: 'connection', state });
  }

  // How time goes by.

  run(millis) {
    const end = this.now + millis;
    while (this.now < end) {
      const next = this.#coming[0]?.at ?? Infinity;
      const tick = (Math.floor(this.now / TICK) + 1) * TICK;
      this.now = Math.max(this.now, Math.min(next, tick, end));
      while (this.#coming[0]?.at <= this.now) this.#coming.shift().happen();
      if (this.now % TICK === 0) {
        this.#moveMedia();
        this.#ringTimers();
      }
    }
  }

  #later(delay, happen) {
    const at = this.now + delay;
    const index = this.#coming.findLastIndex((one) => one.at <= at) + 1;
    this.#coming.splice(index, 0, { at, happen });
  }

  #ringTimers() {
    this.phones.forEach(({ engine }, index) => {
      const at = engine.timeoutAt();
      if (at === null || at > this.now) return;
      engine.handleTimeout(this.now);
      assert.ok(engine.timeoutAt() === null || engine.timeoutAt() > this.now, 'the timer stands still');
      this.pump(index);
    });
  }

  // Peer connections find each other, and lose each other.
  #moveMedia() {
    const reports = [];
    this.phones.forEach((phone, index) => {
      const others = this.phones.filter((one) => one !== phone).flatMap((one) => one.openPeers);
      for (const [id, peer] of phone.peers) {
        if (peer.closed) continue;
        const up = this.net.media && others.some((other) => peer.meets(other));
        const downFor = peer.downSince === null ? 0 : this.now - peer.downSince;
        reports.push({ index, id, peer, up, state: nextState(peer.told, up, downFor) });
      }
    });
    for (const { index, id, peer, up, state } of reports) {
      peer.downSince = up ? null : peer.downSince ?? this.now;
      if (state === peer.told || peer.closed) continue;
      peer.told = state;
      this.phones[index].engine.report(this.now, id, { kind: 'connection', state });
      this.pump(index);
    }
  }

  pump(index) {
    const phone = this.phones[index];
    for (let outputs = phone.engine.take(); outputs.length; outputs = phone.engine.take()) {
      for (const output of outputs) this.#carryOut(phone, index, output);
    }
  }

  #carryOut(phone, index, { kind, event, message, peer: id, action }) {
    if (kind === 'event') {
      if (event.kind === 'incoming') phone.begun += 1;
      phone.heard.push(event);
    } else if (kind === 'send') {
      phone.sent.push(message);
      if (phone.online) this.#route(index, message);
      else phone.unsent.push(message);
    } else if (action.kind === 'create') {
      assert.ok(!phone.peers.has(id), 'created twice');
      phone.peers.set(id, new SimPeer(this.#connections += 1));
      assert.equal(phone.openPeers.length, 1, 'one call has one peer connection');
    } else if (phone.peers.get(id).act(action)) {
      this.#later(1 + this.below(this.net.delay), () => {
        for (const report of phone.peers.get(id).finish(this.#chance(this.net.failing))) {
          phone.engine.report(this.now, id, report);
          this.pump(index);
        }
      });
    }
  }

  #chance(percent) {
    return percent > 0 && this.below(100) < percent;
  }

  // What the server does: it stamps the sender's name and passes the message on.
  #route(from, { target, ...rest }) {
    assert.ok(target, 'every message has a target');
    const message = { ...rest, name: this.phones[from].name };
    if (this.pages.includes(target)) {
      this.toPages.push({ ...message, target });
      return;
    }
    const to = this.phones.findIndex((phone) => phone.name === target);
    if (to === -1) {
      const error = { type: 'error', code: 'no-such-user', for: message.type, target, call: message.call };
      if (message.type !== 'hang-up') this.#later(this.net.delay, () => this.#arrive(from, error));
      return;
    }
    if (this.#chance(this.net.lost)) return;
    for (let copies = this.#chance(this.net.twice) ? 2 : 1; copies > 0; copies -= 1) {
      let at = this.now + this.net.wire + 1 + this.below(this.net.delay);
      if (this.net.inOrder) {
        at = Math.max(at, this.#lastArrival.get(`${from} ${to}`) ?? 0);
        this.#lastArrival.set(`${from} ${to}`, at);
      }
      this.#later(at - this.now, () => this.#arrive(to, message));
    }
  }

  // What comes for a phone that is away is lost here: the worst that a server may do.
  #arrive(index, message) {
    if (this.phones[index].online) this.tell(index, message);
  }

  // What is expected.

  assertConnected(a, b) {
    const [left, right] = [this.phones[a].engine.snapshot(), this.phones[b].engine.snapshot()];
    assert.deepEqual([left.state, right.state], ['connected', 'connected']);
    assert.equal(left.call, right.call, 'both are in one call');
    assert.deepEqual([left.with, right.with], [this.phones[b].name, this.phones[a].name]);
  }

  assertEnds(...ends) {
    assert.deepEqual(this.phones.slice(0, ends.length).map((phone) => phone.ends), ends);
  }

  // Everything is over, everywhere: no call, no peer connection, no timer, and one end for each beginning.
  assertAllIdle() {
    for (const phone of this.phones) {
      assert.equal(phone.state, 'idle', phone.name);
      assert.equal(phone.openPeers.length, 0, `${phone.name} closed its peer connections`);
      assert.equal(phone.engine.timeoutAt(), null, `${phone.name} has no timer`);
      assert.equal(phone.begun, phone.ends.length, `${phone.name}: one end for each call`);
    }
  }
}

function nextState(told, up, downFor) {
  if (told === 'connected') return !up && downFor >= UNNOTICED ? 'disconnected' : told;
  if (up) return 'connected';
  return told === 'disconnected' && downFor >= GIVEN_UP ? 'failed' : told;
}
