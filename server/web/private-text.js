// Private text between the two people of a call, by docs/protocol.md. Knows no channel and no clock: `send(frame)` gets what is to be sent,
// `tell(event)` what happened, `now()` says the time.

import { newUuid } from './uuid.js';
import { isUuid } from './call-frames.js';
import { countChars } from './message.js';

export const MAX_CHARS = 2_000;
const MAX_FRAME = 16 * 1024;
const MAX_WAITING = 64;
const MAX_SEEN = 4 * MAX_WAITING;
const RESEND_AFTER = 10_000;
const TYPING_LASTS = 6_000;
const TYPING_AGAIN = 3_000;

// Controls but for line breaks and tabs, and what turns the reading direction (UAX 9 section 2).
const REFUSED = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;
export const clean = (text) => text.replace(REFUSED, (c) => (c === '\n' || c === '\t' ? c : '')).trim();

export class Conversation {
  #send;
  #tell;
  #now;
  /** @type {{id: string, text: string, sent: number | null}[]} */
  #waiting = [];
  /** @type {string[]} */
  #seen = [];
  #available = false;
  #wasAvailable = false;
  /** @type {number | null} */
  #typingSaid = null;
  /** @type {number | null} */
  #typingUntil = null;
  #sent = new Budget(32, 4);
  #taken = new Budget(128, 8);
  #changes = new Budget(8, 1);

  constructor({ send, tell, now }) {
    this.#send = (frame) => send(JSON.stringify({ v: 1, ...frame }));
    this.#tell = tell;
    this.#now = now;
  }

  // There is an open channel, the first one or one on another connection.
  connected() {
    this.#available = false;
    this.#typingSaid = null;
    for (const one of this.#waiting) one.sent = null;
    this.#send({ type: 'hello' });
  }

  // The identifier of what is sent, or null where it cannot be taken.
  write(text) {
    const cleaned = clean(text);
    const count = countChars(cleaned);
    if (count === 0 || count > MAX_CHARS || this.#waiting.length >= MAX_WAITING || !this.#sent.take(this.#now())) return null;
    const id = newUuid();
    this.#typingSaid = null;
    this.#waiting.push({ id, text: cleaned, sent: null });
    this.#sendWaiting();
    return id;
  }

  typing(on) {
    if (!this.#available) return;
    const said = this.#typingSaid !== null && this.#now() - this.#typingSaid < TYPING_AGAIN;
    if (on && !said) this.#send({ type: 'typing', on: true });
    if (on && !said) this.#typingSaid = this.#now();
    if (!on && this.#typingSaid !== null) this.#send({ type: 'typing', on: false });
    if (!on) this.#typingSaid = null;
  }

  receive(data) {
    const frame = read(data);
    switch (frame?.type) {
      case 'hello': return this.#onHello();
      case 'text': return this.#onText(frame);
      case 'delivered': return this.#remove(frame.id) && this.#tell({ kind: 'delivered', id: frame.id });
      case 'refused': return this.#remove(frame.id) && this.#tell({ kind: 'refused', id: frame.id });
      case 'typing': return this.#onTyping(frame.on === true);
    }
  }

  // When to call `handleTimeout`, or null.
  timeoutAt() {
    const sent = this.#available ? this.#waiting.flatMap((one) => (one.sent === null ? [] : [one.sent + RESEND_AFTER])) : [];
    const all = this.#typingUntil === null ? sent : [...sent, this.#typingUntil];
    return all.length ? Math.min(...all) : null;
  }

  handleTimeout() {
    if (this.#typingUntil !== null && this.#typingUntil <= this.#now()) this.#typeThere(null);
    this.#sendWaiting();
  }

  #onHello() {
    if (this.#available) return;
    this.#available = true;
    if (!this.#wasAvailable) this.#tell({ kind: 'available' });
    this.#wasAvailable = true;
    this.#sendWaiting();
  }

  #onText({ id, text }) {
    if (!isUuid(id) || typeof text !== 'string') return;
    if (this.#seen.includes(id)) return this.#send({ type: 'delivered', id });
    const cleaned = clean(text);
    const why = countChars(text) > MAX_CHARS ? 'too-long' : !this.#taken.take(this.#now()) ? 'too-fast' : cleaned === '' ? 'empty' : null;
    if (why) return this.#send({ type: 'refused', id, why });
    if (this.#seen.length === MAX_SEEN) this.#seen.shift();
    this.#seen.push(id);
    this.#send({ type: 'delivered', id });
    this.#typeThere(null);
    this.#tell({ kind: 'text', id, text: cleaned });
  }

  #onTyping(on) {
    const until = on ? this.#now() + TYPING_LASTS : null;
    if (on === (this.#typingUntil !== null)) this.#typingUntil = until;
    else if (!on || this.#changes.take(this.#now())) this.#typeThere(until);
  }

  #typeThere(until) {
    const changed = (until === null) !== (this.#typingUntil === null);
    this.#typingUntil = until;
    if (changed) this.#tell({ kind: 'typing', on: until !== null });
  }

  #remove(id) {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one.id !== id);
    return this.#waiting.length < before;
  }

  #sendWaiting() {
    if (!this.#available) return;
    const now = this.#now();
    for (const one of this.#waiting) {
      if (one.sent !== null && now - one.sent < RESEND_AFTER) continue;
      one.sent = now;
      this.#send({ type: 'text', id: one.id, text: one.text });
    }
  }
}

// So many at once, and then so many a second.
export class Budget {
  #burst;
  #perSecond;
  #left;
  /** @type {number | null} */
  #at = null;

  constructor(burst, perSecond) {
    this.#burst = this.#left = burst;
    this.#perSecond = perSecond;
  }

  take(now) {
    this.#left = Math.min(this.#burst, this.#left + ((now - (this.#at ?? now)) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

function read(data) {
  if (typeof data !== 'string' || data.length > MAX_FRAME) return null;
  try {
    const frame = JSON.parse(data);
    return frame?.v === 1 ? frame : null;
  } catch {
    return null;
  }
}
