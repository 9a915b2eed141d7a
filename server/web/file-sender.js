// One file that this page sends (docs/protocol.md). `out` is what it has to do with others: control(frame), chunk(id, offset, bytes), changed(file).

import { Sha256 } from './sha256.js';

const BLOCK = 256 * 1024;

export class FileSender {
  id;
  name;
  size;
  mediaType;
  incoming = false;
  // offered, sending, done or ended (with `why`).
  state = 'offered';
  /** @type {string | null} */
  why = null;
  pausedHere = false;
  pausedThere = false;
  // What is written there.
  bytes = 0;
  /** @type {Blob} */
  #blob;
  #open = false;
  #sent = 0;
  #furthest = 0;
  #limit = 0;
  #hash = new Sha256();
  #hashed = 0;
  /** @type {string | null} */
  #sha256 = null;
  #endSent = false;
  #ready = new Uint8Array();
  #reading = false;
  #generation = 0;
  // When which offset was sent, until it is answered for.
  /** @type {[number, number][]} */
  #marks = [];

  constructor(id, file) {
    this.id = id;
    this.#blob = file;
    this.name = file.name;
    this.size = file.size;
    this.mediaType = file.type || undefined;
  }

  get preview() {
    return this.#blob;
  }

  get offer() {
    return { type: 'offer', id: this.id, name: this.name, size: this.size, ...(this.mediaType && { mediaType: this.mediaType }) };
  }

  disconnected() {
    this.#open = false;
    this.pausedThere = false;
  }

  // False where the answer makes no sense.
  accept(offset, limit) {
    if (this.#open || offset > this.#furthest || limit < offset) return false;
    this.#open = true;
    this.state = 'sending';
    this.bytes = this.#sent = offset;
    this.#limit = limit;
    this.#endSent = false;
    this.#ready = new Uint8Array();
    this.#marks = [];
    this.#generation += 1;
    this.#reading = false;
    return true;
  }

  // How long its newest chunk that is answered for took, or undefined; false where the answer makes no sense.
  progress(now, offset, limit) {
    if (!this.#open || offset < this.bytes || offset > this.#sent || limit < this.#limit) return false;
    this.bytes = offset;
    this.#limit = limit;
    let at;
    while (this.#marks.length && this.#marks[0][0] <= offset) at = this.#marks.shift()?.[1];
    return at === undefined ? undefined : now - at;
  }

  get isWhole() {
    return this.#endSent && this.#sent === this.size;
  }

  // Whether it may send now, with so many bytes on the way at most.
  isDue(onTheWay) {
    const goes = this.#open && this.state === 'sending' && !this.pausedHere && !this.pausedThere && !this.#endSent;
    return goes && (this.#sent === this.size || (this.#sent < this.#limit && this.#sent - this.bytes < onTheWay));
  }

  // Reads ahead; resolves when there is something new. Throws where the file cannot be read any more.
  async read() {
    if (this.#reading || this.#ready.length > 0 || this.#sent === this.size) return;
    this.#reading = true;
    const generation = this.#generation;
    const from = this.#sent;
    try {
      const bytes = new Uint8Array(await this.#blob.slice(from, from + BLOCK).arrayBuffer());
      if (generation !== this.#generation) return;
      if (bytes.length === 0) throw new Error('the file has become shorter');
      if (from <= this.#hashed && from + bytes.length > this.#hashed) {
        this.#hash.update(bytes.subarray(this.#hashed - from));
        this.#hashed = from + bytes.length;
      }
      this.#ready = bytes;
    } finally {
      if (generation === this.#generation) this.#reading = false;
    }
  }

  get hasBytes() {
    return this.#ready.length > 0;
  }

  // The length of the next chunk with at most so many bytes.
  nextLength(most) {
    return Math.min(most, this.#ready.length, this.#limit - this.#sent);
  }

  // The next chunk: [offset, bytes].
  take(now, length) {
    const [offset, bytes] = [this.#sent, this.#ready.subarray(0, length)];
    this.#ready = this.#ready.subarray(length);
    this.#sent += length;
    this.#furthest = Math.max(this.#furthest, this.#sent);
    this.#marks.push([this.#sent, now]);
    return { offset, bytes };
  }

  // The frame that says that this was all, once.
  end() {
    if (this.#sent !== this.size || this.#endSent) return null;
    this.#endSent = true;
    this.#sha256 ??= this.#hash.digest();
    return { type: 'end', id: this.id, sha256: this.#sha256 };
  }
}
