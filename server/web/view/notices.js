// Short notices at the top of the page, read out by screen readers.

import { $, element } from '../dom.js';

const SHOWN_FOR = 6_000;
const MOST = 4;

export class Notices {
  #standing = new Map();

  // Shows a text for a while.
  say(text) {
    const notice = this.#add(text);
    setTimeout(() => notice.remove(), SHOWN_FOR);
  }

  // Shows a text until `drop(key)`.
  stand(key, text) {
    if (this.#standing.get(key)?.textContent === text) return;
    this.drop(key);
    const notice = this.#add(text);
    notice.classList.add('standing');
    this.#standing.set(key, notice);
  }

  drop(key) {
    this.#standing.get(key)?.remove();
    return this.#standing.delete(key);
  }

  #add(text) {
    const notice = element('p', { className: 'notice' }, text);
    $('notices').append(notice);
    const passing = [...$('notices').querySelectorAll('.notice:not(.standing)')];
    for (const old of passing.slice(0, Math.max(0, passing.length - MOST))) old.remove();
    return notice;
  }
}
