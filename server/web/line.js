// The line of the call engine: who we are, which call there is, and everything that is said about it. Decides nothing.

import { snapshotOf } from './state.js';

export class Line {
  // Our name, once there was a login.
  me = null;
  // Whether the server can be reached.
  online = false;
  call = null;
  #peers = 0;
  #outputs = [];
  #told = JSON.stringify(snapshotOf(null));

  take() {
    return this.#outputs.splice(0);
  }

  event(event) {
    this.#outputs.push({ kind: 'event', event });
  }

  // Tells where the call stands, if that changed.
  tellChange() {
    const snapshot = snapshotOf(this.call);
    const text = JSON.stringify(snapshot);
    if (text === this.#told) return;
    this.#told = text;
    this.event({ kind: 'changed', ...snapshot });
  }

  // Does something with the call's peer connection.
  act(action) {
    const { peer } = this.call;
    if (peer !== null) this.#outputs.push({ kind: 'peer', peer, action });
  }

  createPeer(offerer) {
    this.#peers += 1;
    this.call.peer = this.#peers;
    this.act({ kind: 'create', offerer, media: { ...this.call.local } });
  }

  addCandidates(candidates) {
    for (const candidate of candidates) this.act({ kind: 'add-candidate', candidate });
  }

  // Sends a message of the call.
  send(message) {
    const { id, with: target } = this.call;
    this.#put({ ...message, name: this.me, target, call: id });
  }

  sendRinging() {
    this.send({ type: 'call-ringing' });
  }

  // Tells the other side what is on here, once the call is answered.
  sendMediaState() {
    if (this.call.isAnswered) this.send({ type: 'media-state', ...this.call.local });
  }

  sendDescription({ type, sdp }) {
    this.send({ type: type === 'offer' ? 'video-offer' : 'video-answer', sdp: { type, sdp } });
  }

  // Old pages choke on the end of candidates, so only those hear of it that name calls.
  sendCandidate(candidate) {
    if (candidate !== null || this.call.namesCalls) this.send({ type: 'new-ice-candidate', candidate });
  }

  // Our last description again, with the candidates that followed it.
  repeatDescription() {
    const said = this.call.negotiation.lastSaid;
    if (!said) return;
    this.sendDescription(said);
    this.repeatCandidates();
  }

  repeatCandidates() {
    for (const candidate of this.call.negotiation.candidatesSaid) this.sendCandidate(candidate);
  }

  // A hang-up about a call that is not the one there is: one that is over, or that cannot be taken.
  sayOver(target, call, reason) {
    this.#put({ type: 'hang-up', name: this.me, target, reason, ...(call && { call }) });
  }

  // After a change of name: whatever names the call teaches the other side whom to write to.
  introduce() {
    if (this.call?.state === 'ringing-here') this.sendRinging();
    else if (this.call) this.sendMediaState();
  }

  #put(message) {
    this.#outputs.push({ kind: 'send', message });
  }
}
