// Makes two calls cross: each side's first offer waits on its way to the server until the other's is there too.

export class Glare {
  #waiting = [];
  #said = [];

  // From now on the next two offers wait for each other.
  prepare() {
    this.#said = [];
  }

  // To be given to Person.visit() as `route`.
  route(name) {
    return (socket) => {
      const server = socket.connectToServer();
      // What comes after an offer that waits, waits behind it.
      let queue = Promise.resolve();
      socket.onMessage((text) => {
        const { type } = JSON.parse(text);
        this.#said.push({ name, type });
        if (type === 'video-offer' && this.said(type).length <= 2) queue = queue.then(() => this.#both());
        queue = queue.then(() => server.send(text));
      });
    };
  }

  // Who has sent messages of this type since `prepare()`.
  said(type) {
    return this.#said.filter((one) => one.type === type).map((one) => one.name);
  }

  #both() {
    return new Promise((go) => {
      this.#waiting.push(go);
      if (this.#waiting.length === 2) for (const release of this.#waiting.splice(0)) release();
    });
  }
}
