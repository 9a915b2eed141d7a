// The call engine: one call at a time, from the first ring to the hang-up. No DOM, no clock, no socket, no RTCPeerConnection.
//
// It follows the same table of states and inputs as the core (core/src/call/table.md); a test walks that table against this
// file, so that page and core cannot disagree. After each input take every output with `take()` and ask `timeoutAt()` when to
// call `handleTimeout()`. Times are milliseconds of any clock that does not go back.
//
// Outputs: {kind: 'send', message}, {kind: 'peer', peer, action}, {kind: 'event', event}.
// Actions for one peer connection are done in order: create, offer, answer, apply-answer, add-candidate, set-media, close.

import { Negotiation, Strays } from './negotiation.js';

export const RING_TIMEOUT = 60_000;
export const CONNECT_TIMEOUT = 30_000;
export const REPAIR_TIMEOUT = 30_000;
export const RESTART_AFTER = 2_000;
export const RESTART_EVERY = 8_000;

const CALLING = ['calling', 'ringing-there'];
const ANSWERED = ['connecting', 'connected', 'reconnecting'];

// What a side sends unless it says otherwise.
export const ALL_ON = Object.freeze({ audio: true, video: true, screen: false });

// Which of two gives way when both offer at once: the one whose name is smaller, compared as UTF-8 bytes.
export function isPolite(me, other) {
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(me), encoder.encode(other)];
  const differs = a.findIndex((byte, i) => byte !== b[i]);
  return differs === -1 ? a.length < b.length : differs < b.length && a[differs] < b[differs];
}

export class CallEngine {
  #me = null;
  #online = false;
  // Whether what was said of late may not have reached the other side: one of the two was away from the server.
  #unheard = false;
  #call = null;
  #strays = new Strays();
  #newId;
  #ringTimeout;
  #peers = 0;
  #outputs = [];
  #told = JSON.stringify(snapshotOf(null));

  constructor(newId, ringTimeout = RING_TIMEOUT) {
    this.#newId = newId;
    this.#ringTimeout = ringTimeout;
  }

  loggedIn(now, name) {
    this.#me = name;
    this.#online = true;
    if (this.#call?.state === 'reconnecting') this.#restartIce(now);
    this.#tellChange();
  }

  renamed(name) {
    this.#me = name;
  }

  // The call goes on; what is said now is sent when the server is back.
  signalingLost() {
    this.#online = false;
    this.#unheard = true;
  }

  // Does what the user wants; gives null, or why it is refused: the call, if there is one, goes on.
  command(now, command) {
    const refusal = this.#obey(now, command);
    this.#tellChange();
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
    this.#tellChange();
  }

  // Whoever left the list cannot answer any more; a call that is answered needs no server. Who comes back to it hears again what
  // is on here.
  users(now, users) {
    const call = this.#call;
    if (call && users.includes(call.with)) {
      if (this.#unheard) this.#sendMediaState();
      this.#unheard = false;
    } else if (call) {
      this.#unheard = true;
      if (CALLING.includes(call.state)) this.#end('unreachable');
      else if (call.state === 'ringing-here') this.#end('cancelled-there');
    }
    this.#tellChange();
  }

  // A peer connection reports. Reports of any but the call's own are dropped.
  report(now, peer, report) {
    if (peer === null || this.#call?.peer !== peer) return;
    switch (report.kind) {
      case 'description': this.#onLocalDescription(report.sdp); break;
      case 'negotiation-failed': this.#onNegotiationFailed(); break;
      case 'candidate': this.#onLocalCandidate(report.candidate); break;
      case 'connection': this.#onConnection(now, report.state); break;
      case 'media-failed': this.#end('media-failed-here', 'media-error'); break;
    }
    this.#tellChange();
  }

  handleTimeout(now) {
    const call = this.#call;
    if (!call) return;
    if (call.deadline !== null && call.deadline <= now) {
      if (ANSWERED.includes(call.state)) this.#end('connection-failed', 'failed');
      else this.#end('timeout', 'timeout');
    } else if (call.restartAt !== null && call.restartAt <= now) {
      this.#restartIce(now);
    }
    this.#tellChange();
  }

  timeoutAt() {
    const times = this.#call ? [this.#call.deadline, this.#call.restartAt].filter((at) => at !== null) : [];
    return times.length ? Math.min(...times) : null;
  }

  take() {
    return this.#outputs.splice(0);
  }

  // The whole picture of the call at this moment.
  snapshot() {
    return snapshotOf(this.#call);
  }

  #obey(now, command) {
    const call = this.#call;
    switch (command.kind) {
      case 'call': return this.#place(now, command.to, command.media);
      case 'accept': {
        if (call?.state !== 'ringing-here') return call ? 'wrong-state' : 'no-call';
        call.local = { ...command.media };
        this.#answerCall(now, call.offer);
        return null;
      }
      case 'decline': {
        if (call?.state !== 'ringing-here') return call ? 'wrong-state' : 'no-call';
        this.#end('declined-here', 'declined');
        return null;
      }
      case 'hang-up': {
        if (!call) return 'no-call';
        if (call.state === 'ringing-here') this.#end('declined-here', 'declined');
        else if (CALLING.includes(call.state)) this.#end('cancelled-here', 'cancelled');
        else this.#end('hung-up-here', 'ended');
        return null;
      }
      case 'set-microphone': return this.#setMedia({ audio: command.on });
      case 'set-camera': return this.#setMedia({ video: command.on });
      case 'set-facing': return this.#setMedia({ facing: command.facing });
    }
    throw new TypeError(`unknown command ${command.kind}`);
  }

  #place(now, to, media) {
    if (this.#call) return 'in-call';
    if (this.#me === to) return 'self-call';
    if (this.#me === null || !this.#online) return 'not-logged-in';
    const call = newCall(this.#newId(), to, 'calling', now + this.#ringTimeout);
    call.offerer = true;
    call.local = { ...media };
    call.negotiation.makingOffer = true;
    this.#call = call;
    this.#createPeer(true);
    this.#act({ kind: 'offer', iceRestart: false });
    return null;
  }

  #setMedia(change) {
    const call = this.#call;
    if (!call) return 'no-call';
    const before = call.local;
    call.local = { ...before, ...change };
    if (same(before, call.local)) return null;
    const devices = before.audio !== call.local.audio || before.video !== call.local.video;
    if (devices && call.peer !== null) this.#act({ kind: 'set-media', media: { ...call.local } });
    this.#sendMediaState();
    return null;
  }

  #onOffer(now, { name: from, sdp, call: id }) {
    if (!from || sdp.type !== 'offer' || from === this.#me) return;
    if (id && this.#strays.isEnded(id)) return;
    const call = this.#call;
    if (!call) return this.#ring(now, from, id, sdp);
    if (call.with !== from) {
      // A third person: their call is refused, ours goes on.
      return this.#put({ type: 'hang-up', name: this.#me, target: from, reason: 'busy', ...(id && { call: id }) });
    }
    const thisCall = !id || id === call.id;
    if (CALLING.includes(call.state)) return this.#onGlare(now, id, sdp);
    if (thisCall && call.state === 'ringing-here') {
      call.offer = sdp;
    } else if (thisCall) {
      this.#onRenegotiation(sdp);
    } else {
      // The other side lost or left that call without a word and calls anew.
      this.#end(call.state === 'ringing-here' ? 'cancelled-there' : 'hung-up-there');
      this.#ring(now, from, id, sdp);
    }
  }

  #ring(now, from, id, offer) {
    const call = newCall(id ?? this.#newId(), from, 'ringing-here', now + this.#ringTimeout);
    call.namesCalls = Boolean(id);
    call.offer = offer;
    this.#takeEarly(call);
    this.#call = call;
    this.#send({ type: 'call-ringing' });
    this.#tellChange();
    this.#event({ kind: 'incoming', from, call: call.id });
  }

  #answerCall(now, offer) {
    const call = this.#call;
    call.state = 'connecting';
    call.offerer = false;
    call.offer = null;
    call.deadline = now + CONNECT_TIMEOUT;
    this.#createPeer(false);
    this.#answer(offer, false);
  }

  // Both called each other. The polite side takes the other's call, on a peer connection of its own.
  #onGlare(now, id, offer) {
    const call = this.#call;
    if (!isPolite(this.#me, call.with)) return;
    this.#act({ kind: 'close' });
    if (id) {
      // Late messages of the call that was given up are none of this one's.
      this.#strays.ended(call.id);
      call.id = id;
      call.namesCalls = true;
    }
    call.negotiation = new Negotiation();
    this.#takeEarly(call);
    this.#answerCall(now, offer);
  }

  #takeEarly(call) {
    // Nothing is handed back before the offer is with a peer connection.
    for (const candidate of this.#strays.takeEarly(call.with, call.id)) call.negotiation.candidateThere(candidate);
  }

  // The other side offers in the call that is going on: perfect negotiation (W3C WebRTC section 10.7).
  #onRenegotiation(offer) {
    const { negotiation } = this.#call;
    const collides = negotiation.collides();
    if (collides) {
      if (!isPolite(this.#me, this.#call.with)) return;
      // One that is still being made comes before the answer, and is not sent.
      negotiation.discardOffer = negotiation.makingOffer;
      negotiation.offerOut = false;
    }
    this.#answer(offer, collides);
  }

  #answer(offer, rollback) {
    const waited = this.#call.negotiation.describedThere();
    this.#act({ kind: 'answer', offer, rollback });
    for (const candidate of waited) this.#act({ kind: 'add-candidate', candidate });
  }

  #onAnswer(now, message) {
    const call = this.#callOf(message);
    if (!call || message.sdp.type !== 'answer' || !call.negotiation.offerOut) return;
    call.negotiation.offerOut = false;
    const first = CALLING.includes(call.state);
    if (first) {
      call.state = 'connecting';
      call.deadline = now + CONNECT_TIMEOUT;
    }
    const waited = call.negotiation.describedThere();
    this.#act({ kind: 'apply-answer', answer: message.sdp });
    for (const candidate of waited) this.#act({ kind: 'add-candidate', candidate });
    if (first) this.#sendMediaState();
  }

  #onCandidate(message) {
    const candidate = message.candidate?.candidate ? message.candidate : null;
    // Old peers do not say who they are: the candidate belongs to the call there is.
    const ours = message.name
      ? this.#callOf(message) !== null
      : this.#call !== null && (!message.call || message.call === this.#call.id);
    if (!ours) {
      if (message.name && message.call) this.#strays.early(message.name, message.call, candidate);
    } else if (this.#call.negotiation.candidateThere(candidate)) {
      this.#act({ kind: 'add-candidate', candidate });
    }
  }

  #onRinging(message) {
    const call = this.#callOf(message);
    if (call?.state === 'calling') call.state = 'ringing-there';
  }

  #onMediaState(message) {
    const call = this.#callOf(message);
    if (!call) return;
    const { audio, video, facing, screen } = message;
    call.remote = { audio, video, screen, ...(facing && { facing }) };
  }

  #onHangUp(message) {
    const call = this.#callOf(message);
    if (call) return this.#end(whyTheyHungUp(call.state, message.reason));
    // It may have overtaken the offer of its call, which then must not ring.
    if (message.call && message.call !== this.#call?.id) this.#strays.ended(message.call);
  }

  #onError({ code, for: regarding, target, call: id }) {
    const call = this.#call;
    if (!call || (id ? id !== call.id : target !== call.with)) return;
    const decisive = (regarding === 'video-offer' && CALLING.includes(call.state))
      || (regarding === 'video-answer' && call.state === 'connecting' && !call.offerer);
    if (!decisive) return;
    if (code === 'no-such-user' || code === 'not-logged-in') this.#end('unreachable');
    else this.#end('negotiation-failed', 'failed');
  }

  #onLocalDescription({ type, sdp }) {
    const { negotiation } = this.#call;
    const offer = type === 'offer';
    if (offer) {
      negotiation.makingOffer = false;
      if (negotiation.discardOffer) {
        negotiation.discardOffer = false;
        return;
      }
      negotiation.offerOut = true;
    }
    const waited = negotiation.describedHere();
    this.#send({ type: offer ? 'video-offer' : 'video-answer', sdp: { type, sdp } });
    for (const candidate of waited) this.#sendCandidate(candidate);
    if (!offer) this.#sendMediaState();
  }

  #onLocalCandidate(candidate) {
    if (this.#call.negotiation.candidateHere(candidate)) this.#sendCandidate(candidate);
  }

  #sendCandidate(candidate) {
    // Old pages choke on the end of candidates, so only those hear of it that name calls.
    if (candidate !== null || this.#call.namesCalls) this.#send({ type: 'new-ice-candidate', candidate });
  }

  #onNegotiationFailed() {
    const call = this.#call;
    if (call.state === 'connected' || call.state === 'reconnecting') {
      Object.assign(call.negotiation, { makingOffer: false, discardOffer: false, offerOut: false });
    } else {
      this.#end('negotiation-failed', 'failed');
    }
  }

  #onConnection(now, state) {
    const call = this.#call;
    if (state === 'connected' && (call.state === 'connecting' || call.state === 'reconnecting')) {
      call.state = 'connected';
      call.deadline = call.restartAt = null;
    } else if (state === 'failed' && call.state === 'connecting') {
      this.#end('connection-failed', 'failed');
    } else if (state === 'disconnected' && call.state === 'connected') {
      call.state = 'reconnecting';
      call.deadline = now + REPAIR_TIMEOUT;
      call.restartAt = call.offerer ? now + RESTART_AFTER : null;
    } else if (state === 'failed' && (call.state === 'connected' || call.state === 'reconnecting')) {
      call.state = 'reconnecting';
      call.deadline ??= now + REPAIR_TIMEOUT;
      this.#restartIce(now);
    }
  }

  // Restarts ICE, if it is this side's to do and the other can be told; tries again later in any case.
  #restartIce(now) {
    const call = this.#call;
    if (!call.offerer) {
      call.restartAt = null;
      return;
    }
    call.restartAt = now + RESTART_EVERY;
    // An offer that nobody answered may have been lost: a new one takes its place.
    if (this.#online && !call.negotiation.makingOffer) {
      call.negotiation.makingOffer = true;
      call.negotiation.offerOut = false;
      this.#act({ kind: 'offer', iceRestart: true });
    }
  }

  // Ends the call. `tell` is what the other side hears, if it has to hear.
  #end(reason, tell) {
    const call = this.#call;
    // Nobody was invited yet while the first offer is still being made.
    const { offerOut, makingOffer } = call.negotiation;
    const invited = call.state !== 'calling' || offerOut || !makingOffer;
    if (tell && invited) this.#send({ type: 'hang-up', reason: tell });
    this.#act({ kind: 'close' });
    this.#call = null;
    this.#strays.ended(call.id);
    this.#event({ kind: 'ended', with: call.with, call: call.id, reason });
    this.#tellChange();
  }

  // The call that a message belongs to. A message that names its call shows that its sender can.
  #callOf({ name, call: id }) {
    const call = this.#call;
    if (!call || name !== call.with || (id && id !== call.id)) return null;
    call.namesCalls ||= Boolean(id);
    return call;
  }

  #sendMediaState() {
    if (ANSWERED.includes(this.#call.state)) this.#send({ type: 'media-state', ...this.#call.local });
  }

  #send(message) {
    this.#put({ ...message, name: this.#me, target: this.#call.with, call: this.#call.id });
  }

  #put(message) {
    this.#outputs.push({ kind: 'send', message });
  }

  #act(action) {
    if (this.#call.peer !== null) this.#outputs.push({ kind: 'peer', peer: this.#call.peer, action });
  }

  #createPeer(offerer) {
    this.#call.peer = ++this.#peers;
    this.#act({ kind: 'create', offerer, media: { ...this.#call.local } });
  }

  #event(event) {
    this.#outputs.push({ kind: 'event', event });
  }

  #tellChange() {
    const snapshot = this.snapshot();
    const text = JSON.stringify(snapshot);
    if (text === this.#told) return;
    this.#told = text;
    this.#event({ kind: 'changed', ...snapshot });
  }
}

function newCall(id, person, state, deadline) {
  return {
    id,
    with: person,
    state,
    // Whether this side made the first offer: it is the one that restarts ICE.
    offerer: false,
    // Whether the other side has named the call, and so understands what old peers do not.
    namesCalls: false,
    local: ALL_ON,
    remote: ALL_ON,
    // None before an incoming call is accepted.
    peer: null,
    // The offer that rings here.
    offer: null,
    negotiation: new Negotiation(),
    deadline,
    restartAt: null,
  };
}

function snapshotOf(call) {
  if (!call) return { state: 'idle', with: null, call: null, local: ALL_ON, remote: ALL_ON };
  return { state: call.state, with: call.with, call: call.id, local: call.local, remote: call.remote };
}

function same(a, b) {
  return ['audio', 'video', 'facing', 'screen'].every((field) => a[field] === b[field]);
}

// What the other side's hang-up means in this state. Old peers give no reason.
function whyTheyHungUp(state, reason) {
  if (reason === 'media-error') return 'media-failed-there';
  if (reason === 'failed') return 'connection-failed';
  if (ANSWERED.includes(state)) return 'hung-up-there';
  if (reason === 'timeout') return 'timeout';
  if (state === 'ringing-here') return reason === 'elsewhere' ? 'answered-elsewhere' : 'cancelled-there';
  return reason === 'busy' ? 'busy' : 'declined-there';
}
