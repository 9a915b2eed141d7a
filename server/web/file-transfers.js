// All files of one call, by docs/protocol.md: `changed(file)` hears of each that is new or has changed, `available()` that the other side knows files.

import { MAX_CHUNK, isUuid, readChunk, writeChunk } from './call-frames.js';
import { FilePace } from './file-pace.js';
import { FileReceiver } from './file-receiver.js';
import { FileSender } from './file-sender.js';
import { openStore } from './file-store.js';
import { safeName } from './format.js';
import { newUuid } from './uuid.js';
import { Budget } from './private-text.js';

const MAX_FILES = 16;
const MAX_WINDOWS = 2;
const MAX_ENDED = 64;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/i;
// What may wait in the browser: more is only memory.
const MOST_BUFFERED = 256 * 1024;
const LOW_BUFFERED = 64 * 1024;
const TELL_EVERY = 50;

const OPEN = ['offered', 'sending', 'asked', 'receiving'];

export class FileTransfers {
  #changed;
  #available;
  #isAvailable = false;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** @type {Map<string, any>} */
  #files = new Map();
  // Incoming ones that are over, with why, or null for those that arrived; and outgoing ones that were taken back.
  /** @type {Map<string, string | null>} */
  #ended = new Map();
  /** @type {Map<string, string>} */
  #withdrawn = new Map();
  #offers = new Budget(2 * MAX_FILES, 2);
  #pauses = new Budget(32, 2);
  #pace = new FilePace();
  #isPumping = false;
  /** @type {number | undefined} */
  #pumpTimer;
  /** @type {number | undefined} */
  #tellTimer;

  constructor({ changed, available }) {
    this.#changed = changed;
    this.#available = available;
  }

  // A channel is open, the first one or one on another connection.
  connected(channel) {
    this.#channel = channel;
    this.#isAvailable = false;
    this.#pace = new FilePace();
    channel.bufferedAmountLowThreshold = LOW_BUFFERED;
    channel.addEventListener('bufferedamountlow', () => this.#pump());
    for (const file of this.#files.values()) {
      file.disconnected();
      this.#changed(file);
    }
    this.#control({ type: 'hello' });
  }

  // The call is over: nothing goes on, and what is whole stays.
  close() {
    this.#channel = null;
    clearTimeout(this.#pumpTimer);
    clearTimeout(this.#tellTimer);
    for (const file of this.#files.values()) {
      if (!OPEN.includes(file.state)) continue;
      if (file.incoming) file.discard();
      this.#end(file, 'call-ended');
    }
  }

  // Offers a file; false where too many are under way.
  send(blob) {
    if (this.#open(false).length >= MAX_FILES) return false;
    const file = new FileSender(newUuid(), blob);
    this.#files.set(file.id, file);
    if (this.#isAvailable) this.#control(file.offer);
    this.#changed(file);
    return true;
  }

  async accept(id) {
    const file = this.#files.get(id);
    if (file?.state !== 'asked') return;
    const store = await openStore(id);
    if (file.state !== 'asked') return store.discard();
    file.accept(store);
    file.hasWindow = this.#open(true).filter((one) => one.hasWindow).length < MAX_WINDOWS;
    this.#control(file.acceptFrame());
    this.#changed(file);
  }

  // Says no, or stops it.
  end(id) {
    const file = this.#files.get(id);
    if (file && OPEN.includes(file.state)) this.#fail(file, file.state === 'asked' ? 'declined' : 'cancelled');
  }

  pause(id, on) {
    const file = this.#files.get(id);
    if (!file || !OPEN.includes(file.state)) return;
    file.pausedHere = on;
    this.#control({ type: on ? 'pause' : 'resume', id });
    this.#changed(file);
    this.#pump();
  }

  receive(data) {
    if (typeof data === 'string') this.#onControl(data);
    else this.#onChunk(readChunk(data));
  }

  #open(incoming) {
    return [...this.#files.values()].filter((file) => file.incoming === incoming && OPEN.includes(file.state));
  }

  #control(frame) {
    if (this.#channel?.readyState === 'open') this.#channel.send(JSON.stringify({ v: 1, ...frame }));
  }

  #onControl(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame?.v !== 1) return;
    if (frame.type === 'hello') return this.#onHello();
    if (!isUuid(frame.id)) return;
    const id = frame.id.toLowerCase();
    if (frame.type === 'offer') return this.#onOffer(id, frame);
    const file = this.#files.get(id);
    if (!file || !OPEN.includes(file.state)) return;
    switch (frame.type) {
      case 'accept':
      case 'progress': return !file.incoming && this.#onGranted(file, frame);
      case 'pause':
      case 'resume': return this.#pauses.take(performance.now()) && this.#onPause(file, frame.type === 'pause');
      case 'end': return file.incoming && this.#onEnd(file, frame);
      case 'done': return !file.incoming && this.#onDone(file);
      case 'cancel':
        if (file.incoming) this.#forget(file, String(frame.why));
        this.#end(file, String(frame.why));
        return this.#giveWindows();
    }
  }

  #onHello() {
    if (this.#isAvailable) return;
    this.#isAvailable = true;
    this.#available();
    for (const [id, why] of this.#withdrawn) this.#control({ type: 'cancel', id, why });
    for (const file of this.#open(false)) {
      this.#control(file.offer);
      if (file.pausedHere) this.#control({ type: 'pause', id: file.id });
    }
  }

  #onOffer(id, { name, size, mediaType }) {
    if (this.#ended.has(id)) {
      const why = this.#ended.get(id);
      return this.#control(why === null ? { type: 'done', id } : { type: 'cancel', id, why });
    }
    const known = this.#files.get(id);
    if (known) {
      if (known.incoming && known.state === 'receiving' && !known.isOpen && !known.isFinishing) {
        this.#control(known.acceptFrame());
        if (known.pausedHere) this.#control({ type: 'pause', id });
      }
      return;
    }
    const isOne = typeof name === 'string' && Number.isSafeInteger(size) && size >= 0;
    const many = !this.#offers.take(performance.now()) || this.#open(true).length >= MAX_FILES;
    if (!isOne || many) return this.#control({ type: 'cancel', id, why: many ? 'too-many' : 'bad-offer' });
    const type = typeof mediaType === 'string' && MEDIA_TYPE.test(mediaType) ? mediaType.toLowerCase() : undefined;
    const file = new FileReceiver({ id, name: safeName(name), size, mediaType: type });
    this.#files.set(id, file);
    this.#changed(file);
  }

  #onGranted(file, { type, offset, limit }) {
    const now = performance.now();
    const numbers = Number.isSafeInteger(offset) && Number.isSafeInteger(limit) && offset >= 0;
    const result = numbers && (type === 'accept' ? file.accept(offset, limit) : file.progress(now, offset, limit));
    if (result === false) return this.#fail(file, 'protocol');
    if (typeof result === 'number') this.#pace.answered(now, result);
    this.#changed(file);
    this.#pump();
  }

  #onPause(file, on) {
    file.pausedThere = on;
    this.#changed(file);
    this.#pump();
  }

  #onDone(file) {
    if (!file.isWhole) return this.#fail(file, 'protocol');
    file.bytes = file.size;
    file.state = 'done';
    this.#changed(file);
  }

  #onChunk(chunk) {
    const file = chunk && this.#files.get(chunk.id);
    if (!file?.incoming || file.state !== 'receiving') return;
    const why = file.take(chunk.offset, chunk.bytes, (error) => {
      if (file.state !== 'receiving') return;
      if (error) return this.#fail(file, 'storage');
      this.#tell(file, false);
      this.#changed(file);
      this.#finish(file);
    });
    if (why) this.#fail(file, why);
  }

  #onEnd(file, { sha256 }) {
    const why = file.end(String(sha256));
    if (why) this.#fail(file, why);
    else this.#finish(file);
  }

  async #finish(file) {
    if (!file.isWhole) return;
    const why = await file.finish().catch(() => 'storage');
    if (file.state !== 'receiving') return;
    if (why) return this.#fail(file, why);
    file.state = 'done';
    file.hasWindow = false;
    this.#forget(file, null);
    this.#control({ type: 'done', id: file.id });
    this.#changed(file);
    this.#giveWindows();
  }

  // Tells the sender what is written: enough of it at once, the rest after a while.
  #tell(file, always) {
    const frame = file.progressFrame(always);
    if (frame) return this.#control(frame);
    this.#tellTimer ??= setTimeout(() => {
      this.#tellTimer = undefined;
      for (const one of this.#open(true)) {
        const late = one.progressFrame(true);
        if (late) this.#control(late);
      }
    }, TELL_EVERY);
  }

  #giveWindows() {
    const waiting = this.#open(true).filter((file) => file.state === 'receiving');
    for (const file of waiting.filter((one) => !one.hasWindow)) {
      if (waiting.filter((one) => one.hasWindow).length >= MAX_WINDOWS) return;
      file.hasWindow = true;
      this.#tell(file, true);
    }
  }

  // Something is wrong with it, or somebody does not want it: both sides end it.
  #fail(file, why) {
    if (file.incoming) this.#forget(file, why);
    else bounded(this.#withdrawn, file.id, why, MAX_FILES);
    this.#control({ type: 'cancel', id: file.id, why });
    this.#end(file, why);
    this.#giveWindows();
  }

  #forget(file, why) {
    bounded(this.#ended, file.id, why, MAX_ENDED);
    if (why !== null) file.discard();
  }

  #end(file, why) {
    file.state = 'ended';
    file.why = why;
    file.hasWindow = false;
    this.#changed(file);
  }

  // Sends what may leave now.
  async #pump() {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (await this.#sendOne());
    } finally {
      this.#isPumping = false;
    }
  }

  // Whether there may be more to do at once.
  async #sendOne() {
    const channel = this.#channel;
    if (channel?.readyState !== 'open' || channel.bufferedAmount > MOST_BUFFERED) return false;
    const file = this.#open(false).find((one) => one.isDue(this.#pace.onTheWay));
    if (!file) return false;
    const end = file.end();
    if (end) {
      this.#control(end);
      return true;
    }
    if (!file.hasBytes) {
      await file.read().catch((error) => {
        console.warn(`file: ${error.message}`);
        if (OPEN.includes(file.state)) this.#fail(file, 'source');
      });
      return true;
    }
    const now = performance.now();
    const length = file.nextLength(this.#pace.chunk(MAX_CHUNK));
    const wait = this.#pace.take(now, length);
    if (wait > 0) {
      clearTimeout(this.#pumpTimer);
      this.#pumpTimer = setTimeout(() => this.#pump(), Math.max(1, wait));
      return false;
    }
    const { offset, bytes } = file.take(now, length);
    channel.send(writeChunk(file.id, offset, bytes));
    return true;
  }
}

function bounded(map, key, value, most) {
  if (map.size >= most) map.delete(map.keys().next().value);
  map.set(key, value);
}
