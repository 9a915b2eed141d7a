// One file that this page receives (docs/protocol.md).

import { Sha256 } from './sha256.js';

// Kinds of pictures that browsers draw and that cannot bring programs along.
export const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp'];
const WINDOW = 1 << 20;
const TELL_BYTES = WINDOW / 8;

export class FileReceiver {
  id;
  name;
  size;
  mediaType;
  incoming = true;
  // asked, receiving, done or ended (with `why`).
  state = 'asked';
  /** @type {string | null} */
  why = null;
  pausedHere = false;
  pausedThere = false;
  // What is written.
  bytes = 0;
  hasWindow = false;
  isOpen = false;
  isFinishing = false;
  /** @type {Blob | null} */
  blob = null;
  /** @type {Awaited<ReturnType<typeof import('./file-store.js').openStore>> | null} */
  #store = null;
  #hash = new Sha256();
  #received = 0;
  #limit = 0;
  #told = 0;
  /** @type {string | null} */
  #sha256 = null;
  /** @type {Promise<void>} */
  #writes = Promise.resolve();

  constructor({ id, name, size, mediaType }) {
    this.id = id;
    this.name = name;
    this.size = size;
    this.mediaType = mediaType;
  }

  get preview() {
    return this.blob;
  }

  // Somebody said yes, and this is where it goes.
  accept(store) {
    this.#store = store;
    this.state = 'receiving';
  }

  disconnected() {
    this.isOpen = false;
    this.pausedThere = false;
    this.#limit = this.#received;
  }

  acceptFrame() {
    this.isOpen = true;
    this.#sha256 = null;
    this.#told = this.#received;
    this.#limit = this.#granted();
    return { type: 'accept', id: this.id, offset: this.#received, limit: this.#limit };
  }

  #granted() {
    if (!this.hasWindow) return Math.max(this.#limit, this.#received);
    return Math.max(this.#limit, Math.min(this.size, this.bytes + WINDOW));
  }

  // Why these bytes do not belong there, or null. `written(error)` hears when they are on the disk.
  take(offset, bytes, written) {
    const end = offset + bytes.length;
    if (end > this.size) return 'size';
    if (!this.isOpen || offset !== this.#received || end > this.#limit || this.#sha256 !== null) return 'protocol';
    this.#received = end;
    this.#hash.update(bytes);
    this.#writes = this.#writes.then(() => this.#store?.write(bytes)).then(() => {
      this.bytes = end;
      written(null);
    }, written);
    return null;
  }

  end(sha256) {
    if (!this.isOpen || this.#sha256 !== null || !/^[0-9a-f]{64}$/i.test(sha256)) return 'protocol';
    if (this.#received !== this.size) return 'size';
    this.#sha256 = sha256.toLowerCase();
    return null;
  }

  // What the sender is to be told of what is written, or null.
  progressFrame(always) {
    const limit = this.#granted();
    const due = this.bytes - this.#told >= TELL_BYTES || (always && this.bytes > this.#told) || (limit > this.#limit && this.#limit <= this.#received);
    if (!due || !this.isOpen || this.isFinishing) return null;
    this.#told = Math.max(this.#told, this.bytes);
    this.#limit = limit;
    return { type: 'progress', id: this.id, offset: this.#told, limit };
  }

  get isWhole() {
    return this.#sha256 !== null && this.bytes === this.size && !this.isFinishing;
  }

  // Compares the checksum and keeps the file; resolves with why it is not kept, or null.
  async finish() {
    this.isFinishing = true;
    if (this.#hash.digest() !== this.#sha256) return 'checksum';
    const blob = await this.#store?.finish();
    // A type that a stranger says would be believed where somebody opens it: only pictures keep theirs.
    const type = PICTURES.includes(this.mediaType) ? this.mediaType : 'application/octet-stream';
    this.blob = blob ? blob.slice(0, blob.size, type) : null;
    return null;
  }

  discard() {
    this.#store?.discard();
  }
}
