// Somebody calls. A modal dialog: the browser keeps the focus in it, and Escape declines.

import { $ } from '../dom.js';
import { avatar } from './people.js';

export class IncomingView {
  #t;
  #from = null;

  // `block(name)` declines, too.
  constructor(t, { accept, decline, block }) {
    this.#t = t;
    $('incoming-block').onclick = () => block(this.#from);
    $('accept').onclick = accept;
    $('decline').onclick = decline;
    $('incoming').oncancel = (event) => {
      event.preventDefault();
      decline();
    };
  }

  show(name) {
    this.#from = name;
    $('incoming-avatar').replaceChildren(avatar(name));
    $('incoming-text').textContent = this.#t('incoming', { name });
    if (!$('incoming').open) $('incoming').showModal();
    $('accept').focus();
  }

  // Whether it was there.
  hide() {
    const isOpen = $('incoming').open;
    if (isOpen) $('incoming').close();
    return isOpen;
  }
}
