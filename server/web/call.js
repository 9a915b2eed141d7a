// The call engine: one call at a time, from the first ring to the hang-up. No DOM, no clock, no socket, no RTCPeerConnection.
//
// It follows the same table of states and inputs as the core (core/src/call/table.md), and the same rules beyond it, which
// core/src/call/mod.rs explains: who is meant by a message, glare, repair. A test walks that table against this file, so that page
// and core cannot disagree. After each input take every output with `take()` and ask `timeoutAt()` when to call
// `handleTimeout()`. Times are milliseconds of any clock that does not go back.
//
// Outputs: {kind: 'send', message}, {kind: 'peer', peer, action}, {kind: 'event', event}.
// Actions for one peer connection are done in order: create, offer, answer, apply-answer, add-candidate, set-media, close. Of
// offer, answer and apply-answer each is answered by one report: 'description', 'answer-applied' or 'negotiation-failed'. Until it
// comes none of the three is asked for again.

import { Exchange } from './exchange.js';
import { Line } from './line.js';
import { Negotiation } from './negotiation.js';
import {
  CONNECT_TIMEOUT, Call, REPAIR_TIMEOUT, RESTART_AFTER, RING_TIMEOUT, WIRE_REASONS, sessionOf, snapshotOf, whyTheyHungUp,
} from './state.js';
import { Strays } from './strays.js';

export class CallEngine {
  #line = new Line();
  #exchange = new Exchange(this.#line);
  #strays = new Strays();
  #newId;
  #ringTimeout;

  constructor(newId, ringTimeout = RING_TIMEOUT) {
    this.#newId = newId;
    this.#ringTimeout = ringTimeout;
  }

  get #call() {
    return this.#line.call;
  }

  // Logged in, for the first time or again. What may have been lost with the last connection is said again.
  loggedIn(now, name) {
    this.#line.me = name;
    this.#line.online = true;
    this.#exchange.sayAgain(now);
    this.#line.tellChange();
  }

  // The server gave us another name.
  renamed(name) {
    this.#line.me = name;
    if (this.#line.online) this.#line.introduce();
  }

  // The call goes on; what is said now is sent when the server is back.
  signalingLost() {
    this.#line.online = false;
  }

  // This message cannot be sent at all. A call that cannot begin without it is over.
  notSent({ type, call: id }) {
    const call = this.#call;
    const isDescription = type === 'video-offer' || type === 'video-answer';
    if (isDescription && call?.id === id && !call.hasConnected) this.#end('negotiation-failed', true);
    this.#line.tellChange();
  }

  // Does what the user wants; gives null, or why it is refused: the call, if there is one, goes on.
  command(now, command) {
    const refusal = this.#obey(now, command);
    this.#line.tellChange();
    return refusal;
  }

  // A message from the server, as `readMessage` gives it. Those that are not the engine's are left alone.
  message(now, message) {
    switch (message.type) {
      case 'video-offer': this.#onOffer(now, message); break;
      case 'video-answer': this.#onAnswer(now, message); break;
      case 'new-ice-candidate': this.#onCandidate(message); break;
      case 'hang-up': this.#onHangUp(message); break;
      case 'call-ringing': this.#onRinging(message); break;
      case 'media-state': this.#onMediaState(message); break;
      case 'error': this.#onError(message); break;
    }
    this.#line.tellChange();
  }

  // Whoever left the list cannot answer any more; a call that is answered needs no server. Who comes back to the list may not
  // have heard what was said meanwhile.
  users(now, users) {
    const call = this.#call;
    if (!call) return;
    const wasAway = call.away;
    call.away = !users.includes(call.with);
    if (wasAway && !call.away) {
      this.#exchange.sayAgain(now);
    } else if (call.away && call.isCalling) {
      this.#end('unreachable');
    } else if (call.away && call.state === 'ringing-here') {
      this.#end('cancelled-there');
      // A caller who comes back says it again, and then it rings again.
      this.#strays.forget(call.id);
    }
    this.#line.tellChange();
  }

  // A peer connection reports. Reports of any but the call's own are dropped.
  report(now, peer, report) {
    if (peer === null || this.#call?.peer !== peer) return;
    switch (report.kind) {
      case 'description': this.#exchange.made(report.sdp); break;
      case 'answer-applied': this.#exchange.applied(); break;
      case 'negotiation-failed': this.#onNegotiationFailed(); break;
      case 'candidate': this.#exchange.gathered(report.candidate); break;
      case 'connection': this.#onConnection(now, report.state); break;
      case 'media-failed': this.#end('media-failed-here', true); break;
    }
    this.#line.tellChange();
  }

  handleTimeout(now) {
    const call = this.#call;
    if (!call) return;
    const isDue = (at) => at !== null && at <= now;
    if (isDue(call.deadline)) this.#end(call.isAnswered ? 'connection-failed' : 'timeout', true);
    else if (isDue(call.restartAt)) this.#exchange.restartIce(now);
    this.#line.tellChange();
  }

  timeoutAt() {
    const times = this.#call ? [this.#call.deadline, this.#call.restartAt].filter((at) => at !== null) : [];
    return times.length ? Math.min(...times) : null;
  }

  take() {
    return this.#line.take();
  }

  // The whole picture of the call at this moment.
  snapshot() {
    return snapshotOf(this.#call);
  }

  // How much is remembered of calls that are over or have not come: it is bounded.
  get memory() {
    return this.#strays.size;
  }

  // What the user wants.

  #obey(now, command) {
    switch (command.kind) {
      case 'call': return this.#place(now, command.to, command.media);
      case 'accept': return this.#whenRinging((call) => {
        call.local = { ...command.media };
        this.#answerCall(now, call.offer);
      });
      case 'decline': return this.#whenRinging(() => this.#end('declined-here', true));
      case 'hang-up': return this.#hangUp();
      case 'set-microphone': return this.#setMedia({ audio: command.on });
      case 'set-camera': return this.#setMedia({ video: command.on });
      case 'set-facing': return this.#setMedia({ facing: command.facing });
    }
    throw new TypeError(`unknown command ${command.kind}`);
  }

  #whenRinging(work) {
    const call = this.#call;
    if (call?.state !== 'ringing-here') return call ? 'wrong-state' : 'no-call';
    work(call);
    return null;
  }

  #place(now, to, media) {
    const { me, online } = this.#line;
    if (this.#call) return 'in-call';
    if (me === to) return 'self-call';
    if (me === null || !online) return 'not-logged-in';
    // An old server would pass the offer on to everyone.
    if (to === '') return 'nobody';
    const call = new Call(this.#newId(), me, to, 'calling', now + this.#ringTimeout);
    call.offerer = true;
    call.local = { ...media };
    call.negotiation.wantOffer(false);
    this.#line.call = call;
    this.#line.createPeer(true);
    this.#exchange.step();
    return null;
  }

  #hangUp() {
    const call = this.#call;
    if (!call) return 'no-call';
    if (call.state === 'ringing-here') this.#end('declined-here', true);
    else this.#end(call.isCalling ? 'cancelled-here' : 'hung-up-here', true);
    return null;
  }

  #setMedia(change) {
    const call = this.#call;
    if (!call) return 'no-call';
    const before = call.local;
    call.local = { ...before, ...change };
    const differs = (field) => before[field] !== call.local[field];
    if (['audio', 'video'].some(differs)) this.#line.act({ kind: 'set-media', media: { ...call.local } });
    if (Object.keys(change).some(differs)) this.#line.sendMediaState();
    return null;
  }

  // What the other side says.

  #onOffer(now, { name: from, sdp, call: id }) {
    if (!from || sdp.type !== 'offer' || from === this.#line.me) return;
    const session = sessionOf(sdp);
    if (this.#isOver(from, id, session)) return;
    // Learns the other side's new name, if it has one.
    const isKnown = Boolean(id) && this.#callOf({ name: from, call: id }) !== null;
    const call = this.#call;
    if (!call) return this.#ring(now, from, id, sdp);
    if (call.with !== from) return this.#line.sayOver(from, id, 'busy');
    if (call.isCalling) return this.#onGlare(now, id, session, sdp);
    if (isKnown || (!id && call.isOfSession(session))) {
      if (call.state === 'ringing-here') this.#onOfferAgain(sdp);
      else this.#exchange.offered(sdp);
      return;
    }
    // The call that gave way to this one.
    if (id && id === call.rival) return;
    // The other side lost the call without a word and calls anew. An old page would take a hang-up for the new call.
    if (call.state === 'ringing-here') this.#end('cancelled-there');
    else this.#end('hung-up-there', Boolean(id));
    this.#ring(now, from, id, sdp);
  }

  // Whether an offer belongs to a call that is over. Whoever names it is told so: they have missed the hang-up. A hang-up without
  // a call's name would hit whatever call an old page has by now.
  #isOver(from, id, session) {
    if (!id) return session !== null && this.#strays.isSessionOver(from, session);
    return this.#sayOverIfEnded(from, id) || this.#strays.isCancelled(from, id);
  }

  #sayOverIfEnded(to, id) {
    const reason = to && id ? this.#strays.whyEnded(id) : null;
    if (reason !== null) this.#line.sayOver(to, id, reason);
    return reason !== null;
  }

  #ring(now, from, id, offer) {
    const call = new Call(id ?? this.#newId(), this.#line.me ?? '', from, 'ringing-here', now + this.#ringTimeout);
    call.namesCalls = Boolean(id);
    call.session = sessionOf(offer);
    call.offer = offer;
    this.#line.call = call;
    this.#takeEarly();
    this.#line.sendRinging();
    this.#line.tellChange();
    this.#line.event({ kind: 'incoming', from, call: call.id });
  }

  // Nothing is handed back before the offer is with a peer connection.
  #takeEarly() {
    const { with: person, id, negotiation } = this.#call;
    for (const candidate of this.#strays.takeEarly(person, id)) negotiation.candidateThere(candidate);
  }

  // What rings here is offered once more: by an old page with another track, or because the caller thinks that it was lost.
  #onOfferAgain(offer) {
    const before = this.#call.offer;
    this.#call.offer = offer;
    if (before.sdp === offer.sdp) this.#line.sendRinging();
  }

  // Answers the call's first offer on a peer connection of its own.
  #answerCall(now, offer) {
    const call = this.#call;
    call.state = 'connecting';
    call.offerer = false;
    call.offer = null;
    call.deadline = now + CONNECT_TIMEOUT;
    call.session = sessionOf(offer);
    this.#line.createPeer(false);
    call.negotiation.hear(offer);
    call.negotiation.takeOffer(offer);
    this.#exchange.step();
  }

  // Both called each other.
  #onGlare(now, id, session, offer) {
    const call = this.#call;
    // Ours has not been sent: nobody knows of it.
    if (!call.negotiation.waitsForAnswer) return this.#takeTheirs(now, id, offer);
    if (!id) return this.#callAgain(session);
    // Somebody whose phone rang for us has no call of their own, unless they have lost ours.
    const lostOurs = call.state === 'ringing-there' && id !== call.id;
    if (call.polite || lostOurs) return this.#takeTheirs(now, id, offer);
    // The other side gives way. If it says so again, ours may have been lost.
    const again = call.rival === id && id !== call.id;
    call.rival = id;
    if (again) this.#line.repeatDescription();
  }

  // Gives our own call up for the other side's, on a peer connection of its own. No ringing: our user wanted this call.
  #takeTheirs(now, id, offer) {
    const call = this.#call;
    const { id: ours, with: person } = call;
    const wasSent = call.negotiation.waitsForAnswer;
    this.#line.act({ kind: 'close' });
    call.negotiation = new Negotiation();
    if (id && id !== ours) {
      call.id = id;
      call.namesCalls = true;
      this.#takeEarly();
      // Late messages of the call that was given up are none of this one's, here and there.
      this.#strays.ended({ with: person, call: ours, session: null, reason: 'cancelled' });
      if (wasSent) this.#line.sayOver(person, ours, 'cancelled');
    }
    this.#answerCall(now, offer);
  }

  // An old page that offers while our offer is on its way is beyond agreement: it throws its peer connection away, or takes its
  // offer back without answering ours. Hung up, it starts afresh, and answers our offer when it comes again.
  #callAgain(session) {
    const call = this.#call;
    if (session === null) {
      if (call.calledAgain) return;
      call.calledAgain = true;
    } else {
      this.#strays.ended({ with: call.with, call: null, session, reason: 'cancelled' });
    }
    // Candidates that waited were of the call that it gives up, and so is another offer of it.
    call.negotiation.forgetCandidatesThere();
    this.#line.send({ type: 'hang-up', reason: 'cancelled' });
    this.#line.repeatDescription();
  }

  #onAnswer(now, message) {
    const { name: from, sdp, call: id } = message;
    if (!from || sdp.type !== 'answer' || from === this.#line.me) return;
    const call = this.#callOf(message);
    if (!call) {
      // Somebody takes a call that we do not have, and must not wait for it.
      const isOfOthers = id || this.#call?.with !== from;
      if (isOfOthers) this.#line.sayOver(from, id, (id && this.#strays.whyEnded(id)) || 'ended');
      return;
    }
    const { negotiation } = call;
    if (negotiation.hear(sdp) !== 'new') return;
    if (!negotiation.takeAnswer()) {
      if (negotiation.wasReplaced() && call.state === 'reconnecting') this.#exchange.restartIce(now);
      return;
    }
    call.session = sessionOf(sdp);
    const isFirst = call.isCalling;
    if (isFirst) {
      call.state = 'connecting';
      call.deadline = now + CONNECT_TIMEOUT;
    }
    const waited = negotiation.describedThere();
    this.#line.act({ kind: 'apply-answer', answer: sdp });
    this.#line.addCandidates(waited);
    if (isFirst) this.#line.sendMediaState();
  }

  #onCandidate(message) {
    const { name: from, call: id } = message;
    const candidate = message.candidate?.candidate ? message.candidate : null;
    const call = from ? this.#callOf(message) : this.#callOfNobody(id);
    if (call?.negotiation.candidateThere(candidate)) this.#line.addCandidates([candidate]);
    if (!call && from && id) this.#strays.early(from, id, candidate);
  }

  // Old peers do not say who they are: the candidate belongs to the call there is, unless that is with somebody who does.
  #callOfNobody(id) {
    const call = this.#call;
    const isOurs = call && (id ? id === call.id : !call.namesCalls);
    return isOurs ? call : null;
  }

  #onRinging(message) {
    const call = this.#callOf(message);
    if (call?.state === 'calling') call.state = 'ringing-there';
    if (!call) this.#sayOverIfEnded(message.name, message.call);
  }

  #onMediaState(message) {
    const call = this.#callOf(message);
    // They missed our hang-up: their first word after a new login says that they hold the call still.
    if (!call) return void this.#sayOverIfEnded(message.name, message.call);
    const { audio, video, facing, screen } = message;
    call.remote = { audio, video, screen, ...(facing && { facing }) };
  }

  #onHangUp(message) {
    const { name: from, call: id, reason } = message;
    const call = this.#callOf(message);
    if (call) return this.#end(whyTheyHungUp(call, reason));
    // It may have overtaken the offer of its call, which then must not ring.
    if (from && id && this.#strays.whyEnded(id) === null) this.#strays.cancelled(from, id);
  }

  // The server refused a message of the call.
  #onError({ code, for: regarding, target, call: id }) {
    const call = this.#call;
    if (!call || (id ? id !== call.id : target !== call.with)) return;
    const isDecisive = (regarding === 'video-offer' && call.isCalling)
      || (regarding === 'video-answer' && call.state === 'connecting' && !call.offerer);
    if (!isDecisive) return;
    if (code === 'no-such-user' || code === 'not-logged-in') this.#end('unreachable');
    else this.#end('negotiation-failed', true);
  }

  // The call that a message belongs to, or null. A message that names its call shows that its sender can. Only the two of us
  // know the call's identifier: who knows it is the other side, even under a new name.
  #callOf({ name, call: id }) {
    const call = this.#call;
    if (!call || !name || (id ? id !== call.id || name === this.#line.me : name !== call.with)) return null;
    call.with = name;
    call.namesCalls ||= Boolean(id);
    return call;
  }

  // What the peer connection reports.

  // What was agreed on before still holds.
  #onNegotiationFailed() {
    const call = this.#call;
    call.negotiation.failed();
    if (call.hasConnected || call.negotiation.isAgreed) this.#exchange.step();
    else this.#end('negotiation-failed', true);
  }

  #onConnection(now, state) {
    const call = this.#call;
    if (state === 'connected' && (call.state === 'connecting' || call.state === 'reconnecting')) {
      call.state = 'connected';
      call.deadline = call.restartAt = null;
      call.negotiation.repaired();
    } else if (state === 'failed' && call.state === 'connecting') {
      this.#end('connection-failed', true);
    } else if (state === 'disconnected' && call.state === 'connected') {
      call.state = 'reconnecting';
      call.deadline = now + REPAIR_TIMEOUT;
      call.restartAt = call.offerer ? now + RESTART_AFTER : null;
    } else if (state === 'failed' && call.hasConnected) {
      call.state = 'reconnecting';
      call.deadline ??= now + REPAIR_TIMEOUT;
      this.#exchange.restartIce(now);
    }
  }

  // Ends the call; `tell` is whether the other side has to hear of it.
  #end(reason, tell = false) {
    const call = this.#call;
    // Nobody was invited yet while the first offer is still being made.
    const wasInvited = !call.isCalling || call.negotiation.waitsForAnswer;
    if (tell && wasInvited) this.#line.send({ type: 'hang-up', reason: WIRE_REASONS[reason] });
    this.#line.act({ kind: 'close' });
    this.#line.call = null;
    this.#strays.ended({ with: call.with, call: call.id, session: call.session, reason: WIRE_REASONS[reason] });
    this.#line.event({ kind: 'ended', with: call.with, call: call.id, reason });
    this.#line.tellChange();
  }
}
