// The network between two pages, as a UDP relay that can be cut: what the pages tell each other of their addresses is
// rewritten on its way to the server, so that every packet passes here.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HERE = '127.0.0.1';

export class Path {
  #ends = [];
  #cut = false;
  // The types of all signaling messages so far, by page.
  said = { a: [], b: [] };

  // To be given to Person.visit() as `route`: the page is this end of the path.
  route(side) {
    return async (socket) => {
      const server = socket.connectToServer();
      let queue = Promise.resolve();
      socket.onMessage((text) => {
        queue = queue.then(async () => {
          const rewritten = await this.#rewrite(side, JSON.parse(text));
          if (rewritten) server.send(JSON.stringify(rewritten));
        });
      });
    };
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
    if (message.type !== 'new-ice-candidate' || !message.candidate) return message;
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
