// How fast files are sent beside a call: sound and pictures go first. The rules are those of core/src/files/pace.rs; a page knows of the path
// how long its own chunks take until they are answered for.

const START = 64_000;
const LEAST = 4_000;
const MOST = 250_000_000;
// Beyond the least that an answer ever took, in ms: receivers answer up to 50 ms later.
const SHORT = 80;
const LONG = 160;
const UP_EVERY = 100;
const DOWN_EVERY = 200;
const FAST = 1.5;
const SLOW = 1.06;
const BACK = 0.7;
const USED = 0.7;
const BURST = 10;
const LEAST_CHUNK = 1_024;
const LEAST_ON_THE_WAY = 32_768;
const ON_THE_WAY = 300;

export class FilePace {
  // Bytes per second.
  rate = START;
  #tokens = 0;
  /** @type {number | null} */
  #filled = null;
  #isFast = true;
  #changed = 0;
  #lowered = -Infinity;
  #used = 0;
  #least = Infinity;

  // What may be sent and not yet written there.
  get onTheWay() {
    return Math.max(LEAST_ON_THE_WAY, (this.rate * ON_THE_WAY) / 1000);
  }

  chunk(most) {
    return Math.min(most, Math.max(LEAST_CHUNK, Math.floor((this.rate * BURST) / 1000)));
  }

  // How long until so many bytes may leave, in ms; 0: they leave now.
  take(now, bytes) {
    const most = Math.max(bytes, (this.rate * BURST) / 1000);
    const passed = this.#filled === null ? 1000 : now - this.#filled;
    this.#filled = now;
    this.#tokens = Math.min(most, this.#tokens + (passed * this.rate) / 1000);
    if (this.#tokens < bytes - 0.5) return ((bytes - this.#tokens) * 1000) / this.rate;
    this.#tokens -= bytes;
    this.#used += bytes;
    return 0;
  }

  // A chunk was answered for after so many ms.
  answered(now, took) {
    this.#least = Math.min(this.#least, took);
    const queue = took - this.#least;
    if (queue >= LONG) {
      if (now - this.#lowered < DOWN_EVERY) return;
      this.#isFast = false;
      this.rate = Math.max(LEAST, this.rate * BACK);
      this.#lowered = now;
    } else if (now - this.#changed >= UP_EVERY) {
      const used = this.#used >= (USED * this.rate * (now - this.#changed)) / 1000;
      if (used && queue <= SHORT) this.rate = Math.min(MOST, this.rate * (this.#isFast ? FAST : SLOW));
    } else return;
    this.#changed = now;
    this.#used = 0;
  }
}
