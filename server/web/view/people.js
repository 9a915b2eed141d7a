// Who is here. A click or Enter on a name calls.

import { $, element, icon } from '../dom.js';
import { hueOf, initial } from '../format.js';

export function avatar(name) {
  return element('span', { className: `avatar hue-${hueOf(name)}`, attributes: { 'aria-hidden': 'true' } }, initial(name));
}

export class PeopleView {
  #t;
  #call;
  #shown = '';

  // `call(name)` hears whom to call.
  constructor(t, { call }) {
    this.#t = t;
    this.#call = call;
  }

  // `canCall` is false while there is a call or no server.
  show(users, me, canCall) {
    // Whoever stands on a button keeps standing there while nothing changes.
    const shown = JSON.stringify([users, me, canCall]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = document.activeElement?.closest?.('.person')?.dataset.name;
    const others = users.filter((name) => name !== me);
    const rows = [me, ...others].filter((name) => users.includes(name)).map((name) => this.#row(name, name === me, canCall));
    $('people-list').replaceChildren(...rows);
    $('people-hint').textContent = this.#t(others.length ? 'people.hint' : 'people.alone');
    $('people-count').textContent = String(users.length);
    if (focused !== undefined) {
      [...document.querySelectorAll('button.person')].find((one) => one.dataset.name === focused)?.focus();
    }
  }

  #row(name, isMe, canCall) {
    const label = element('span', { className: 'person-name' }, element('bdi', {}, name));
    if (isMe) {
      const you = element('span', { className: 'tag' }, this.#t('people.you'));
      return element('li', {}, element('span', { className: 'person me' }, avatar(name), label, you));
    }
    const button = element(
      'button',
      { type: 'button', className: 'person', disabled: !canCall, attributes: { 'aria-label': this.#t('people.call', { name }) } },
      avatar(name), label, icon('call'),
    );
    button.dataset.name = name;
    button.onclick = () => this.#call(name);
    return element('li', {}, button);
  }
}
