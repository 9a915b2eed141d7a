// What the parts of the call engine share: the local user's name, the current call, and the queue of outputs. No decisions.

import { sentOf, snapshotOf } from './state.js';

export class EngineContext {
  // The local user's name, after the first login.
  /** @type {string | null} */
  me = null;
  // Whether the server is reachable.
  online = false;
  /** @type {import('./state.js').Call | null} */
  call = null;
  #peers = 0;
  #outputs = [];
  #lastSnapshot = JSON.stringify(snapshotOf(null));

  // The call, for what is done only while there is one.
  get current() {
    return /** @type {import('./state.js').Call} */ (this.call);
  }

  take() {
    return this.#outputs.splice(0);
  }

  event(event) {
    this.#outputs.push({ kind: 'event', event });
  }

  // Emits the snapshot of the call, if it changed.
  emitChange() {
    const snapshot = snapshotOf(this.call);
    const text = JSON.stringify(snapshot);
    if (text === this.#lastSnapshot) return;
    this.#lastSnapshot = text;
    this.event({ kind: 'changed', ...snapshot });
  }

  // Requests an action of the call's peer connection.
  act(action) {
    const { peer } = this.current;
    if (peer !== null) this.#outputs.push({ kind: 'peer', peer, action });
  }

  createPeer(offerer) {
    this.#peers += 1;
    this.current.peer = this.#peers;
    this.act({ kind: 'create', offerer, media: { ...this.current.local } });
  }

  addCandidates(candidates) {
    for (const candidate of candidates) this.act({ kind: 'add-candidate', candidate });
  }

  // Sends a message of the call.
  send(message) {
    const { id, with: target } = this.current;
    this.#put({ ...message, name: this.me, target, call: id });
  }

  sendRinging() {
    this.send({ type: 'call-ringing' });
  }

  // Sends the local media state, once the call is answered.
  sendMediaState() {
    if (this.current.isAnswered) this.send({ type: 'media-state', ...sentOf(this.current.local) });
  }

  /** @param {RTCSessionDescriptionInit} description */
  sendDescription({ type, sdp }) {
    this.send({ type: type === 'offer' ? 'video-offer' : 'video-answer', sdp: { type, sdp } });
  }

  // Old pages fail on the end of candidates, so it is sent only to peers that send call identifiers.
  sendCandidate(candidate) {
    if (candidate !== null || this.current.sendsCallIds) this.send({ type: 'new-ice-candidate', candidate });
  }

  // Sends the last local description again, with the candidates that were sent after it.
  repeatDescription() {
    const { sentDescription } = this.current.offerAnswer;
    if (!sentDescription) return;
    this.sendDescription(sentDescription);
    this.repeatCandidates();
  }

  repeatCandidates() {
    for (const candidate of this.current.offerAnswer.sentCandidates) this.sendCandidate(candidate);
  }

  // A hang-up about a call other than the current one: one that ended, or that is refused.
  sendHangUp(target, call, reason) {
    this.#put({ type: 'hang-up', name: this.me, target, reason, ...(call && { call }) });
  }

  // Announces a new local name: any message of the call makes the remote peer use it as the target.
  announceName() {
    if (this.call?.state === 'ringing-here') this.sendRinging();
    else if (this.call) this.sendMediaState();
  }

  #put(message) {
    this.#outputs.push({ kind: 'send', message });
  }
}
