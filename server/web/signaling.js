// The session with the signaling server, over as many connections as it takes: log in, be renamed, come back after a loss.
//
// Everything from outside is handed in: `open()` makes a WebSocket (or what looks like one), `clock` has now() in milliseconds
// since 1970, random() from 0 to 1, and setTimer(work, ms) and clearTimer(timer). What happens is told to `tell(event)`:
// {kind: 'logged-in', name, iceServers, push}, 'renamed' {wanted, name}, 'users' {users}, 'chat' {from, text, date}, 'call' {message},
// 'refused' {code, for}, 'ice-servers' {iceServers}, 'away' {names}, 'push' {platform}, 'reconnecting' {attempt}, 'closed' {why: null | 'unreachable' | 'bad-name' | 'full' | 'token'}.

import { readMessage } from './message.js';
import { UserList } from './user-list.js';

export const LOGIN_TIMEOUT = 10_000;
const QUEUE_LEN = 64;
// A frame has at most 64 KiB, also after the sender's name was written in.
const MAX_MESSAGE_BYTES = 64 * 1024 - 512;
const FIRST_WAIT = 400;
const LONGEST_WAIT = 12_000;
// Close codes: the first frees the name at once, any code of our own keeps it for a while.
const LOG_OUT = 1000;
const COME_BACK = 4000;
// Keeps name and call for some seconds, and then the server hangs up for us.
const RELOADING = 4001;

// The wait before attempt number `attempt` (from 1): doubles up to a cap; `random` decides its upper half.
export function retryDelay(attempt, random) {
  const ceiling = Math.min(FIRST_WAIT * 2 ** Math.min(attempt - 1, 16), LONGEST_WAIT);
  return ceiling * (0.5 + 0.5 * random);
}

const bytesOf = (message) => new TextEncoder().encode(JSON.stringify(message)).length;

export class Session {
  #open;
  #clock;
  #tell;
  /** @type {WebSocket | null} */
  #socket = null;
  #timer = null;
  // down, await-id, await-list, in, closed
  #state = 'down';
  #name;
  #id = 0;
  #iceServers = [];
  /** @type {string | null} */
  #token = null;
  #everIn = false;
  #attempt = 0;
  #queue = [];
  #users = new UserList();
  #toldAway = '';
  // From whom nothing is wanted; `knowsBlock` says whether the server keeps that too: an old one would tell everybody.
  #blocked = new Set();
  #knowsBlock = false;

  // Says who we are, where the server wants to know (a JWT); `unused` is the resume token of a login that it refused.
  #auth;
  /** @type {string | null} */
  #unused = null;
  /** @type {string | null} */
  #nextToken = null;
  #authRefused = false;

  // Names the installation; what is to be registered for push at each login; how the server can ring us by push.
  #device;
  #registration = null;
  /** @type {{platforms: string[]} | null} */
  #push = null;

  /**
   * `resume` is what `suspend()` gave before the page was loaded anew.
   * @param {string} name
   * @param {{open: () => WebSocket, clock: object, tell: (event: object) => void, blocked?: Iterable<string>, auth?: string | null,
   *   resume?: string | null, device?: string | null}} options
   */
  constructor(name, { open, clock, tell, blocked = [], auth = null, resume = null, device = null }) {
    this.#name = name;
    this.#token = resume;
    this.#device = device;
    this.#auth = auth;
    this.#blocked = new Set(blocked);
    this.#open = open;
    this.#clock = clock;
    this.#tell = tell;
    this.#connect();
  }

  get name() {
    return this.#name;
  }

  // Sends a message, or keeps it until we are logged in again. Chat and calls look alike here. False if it is too long for any
  // server, and so is not sent.
  send(message) {
    if (this.#state === 'closed') return true;
    if (bytesOf(message) > MAX_MESSAGE_BYTES) return false;
    if (this.#state === 'in') {
      this.#transmit(message);
    } else {
      if (this.#queue.length >= QUEUE_LEN) this.#queue.shift();
      this.#queue.push(message);
    }
    return true;
  }

  // Offers and chat lines of this person are dropped from now on, or no longer.
  setBlocked(name, block) {
    if (block) this.#blocked.add(name);
    else this.#blocked.delete(name);
    if (this.#state === 'in' && this.#knowsBlock) this.#write({ type: block ? 'block' : 'unblock', name });
  }

  // Another token in place of one that has expired.
  setAuth(auth) {
    this.#auth = auth;
    if (this.#state === 'in') this.#write(this.#username(null));
    else if (this.#state === 'await-list' && this.#authRefused) this.#askToComeIn();
  }

  // Has the server ring this browser by push while the page is closed: a PushSubscription's JSON, or null to take it back.
  setPush(subscription) {
    this.#registration = subscription && { type: 'push-register', platform: 'webpush', endpoint: subscription.endpoint, keys: subscription.keys };
    if (this.#state !== 'in' || !this.#push) return;
    if (this.#registration) this.#register();
    else this.#write({ type: 'push-unregister' });
  }

  #register() {
    if (this.#registration && this.#push?.platforms.includes('webpush')) this.#write(this.#registration);
  }

  // The network changed: what we have is not worth waiting for.
  reconnectNow() {
    if (this.#state === 'closed' || !this.#everIn) return;
    this.#attempt = 0;
    this.#drop();
    this.#tell({ kind: 'reconnecting', attempt: 0 });
    this.#connect();
  }

  // The page is about to go, and may come back at once. Gives what lets it come back.
  suspend() {
    const token = this.#state === 'in' ? this.#token : this.#unused ?? this.#token;
    this.#drop(RELOADING);
    return token;
  }

  // Logs out; the server frees the name at once.
  close() {
    this.#close(null);
  }

  #connect() {
    this.#state = 'await-id';
    const socket = this.#open();
    this.#socket = socket;
    const ifCurrent = (work) => (event) => {
      if (this.#socket === socket) work(event);
    };
    socket.onmessage = ifCurrent(({ data }) => this.#frame(data));
    // An error is always followed by a close.
    socket.onclose = ifCurrent(() => this.#lost());
    this.#after(LOGIN_TIMEOUT, () => this.#lost());
  }

  #frame(data) {
    let message;
    try {
      message = readMessage(data);
    } catch (error) {
      console.warn('a frame of the server could not be read:', error.message);
      return;
    }
    if (['message', 'video-offer'].includes(message?.type) && this.#blocked.has(message.name)) return;
    switch (message?.type) {
      case undefined: break;
      case 'id': this.#greeted(message); break;
      case 'rejectusername': if (message.id === this.#id) this.#renamed(message.name); break;
      case 'userlist': this.#listed(this.#users.replace(message)); break;
      case 'userlist-delta': this.#changed(message); break;
      case 'ice-servers': this.#tell({ kind: 'ice-servers', iceServers: this.#iceServers = message.iceServers }); break;
      case 'push-registered': this.#tell({ kind: 'push', platform: message.platform }); break;
      case 'message': this.#tell({ kind: 'chat', from: message.name, text: message.text, date: message.date }); break;
      case 'error': this.#refused(message); break;
      default: this.#tell({ kind: 'call', message });
    }
  }

  #changed(delta) {
    const { users, missing } = this.#users.apply(delta);
    if (missing) this.#write({ type: 'userlist-request' });
    if (users) this.#listed(users);
  }

  #greeted({ id, iceServers, resume, features, push }) {
    if (this.#state !== 'await-id') return;
    this.#state = 'await-list';
    this.#id = id;
    this.#iceServers = iceServers;
    this.#knowsBlock = features.includes('block');
    this.#push = push;
    this.#nextToken = resume;
    this.#askToComeIn();
  }

  #askToComeIn() {
    this.#authRefused = false;
    this.#write(this.#username(this.#token));
    this.#unused = this.#token;
    this.#token = this.#nextToken;
  }

  #username(resume) {
    const username = { type: 'username', name: this.#name, id: this.#id, date: this.#clock.now(), features: ['user-delta', 'push'] };
    if (resume) username.resume = resume;
    if (this.#auth) username.token = this.#auth;
    if (this.#device) username.device = this.#device;
    return username;
  }

  #renamed(name) {
    const wanted = this.#name;
    this.#name = name;
    if (wanted !== name) this.#tell({ kind: 'renamed', wanted, name });
  }

  #listed(users) {
    // That the list holds our name is the one sign of a login that old servers give too.
    if (this.#state === 'await-list' && users.includes(this.#name)) {
      this.#state = 'in';
      this.#everIn = true;
      this.#attempt = 0;
      this.#clearTimer();
      if (this.#knowsBlock) for (const name of this.#blocked) this.#write({ type: 'block', name });
      this.#register();
      // What waited goes before anything that is said because we are back.
      for (const message of this.#queue.splice(0)) this.#transmit(message);
      this.#tell({ kind: 'logged-in', name: this.#name, iceServers: this.#iceServers, push: this.#push });
    }
    if (this.#state !== 'in') return;
    if (this.#users.away.join('\n') !== this.#toldAway) {
      this.#toldAway = this.#users.away.join('\n');
      this.#tell({ kind: 'away', names: this.#users.away });
    }
    this.#tell({ kind: 'users', users });
  }

  #refused(error) {
    const loggingIn = this.#state === 'await-list' || this.#state === 'await-id';
    const aboutName = error.code === 'bad-name' || (error.code === 'too-large' && error.for === 'username');
    if (loggingIn && aboutName) return this.#close('bad-name');
    if (loggingIn && error.code === 'full') return this.#everIn ? this.#lost() : this.#close('full');
    if (loggingIn && ['unauthorized', 'token-expired'].includes(error.code)) {
      if (!this.#everIn) return this.#close('token');
      // The place is not lost with it: the next login shows the same resume token.
      this.#token = this.#unused;
      this.#authRefused = true;
    }
    const aboutCall = error.call || (error.for && !['message', 'username', 'push-register', 'push-unregister'].includes(error.for));
    this.#tell(aboutCall ? { kind: 'call', message: error } : { kind: 'refused', code: error.code, for: error.for ?? null });
  }

  #lost() {
    this.#drop();
    if (!this.#everIn) return this.#close('unreachable');
    this.#attempt += 1;
    this.#after(retryDelay(this.#attempt, this.#clock.random()), () => this.#connect());
    this.#tell({ kind: 'reconnecting', attempt: this.#attempt });
  }

  #close(why) {
    if (this.#state === 'closed') return;
    this.#drop(LOG_OUT);
    this.#state = 'closed';
    this.#tell({ kind: 'closed', why });
  }

  #drop(code = COME_BACK) {
    this.#clearTimer();
    const socket = this.#socket;
    this.#socket = null;
    this.#state = 'down';
    socket?.close(code);
  }

  // Writes our number and name of this moment into a message, since both may have changed while it waited.
  #transmit(message) {
    const own = message.type === 'message' ? { id: this.#id, date: this.#clock.now() } : { name: this.#name };
    this.#write({ ...message, ...own });
  }

  #write(message) {
    this.#socket?.send(JSON.stringify(message));
  }

  #after(ms, work) {
    this.#clearTimer();
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = null;
      work();
    }, ms);
  }

  #clearTimer() {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }
}
