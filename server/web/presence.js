// Who arrived and who left, from one list of people to the next. Whoever only comes back did neither: after a lost connection, as
// when the server was restarted, everybody is gone for a moment. Times are milliseconds of any clock that does not go back.

// How long after a new login the others may take for theirs: clients wait up to 12 s between two attempts.
const RETURN_TIME = 15_000;

export class Presence {
  // Those of whom it was last told that they are here; null before the first list.
  /** @type {Set<string> | null} */
  #told = null;
  #names = new Set();
  // Until then nobody is said to have left.
  /** @type {number | null} */
  #waitsUntil = null;

  // We are logged in again.
  reconnected(now) {
    if (this.#told) this.#waitsUntil = now + RETURN_TIME;
  }

  // Takes a list; gives who arrived and who left.
  update(now, names) {
    this.#names = new Set(names);
    this.#told ??= new Set(names);
    return this.#changes(now, this.#told);
  }

  // When to call `handleTimeout()`, or null.
  timeoutAt() {
    return this.#waitsUntil;
  }

  handleTimeout(now) {
    return this.#told ? this.#changes(now, this.#told) : { arrived: [], left: [] };
  }

  #changes(now, told) {
    const arrived = [...this.#names].filter((name) => !told.has(name));
    if (this.#waitsUntil !== null && now >= this.#waitsUntil) this.#waitsUntil = null;
    const left = this.#waitsUntil === null ? [...told].filter((name) => !this.#names.has(name)) : [];
    for (const name of arrived) told.add(name);
    for (const name of left) told.delete(name);
    return { arrived, left };
  }
}
