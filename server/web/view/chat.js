// The public chat: lines with their time, arrivals and departures. What people write is text and stays text.

import { $, element } from '../dom.js';
import { clockTime } from '../format.js';
import { MAX_TEXT_CHARS, countChars } from '../message.js';
import { avatar } from './people.js';

const MAX_LINES = 500;

export class ChatView {
  #t;
  #online = false;
  #lastFrom = null;
  #atEnd = true;
  #waitsForFrame = false;

  // `send(text)` hears what to say.
  constructor(t, { send }) {
    this.#t = t;
    $('chat-text').oninput = () => this.#count();
    $('chat-form').onsubmit = (event) => {
      event.preventDefault();
      const text = $('chat-text').value.trim();
      if ($('chat-send').disabled || !text) return;
      send(text);
      $('chat-text').value = '';
      this.#count();
    };
    this.#count();
    // A log that becomes lower, as in a call, keeps its end in sight.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe($('chat-log'));
    $('chat-log').onscroll = () => { this.#atEnd = distanceToEnd() < 80; };
  }

  clear() {
    $('chat-lines').replaceChildren();
    this.#lastFrom = null;
    this.system(this.#t('chat.welcome'));
  }

  setOnline(online) {
    this.#online = online;
    this.#count();
  }

  // Somebody said something.
  line({ from, text, date, own }) {
    const follows = from !== null && from === this.#lastFrom;
    const time = new Date(date ?? Date.now());
    const when = Number.isNaN(time.getTime()) ? new Date() : time;
    const head = element(
      'span', { className: 'line-head' },
      element('bdi', { className: 'line-name' }, from ?? '?'),
      element('time', { dateTime: when.toISOString() }, clockTime(when, this.#t.locale)),
    );
    const body = element('span', { className: 'line-body' }, head, element('span', { className: 'line-text', dir: 'auto' }, text));
    const line = element('li', { className: `line${own ? ' own' : ''}${follows ? ' follows' : ''}` }, avatar(from ?? '?'), body);
    this.#add(line);
    this.#lastFrom = from;
  }

  // Something happened.
  system(text) {
    const now = new Date();
    this.#add(element(
      'li', { className: 'system' },
      element('span', {}, text), ' ', element('time', { dateTime: now.toISOString() }, clockTime(now, this.#t.locale)),
    ));
    this.#lastFrom = null;
  }

  #add(line) {
    const lines = $('chat-lines');
    lines.append(line);
    while (lines.children.length > MAX_LINES) lines.firstElementChild?.remove();
    if (this.#atEnd || line.classList.contains('own')) this.#toEnd();
  }

  // Once for all lines of a frame.
  #toEnd() {
    if (this.#waitsForFrame) return;
    this.#waitsForFrame = true;
    requestAnimationFrame(() => {
      this.#waitsForFrame = false;
      $('chat-log').scrollTop = $('chat-log').scrollHeight;
    });
  }

  #count() {
    const count = countChars($('chat-text').value.trim());
    const tooLong = count > MAX_TEXT_CHARS;
    $('chat-count').textContent = `${count}/${MAX_TEXT_CHARS}`;
    $('chat-count').setAttribute('aria-label', this.#t('chat.count', { count, limit: MAX_TEXT_CHARS }));
    $('chat-count').classList.toggle('near', count > MAX_TEXT_CHARS * 0.75);
    $('chat-count').classList.toggle('over', tooLong);
    $('chat-text').setAttribute('aria-invalid', String(tooLong));
    $('chat-send').disabled = !this.#online || tooLong || count === 0;
  }
}

function distanceToEnd() {
  const { scrollHeight, scrollTop, clientHeight } = $('chat-log');
  return scrollHeight - scrollTop - clientHeight;
}
