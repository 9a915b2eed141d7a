// Who is logged in, from whole lists (`userlist`) and from changes (`userlist-delta`).

export class UserList {
  #names = [];
  // Who is not here, but can be rung by push.
  #away = [];
  // The number of the last delta in it; null from a server that sends none, and while a list is awaited.
  #seq = null;

  // The names of a whole list.
  replace({ users, away = [], seq }) {
    this.#names = users;
    this.#setAway(away);
    this.#seq = seq;
    return users;
  }

  // {users} after the change; {missing: true}, once, if one before it did not come, so that a list has to be asked for; else {}.
  apply({ seq, left, away = [], renamed, joined }) {
    if (this.#seq === null || seq <= this.#seq) return {};
    if (seq !== this.#seq + 1) {
      this.#seq = null;
      return { missing: true };
    }
    this.#seq = seq;
    const gone = new Set(left);
    const now = new Map(renamed);
    // All at once: two people may have changed names.
    const kept = this.#names.filter((name) => !gone.has(name)).map((name) => now.get(name) ?? name);
    this.#names = [...new Set([...kept, ...joined])];
    this.#setAway([...this.#away.filter((name) => !gone.has(name)), ...away]);
    return { users: this.#names };
  }

  get away() {
    return this.#away;
  }

  #setAway(names) {
    const here = new Set(this.#names);
    this.#away = [...new Set(names)].filter((name) => !here.has(name));
  }
}
