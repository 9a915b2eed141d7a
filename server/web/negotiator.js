// Negotiation of the current call between the local peer connection and the remote peer, ICE restarts, and repeating what may have
// been lost.

import { MAX_REPLACEMENTS, REPAIR_TIMEOUT, RESTART_EVERY, certificatesOf, isOtherPeer, sessionOf } from './state.js';

export class Negotiator {
  #context;

  constructor(context) {
    this.#context = context;
  }

  // All of this is done in a call.
  get #call() {
    return this.#context.current;
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

  // A remote offer within the current call: perfect negotiation (W3C WebRTC section 10.7). False if the call has got too many
  // peer connections and has to end.
  onRemoteOffer(now, offer) {
    const { offerAnswer, polite, certificates } = this.#call;
    const received = offerAnswer.receive(offer);
    // The answer may have been lost. While it is still being created there is nothing to repeat.
    if (received === 'duplicate' && offerAnswer.sentDescription?.type === 'answer') this.#context.repeatDescription();
    if (received !== 'new' || (offerAnswer.collides && !polite)) return true;
    const named = certificatesOf(offer);
    // A first offer cannot be rolled back and answered: its connection has taken the offerer's part (RFC 8842 section 5.3).
    const isUnanswered = offerAnswer.collides && !offerAnswer.isNegotiated;
    if (isOtherPeer(certificates, named) || isUnanswered) return this.#answerOnNewPeer(now, offer, named);
    if (certificates.length === 0) this.#call.certificates = named;
    offerAnswer.acceptOffer(offer);
    this.step();
    return true;
  }

  // Offers on a new peer connection within the call. False as above.
  offerOnNewPeer(now) {
    if (!this.#replacePeer(now, true)) return false;
    this.#call.offerAnswer.requestOffer(false);
    this.step();
    return true;
  }

  #answerOnNewPeer(now, offer, certificates) {
    if (!this.#replacePeer(now, false)) return false;
    const call = this.#call;
    call.session = sessionOf(offer);
    call.certificates = certificates;
    call.offerAnswer.acceptOffer(offer);
    this.step();
    return true;
  }

  // Closes the peer connection and creates another one.
  #replacePeer(now, offerer) {
    const call = this.#call;
    call.replacements += 1;
    if (call.replacements > MAX_REPLACEMENTS) return false;
    if (call.state === 'connected') {
      call.state = 'reconnecting';
      call.deadline = now + REPAIR_TIMEOUT;
    }
    if (call.state === 'reconnecting') call.restartAt = call.offerer ? now + RESTART_EVERY : null;
    this.#context.act({ kind: 'close' });
    call.offerAnswer = call.offerAnswer.forNewPeer();
    call.certificates = [];
    this.#context.createPeer(offerer);
    return true;
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
    const call = this.#context.call;
    if (!call) return;
    const answers = call.state === 'connecting' && !call.offerer;
    if (call.sentOnline && (call.isCalling || answers)) this.#context.repeatDescription();
    else if (call.sentOnline && call.state === 'connecting') this.#context.repeatCandidates();
    if (call.state === 'reconnecting') this.restartIce(now);
    this.#context.announceName();
  }
}
