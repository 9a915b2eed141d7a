// A soft two-note ring while somebody calls, made by WebAudio. Browsers keep it silent before the first click on the page.

const NOTES = [[523.25, 0], [659.25, 0.22]];
const EVERY = 2_400;

export class Ringtone {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {number | undefined} */
  #timer;

  start() {
    if (this.#timer !== undefined || !globalThis.AudioContext) return;
    const context = this.#context ??= new AudioContext();
    context.resume().catch(() => {});
    this.#ring(context);
    this.#timer = setInterval(() => this.#ring(context), EVERY);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#context?.suspend().catch(() => {});
  }

  #ring(context) {
    if (context.state !== 'running') return;
    for (const [frequency, after] of NOTES) {
      const start = context.currentTime + after;
      const tone = new OscillatorNode(context, { type: 'sine', frequency });
      const volume = new GainNode(context, { gain: 0 });
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.08, start + 0.03);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.9);
      tone.connect(volume).connect(context.destination);
      tone.start(start);
      tone.stop(start + 1);
    }
  }
}
