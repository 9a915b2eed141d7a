// What came too early or too late: candidates before their offer, and the names of calls that are over.
//
// Everything is bounded, and bound to the person it came from: nobody changes what is known of another's calls. What strangers
// can fill is apart from our own calls.

import { keep } from './negotiation.js';

const MAX_EARLY = 64;
const MAX_EARLY_OF_ONE = 32;
const MAX_ENDED = 64;

export class Strays {
  // Candidates of calls whose offer has not come yet.
  #early = [];
  // Calls of ours that are over: {with, call, session, reason}.
  #ended = [];
  // Calls that were hung up before their offer came.
  #cancelled = [];

  // How much is remembered.
  get size() {
    return this.#early.length + this.#ended.length + this.#cancelled.length;
  }

  // Remembers that a call of ours is over, and what to tell whoever still speaks of it.
  ended(ended) {
    this.#early = this.#early.filter((one) => one.call !== ended.call);
    keep(this.#ended, ended, MAX_ENDED);
  }

  // The call may come back.
  forget(call) {
    this.#ended = this.#ended.filter((one) => one.call !== call);
  }

  // Somebody hung up a call that is not known: its offer, should it come yet, is not to ring.
  cancelled(from, call) {
    this.#early = this.#early.filter((one) => one.from !== from || one.call !== call);
    if (!this.isCancelled(from, call)) keep(this.#cancelled, { from, call }, MAX_ENDED);
  }

  isCancelled(from, call) {
    return this.#cancelled.some((one) => one.from === from && one.call === call);
  }

  // Why the call ended, in the words of `hang-up`; null if it was none of ours.
  whyEnded(call) {
    return this.#ended.findLast((one) => one.call === call)?.reason ?? null;
  }

  // Whether a call with this peer connection of that person is over.
  isSessionOver(person, session) {
    return this.#ended.some((one) => one.with === person && one.session === session);
  }

  // Keeps a candidate of a call whose offer may still come.
  early(from, call, candidate) {
    if (this.whyEnded(call) !== null || this.isCancelled(from, call)) return;
    const isTheirs = (one) => one.from === from;
    if (this.#early.filter(isTheirs).length >= MAX_EARLY_OF_ONE) this.#early.splice(this.#early.findIndex(isTheirs), 1);
    keep(this.#early, { from, call, candidate }, MAX_EARLY);
  }

  // The candidates that were kept for this call.
  takeEarly(from, call) {
    const isOfIt = (one) => one.from === from && one.call === call;
    const taken = this.#early.filter(isOfIt);
    this.#early = this.#early.filter((one) => !isOfIt(one));
    return taken.map((one) => one.candidate);
  }
}
