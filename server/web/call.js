// The call engine: one call at a time, from ringing to hang-up. No DOM, no clock, no socket, no RTCPeerConnection.
//
// It follows the same table of states and inputs as the core (core/src/call/table.md), and the same rules beyond it, which
// core/src/call/mod.rs explains: which call a message belongs to, glare, repair. A test checks this file against that table, so that page
// and core cannot disagree. After each input take every output with `take()` and ask `timeoutAt()` when to call
// `handleTimeout()`. Times are milliseconds of any clock that does not go back.
//
// Outputs: {kind: 'send', message}, {kind: 'peer', peer, action}, {kind: 'event', event}.
// Actions for one peer connection are done in order: create, offer, answer, apply-answer, add-candidate, set-media, close. Of
// offer, answer and apply-answer each is answered by one report: 'description', 'answer-applied' or 'negotiation-failed'. Until then
// none of the three is requested again.

import { Glare } from './glare.js';
import { Negotiator } from './negotiator.js';
import { EngineContext } from './context.js';
import {
  CONNECT_TIMEOUT, Call, REPAIR_TIMEOUT, RESTART_AFTER, RESTART_EVERY, RING_TIMEOUT, WIRE_REASONS, certificatesOf, endReasonFor, isOtherPeer,
  sentOf, sessionOf, snapshotOf,
} from './state.js';
import { CallHistory } from './history.js';

export class CallEngine {
  #context = new EngineContext();
  #negotiator = new Negotiator(this.#context);
  #history = new CallHistory();
  #glare = new Glare(this.#context, this.#history, {
    answer: (now, offer) => this.#answerCall(now, offer),
    takeCandidates: () => this.#takeCandidates(),
  });
  // Who is not in the user list, but can be rung by push.
  #away = [];
  #newId;
  #ringTimeout;

  constructor(newId, ringTimeout = RING_TIMEOUT) {
    this.#newId = newId;
    this.#ringTimeout = ringTimeout;
  }

  get #call() {
    return this.#context.call;
  }

  // Logged in, for the first time or again. Messages that may have been lost with the last connection are sent again.
  loggedIn(now, name) {
    this.#context.me = name;
    this.#context.online = true;
    this.#negotiator.resendUnconfirmed(now);
    this.#context.emitChange();
  }

  // The server assigned another name.
  renamed(name) {
    this.#context.me = name;
    if (this.#context.online) this.#context.announceName();
  }

  // The call goes on; messages are sent when the server is back.
  signalingLost() {
    this.#context.online = false;
  }

  // This message cannot be sent at all. A call that cannot start without it ends.
  notSent({ type, call: id }) {
    const call = this.#call;
    const isDescription = type === 'video-offer' || type === 'video-answer';
    if (isDescription && call && call.id === id && !call.hasConnected) this.#end('negotiation-failed', true);
    this.#context.emitChange();
  }

  // Executes a command of the user; gives null, or the reason for the refusal: the call, if there is one, goes on.
  command(now, command) {
    const refusal = this.#execute(now, command);
    this.#context.emitChange();
    return refusal;
  }

  // A message from the server, as `readMessage` gives it. Those that are not about calls are ignored.
  message(now, message) {
    switch (message.type) {
      case 'video-offer': this.#onOffer(now, message); break;
      case 'video-answer': this.#onAnswer(now, message); break;
      case 'new-ice-candidate': this.#onCandidate(message); break;
      case 'hang-up': this.#onHangUp(message); break;
      case 'call-ringing': this.#onRinging(message); break;
      case 'call-pushed': this.#onPushed(message); break;
      case 'media-state': this.#onMediaState(message); break;
      case 'error': this.#onServerError(message); break;
    }
    this.#context.emitChange();
  }

  // Who is not in the user list, but can be rung by push; to be told before the user list that goes with it.
  away(names) {
    this.#away = names;
  }

  // A user who left the list cannot answer any more, unless the server rings them by push; an answered call does not need the server.
  // A user who returns may have missed messages.
  users(now, users) {
    const call = this.#call;
    if (!call) return;
    const wasOffline = call.peerOffline;
    call.peerOffline = !users.includes(call.with);
    // Who was rung by push is handed the offer by the server.
    const pushed = call.state === 'ringing-by-push' || (call.state === 'calling' && this.#away.includes(call.with));
    if (wasOffline && !call.peerOffline && !pushed) {
      this.#negotiator.resendUnconfirmed(now);
    } else if (call.peerOffline && call.isCalling) {
      if (!pushed) this.#end('unreachable');
    } else if (call.peerOffline && call.state === 'ringing-here') {
      this.#end('cancelled-there');
      // A caller who returns repeats the offer, and then it rings again.
      this.#history.removeEnded(call.id);
    }
    this.#context.emitChange();
  }

  // A report of a peer connection. Reports of earlier peer connections are dropped.
  report(now, peer, report) {
    const call = this.#call;
    if (peer === null || !call || call.peer !== peer) return;
    switch (report.kind) {
      case 'description': this.#negotiator.onLocalDescription(report.sdp); break;
      case 'answer-applied': this.#negotiator.onAnswerApplied(); break;
      case 'negotiation-failed':
      case 'no-common-codec': this.#onNegotiationFailed(report.kind); break;
      case 'handshake-failed': if (call.isAnswered) this.#end('handshake-failed', true); break;
      case 'candidate': this.#negotiator.onLocalCandidate(report.candidate); break;
      case 'connection': this.#onConnection(now, report.state); break;
      case 'media-failed': this.#end('media-failed-here', true); break;
    }
    this.#context.emitChange();
  }

  handleTimeout(now) {
    const call = this.#call;
    if (!call) return;
    const isDue = (at) => at !== null && at <= now;
    if (isDue(call.deadline)) {
      const unconnected = call.state === 'connecting' ? 'no-path' : 'connection-failed';
      this.#end(call.isAnswered ? unconnected : 'timeout', true);
    } else if (isDue(call.restartAt)) this.#negotiator.restartIce(now);
    this.#context.emitChange();
  }

  timeoutAt() {
    const times = this.#call ? [this.#call.deadline, this.#call.restartAt].filter((at) => at !== null) : [];
    return times.length ? Math.min(...times) : null;
  }

  take() {
    return this.#context.take();
  }

  // The whole picture of the call at this moment.
  snapshot() {
    return snapshotOf(this.#call);
  }

  // The bounded number of entries about other calls.
  get memory() {
    return this.#history.size;
  }

  // Commands.

  #execute(now, command) {
    switch (command.kind) {
      case 'call': return this.#place(now, command.to, command.media);
      case 'accept': return this.#whenRinging((call) => {
        call.local = { ...command.media };
        this.#answerCall(now, call.offer);
      });
      case 'decline': return this.#whenRinging(() => this.#end('declined-here', true));
      case 'hang-up': return this.#hangUp();
      case 'rejoin': return this.#rejoin(now, command);
      case 'set-media': return this.#setMedia({ audio: command.audio, video: command.video });
      case 'set-microphone': return this.#setMedia({ audio: command.on });
      case 'set-camera': return this.#setMedia({ video: command.on });
      case 'set-held': return this.#setHeld(command.on);
      case 'set-screen': return this.#setScreen(command.on);
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
    const { me, online } = this.#context;
    if (this.#call) return 'in-call';
    if (me === to) return 'self-call';
    if (me === null || !online) return 'not-logged-in';
    // An old server would send the offer to everyone.
    if (to === '') return 'nobody';
    const call = new Call(this.#newId(), me, to, 'calling', now + this.#ringTimeout);
    call.offerer = true;
    call.local = { ...media };
    call.offerAnswer.requestOffer(false);
    this.#context.call = call;
    this.#context.createPeer(true);
    this.#negotiator.step();
    return null;
  }

  // Goes on with the call that this page was in before it was loaded anew, on a new peer connection.
  #rejoin(now, { call: id, with: person, local, remote }) {
    const { me, online } = this.#context;
    if (this.#call) return 'in-call';
    if (me === null || !online) return 'not-logged-in';
    const call = new Call(id, me, person, 'reconnecting', now + REPAIR_TIMEOUT);
    call.offerer = call.sendsCallIds = true;
    call.restartAt = now + RESTART_EVERY;
    // The browser has ended the capture with the page that had it.
    call.local = { ...local, screen: false };
    call.remote = { ...remote };
    this.#context.call = call;
    if (this.#history.isCancelled(person, id)) {
      // It was hung up meanwhile.
      this.#end('hung-up-there');
      return null;
    }
    call.offerAnswer.requestOffer(false);
    this.#context.createPeer(true);
    this.#negotiator.step();
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
    if (['audio', 'video', 'screen', 'held'].some(differs)) this.#context.act({ kind: 'set-media', media: { ...call.local } });
    const [told, now] = [sentOf(before), sentOf(call.local)];
    if ([...Object.keys(change), 'video', 'held'].some((field) => told[field] !== now[field])) this.#context.sendMediaState();
    return null;
  }

  // A call can be put on hold once it is accepted.
  #setHeld(on) {
    const call = this.#call;
    if (!call) return 'no-call';
    if (!call.isAnswered) return 'wrong-state';
    return Boolean(call.local.held) === on ? null : this.#setMedia({ held: on });
  }

  // So can a screen be shared in it, in place of the camera.
  #setScreen(on) {
    const call = this.#call;
    if (!call) return 'no-call';
    if (!call.isAnswered) return 'wrong-state';
    return Boolean(call.local.screen) === on ? null : this.#setMedia({ screen: on });
  }

  // Messages of the remote peer.

  #onOffer(now, { name: from, sdp, call: id }) {
    if (!from || sdp.type !== 'offer' || from === this.#context.me) return;
    const session = sessionOf(sdp);
    if (this.#rejectIfEnded(from, id, session)) return;
    // Also takes over the remote user's new name, if it has one.
    const isKnown = Boolean(id) && this.#matchingCall({ name: from, call: id }) !== null;
    const call = this.#call;
    if (!call) return this.#ring(now, from, id, sdp);
    if (call.with !== from) return this.#context.sendHangUp(from, id, 'busy');
    if (call.isCalling) return this.#glare.onOffer(now, id, session, sdp);
    if (isKnown || (!id && call.isOfSession(session))) {
      if (call.state === 'ringing-here') this.#onRepeatedOffer(sdp);
      else if (!this.#negotiator.onRemoteOffer(now, sdp)) this.#end('connection-failed', true);
      return;
    }
    // The call that lost the glare against this one.
    if (id && id === call.collidingCall) return;
    // The remote peer lost the call without a hang-up and calls again. An old page would take a hang-up for the new call's.
    if (call.state === 'ringing-here') this.#end('cancelled-there');
    else this.#end('hung-up-there', Boolean(id));
    this.#ring(now, from, id, sdp);
  }

  // Whether an offer belongs to a call that ended. If it has the call identifier, the sender missed the hang-up and gets it again.
  // A hang-up without an identifier would end whatever call an old page has by now.
  #rejectIfEnded(from, id, session) {
    if (!id) return session !== null && this.#history.isSessionEnded(from, session);
    return this.#sendHangUpIfEnded(from, id) || this.#history.isCancelled(from, id);
  }

  #sendHangUpIfEnded(to, id) {
    const reason = to && id ? this.#history.endReason(id) : null;
    if (reason !== null) this.#context.sendHangUp(to, id, reason);
    return reason !== null;
  }

  #ring(now, from, id, offer) {
    const call = new Call(id ?? this.#newId(), this.#context.me ?? '', from, 'ringing-here', now + this.#ringTimeout);
    call.sendsCallIds = Boolean(id);
    call.session = sessionOf(offer);
    call.offer = offer;
    this.#context.call = call;
    this.#takeCandidates();
    this.#context.sendRinging();
    this.#context.emitChange();
    this.#context.event({ kind: 'incoming', from, call: call.id });
  }

  // These are queued until the offer is given to a peer connection.
  #takeCandidates() {
    const { with: person, id, offerAnswer } = this.#context.current;
    for (const candidate of this.#history.takeCandidates(person, id)) offerAnswer.onRemoteCandidate(candidate);
  }

  // The ringing call is offered again: by an old page with another track, or because the caller assumes that the offer was lost.
  #onRepeatedOffer(offer) {
    const call = this.#context.current;
    const before = call.offer;
    call.offer = offer;
    if (before?.sdp === offer.sdp) this.#context.sendRinging();
  }

  // Answers the call's first offer on a new peer connection.
  #answerCall(now, offer) {
    const call = this.#context.current;
    call.state = 'connecting';
    call.offerer = false;
    call.offer = null;
    call.deadline = now + CONNECT_TIMEOUT;
    call.session = sessionOf(offer);
    call.certificates = certificatesOf(offer);
    this.#context.createPeer(false);
    call.offerAnswer.receive(offer);
    call.offerAnswer.acceptOffer(offer);
    this.#negotiator.step();
  }

  #onAnswer(now, message) {
    const { name: from, sdp, call: id } = message;
    if (!from || sdp.type !== 'answer' || from === this.#context.me) return;
    const call = this.#matchingCall(message);
    if (!call) {
      // The sender accepted a call that does not exist here, and must not wait for it.
      const isOfOthers = id || this.#call?.with !== from;
      if (isOfOthers) this.#context.sendHangUp(from, id, (id && this.#history.endReason(id)) || 'ended');
      return;
    }
    const { offerAnswer } = call;
    if (offerAnswer.receive(sdp) !== 'new') return;
    if (!offerAnswer.acceptAnswer()) {
      if (offerAnswer.takeReplacedOffer() && call.state === 'reconnecting') this.#negotiator.restartIce(now);
      return;
    }
    const certificates = certificatesOf(sdp);
    if (isOtherPeer(call.certificates, certificates)) {
      // DTLS does not change its peer: a page that was loaded anew needs a new connection on this side, too.
      if (!this.#negotiator.offerOnNewPeer(now)) this.#end('connection-failed', true);
      return;
    }
    call.certificates = certificates;
    call.session = sessionOf(sdp);
    const isFirst = call.isCalling;
    if (isFirst) {
      call.state = 'connecting';
      call.deadline = now + CONNECT_TIMEOUT;
    }
    const waited = offerAnswer.onRemoteDescription();
    this.#context.act({ kind: 'apply-answer', answer: sdp });
    this.#context.addCandidates(waited);
    if (isFirst) this.#context.sendMediaState();
  }

  #onCandidate(message) {
    const { name: from, call: id } = message;
    const candidate = message.candidate?.candidate ? message.candidate : null;
    const call = from ? this.#matchingCall(message) : this.#matchingCallOfUnnamed(id);
    if (call?.offerAnswer.onRemoteCandidate(candidate)) this.#context.addCandidates([candidate]);
    if (!call && from && id) this.#history.bufferCandidate(from, id, candidate);
  }

  // Candidates of old peers have no sender: they belong to the current call, unless its peer sends call identifiers.
  #matchingCallOfUnnamed(id) {
    const call = this.#call;
    const isOurs = call && (id ? id === call.id : !call.sendsCallIds);
    return isOurs ? call : null;
  }

  #onRinging(message) {
    const call = this.#matchingCall(message);
    if (call?.state === 'calling' || call?.state === 'ringing-by-push') call.state = 'ringing-there';
    if (!call) this.#sendHangUpIfEnded(message.name, message.call);
  }

  // Nobody is there, but a device is rung: whoever is called comes into the user list when it has woken up.
  #onPushed({ target, call: id }) {
    const call = this.#call;
    const isAboutIt = call && (id ? id === call.id : target === call.with);
    if (isAboutIt && call.state === 'calling') call.state = 'ringing-by-push';
  }

  #onMediaState(message) {
    const call = this.#matchingCall(message);
    // The remote peer missed the hang-up: its first message after a new login shows that it still has the call.
    if (!call) return void this.#sendHangUpIfEnded(message.name, message.call);
    const { audio, video, facing, screen, held } = message;
    // Whoever holds sends nothing, whatever else they say; and whoever sends no picture, no screen either.
    call.remote = sentOf({ audio, video, screen: screen && video, ...(facing && { facing }), ...(held && { held }) });
  }

  #onHangUp(message) {
    const { name: from, call: id, reason } = message;
    const call = this.#matchingCall(message);
    if (call) return this.#end(endReasonFor(call, reason));
    // The hang-up may have arrived before the call's offer, which then must not ring.
    if (from && id && this.#history.endReason(id) === null) this.#history.recordCancelled(from, id);
  }

  // The server reported an error about a message of the call.
  #onServerError({ code, for: regarding, target, call: id }) {
    const call = this.#call;
    if (!call || (id ? id !== call.id : target !== call.with)) return;
    const isDecisive = (regarding === 'video-offer' && call.isCalling)
      || (regarding === 'video-answer' && call.state === 'connecting' && !call.offerer);
    if (!isDecisive) return;
    if (['no-such-user', 'not-logged-in', 'blocked'].includes(code)) this.#end('unreachable');
    else this.#end('negotiation-failed', true);
  }

  // The current call if a message belongs to it, or null. Only the two peers know the call's identifier, so a sender who knows it
  // is the remote peer, even under a new name. It also shows that the peer sends call identifiers.
  #matchingCall({ name, call: id }) {
    const call = this.#call;
    if (!call || !name || (id ? id !== call.id || name === this.#context.me : name !== call.with)) return null;
    call.with = name;
    call.sendsCallIds ||= Boolean(id);
    return call;
  }

  // Reports of the peer connection.

  // What was negotiated before still applies.
  #onNegotiationFailed(reason) {
    const call = this.#context.current;
    call.offerAnswer.onOperationFailed();
    if (call.hasConnected || call.offerAnswer.isNegotiated) this.#negotiator.step();
    else this.#end(reason, true);
  }

  #onConnection(now, state) {
    const call = this.#context.current;
    if (state === 'connected' && (call.state === 'connecting' || call.state === 'reconnecting')) {
      call.state = 'connected';
      call.deadline = call.restartAt = null;
      call.offerAnswer.onConnected();
    } else if ((state === 'failed' || state === 'closed') && call.state === 'connecting') {
      this.#end(state === 'failed' ? 'no-path' : 'connection-failed', true);
    } else if ((state === 'disconnected' || state === 'connecting') && call.state === 'connected') {
      call.state = 'reconnecting';
      call.deadline = now + REPAIR_TIMEOUT;
      call.restartAt = call.offerer ? now + RESTART_AFTER : null;
    } else if ((state === 'failed' || state === 'closed') && call.hasConnected) {
      call.state = 'reconnecting';
      call.deadline ??= now + REPAIR_TIMEOUT;
      this.#negotiator.restartIce(now);
    }
  }

  // Ends the call; `tell` is whether the remote peer is to be told.
  #end(reason, tell = false) {
    const call = this.#context.current;
    // While the first offer is being created, the remote peer does not know of the call.
    const wasInvited = !call.isCalling || call.offerAnswer.isAwaitingAnswer;
    if (tell && wasInvited) this.#context.send({ type: 'hang-up', reason: WIRE_REASONS[reason] });
    this.#context.act({ kind: 'close' });
    this.#context.call = null;
    this.#history.recordEnded({ with: call.with, call: call.id, session: call.session, reason: WIRE_REASONS[reason] });
    this.#context.event({ kind: 'ended', with: call.with, call: call.id, reason });
    this.#context.emitChange();
  }
}
