// The check of the other end in a call: four pictures to compare by voice, and what is known.

import { $, element, setLabel } from '../dom.js';
import { verdictOf, wordOf } from '../verification.js';

export class VerificationView {
  #t;
  #tellDoubt;
  #with = '';
  #known = false;
  /** @type {import('../verification.js').Verification | null} */
  #check = null;
  // What the person compared; other words are another connection's.
  /** @type {string | null} */
  #answered = null;

  // `confirm(same)` hears what the person found, `opened()` that the words are shown, `tellDoubt(text)` what may mean that somebody is in
  // between, or null.
  constructor(t, { confirm, opened, tellDoubt }) {
    this.#t = t;
    this.#tellDoubt = tellDoubt;
    setLabel($('verification-toggle'), t('verification'));
    $('verification-toggle').onclick = () => {
      if (this.toggle()) opened();
    };
    for (const [id, same] of /** @type {const} */ ([['verification-same', true], ['verification-different', false]])) {
      $(id).onclick = () => {
        this.#answered = String(this.#check?.words);
        confirm(same);
        this.#draw();
        $('verification-toggle').focus();
      };
    }
  }

  // How far the check is; null where there is none. `known`: a device of theirs was checked before.
  show(check, { name = '', known = false } = {}) {
    this.#check = check;
    this.#with = name;
    this.#known = known;
    if (!check) {
      this.#answered = null;
      this.toggle(false);
    }
    this.#draw();
  }

  toggle(open = $('verification').hidden) {
    $('verification').hidden = !open;
    $('verification-toggle').setAttribute('aria-expanded', String(open));
    return open;
  }

  #draw() {
    const check = this.#check;
    $('verification-toggle').hidden = check === null;
    if (!check) {
      delete $('verification').dataset.result;
      return this.#tellDoubt(null);
    }
    const answered = check.words !== null && this.#answered === String(check.words);
    const { key, trust, canAnswer } = verdictOf(check, { answered, known: this.#known });
    const text = this.#t(key, { name: this.#with });
    $('verification-toggle').dataset.trust = $('verification').dataset.trust = trust;
    $('verification').dataset.result = check.result;
    const words = (check.words ?? []).map((index) => wordOf(index, this.#t.lang)).map(({ emoji, name }) => element(
      'li', {}, element('span', { className: 'emoji', attributes: { 'aria-hidden': 'true' } }, emoji), element('span', {}, name),
    ));
    $('verification-words').replaceChildren(...words);
    $('verification-text').textContent = text;
    $('verification-choices').hidden = !canAnswer;
    this.#tellDoubt(trust === 'doubtful' ? text : null);
  }
}
