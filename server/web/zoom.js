// How a shared screen is looked at: how large, and which part of it. No DOM.

const MOST = 5;
const STEP = 1.5;

export class Zoom {
  #scale = 1;
  // How far the picture's middle is from the view's, in parts of the view.
  #x = 0;
  #y = 0;

  get scale() {
    return this.#scale;
  }

  get isWhole() {
    return this.#scale === 1;
  }

  get isLargest() {
    return this.#scale === MOST;
  }

  // As a CSS transform of something that fills the view.
  get transform() {
    return this.isWhole ? 'none' : `translate(${percent(this.#x)}, ${percent(this.#y)}) scale(${this.#scale})`;
  }

  in(at) {
    this.by(STEP, at);
  }

  out(at) {
    this.by(1 / STEP, at);
  }

  // So many times as large; what is at this place, counted from the view's middle in parts of the view, stays there.
  by(factor, { x, y } = { x: 0, y: 0 }) {
    const before = this.#scale;
    const next = before * factor;
    // Near the whole it is the whole: steps in and out meet there.
    this.#scale = Number.isFinite(next) && next > 1.02 ? Math.min(next, MOST) : 1;
    const grown = this.#scale / before;
    this.#move(x - (x - this.#x) * grown, y - (y - this.#y) * grown);
  }

  // By parts of the view; never so far that an edge comes in.
  pan(x, y) {
    this.#move(this.#x + x, this.#y + y);
  }

  reset() {
    [this.#scale, this.#x, this.#y] = [1, 0, 0];
  }

  #move(x, y) {
    const most = (this.#scale - 1) / 2;
    [this.#x, this.#y] = [x, y].map((one) => Math.max(-most, Math.min(most, one)) || 0);
  }
}

function percent(part) {
  return `${Number((part * 100).toFixed(2))}%`;
}
