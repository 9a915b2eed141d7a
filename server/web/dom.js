// Small helpers for the document. Text goes in as text and never as markup.

/**
 * The element of the page that has this id.
 * @template {keyof ElementsById} Id
 * @param {Id} id
 * @returns {ElementsById[Id]}
 */
export const $ = (id) => /** @type {any} */ (document.getElementById(id));

/**
 * An element with properties and children; a child that is a string becomes text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown> & {attributes?: Record<string, string>}} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, { attributes = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A picture of the sprite in icons.svg.
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `icons.svg#${name}`);
  svg.append(use);
  return svg;
}

// Puts the texts of the language into the document: `data-t` is an element's text, `data-t-label` its label for everybody.
export function translate(t, root = document) {
  root.documentElement.lang = t.lang;
  /** @type {(selector: string) => NodeListOf<any>} */
  const all = (selector) => root.querySelectorAll(selector);
  for (const one of all('[data-t]')) one.textContent = t(one.dataset.t);
  for (const one of all('[data-t-label]')) setLabel(one, t(one.dataset.tLabel));
  for (const one of all('[data-t-placeholder]')) one.placeholder = t(one.dataset.tPlaceholder);
}

export function setLabel(control, text) {
  control.setAttribute('aria-label', text);
  if (control.matches('button')) control.title = text;
}

// A setting that survives the visit, where the browser lets pages keep any.
export const remembered = {
  get: (key, store = 'localStorage') => quietly(() => globalThis[store].getItem(`chamada.${key}`)),
  set: (key, value, store = 'localStorage') => quietly(() => globalThis[store].setItem(`chamada.${key}`, value)),
  remove: (key, store = 'localStorage') => quietly(() => globalThis[store].removeItem(`chamada.${key}`)),
};

function quietly(work) {
  try {
    return work() ?? null;
  } catch (error) {
    console.debug('storage:', error.message);
    return null;
  }
}
