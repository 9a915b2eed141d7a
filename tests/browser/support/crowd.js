// Makes a room crowded: the server's frames on their way to the page get many more names.

export class Crowd {
  names;
  #release;
  #held = new Promise((go) => { this.#release = go; });
  #list = null;
  #send = null;
  #seq = 0;

  constructor(size) {
    this.names = Array.from({ length: size }, (_, i) => `person ${i + 1}`);
  }

  // To be given to Person.visit() as `route`. The first list waits for `arrive()`.
  route = (socket) => {
    const server = socket.connectToServer();
    this.#send = (message) => socket.send(JSON.stringify(message));
    server.onMessage((text) => {
      const message = JSON.parse(text);
      if (message.type !== 'userlist') return socket.send(text);
      this.#seq = message.seq;
      this.#list = { ...message, users: [...message.users, ...this.names] };
      this.#held = this.#held.then(() => this.#send(this.#list));
    });
  };

  // Whether the server has sent a list that waits or has gone on.
  get hasList() {
    return this.#list !== null;
  }

  arrive() {
    this.#release();
  }

  // So many leave, and as many others come.
  change(count) {
    const left = this.names.splice(10, count);
    const joined = left.map((name) => `${name}'`);
    this.names.push(...joined);
    this.#seq += 1;
    this.#send({ type: 'userlist-delta', seq: this.#seq, joined, left, renamed: [] });
  }
}
