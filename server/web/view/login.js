// The first view: a name, and in.

import { $, remembered } from '../dom.js';
import { MAX_NAME_CHARS, countChars } from '../message.js';

// The Network Information API, which not every browser has.
const savesData = () => /** @type {any} */ (navigator).connection?.saveData === true;

export class LoginView {
  #t;

  // `enter(name)` hears who wants in.
  constructor(t, { enter }) {
    this.#t = t;
    $('name').value = remembered.get('name') ?? '';
    $('save-data').checked = (remembered.get('save-data') ?? String(savesData())) === 'true';
    $('save-data').onchange = () => remembered.set('save-data', $('save-data').checked);
    if (!globalThis.RTCPeerConnection) this.#hint('login.no-webrtc');
    else if (!navigator.mediaDevices?.getUserMedia) this.#hint('login.insecure');
    $('login').onsubmit = (event) => {
      event.preventDefault();
      const name = $('name').value.trim();
      const chars = countChars(name);
      if (chars < 1 || chars > MAX_NAME_CHARS || /\p{Cc}/u.test(name)) return this.show('bad-name');
      remembered.set('name', name);
      enter(name);
    };
  }

  get savesData() {
    return $('save-data').checked;
  }

  // Shows it, with why the last login failed.
  /** @param {string | null} why */
  show(why = null) {
    $('welcome').hidden = false;
    this.#busy(false);
    $('login-error').textContent = why ? this.#t(`login.${why}`) : '';
    $('name').setAttribute('aria-invalid', String(why === 'bad-name'));
    $('name').focus();
  }

  wait() {
    $('login-error').textContent = '';
    this.#busy(true);
  }

  hide() {
    $('welcome').hidden = true;
    this.#busy(false);
  }

  #busy(busy) {
    $('enter').disabled = busy;
    $('enter').textContent = this.#t(busy ? 'login.entering' : 'login.enter');
  }

  #hint(key) {
    $('login-hint').textContent = this.#t(key);
    $('login-hint').hidden = false;
  }
}
