// The check of the other end: whether a call's two ends are connected with each other and with nobody between them. Frames, order and
// words are the core's (core/src/security), as docs/protocol.md has them. No DOM, no clock, no connection.

import { VERIFICATION_WORDS } from './verification-words.js';

const VERSION = 1;
const [HELLO, COMMIT, NONCE, CODES, SAME] = [0, 1, 2, 3, 4];
// Frames that one check takes: a person may change their mind a few times.
const MAX_FRAMES = 32;
// How many devices of one person are remembered.
export const MAX_SECRETS = 4;
const SIZE = 32;

const bytesOf = (text) => new TextEncoder().encode(text);
const SALT = bytesOf('chamada verification 1');
const COMMITMENT = bytesOf('chamada verification 1 commitment');

/** @typedef {{role: 'offerer' | 'answerer', own: Uint8Array, peer: Uint8Array}} Ends the SHA-256 of both certificates, and whose is whose */
/** @typedef {{words: number[] | null, result: string}} Verification */

// One check, on one side. `receive` is to be waited for before anything else is asked of it. A new connection begins a new one.
export class Check {
  #ends;
  #nonce;
  #secrets;
  #step;
  #frames = 0;
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #outgoing = [];
  /** @type {Uint8Array | null} */
  #commitment = null;
  /** @type {Transcript | null} */
  #transcript = null;
  #matched = false;
  /** @type {boolean | null} */
  #ownWord = null;
  /** @type {boolean | null} */
  #theirWord = null;
  // What has come of it: 'compare', 'remembered', 'changed', 'confirmed', 'differs', 'unsupported', 'failed', or null.
  /** @type {string | null} */
  result = null;
  // Indices of the words to compare, once there are any.
  /** @type {number[] | null} */
  words = null;

  // `nonce` is 32 random bytes of this check alone; `secrets` are those remembered of the person who should be at the other end.
  /** @param {Ends} ends @param {Uint8Array} nonce @param {Uint8Array[]} secrets */
  constructor(ends, nonce, secrets) {
    this.#ends = ends;
    this.#nonce = nonce;
    this.#secrets = secrets.slice(0, MAX_SECRETS);
    this.#step = ends.role === 'offerer' ? 'hello' : 'commitment';
    if (ends.role === 'answerer') this.#put(HELLO);
  }

  // The frames to send.
  take() {
    return this.#outgoing.splice(0);
  }

  // Takes what the other side sent: any bytes.
  /** @param {Uint8Array} bytes */
  async receive(bytes) {
    if (this.#step === 'over') return;
    this.#frames += 1;
    const frame = this.#frames > MAX_FRAMES ? null : readFrame(bytes);
    if (!frame) return this.#fail();
    const { kind, body } = frame;
    if (this.#step === 'hello' && kind === HELLO) {
      this.#put(COMMIT, await commitmentTo(this.#nonce));
      this.#step = 'answerer-nonce';
    } else if (this.#step === 'commitment' && kind === COMMIT) {
      this.#commitment = body;
      this.#put(NONCE, this.#nonce);
      this.#step = 'offerer-nonce';
    } else if (this.#step === 'answerer-nonce' && kind === NONCE) {
      this.#put(NONCE, this.#nonce);
      await this.#agree(body);
    } else if (this.#step === 'offerer-nonce' && kind === NONCE) {
      if (!areEqual(await commitmentTo(body), this.#commitment)) return this.#fail();
      await this.#agree(body);
    } else if (this.#step === 'codes' && kind === CODES) {
      await this.#lookUp(chunks(body));
    } else if (this.#step === 'compared' && kind === SAME) {
      this.#theirWord = body[0] === 1;
      this.#judge();
    } else this.#fail();
  }

  // The person has compared the words; false if there are none.
  /** @param {boolean} same */
  confirm(same) {
    if (this.#step !== 'compared') return false;
    if (this.#ownWord !== same) this.#put(SAME, Uint8Array.of(same ? 1 : 0));
    this.#ownWord = same;
    this.#judge();
    return true;
  }

  // What to remember once both people said that the words are the same, unless the two devices know each other already.
  async secret() {
    return this.#transcript && this.result === 'confirmed' && !this.#matched ? this.#transcript.expand('secret') : null;
  }

  // The other side has had its time. One that has not even begun does not know the check; but somebody who was checked before does.
  giveUp() {
    if (this.result !== null) return;
    if (this.#frames > 0) return this.#fail();
    this.#step = 'over';
    this.result = nothingFrom(this.#secrets);
  }

  async #agree(nonce) {
    const transcript = await Transcript.of(this.#ends, this.#nonce, nonce);
    const codes = await Promise.all(this.#secrets.map((secret) => transcript.code(secret, this.#ends.role)));
    this.#put(CODES, concat(codes));
    this.#transcript = transcript;
    this.#step = 'codes';
  }

  async #lookUp(codes) {
    const transcript = /** @type {Transcript} */ (this.#transcript);
    const by = this.#ends.role === 'offerer' ? 'answerer' : 'offerer';
    for (const secret of this.#secrets) {
      for (const code of codes) this.#matched = (await transcript.isCode(code, secret, by)) || this.#matched;
    }
    this.words = [...(await transcript.expand('words')).slice(0, 4)];
    this.#step = 'compared';
    this.#judge();
  }

  #judge() {
    const said = [this.#ownWord, this.#theirWord];
    if (said.includes(false)) this.result = 'differs';
    else if (said.every((word) => word === true)) this.result = 'confirmed';
    else if (this.#matched) this.result = 'remembered';
    else this.result = this.#secrets.length ? 'changed' : 'compare';
  }

  #fail() {
    this.#step = 'over';
    this.#outgoing = [];
    this.words = null;
    this.result = 'failed';
  }

  #put(kind, body = new Uint8Array()) {
    this.#outgoing.push(concat([Uint8Array.of(VERSION, kind), body]));
  }
}

// What is known of somebody whose side says nothing: that is no wonder, unless a device of theirs was checked before.
export function nothingFrom(secrets) {
  return secrets.length ? 'changed' : 'unsupported';
}

// What is told of a check: the key of a text, whether somebody may be in between ('unknown', 'verified', 'doubtful'), and whether the person
// is asked. The same as the apps' (core/src/app/verification.rs).
/** @param {Verification} check @param {{answered: boolean, known: boolean}} given */
export function verdictOf({ words, result }, { answered, known }) {
  const isOpen = result === 'compare' || result === 'changed';
  const verdict = (key, trust) => ({ key, trust, canAnswer: isOpen && words !== null && !answered });
  if (isOpen && answered) return verdict('verification.waiting', 'unknown');
  if ((result === 'failed' && known) || (result === 'changed' && !words)) return verdict('verification.gone', 'doubtful');
  if (result === 'changed' || result === 'differs') return verdict(`verification.${result}`, 'doubtful');
  return verdict(`verification.${result}`, ['remembered', 'confirmed'].includes(result) ? 'verified' : 'unknown');
}

// An emoji and its name in this language.
/** @param {number} index @param {'en' | 'pt-BR'} lang */
export function wordOf(index, lang) {
  const [emoji, en, portuguese] = VERIFICATION_WORDS[index];
  return { emoji, name: lang === 'en' ? en : portuguese };
}

// All that both sides have seen, in an order that says whose is whose.
class Transcript {
  #key;
  #hash;

  constructor(key, hash) {
    this.#key = key;
    this.#hash = hash;
  }

  static async of({ role, own, peer }, ownNonce, peerNonce) {
    const sides = [[own, ownNonce], [peer, peerNonce]];
    const [offerer, answerer] = role === 'offerer' ? sides : sides.reverse();
    const all = concat([offerer[0], answerer[0], offerer[1], answerer[1]]);
    const key = await crypto.subtle.importKey('raw', all, 'HKDF', false, ['deriveBits']);
    return new Transcript(key, await sha256(concat([SALT, all])));
  }

  async expand(info) {
    const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: SALT, info: bytesOf(info) }, this.#key, 8 * SIZE);
    return new Uint8Array(bits);
  }

  async code(secret, by) {
    return new Uint8Array(await crypto.subtle.sign('HMAC', await hmacKey(secret), this.#coded(by)));
  }

  // Takes as long wherever the code differs.
  async isCode(code, secret, by) {
    return crypto.subtle.verify('HMAC', await hmacKey(secret), code, this.#coded(by));
  }

  // A code of one side must not be good as one of the other's.
  #coded(by) {
    return concat([bytesOf(by), this.#hash]);
  }
}

const hmacKey = (secret) => crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

const commitmentTo = (nonce) => sha256(concat([COMMITMENT, nonce]));

// What a frame says, or null.
function readFrame(bytes) {
  const [version, kind] = bytes;
  const body = bytes.slice(2);
  const isWhole = {
    [HELLO]: body.length === 0,
    [COMMIT]: body.length === SIZE,
    [NONCE]: body.length === SIZE,
    [CODES]: body.length % SIZE === 0 && body.length <= MAX_SECRETS * SIZE,
    [SAME]: body.length === 1 && body[0] <= 1,
  };
  return bytes.length >= 2 && version === VERSION && isWhole[kind] ? { kind, body } : null;
}

function concat(parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const chunks = (bytes) => Array.from({ length: bytes.length / SIZE }, (_, n) => bytes.slice(n * SIZE, (n + 1) * SIZE));

const areEqual = (one, other) => one.length === other.length && one.every((byte, n) => byte === other[n]);
