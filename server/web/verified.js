// Whose devices were checked: for each person of a room a secret of each of their last devices, kept in this browser.

import { MAX_SECRETS } from './verification.js';

// As many as a person will ever compare words with.
const MAX_PEOPLE = 1_000;
const KEY = 'verified';

export class VerifiedPeople {
  #store;
  #room;
  /** @type {{room: string, name: string, secrets: string[]}[]} */
  #people;

  // `store` has get(key) and set(key, text); a name is somebody else's in another `room`.
  constructor(store, room) {
    this.#store = store;
    this.#room = room;
    this.#people = read(store.get(KEY));
  }

  secretsOf(name) {
    return (this.#find(name)?.secrets ?? []).map(bytesOf);
  }

  // One more device of this person, in the place of the oldest if there are too many.
  add(name, secret) {
    const known = this.#find(name);
    const secrets = [hexOf(secret), ...(known?.secrets ?? [])].slice(0, MAX_SECRETS);
    this.#people = [{ room: this.#room, name, secrets }, ...this.#people.filter((one) => one !== known)].slice(0, MAX_PEOPLE);
    this.#store.set(KEY, JSON.stringify(this.#people));
  }

  #find(name) {
    return this.#people.find((one) => one.room === this.#room && one.name === name);
  }
}

// What cannot be read is nobody.
function read(json) {
  try {
    const people = JSON.parse(json ?? '[]');
    return Array.isArray(people) ? people.filter(isPerson).slice(0, MAX_PEOPLE) : [];
  } catch (error) {
    console.debug('people who were checked:', error.message);
    return [];
  }
}

function isPerson(one) {
  const isSecret = (secret) => typeof secret === 'string' && /^[0-9a-f]{64}$/.test(secret);
  return typeof one?.room === 'string' && typeof one.name === 'string' && Array.isArray(one.secrets) && one.secrets.every(isSecret);
}

const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
