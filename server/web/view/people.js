// Who is here. A click or Enter on a name calls.

import { $, element, icon } from '../dom.js';
import { decimal, hueOf, initial, searchable } from '../format.js';
import { VirtualList } from './virtual-list.js';

// From so many others on the list can be searched.
const SEARCHED_FROM = 8;

export function avatar(name) {
  // The letter is a picture, made by style.css: it is no part of what stands there.
  return element('span', { className: `avatar hue-${hueOf(name)}`, attributes: { 'aria-hidden': 'true', 'data-initial': initial(name) } });
}

export class PeopleView {
  #t;
  #call;
  #setBlocked;
  #list;
  #users = [];
  #me = '';
  #canCall = false;
  #blocked = new Set();
  #away = new Set();

  // `call(name)` hears whom to call, `setBlocked(name, block)` from whom nothing is wanted any more, or again.
  constructor(t, { call, setBlocked }) {
    this.#t = t;
    this.#call = call;
    this.#setBlocked = setBlocked;
    this.#list = new VirtualList($('people-scroll'), $('people-list'), {
      make: (name) => this.#row(name),
      draw: (row, name) => this.#draw(row, name),
    });
    $('people-search').oninput = () => {
      $('people-scroll').scrollTop = 0;
      this.#show();
    };
  }

  // `canCall` is false while there is a call or no server; `blocked` is a set of names; `away` are those who are not here, but can be rung.
  show(users, me, canCall, blocked, away = []) {
    this.#users = users;
    this.#away = new Set(away);
    this.#me = me;
    this.#canCall = canCall;
    this.#blocked = blocked;
    this.#show();
  }

  #show() {
    const [users, me] = [this.#users, this.#me];
    const here = users.filter((name) => name !== me);
    const others = [...here, ...this.#away];
    $('people-search').hidden = others.length < SEARCHED_FROM;
    const wanted = $('people-search').hidden ? '' : searchable($('people-search').value.trim());
    const found = wanted ? others.filter((name) => searchable(name).includes(wanted)) : others;
    $('people-hint').classList.toggle('optional', found.length > 0);
    $('people-hint').textContent = this.#t(!others.length ? 'people.alone' : found.length ? 'people.hint' : 'people.not-found');
    $('people-count').textContent = decimal(users.length, this.#t.locale);
    this.#list.show(here.length === users.length || wanted ? found : [me, ...found]);
  }

  #row(name) {
    const label = element('span', { className: 'person-name' }, element('bdi', {}, name));
    if (name === this.#me) {
      const you = element('span', { className: 'tag' }, this.#t('people.you'));
      return element('li', {}, element('span', { className: 'person me' }, avatar(name), label, you));
    }
    const person = element(
      'button', { type: 'button', className: 'person', attributes: { 'aria-label': this.#t('people.call', { name }) } },
      avatar(name), label, icon('call'),
    );
    person.onclick = () => this.#call(name);
    const block = element('button', { type: 'button', className: 'block' }, icon('block'));
    block.onclick = () => this.#setBlocked(name, !this.#blocked.has(name));
    return element('li', {}, person, block);
  }

  #draw(row, name) {
    const [person, block] = row.querySelectorAll('button');
    const isMe = name === this.#me;
    if (isMe !== !person) {
      // The server gave us another name, or somebody has ours of before.
      row.replaceChildren(...this.#row(name).children);
      return this.#draw(row, name);
    }
    if (isMe) return;
    person.querySelector('bdi').textContent = this.#away.has(name) ? this.#t('people.away', { name }) : name;
    const isBlocked = this.#blocked.has(name);
    person.disabled = !this.#canCall || isBlocked;
    row.classList.toggle('blocked', isBlocked);
    if (block.getAttribute('aria-pressed') === String(isBlocked)) return;
    const text = this.#t(isBlocked ? 'people.unblock' : 'people.block', { name });
    block.title = text;
    block.setAttribute('aria-label', text);
    block.setAttribute('aria-pressed', String(isBlocked));
  }
}
