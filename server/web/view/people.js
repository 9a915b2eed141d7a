// Who is here. A click or Enter on a name calls.

import { $, element, icon } from '../dom.js';
import { hueOf, initial } from '../format.js';

export function avatar(name) {
  return element('span', { className: `avatar hue-${hueOf(name)}`, attributes: { 'aria-hidden': 'true' } }, initial(name));
}

export class PeopleView {
  #t;
  #call;
  #setBlocked;
  #shown = '';

  // `call(name)` hears whom to call, `setBlocked(name, block)` from whom nothing is wanted any more, or again.
  constructor(t, { call, setBlocked }) {
    this.#t = t;
    this.#call = call;
    this.#setBlocked = setBlocked;
  }

  // `canCall` is false while there is a call or no server; `blocked` is a set of names.
  show(users, me, canCall, blocked) {
    // Whoever stands on a button keeps standing there while nothing changes.
    const shown = JSON.stringify([users, me, canCall, [...blocked]]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = document.activeElement?.closest?.('.person')?.dataset.name;
    const others = users.filter((name) => name !== me);
    const rows = [me, ...others].filter((name) => users.includes(name)).map((name) => this.#row(name, name === me, canCall, blocked.has(name)));
    $('people-list').replaceChildren(...rows);
    $('people-hint').textContent = this.#t(others.length ? 'people.hint' : 'people.alone');
    $('people-count').textContent = String(users.length);
    if (focused !== undefined) {
      [...document.querySelectorAll('button.person')].find((one) => one.dataset.name === focused)?.focus();
    }
  }

  #row(name, isMe, canCall, isBlocked) {
    const label = element('span', { className: 'person-name' }, element('bdi', {}, name));
    if (isMe) {
      const you = element('span', { className: 'tag' }, this.#t('people.you'));
      return element('li', {}, element('span', { className: 'person me' }, avatar(name), label, you));
    }
    const button = element(
      'button',
      { type: 'button', className: 'person', disabled: !canCall || isBlocked, attributes: { 'aria-label': this.#t('people.call', { name }) } },
      avatar(name), label, icon('call'),
    );
    button.dataset.name = name;
    button.onclick = () => this.#call(name);
    const text = this.#t(isBlocked ? 'people.unblock' : 'people.block', { name });
    const block = element(
      'button',
      { type: 'button', className: 'block', title: text, attributes: { 'aria-label': text, 'aria-pressed': String(isBlocked) } },
      icon('block'),
    );
    block.onclick = () => this.#setBlocked(name, !isBlocked);
    return element('li', { className: isBlocked ? 'blocked' : '' }, button, block);
  }
}
