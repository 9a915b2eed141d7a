// Where offer and answer stand between this side's peer connection and the other side (JSEP, RFC 9429).
//
// The peer connection is asked for one description at a time, and offers that come meanwhile replace each other, so that
// nobody's flood fills a queue.

// Candidates kept until the description that they belong to is there, and those taken for one description.
const MAX_CANDIDATES = 256;
// Descriptions of the other side's that are recognised when they come again.
const MAX_SEEN = 16;

export class Negotiation {
  // What the peer connection was asked for and has not reported yet: 'offer', 'answer', 'apply-answer'.
  #doing = null;
  // The offer being made was overtaken by the other side's and is not sent.
  #discard = false;
  // The peer connection has an offer of ours set (W3C `have-local-offer`), be it sent or not.
  #offerSet = false;
  // An offer of ours was sent and not answered.
  #out = false;
  // The offer to be made as soon as nothing else is done.
  #wanted = null;
  // The other side's offer that waits until nothing else is done.
  #nextOffer = null;
  #agreed = false;
  // Offers of ours that were replaced before they were answered.
  #replaced = 0;
  #seen = [];
  // The other side's offer that is being answered, or was answered last.
  #answering = null;
  // Our last description that was sent, with the candidates that followed it.
  #said = null;
  #candidatesSaid = [];
  #fromHere = [];
  // A description of the other side's was handed to the peer connection, so candidates may follow it.
  #describedThere = false;
  #taken = 0;
  #fromThere = [];

  // Whether an offer of ours was sent and waits for its answer.
  get waitsForAnswer() {
    return this.#out;
  }

  // Whether one exchange of offer and answer was completed.
  get isAgreed() {
    return this.#agreed;
  }

  // Whether an offer of the other side's collides with one of ours.
  get collides() {
    return this.#out || this.#makesOffer;
  }

  get #makesOffer() {
    return this.#doing === 'offer' && !this.#discard;
  }

  // An offer is wanted, in place of one that nobody has answered; not if one is being made.
  wantOffer(iceRestart) {
    if (this.#makesOffer) return;
    if (this.#out) this.#replaced += 1;
    this.#out = false;
    this.#wanted = { kind: 'offer', iceRestart };
  }

  // The connection is good: nothing has to be repaired.
  repaired() {
    this.#wanted = null;
    this.#replaced = 0;
  }

  // A description of the other side's came: 'new', 'repeated' (the offer that was answered last), or 'stale' (one that was
  // left behind since).
  hear({ type, sdp }) {
    const print = `${type} ${sdp}`;
    if (this.#seen.includes(print)) return this.#answering === print ? 'repeated' : 'stale';
    keep(this.#seen, print, MAX_SEEN);
    return 'new';
  }

  // Takes the other side's offer instead of an own one.
  takeOffer(offer) {
    this.#discard = this.#doing === 'offer';
    this.#out = false;
    this.#nextOffer = offer;
  }

  // Takes the other side's answer, if it is one that is waited for.
  takeAnswer() {
    if (!this.#out) return false;
    this.#out = false;
    this.#doing = 'apply-answer';
    return true;
  }

  // An answer came that is not waited for: whether it was to an offer that was replaced. The other side has then moved on to
  // what it answered, and only one more exchange brings both together.
  wasReplaced() {
    if (this.#replaced === 0) return false;
    this.#replaced -= 1;
    return true;
  }

  // The action to ask the peer connection for now, or null.
  nextStep() {
    if (this.#doing !== null) return null;
    let step = this.#wanted;
    if (this.#nextOffer !== null) {
      const { type, sdp } = this.#nextOffer;
      this.#answering = `${type} ${sdp}`;
      step = { kind: 'answer', offer: this.#nextOffer, rollback: this.#offerSet };
      this.#nextOffer = null;
    } else {
      this.#wanted = null;
    }
    this.#doing = step?.kind ?? null;
    return step;
  }

  // The peer connection has made what it was asked for: whether to send it.
  describedHere({ type }) {
    if (this.#doing !== type) return false;
    this.#doing = null;
    this.#offerSet = type === 'offer';
    if (type === 'offer') {
      this.#out = !this.#discard;
      this.#discard = false;
      return this.#out;
    }
    this.#agreed = true;
    return true;
  }

  // The other side's answer was applied.
  applied() {
    if (this.#doing !== 'apply-answer') return;
    this.#doing = null;
    this.#offerSet = false;
    this.#agreed = true;
  }

  // What the peer connection was asked for failed. An own offer stays set, as far as is known here.
  failed() {
    if (this.#doing === 'answer') this.#answering = null;
    this.#doing = null;
    this.#discard = false;
  }

  // Our description is sent now: the candidates that waited for it.
  said(description) {
    this.#said = description;
    this.#candidatesSaid = this.#fromHere.splice(0);
    return [...this.#candidatesSaid];
  }

  // Our last description that was sent, or null.
  get lastSaid() {
    return this.#said;
  }

  // The candidates that followed it.
  get candidatesSaid() {
    return [...this.#candidatesSaid];
  }

  // A candidate of ours: whether it can be sent now; else it waits.
  candidateHere(candidate) {
    keep(this.#said ? this.#candidatesSaid : this.#fromHere, candidate, MAX_CANDIDATES);
    return this.#said !== null;
  }

  // The other side's description is with the peer connection: the candidates that waited for it.
  describedThere() {
    this.#describedThere = true;
    this.#taken = this.#fromThere.length;
    return this.#fromThere.splice(0);
  }

  // A candidate of the other side's: whether the peer connection can take it now; else it waits. No honest peer has so many
  // that one is dropped.
  candidateThere(candidate) {
    if (!this.#describedThere || this.#nextOffer !== null) {
      keep(this.#fromThere, candidate, MAX_CANDIDATES);
      return false;
    }
    this.#taken += 1;
    return this.#taken <= MAX_CANDIDATES;
  }

  // What came of the other side's candidates belongs to nothing any more.
  forgetCandidatesThere() {
    this.#fromThere = [];
  }
}

// Adds to a queue of bounded length, whose oldest goes.
export function keep(queue, item, most) {
  if (queue.length >= most) queue.shift();
  queue.push(item);
}
