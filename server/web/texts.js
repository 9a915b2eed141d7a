// Which of its languages the page speaks, and how it looks up what it says. Which one: `?lang=`, else the browser's.

import { WORDS } from './words.js';

// The first of the wanted languages that the page speaks; any Portuguese is better served by ours than by English.
/** @param {string | null} asked @param {readonly string[]} preferred @returns {'en' | 'pt-BR'} */
export function chooseLanguage(asked, preferred) {
  for (const wanted of [asked, ...preferred]) {
    const primary = wanted?.toLowerCase().split(/[-_]/)[0];
    if (primary === 'pt') return 'pt-BR';
    if (primary === 'en') return 'en';
  }
  return 'en';
}

// A function from a key and its values to the text. `t.lang` is the language, `t.locale` the browser's own kind of it, for
// times and numbers.
/** @param {'en' | 'pt-BR'} lang @param {readonly string[]} preferred */
export function textsIn(lang, preferred = []) {
  const texts = WORDS[lang];
  const t = (key, values = {}) => {
    if (!Object.hasOwn(texts, key)) throw new RangeError(`no text for ${key}`);
    return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
  t.lang = lang;
  t.locale = preferred.find((one) => one.split('-')[0] === lang.split('-')[0]) ?? lang;
  t.has = (key) => Object.hasOwn(texts, key);
  return t;
}
