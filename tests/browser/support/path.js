// The network between two peers, as a UDP relay that can be cut: what they tell each other of their addresses is
// rewritten on its way to the server, so that every packet passes here.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HERE = '127.0.0.1';

export class Path {
  #ends = [];
  #cut = false;
  // The types of all signaling messages so far, by end.
  said = { a: [], b: [] };

  // To be given to Person.visit() as `route`: the page is this end of the path. `other` names the end whose messages come from the
  // server, where that is no page.
  route(side, other = null) {
    return async (socket) => {
      const server = socket.connectToServer();
      this.#carry(side, socket, server);
      if (other) this.#carry(other, server, socket);
    };
  }

  #carry(side, from, to) {
    let queue = Promise.resolve();
    from.onMessage((text) => {
      queue = queue.then(async () => {
        const rewritten = await this.#rewrite(side, JSON.parse(text));
        if (rewritten) to.send(JSON.stringify(rewritten));
      });
    });
  }

  cut() {
    this.#cut = true;
  }

  mend() {
    this.#cut = false;
  }

  close() {
    for (const { socket } of this.#ends.splice(0)) socket.close();
  }

  async #rewrite(side, message) {
    this.said[side].push(message.type);
    if (message.type.startsWith('video-')) {
      message.sdp.sdp = message.sdp.sdp.replace(/^a=candidate:.*\r\n/gm, '');
    }
    // An empty one ends a generation.
    if (message.type !== 'new-ice-candidate' || !message.candidate?.candidate) return message;
    // foundation component protocol priority address port …
    const words = message.candidate.candidate.split(' ');
    if (words[2].toLowerCase() !== 'udp' || words[4] !== HERE) return null;
    words[5] = await this.#end(side, Number(words[5]));
    message.candidate.candidate = words.join(' ');
    return message;
  }

  // The port that stands for this port of this side.
  async #end(side, port) {
    const known = this.#ends.find((end) => end.side === side && end.port === port);
    if (known) return known.socket.address().port;
    const socket = createSocket('udp4');
    const end = { side, port, socket };
    socket.on('message', (packet, from) => {
      const sender = this.#ends.find((one) => one.side !== side && one.port === from.port);
      if (sender && !this.#cut) sender.socket.send(packet, port, HERE);
    });
    socket.bind(0, HERE);
    await once(socket, 'listening');
    this.#ends.push(end);
    return socket.address().port;
  }
}
