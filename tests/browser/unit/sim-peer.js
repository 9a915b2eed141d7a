// A simulated peer connection that holds the engine to W3C's `signalingState`: an impossible request fails the test.
//
// A generation is one side's ICE session, {connection, restart}: which connection, and its how many-th restart.

import assert from 'node:assert/strict';

export const sdpOf = ({ connection, restart }, version) => `v=0\r\no=- ${connection} ${version} IN IP4 127.0.0.1\r\ns=${restart}\r\n`;

export const same = (a, b) => a !== null && b !== null && a.connection === b.connection && a.restart === b.restart;

export const candidateOf = ({ connection, restart }) => ({
  candidate: `candidate:1 1 udp 1 127.0.0.1 9 typ host ${connection} ${restart}`, sdpMid: '0', sdpMLineIndex: 0,
});

function generationOf({ sdp }) {
  const [, connection, restart] = sdp.match(/^o=- (\d+) [^]*^s=(\d+)/m) ?? [];
  return restart === undefined ? null : { connection: Number(connection), restart: Number(restart) };
}

function generationOfCandidate({ candidate }) {
  const [connection, restart] = candidate.split(' ').slice(-2).map(Number);
  return { connection, restart };
}

export class SimPeer {
  #local;
  #version = 0;
  // Set as an offer and not agreed on: W3C `have-local-offer`.
  #offered = null;
  // The description action that is being carried out.
  #busy = null;
  #behind = [];
  // An answer failed: whether the own offer is still set is not known.
  #answerFailed = false;
  // What was agreed on last: {ours, theirs}.
  agreed = null;
  // The other side's candidates, as generations.
  heard = [];
  closed = false;
  told = 'connecting';
  downSince = null;
  offersMade = 0;
  rollbacks = 0;

  constructor(connection) {
    this.#local = { connection, restart: 0 };
  }

  // Takes an action; true if it is one that reports later, by `finish()`.
  act(action) {
    assert.ok(!this.closed, `${action.kind} after it was closed`);
    switch (action.kind) {
      case 'close': this.closed = true; return false;
      case 'set-media': return false;
      case 'add-candidate':
        assert.ok(this.agreed || ['answer', 'apply-answer'].includes(this.#busy?.kind), 'a candidate before any remote description');
        if (action.candidate) this.#behind.push(action.candidate);
        this.#addCandidates();
        return false;
      case 'offer':
      case 'answer':
      case 'apply-answer':
        assert.equal(this.#busy, null, `${action.kind} while ${this.#busy?.kind} is not done`);
        this.#check(action);
        this.#busy = action;
        return true;
    }
    throw new Error(`an action that nobody knows: ${action.kind}`);
  }

  // The description action is done, or has failed: the reports of it.
  finish(fail) {
    const action = this.#busy;
    this.#busy = null;
    if (!action || this.closed) return [];
    const reports = fail ? this.#fail(action) : this.#carryOut(action);
    this.#addCandidates();
    return reports;
  }

  // Whether both mean each other, and one of them knows where the other is.
  meets(other) {
    if (!this.agreed || !other.agreed || this.closed || other.closed) return false;
    const [mine, its] = [this.agreed, other.agreed];
    const meanEachOther = same(mine.ours, its.theirs) && same(mine.theirs, its.ours);
    const knows = (heard, generation) => heard.some((one) => same(one, generation));
    return meanEachOther && (knows(this.heard, mine.theirs) || knows(other.heard, mine.ours));
  }

  #check(action) {
    if (action.kind === 'answer') {
      assert.equal(action.offer.type, 'offer');
      assert.ok(this.#answerFailed || action.rollback === (this.#offered !== null), `rollback ${action.rollback} is wrong`);
    } else if (action.kind === 'apply-answer') {
      assert.equal(action.answer.type, 'answer');
      assert.ok(this.#offered, 'an answer to no offer');
    }
  }

  #fail(action) {
    this.#answerFailed ||= action.kind === 'answer';
    return [{ kind: 'negotiation-failed', why: 'as the story wants' }];
  }

  #carryOut(action) {
    if (action.kind === 'offer') return this.#offer(action.iceRestart);
    const theirs = generationOf(action.answer ?? action.offer);
    if (!theirs) return this.#fail(action);
    if (action.kind === 'answer') return this.#answer(theirs, action.rollback);
    this.#local = this.#offered;
    this.#offered = null;
    this.agreed = { ours: this.#local, theirs };
    return [{ kind: 'answer-applied' }];
  }

  #offer(iceRestart) {
    const ours = { ...(this.#offered ?? this.#local) };
    const fresh = !this.agreed && !this.#offered;
    ours.restart += Number(iceRestart);
    this.#offered = ours;
    this.offersMade += 1;
    return this.#describe('offer', ours, fresh || iceRestart);
  }

  #answer(theirs, rollback) {
    this.rollbacks += Number(rollback && this.#offered !== null);
    this.#offered = null;
    this.#answerFailed = false;
    const before = this.agreed?.theirs ?? null;
    if (before && !same(before, theirs)) this.#local = { ...this.#local, restart: this.#local.restart + 1_000 };
    this.agreed = { ours: this.#local, theirs };
    return this.#describe('answer', this.#local, !same(before, theirs));
  }

  #describe(type, ours, gathers) {
    this.#version += 1;
    const reports = [{ kind: 'description', sdp: { type, sdp: sdpOf(ours, this.#version) } }];
    if (gathers) reports.push({ kind: 'candidate', candidate: candidateOf(ours) }, { kind: 'candidate', candidate: null });
    return reports;
  }

  #addCandidates() {
    if (this.#busy === null) this.heard.push(...this.#behind.splice(0).map(generationOfCandidate));
  }
}
