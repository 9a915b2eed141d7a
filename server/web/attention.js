// Tells of a call whoever looks at something else: by the ring, by the page's title, and by a notification where those are allowed
// (https://notifications.spec.whatwg.org/).

import { Ringtone } from './ringtone.js';

export class Attention {
  #t;
  #ringtone = new Ringtone();
  /** @type {Notification | null} */
  #notification = null;
  #isRinging = false;

  constructor(t) {
    this.#t = t;
    this.#setTitle(null);
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      this.#notification?.close();
      if (!this.#isRinging) this.#setTitle(null);
    });
  }

  // Whether people can be asked for notifications: they have not answered yet, and the browser has them for this page.
  get canAsk() {
    return isSecureContext && globalThis.Notification?.permission === 'default';
  }

  async ask() {
    await Notification.requestPermission();
  }

  // Somebody calls.
  ring(name) {
    this.#isRinging = true;
    this.#ringtone.start();
    const text = this.#t('incoming', { name });
    this.#setTitle(text);
    if (document.hidden && globalThis.Notification?.permission === 'granted') this.#notify(text);
  }

  // It rings no more. `missed` is who called in vain, or null.
  quiet(missed = null) {
    this.#isRinging = false;
    this.#ringtone.stop();
    this.#notification?.close();
    this.#notification = null;
    this.#setTitle(document.hidden && missed !== null ? this.#t('end.cancelled-there', { name: missed }) : null);
  }

  #setTitle(text) {
    document.title = text ?? this.#t('title');
  }

  #notify(title) {
    try {
      const notification = new Notification(title, { body: this.#t('incoming.video'), icon: 'icon.svg', tag: 'call', requireInteraction: true });
      notification.onclick = () => {
        window.focus();
        notification.close();
      };
      this.#notification = notification;
    } catch (error) {
      // Browsers of phones have notifications only for service workers.
      console.debug('notification:', error.message);
    }
  }
}
