// Zooms into a shared screen: by buttons, keys, wheel, and two fingers; a zoomed one is moved by arrow keys and by dragging.

import { $, setLabel } from '../dom.js';
import { Zoom } from '../zoom.js';

const PAN = 0.1;
const PANS = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };

export class ZoomView {
  #zoom = new Zoom();
  #on = false;
  // The fingers, or the mouse, on the picture.
  /** @type {Map<number, {x: number, y: number}>} */
  #pointers = new Map();

  constructor(t) {
    const steps = { 'zoom-in': () => this.#zoom.in(), 'zoom-out': () => this.#zoom.out(), 'zoom-reset': () => this.#zoom.reset() };
    for (const [id, step] of Object.entries(steps)) {
      setLabel($(/** @type {any} */ (id)), t(`screen.${id}`));
      $(/** @type {any} */ (id)).onclick = () => this.#change(step);
    }
    const [stage, video] = [$('stage'), $('remote')];
    stage.addEventListener('keydown', (event) => this.#key(event));
    stage.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    video.addEventListener('pointerdown', (event) => this.#down(event));
    video.addEventListener('pointermove', (event) => this.#moved(event));
    for (const end of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      video.addEventListener(end, ({ pointerId }) => this.#pointers.delete(pointerId));
    }
  }

  // Whether there is a screen to look at; without one the picture is whole.
  show(on) {
    $('zoom').hidden = !on;
    $('stage').classList.toggle('screen-there', on);
    if (this.#on === on) return;
    this.#on = on;
    this.#pointers.clear();
    this.#change(() => this.#zoom.reset());
  }

  #change(step) {
    step();
    const zoom = this.#zoom;
    $('remote').style.transform = zoom.transform;
    $('stage').classList.toggle('zoomed', !zoom.isWhole);
    $('zoom-in').disabled = zoom.isLargest;
    $('zoom-out').disabled = $('zoom-reset').disabled = zoom.isWhole;
  }

  #key(event) {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (!this.#on || ctrlKey || metaKey || altKey || target.closest('input, textarea, select, [role="tablist"]')) return;
    const zoom = this.#zoom;
    const pan = PANS[key];
    const step = ['+', '='].includes(key) ? () => zoom.in()
      : key === '-' ? () => zoom.out()
        : key === '0' ? () => zoom.reset()
          : pan && !zoom.isWhole ? () => zoom.pan(pan[0], pan[1]) : null;
    if (!step) return;
    event.preventDefault();
    this.#change(step);
  }

  // Trackpads say a pinch so, too.
  #wheel(event) {
    if (!this.#on || !event.ctrlKey) return;
    event.preventDefault();
    this.#change(() => this.#zoom.by(Math.exp(-event.deltaY / 200), place(event)));
  }

  #down(event) {
    if (!this.#on || this.#pointers.size >= 2) return;
    this.#pointers.set(event.pointerId, place(event));
    $('remote').setPointerCapture(event.pointerId);
  }

  #moved(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    this.#change(() => {
      if (!other) return this.#zoom.pan(now.x - before.x, now.y - before.y);
      const apart = (one) => Math.max(0.01, Math.hypot(one.x - other.x, one.y - other.y));
      this.#zoom.by(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    });
  }
}

// From the middle of the stage, in parts of it.
function place({ clientX, clientY }) {
  const { left, top, width, height } = $('stage').getBoundingClientRect();
  return { x: (clientX - left) / width - 0.5, y: (clientY - top) / height - 0.5 };
}
