// Where offer and answer of a call stand, and what came too early or too late.

const MAX_WAITING_CANDIDATES = 256;
const MAX_EARLY_CANDIDATES = 64;
const MAX_ENDED = 64;

export class Negotiation {
  // The peer connection is making an offer.
  makingOffer = false;
  // The offer being made was overtaken by the other side's and is not sent.
  discardOffer = false;
  // An offer of ours was sent and not answered.
  offerOut = false;
  #describedHere = false;
  #describedThere = false;
  #fromHere = [];
  #fromThere = [];

  // Whether an offer of the other side's collides with one of ours.
  collides() {
    return this.makingOffer || this.offerOut;
  }

  // Our description was sent: the candidates that waited for it.
  describedHere() {
    this.#describedHere = true;
    return this.#fromHere.splice(0);
  }

  // The other side's description is with the peer connection: the candidates that waited for it.
  describedThere() {
    this.#describedThere = true;
    return this.#fromThere.splice(0);
  }

  // A candidate of ours: whether it can be sent now; else it waits.
  candidateHere(candidate) {
    if (!this.#describedHere) keep(this.#fromHere, candidate, MAX_WAITING_CANDIDATES);
    return this.#describedHere;
  }

  // A candidate of the other side's: whether the peer connection can take it now; else it waits.
  candidateThere(candidate) {
    if (!this.#describedThere) keep(this.#fromThere, candidate, MAX_WAITING_CANDIDATES);
    return this.#describedThere;
  }
}

export class Strays {
  #early = [];
  #ended = [];

  // Remembers that this call is over, so that its late messages are recognised.
  ended(call) {
    this.#early = this.#early.filter((one) => one.call !== call);
    if (!this.isEnded(call)) keep(this.#ended, call, MAX_ENDED);
  }

  isEnded(call) {
    return this.#ended.includes(call);
  }

  // Keeps a candidate of a call whose offer may still come.
  early(from, call, candidate) {
    if (!this.isEnded(call)) keep(this.#early, { from, call, candidate }, MAX_EARLY_CANDIDATES);
  }

  takeEarly(from, call) {
    const ofIt = (one) => one.from === from && one.call === call;
    const taken = this.#early.filter(ofIt);
    this.#early = this.#early.filter((one) => !ofIt(one));
    return taken.map((one) => one.candidate);
  }
}

function keep(queue, item, most) {
  if (queue.length >= most) queue.shift();
  queue.push(item);
}
