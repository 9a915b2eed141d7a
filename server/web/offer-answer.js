// The offer/answer state (RFC 3264, JSEP RFC 9429) between the local peer connection and the remote peer, without I/O.
//
// The peer connection runs one operation at a time. Offers received meanwhile replace each other, so that a flood of them
// cannot fill a queue.

// Limit of queued candidates in each direction, and of remote candidates added for one remote description.
const MAX_CANDIDATES = 256;
// How many remote descriptions are remembered to detect duplicates.
const MAX_SEEN = 16;

/** @typedef {{kind: string, iceRestart?: boolean, offer?: RTCSessionDescriptionInit, rollback?: boolean}} Step */

export class OfferAnswer {
  // What the peer connection was asked for and has not reported yet: 'offer', 'answer', 'apply-answer'.
  /** @type {string | null} */
  #pendingOperation = null;
  // The offer being created is not to be sent, because a remote offer was accepted meanwhile.
  #discardOffer = false;
  // The peer connection is in `have-local-offer` (W3C signaling state), whether or not that offer was sent.
  #hasLocalOffer = false;
  // A local offer was sent and has no answer yet.
  #awaitingAnswer = false;
  // The offer to create as soon as no operation is pending.
  /** @type {Step | null} */
  #negotiationNeeded = null;
  // A remote offer that waits until no operation is pending.
  /** @type {RTCSessionDescriptionInit | null} */
  #queuedOffer = null;
  #negotiated = false;
  // Number of local offers that were replaced before they were answered.
  #replacedOffers = 0;
  #seenDescriptions = [];
  // The remote offer that is being answered, or was answered last.
  /** @type {string | null} */
  #answeredOffer = null;
  // The local description that was sent last, and the candidates that were sent after it.
  /** @type {RTCSessionDescriptionInit | null} */
  #sentDescription = null;
  #sentCandidates = [];
  #pendingLocalCandidates = [];
  // A remote description was given to the peer connection, so that remote candidates may follow.
  #hasRemoteDescription = false;
  #addedCandidates = 0;
  #pendingRemoteCandidates = [];

  // The state of a new peer connection in the same call.
  forNewPeer() {
    const next = new OfferAnswer();
    next.#replacedOffers = this.#replacedOffers + (this.#awaitingAnswer ? 1 : 0);
    next.#seenDescriptions = this.#seenDescriptions;
    return next;
  }

  // Whether a local offer was sent and has no answer yet.
  get isAwaitingAnswer() {
    return this.#awaitingAnswer;
  }

  // Whether offer and answer were exchanged at least once.
  get isNegotiated() {
    return this.#negotiated;
  }

  // Whether a remote offer received now would collide with a local one (W3C `offerCollision`).
  get collides() {
    return this.#awaitingAnswer || this.#isCreatingOffer;
  }

  get #isCreatingOffer() {
    return this.#pendingOperation === 'offer' && !this.#discardOffer;
  }

  // Requests a new offer, which replaces one that has no answer yet. Does nothing while an offer is being created.
  requestOffer(iceRestart) {
    if (this.#isCreatingOffer) return;
    if (this.#awaitingAnswer) this.#replacedOffers += 1;
    this.#awaitingAnswer = false;
    this.#negotiationNeeded = { kind: 'offer', iceRestart };
  }

  // The connection is established (again): a requested ICE restart is no longer needed.
  onConnected() {
    this.#negotiationNeeded = null;
    this.#replacedOffers = 0;
  }

  // Registers a remote description: 'new', 'duplicate' (the offer that was answered last), or 'superseded' (received before, and
  // no longer current).
  receive({ type, sdp }) {
    const print = `${type} ${sdp}`;
    if (this.#seenDescriptions.includes(print)) return this.#answeredOffer === print ? 'duplicate' : 'superseded';
    pushBounded(this.#seenDescriptions, print, MAX_SEEN);
    return 'new';
  }

  // Accepts a remote offer; a local offer that is being created or has no answer yet is given up.
  acceptOffer(offer) {
    this.#discardOffer = this.#pendingOperation === 'offer';
    this.#awaitingAnswer = false;
    this.#queuedOffer = offer;
  }

  // Accepts a remote answer. False if no local offer awaits one.
  acceptAnswer() {
    if (!this.#awaitingAnswer) return false;
    this.#awaitingAnswer = false;
    this.#pendingOperation = 'apply-answer';
    return true;
  }

  // For an answer that `acceptAnswer` did not accept: whether it answers an offer that was replaced meanwhile. The remote peer
  // has then applied the replaced offer, and one more offer and answer are needed to bring both sides together.
  takeReplacedOffer() {
    if (this.#replacedOffers === 0) return false;
    this.#replacedOffers -= 1;
    return true;
  }

  // The next action for the peer connection, or null. Remote offers come before local ones.
  nextStep() {
    if (this.#pendingOperation !== null) return null;
    let step = this.#negotiationNeeded;
    if (this.#queuedOffer !== null) {
      const { type, sdp } = this.#queuedOffer;
      this.#answeredOffer = `${type} ${sdp}`;
      step = { kind: 'answer', offer: this.#queuedOffer, rollback: this.#hasLocalOffer };
      this.#queuedOffer = null;
    } else {
      this.#negotiationNeeded = null;
    }
    this.#pendingOperation = step?.kind ?? null;
    return step;
  }

  // The peer connection has created and set a local description. True if it is to be sent.
  onLocalDescription({ type }) {
    if (this.#pendingOperation !== type) return false;
    this.#pendingOperation = null;
    this.#hasLocalOffer = type === 'offer';
    if (type === 'offer') {
      this.#awaitingAnswer = !this.#discardOffer;
      this.#discardOffer = false;
      return this.#awaitingAnswer;
    }
    this.#negotiated = true;
    return true;
  }

  // The peer connection has applied the remote answer.
  onAnswerApplied() {
    if (this.#pendingOperation !== 'apply-answer') return;
    this.#pendingOperation = null;
    this.#hasLocalOffer = false;
    this.#negotiated = true;
  }

  // The pending operation failed. A local offer that was set before is assumed to be still set.
  onOperationFailed() {
    if (this.#pendingOperation === 'answer') this.#answeredOffer = null;
    this.#pendingOperation = null;
    this.#discardOffer = false;
  }

  // The local description is being sent. Gives the local candidates that waited for it.
  onDescriptionSent(description) {
    this.#sentDescription = description;
    this.#sentCandidates = this.#pendingLocalCandidates.splice(0);
    return [...this.#sentCandidates];
  }

  // The local description that was sent last, or null.
  get sentDescription() {
    return this.#sentDescription;
  }

  // The local candidates that were sent after it.
  get sentCandidates() {
    return [...this.#sentCandidates];
  }

  // A local candidate was gathered. True if it is to be sent now; otherwise it is queued.
  onLocalCandidate(candidate) {
    pushBounded(this.#sentDescription ? this.#sentCandidates : this.#pendingLocalCandidates, candidate, MAX_CANDIDATES);
    return this.#sentDescription !== null;
  }

  // A remote description is being given to the peer connection. Gives the remote candidates that waited for it.
  onRemoteDescription() {
    this.#hasRemoteDescription = true;
    this.#addedCandidates = this.#pendingRemoteCandidates.length;
    return this.#pendingRemoteCandidates.splice(0);
  }

  // A remote candidate was received. True if the peer connection can add it now; otherwise it is queued, or dropped beyond
  // MAX_CANDIDATES, which is more than any real peer gathers.
  onRemoteCandidate(candidate) {
    if (!this.#hasRemoteDescription || this.#queuedOffer !== null) {
      pushBounded(this.#pendingRemoteCandidates, candidate, MAX_CANDIDATES);
      return false;
    }
    this.#addedCandidates += 1;
    return this.#addedCandidates <= MAX_CANDIDATES;
  }

  // Drops the queued remote candidates: the peer connection that gathered them is closed.
  clearRemoteCandidates() {
    this.#pendingRemoteCandidates = [];
  }
}

// Appends to a queue of at most `limit` items; the oldest item is dropped when it is full.
export function pushBounded(queue, item, limit) {
  if (queue.length >= limit) queue.shift();
  queue.push(item);
}
