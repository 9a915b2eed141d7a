// Negotiation of the current call between the local peer connection and the remote peer, ICE restarts, and repeating what may have
// been lost.

import { RESTART_EVERY } from './state.js';

export class Negotiator {
  #context;

  constructor(context) {
    this.#context = context;
  }

  get #call() {
    return this.#context.call;
  }

  // Starts the peer connection's next operation, if none is pending, and adds the candidates that waited for it.
  step() {
    const { offerAnswer } = this.#call;
    const step = offerAnswer.nextStep();
    if (!step) return;
    const waited = step.kind === 'answer' ? offerAnswer.onRemoteDescription() : [];
    this.#context.act(step);
    this.#context.addCandidates(waited);
  }

  // A remote offer within the current call: perfect negotiation (W3C WebRTC section 10.7).
  onRemoteOffer(offer) {
    const { offerAnswer, polite } = this.#call;
    const received = offerAnswer.receive(offer);
    // The answer may have been lost. While it is still being created there is nothing to repeat.
    if (received === 'duplicate' && offerAnswer.sentDescription?.type === 'answer') this.#context.repeatDescription();
    if (received !== 'new' || (offerAnswer.collides && !polite)) return;
    offerAnswer.acceptOffer(offer);
    this.step();
  }

  // The peer connection has created a description.
  onLocalDescription(description) {
    const call = this.#call;
    if (call.offerAnswer.onLocalDescription(description)) {
      const waited = call.offerAnswer.onDescriptionSent(description);
      call.sentOnline = this.#context.online;
      this.#context.sendDescription(description);
      for (const candidate of waited) this.#context.sendCandidate(candidate);
      if (description.type === 'answer') this.#context.sendMediaState();
    }
    this.step();
  }

  // The peer connection has applied the remote answer.
  onAnswerApplied() {
    this.#call.offerAnswer.onAnswerApplied();
    this.step();
  }

  // The peer connection has gathered a candidate.
  onLocalCandidate(candidate) {
    if (this.#call.offerAnswer.onLocalCandidate(candidate)) this.#context.sendCandidate(candidate);
  }

  // Restarts ICE if this side is responsible for it and the server is reachable, and schedules the next attempt. An offer
  // without an answer may have been lost, or have candidates of a network that is gone: a new one replaces it.
  restartIce(now) {
    const call = this.#call;
    call.restartAt = call.offerer ? now + RESTART_EVERY : null;
    if (!call.offerer || !this.#context.online) return;
    call.offerAnswer.requestOffer(true);
    this.step();
  }

  // The server or the remote user is reachable again: repeats what may not have arrived.
  resendUnconfirmed(now) {
    const call = this.#call;
    if (!call) return;
    const answers = call.state === 'connecting' && !call.offerer;
    if (call.sentOnline && (call.isCalling || answers)) this.#context.repeatDescription();
    else if (call.sentOnline && call.state === 'connecting') this.#context.repeatCandidates();
    if (call.state === 'reconnecting') this.restartIce(now);
    this.#context.announceName();
  }
}
