// Carries the check of the other end over a data channel of an RTCPeerConnection, and looks at the clock.

import { Check, nothingFrom, sha256 } from './verification.js';

// The channel of apps' messages, which comes first because old peers take the first for it, and the one for the check.
const DATA = 'chamada';
const LABEL = 'chamada-verification';
// How long the other side may take for its first frame, and for each of the next ones, in milliseconds.
const PATIENCE = 5_000;
// Frames that may come before this side has looked at the certificates.
const MAX_EARLY = 4;

export class VerificationChannel {
  #pc;
  #options;
  /** @type {'offerer' | 'answerer' | null} */
  #role = null;
  /** @type {RTCDataChannel | null} */
  #data = null;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** @type {Check | null} */
  #check = null;
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #early = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #unsent = [];
  #queue = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #begun = false;
  #told = '';
  #closed = false;

  // `secrets()` are those remembered of whom is called. `changed(verification)` hears how far the check is, `remember(secret)` what to keep.
  constructor(pc, options) {
    this.#pc = pc;
    this.#options = options;
    pc.ondatachannel = ({ channel }) => channel.label === LABEL && this.#use(channel);
  }

  // Before this side's first offer: a section for data channels belongs into it.
  offers() {
    if (this.#data) return;
    const data = this.#pc.createDataChannel(DATA);
    data.onopen = () => this.#open();
    this.#data = data;
  }

  // The first offer was answered: by this side, or by the other one.
  negotiated(role) {
    this.#role ??= role;
    this.#open();
  }

  // The connection is up; it may come again.
  connected() {
    if (this.#begun) return;
    this.#begun = true;
    this.#enqueue(() => this.#start());
  }

  // The person has compared the words.
  confirm(same) {
    this.#enqueue(() => { this.#check?.confirm(same); });
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  // Whoever offered opens the channel.
  #open() {
    if (this.#closed || this.#role !== 'offerer' || this.#data?.readyState !== 'open' || this.#channel) return;
    this.#use(this.#pc.createDataChannel(LABEL));
  }

  #use(channel) {
    if (this.#channel) return;
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => this.#flush();
    channel.onmessage = ({ data }) => this.#enqueue(() => this.#receive(typeof data === 'string' ? new Uint8Array() : new Uint8Array(data)));
    this.#flush();
  }

  async #start() {
    const secrets = this.#options.secrets();
    const ends = await endsOf(this.#pc, this.#role);
    // Without a certificate to be had there is no check: a connection of an old peer, without a section for data channels.
    if (!ends) return this.#tell({ words: null, result: nothingFrom(secrets) });
    this.#check = new Check(ends, crypto.getRandomValues(new Uint8Array(32)), secrets);
    this.#wait();
    this.#tell({ words: null, result: 'checking' });
    for (const frame of this.#early.splice(0)) await this.#receive(frame);
  }

  async #receive(frame) {
    if (!this.#check) {
      if (this.#early.length < MAX_EARLY) this.#early.push(frame);
      return;
    }
    await this.#check.receive(frame);
    if (this.#check.result === null) this.#wait();
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#enqueue(() => this.#check?.giveUp()), PATIENCE);
  }

  // One after the other: hashes are waited for.
  #enqueue(work) {
    this.#queue = this.#queue.then(async () => {
      if (this.#closed) return;
      await work();
      await this.#goOn();
    }).catch((error) => console.error('check of the other end:', error));
  }

  async #goOn() {
    const check = this.#check;
    if (!check || this.#closed) return;
    this.#unsent.push(...check.take());
    this.#flush();
    const { result, words } = check;
    if (result === null) return;
    clearTimeout(this.#timer);
    if (!this.#tell({ words, result })) return;
    const secret = await check.secret();
    if (secret && !this.#closed) this.#options.remember(secret);
  }

  // Whether it is news.
  #tell(verification) {
    if (this.#closed || this.#told === verification.result) return false;
    this.#told = verification.result;
    this.#options.changed(verification);
    return true;
  }

  #flush() {
    if (this.#channel?.readyState !== 'open') return;
    for (const frame of this.#unsent.splice(0)) this.#channel.send(frame);
  }
}

// The certificate of the own description, and the one that the other side has proven by DTLS; null if there are none.
/** @param {RTCPeerConnection} pc */
async function endsOf(pc, role) {
  const transport = pc.sctp?.transport;
  const own = certificateOf(pc.currentLocalDescription);
  if (!transport || !own || !role) return null;
  // Firefox does not show it; but it has held the handshake against the description.
  const [seen] = transport.getRemoteCertificates?.() ?? [];
  const peer = seen ? await sha256(seen) : certificateOf(pc.currentRemoteDescription);
  return peer && { role, own, peer };
}

// The one certificate that a description names (RFC 8122 section 5), as bytes. Of several, nobody knows which was proven.
/** @param {Partial<RTCSessionDescription> | null} description */
export function certificateOf(description) {
  const lines = [...(description?.sdp ?? '').matchAll(/^a=fingerprint:(\S+)[ \t]+(\S+)/gm)];
  const named = new Set(lines.map(([, hash, value]) => `${hash} ${value}`.toLowerCase()));
  const digits = named.size === 1 ? [...named][0].match(/^sha-256 ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/)?.[1] : null;
  return digits ? Uint8Array.from(digits.split(':'), (byte) => parseInt(byte, 16)) : null;
}
