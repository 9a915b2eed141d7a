// Offer and answer of the call there is, from this side's peer connection to the other side and back; and what is done again when
// it may have been lost.

import { RESTART_EVERY } from './state.js';

export class Exchange {
  #line;

  constructor(line) {
    this.#line = line;
  }

  get #call() {
    return this.#line.call;
  }

  // Asks the peer connection for the next description, if it is free, and hands it what waited for that.
  step() {
    const { negotiation } = this.#call;
    const step = negotiation.nextStep();
    if (!step) return;
    const waited = step.kind === 'answer' ? negotiation.describedThere() : [];
    this.#line.act(step);
    this.#line.addCandidates(waited);
  }

  // The other side offers in the call that is going on: perfect negotiation (W3C WebRTC section 10.7).
  offered(offer) {
    const { negotiation, polite } = this.#call;
    const heard = negotiation.hear(offer);
    // Our answer may have been lost. If it is still being made, there is none to repeat.
    if (heard === 'repeated' && negotiation.lastSaid?.type === 'answer') this.#line.repeatDescription();
    if (heard !== 'new' || (negotiation.collides && !polite)) return;
    negotiation.takeOffer(offer);
    this.step();
  }

  // The peer connection has made a description.
  made(description) {
    const call = this.#call;
    if (call.negotiation.describedHere(description)) {
      const waited = call.negotiation.said(description);
      call.saidOnline = this.#line.online;
      this.#line.sendDescription(description);
      for (const candidate of waited) this.#line.sendCandidate(candidate);
      if (description.type === 'answer') this.#line.sendMediaState();
    }
    this.step();
  }

  // The peer connection has applied the other side's answer.
  applied() {
    this.#call.negotiation.applied();
    this.step();
  }

  // The peer connection has gathered a candidate.
  gathered(candidate) {
    if (this.#call.negotiation.candidateHere(candidate)) this.#line.sendCandidate(candidate);
  }

  // Restarts ICE, if it is this side's to do and the other can be told; tries again later in any case. An offer that nobody
  // answered may have been lost, or tell of a network that is gone: a new one takes its place.
  restartIce(now) {
    const call = this.#call;
    call.restartAt = call.offerer ? now + RESTART_EVERY : null;
    if (!call.offerer || !this.#line.online) return;
    call.negotiation.wantOffer(true);
    this.step();
  }

  // We or the other side are with the server again: what was on its way may not have arrived.
  sayAgain(now) {
    const call = this.#call;
    if (!call) return;
    const answers = call.state === 'connecting' && !call.offerer;
    if (call.saidOnline && (call.isCalling || answers)) this.#line.repeatDescription();
    else if (call.saidOnline && call.state === 'connecting') this.#line.repeatCandidates();
    if (call.state === 'reconnecting') this.restartIce(now);
    this.#line.introduce();
  }
}
