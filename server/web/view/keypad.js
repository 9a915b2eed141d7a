// The keys of a phone in a call (DTMF), for whoever answers by a menu.

import { $, element, setLabel } from '../dom.js';

const KEYS = [...'123456789*0#'];
// So many of those that were pressed are shown.
const SHOWN = 32;

export class KeypadView {
  #pressed = '';

  // `press(key)` hears a key, and says whether it was sent; `opened()` that the keys are shown.
  constructor(t, { press, opened }) {
    setLabel($('keypad-toggle'), t('keypad'));
    setLabel($('keypad'), t('keypad'));
    $('keypad-toggle').onclick = () => {
      if (this.toggle()) opened();
    };
    $('keypad-keys').replaceChildren(...KEYS.map((key) => {
      const button = element('button', { type: 'button' }, key);
      button.onclick = () => press(key) && this.#show(this.#pressed + key);
      return button;
    }));
  }

  toggle(open = $('keypad').hidden) {
    $('keypad').hidden = !open;
    $('keypad-toggle').setAttribute('aria-expanded', String(open));
    return open;
  }

  // Another call begins, or this one is over.
  clear() {
    this.toggle(false);
    this.#show('');
  }

  #show(pressed) {
    this.#pressed = pressed.slice(-SHOWN);
    $('keypad-pressed').textContent = this.#pressed;
  }
}
