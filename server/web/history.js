// Calls other than the current one: those that ended, those cancelled before their offer arrived, and candidates that arrived
// before their offer.
//
// Everything is bounded, and bound to its sender: nobody can change what is known of another user's calls. What strangers
// can fill is stored apart from this user's own calls.

import { pushBounded } from './offer-answer.js';

const MAX_EARLY = 64;
const MAX_EARLY_PER_SENDER = 32;
const MAX_ENDED = 64;

export class CallHistory {
  // Candidates whose offer has not arrived yet.
  #earlyCandidates = [];
  // Calls of this user that ended: {with, call, session, reason}.
  #ended = [];
  // Calls whose `hang-up` arrived before their offer.
  #cancelled = [];

  // The number of entries.
  get size() {
    return this.#earlyCandidates.length + this.#ended.length + this.#cancelled.length;
  }

  // Records that a call of this user ended, and which reason to answer to late messages about it.
  recordEnded(ended) {
    this.#earlyCandidates = this.#earlyCandidates.filter((one) => one.call !== ended.call);
    pushBounded(this.#ended, ended, MAX_ENDED);
  }

  // Removes an ended call, which may be offered again.
  removeEnded(call) {
    this.#ended = this.#ended.filter((one) => one.call !== call);
  }

  // Records a `hang-up` of an unknown call: if its offer arrives later, it does not ring.
  recordCancelled(from, call) {
    this.#earlyCandidates = this.#earlyCandidates.filter((one) => one.from !== from || one.call !== call);
    if (!this.isCancelled(from, call)) pushBounded(this.#cancelled, { from, call }, MAX_ENDED);
  }

  isCancelled(from, call) {
    return this.#cancelled.some((one) => one.from === from && one.call === call);
  }

  // Why the call ended, in the words of `hang-up`; null if it was not one of this user's.
  endReason(call) {
    return this.#ended.findLast((one) => one.call === call)?.reason ?? null;
  }

  // Whether a call with this remote peer connection ended.
  isSessionEnded(person, session) {
    return this.#ended.some((one) => one.with === person && one.session === session);
  }

  // Buffers a candidate of a call whose offer may still arrive.
  bufferCandidate(from, call, candidate) {
    if (this.endReason(call) !== null || this.isCancelled(from, call)) return;
    const isTheirs = (one) => one.from === from;
    if (this.#earlyCandidates.filter(isTheirs).length >= MAX_EARLY_PER_SENDER) {
      this.#earlyCandidates.splice(this.#earlyCandidates.findIndex(isTheirs), 1);
    }
    pushBounded(this.#earlyCandidates, { from, call, candidate }, MAX_EARLY);
  }

  // Takes the candidates that were buffered for this call.
  takeCandidates(from, call) {
    const isOfIt = (one) => one.from === from && one.call === call;
    const taken = this.#earlyCandidates.filter(isOfIt);
    this.#earlyCandidates = this.#earlyCandidates.filter((one) => !isOfIt(one));
    return taken.map((one) => one.candidate);
  }
}
