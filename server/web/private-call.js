// What two people of a call send each other besides sound and pictures, over whichever connection the call has: text and files.

import { FileTransfers } from './file-transfers.js';
import { Conversation } from './private-text.js';

export const TEXT_LABEL = 'chamada-text';
export const FILES_LABEL = 'chamada-files';

export class PrivateCall {
  files;
  #conversation;
  /** @type {RTCDataChannel | null} */
  #text = null;
  /** @type {RTCDataChannel | null} */
  #filesChannel = null;
  /** @type {number | undefined} */
  #timer;
  #closed = false;

  // `tell(event)` hears what comes of the text, and that files may be sent; `changed(file)` of each file.
  constructor({ tell, changed }) {
    this.files = new FileTransfers({ changed, available: () => tell({ kind: 'files' }) });
    this.#conversation = new Conversation({
      now: () => performance.now(),
      send: (frame) => this.#text?.readyState === 'open' && this.#text.send(frame),
      tell: (event) => !this.#closed && tell(event),
    });
  }

  // From here on another connection carries the call: its first channels that are open send.
  renew() {
    this.#text = this.#filesChannel = null;
  }

  // A channel of the connection, of either side's. `isCurrent()` says whether it is still that of the call.
  add(channel, isCurrent) {
    channel.binaryType = 'arraybuffer';
    const opened = () => this.#closed || !isCurrent() || this.#open(channel);
    if (channel.readyState === 'open') opened();
    else channel.addEventListener('open', opened);
    channel.addEventListener('message', ({ data }) => {
      if (this.#closed || !isCurrent()) return;
      // The other side's first message may overtake the news that its channel is open.
      opened();
      if (channel.label === FILES_LABEL) this.files.receive(data);
      else this.#conversation.receive(data);
      this.#schedule();
    });
  }

  write(text) {
    const id = this.#conversation.write(text);
    this.#schedule();
    return id;
  }

  typing(on) {
    this.#conversation.typing(on);
  }

  // The call is over.
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.files.close();
  }

  #open(channel) {
    if (channel.label === TEXT_LABEL && this.#text === null) {
      this.#text = channel;
      this.#conversation.connected();
    } else if (channel.label === FILES_LABEL && this.#filesChannel === null) {
      this.#filesChannel = channel;
      this.files.connected(channel);
    }
    this.#schedule();
  }

  #schedule() {
    clearTimeout(this.#timer);
    const at = this.#conversation.timeoutAt();
    if (at === null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#conversation.handleTimeout();
      this.#schedule();
    }, Math.max(0, at - performance.now()));
  }
}
