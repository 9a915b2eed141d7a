// A list of any length of which only the rows in sight are in the document. Rows have one height; a row stays the same element for
// as long as it is shown. The list is one tab stop: arrows, Page Up and Down, Home and End go from row to row.

// Rows above and below those in sight.
const OVERSCAN = 5;
const FIRST_GUESS = 56;

const STEPS = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at, page) => at + page,
  PageUp: (at, page) => at - page,
  Home: () => 0,
  End: () => Infinity,
};

export class VirtualList {
  #scroller;
  #list;
  #make;
  #draw;
  #keys = [];
  // Where each key stands.
  #places = new Map();
  #rows = new Map();
  #rowHeight = FIRST_GUESS;
  // The key of the row that Tab leads to.
  #active = null;
  // What is to be shown with the next frame.
  /** @type {any[] | null} */
  #next = null;

  // `scroller` holds `list`, a <ul>. `make(key)` gives a row, an <li>; `draw(row, key)` makes it show how things stand.
  constructor(scroller, list, { make, draw }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#make = make;
    this.#draw = draw;
    scroller.addEventListener('scroll', () => this.#render(), { passive: true });
    new ResizeObserver(() => this.#render()).observe(scroller);
    list.addEventListener('focusin', ({ target }) => this.#activate(target.closest('li')?.dataset.key));
    list.addEventListener('keydown', (event) => this.#onKey(event));
  }

  // Shows these rows, each drawn anew, with the next frame: what came before it in the same task has been painted by then.
  show(keys) {
    if (this.#next === null) requestAnimationFrame(() => this.#update());
    this.#next = keys;
  }

  #update() {
    const focused = this.#focusedKey();
    const stoodAt = this.#places.get(focused) ?? 0;
    this.#keys = this.#next ?? [];
    this.#next = null;
    this.#places = new Map(this.#keys.map((key, at) => [key, at]));
    const isGone = focused !== undefined && !this.#places.has(focused);
    this.#render();
    for (const [key, row] of this.#rows) this.#draw(row, key);
    this.#setTabStops();
    if (isGone) this.#focusNear(stoodAt, 1);
  }

  #render() {
    const { clientHeight, scrollTop } = this.#scroller;
    this.#list.style.height = `${this.#keys.length * this.#rowHeight}px`;
    const first = Math.max(0, Math.floor(scrollTop / this.#rowHeight) - OVERSCAN);
    const end = Math.min(this.#keys.length, Math.ceil((scrollTop + clientHeight) / this.#rowHeight) + OVERSCAN);
    const wanted = this.#keys.slice(first, end);
    // Whoever has the focus keeps it, also out of sight.
    const focused = this.#focusedKey();
    const at = this.#places.get(focused);
    if (at !== undefined && at < first) wanted.unshift(focused);
    if (at !== undefined && at >= end) wanted.push(focused);
    const stays = new Set(wanted);
    for (const [key, row] of this.#rows) {
      if (stays.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let next = this.#list.firstElementChild;
    for (const key of wanted) {
      const row = this.#rows.get(key) ?? this.#newRow(key);
      this.#place(row, this.#places.get(key));
      if (row === next) next = row.nextElementSibling;
      else this.#list.insertBefore(row, next);
    }
    const measured = this.#list.firstElementChild?.offsetHeight ?? 0;
    if (measured > 0 && measured !== this.#rowHeight) {
      this.#rowHeight = measured;
      this.#render();
    }
  }

  #newRow(key) {
    const row = this.#make(key);
    row.dataset.key = key;
    this.#rows.set(key, row);
    this.#draw(row, key);
    this.#setTabStop(row, key === this.#active);
    return row;
  }

  #place(row, at) {
    row.style.transform = `translateY(${at * this.#rowHeight}px)`;
    setAttribute(row, 'aria-posinset', String(at + 1));
    setAttribute(row, 'aria-setsize', String(this.#keys.length));
  }

  #focusedKey() {
    return this.#list.contains(document.activeElement) ? document.activeElement?.closest('li')?.dataset.key : undefined;
  }

  #activate(key) {
    if (key === undefined || key === this.#active) return;
    this.#active = key;
    this.#setTabStops();
  }

  // The active row, or else the first that has something to press.
  #setTabStops() {
    if (!this.#places.has(this.#active) || !this.#rows.has(this.#active)) {
      this.#active = [...this.#list.children].find((row) => row.querySelector('button'))?.dataset.key ?? null;
    }
    for (const [key, row] of this.#rows) this.#setTabStop(row, key === this.#active);
  }

  #setTabStop(row, isStop) {
    for (const button of row.querySelectorAll('button')) button.tabIndex = isStop ? 0 : -1;
  }

  #onKey(event) {
    const step = STEPS[event.key];
    const at = this.#places.get(this.#focusedKey());
    if (!step || at === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / this.#rowHeight) - 1);
    const to = Math.min(this.#keys.length - 1, Math.max(0, step(at, page)));
    // The same of a row's buttons, if it can be pressed there.
    const column = [...event.target.closest('li').querySelectorAll('button')].indexOf(event.target);
    this.#focusNear(to, to < at ? -1 : 1, column);
  }

  // Puts the focus into this row, or else into the nearest one that has something to press, first in this direction.
  #focusNear(at, direction, column = 0) {
    const from = Math.min(at, this.#keys.length - 1);
    for (const step of [direction, -direction]) {
      for (let to = from; to >= 0 && to < this.#keys.length; to += step) {
        this.#scrollTo(to);
        const buttons = [...(this.#rows.get(this.#keys[to])?.querySelectorAll('button') ?? [])];
        const button = [buttons[column], ...buttons].find((one) => one && !one.disabled);
        if (button) return button.focus({ preventScroll: true });
      }
    }
  }

  #scrollTo(at) {
    const [top, bottom] = [at * this.#rowHeight, (at + 1) * this.#rowHeight];
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.#scroller.scrollTop = bottom - clientHeight;
    this.#render();
  }
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
