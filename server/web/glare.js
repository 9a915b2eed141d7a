// Glare at the start of a call: both users called each other. core/src/call/mod.rs explains who gives way.

import { OfferAnswer } from './offer-answer.js';

export class Glare {
  #context;
  #history;
  #answer;
  #takeCandidates;

  // `answer(now, offer)` answers a first offer on a new peer connection; `takeCandidates()` queues those that came before their offer.
  constructor(context, history, { answer, takeCandidates }) {
    this.#context = context;
    this.#history = history;
    this.#answer = answer;
    this.#takeCandidates = takeCandidates;
  }

  // Two calls have met: there is one.
  get #call() {
    return this.#context.current;
  }

  // An offer came for another call than the local one, which is not answered yet.
  onOffer(now, id, session, offer) {
    const call = this.#call;
    // The local offer has not been sent: the remote peer does not know of it.
    if (!call.offerAnswer.isAwaitingAnswer) return this.#yieldToIncoming(now, id, offer);
    if (!id) return this.#restartOldPeer(session);
    // A peer that already rings for the local call has no call of its own, unless it lost the local one.
    const lostOurs = call.state === 'ringing-there' && id !== call.id;
    if (call.polite || lostOurs) return this.#yieldToIncoming(now, id, offer);
    // The remote peer is the polite one. If it repeats its offer, the local one may have been lost.
    const again = call.collidingCall === id && id !== call.id;
    call.collidingCall = id;
    if (again) this.#context.repeatDescription();
  }

  // Gives up the local call and answers the remote one on a new peer connection. It does not ring: the user wanted this call.
  #yieldToIncoming(now, id, offer) {
    const call = this.#call;
    const { id: ours, with: person } = call;
    const wasSent = call.offerAnswer.isAwaitingAnswer;
    this.#context.act({ kind: 'close' });
    call.offerAnswer = new OfferAnswer();
    if (id && id !== ours) {
      call.id = id;
      call.sendsCallIds = true;
      this.#takeCandidates();
      // Late messages of the call that was given up must not affect this one, at either peer.
      this.#history.recordEnded({ with: person, call: ours, session: null, reason: 'cancelled' });
      if (wasSent) this.#context.sendHangUp(person, ours, 'cancelled');
    }
    this.#answer(now, offer);
  }

  // Glare with an old page, which cannot resolve it: it drops its peer connection, or rolls back its offer without answering the
  // local one. A hang-up resets it, and then it answers the repeated local offer.
  #restartOldPeer(session) {
    const call = this.#call;
    if (session === null) {
      if (call.oldPeerRestarted) return;
      call.oldPeerRestarted = true;
    } else {
      this.#history.recordEnded({ with: call.with, call: null, session, reason: 'cancelled' });
    }
    // Queued candidates, and further offers of that session, belong to the call that the page gives up.
    call.offerAnswer.clearRemoteCandidates();
    this.#context.send({ type: 'hang-up', reason: 'cancelled' });
    this.#context.repeatDescription();
  }
}
