// A peer that is a browser's RTCPeerConnection and nothing else: stories tell it what to do with its transceivers. It runs on a
// document of the server's that has no scripts.

import assert from 'node:assert/strict';
import { PATIENCE, until } from './person.js';

export class BrowserPeer {
  page;
  name;

  // `route` handles its WebSocket.
  static async enter(browser, server, name, config = {}, route = null) {
    const peer = new BrowserPeer();
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE);
    if (route) await context.routeWebSocket(/.*/, route);
    peer.page = await context.newPage();
    peer.name = name;
    await peer.page.goto(`${server.url}healthz`);
    await peer.page.evaluate(behave, { url: server.webSocketUrl, name, config });
    return peer;
  }

  // Runs in the page, with the connection as `pc`, its tracks as `sound` and `picture`, and `more()`, which makes another picture.
  does(what, ...given) {
    return this.page.evaluate(`(${what})(globalThis.peer, ...${JSON.stringify(given)})`);
  }

  // What it does before its first answer; without this, it adds its tracks.
  beforeAnswer(what) {
    return this.page.evaluate(`globalThis.peer.beforeAnswer = ${what}`);
  }

  async offer(whom = null) {
    await this.page.evaluate((target) => globalThis.peer.offer(target), whom);
  }

  // Waits until an offer and its answer have met.
  async isStable() {
    await this.page.waitForFunction(() => globalThis.peer.pc.remoteDescription && globalThis.peer.pc.signalingState === 'stable');
  }

  // Offers what has changed, and waits for the answer.
  async renegotiate() {
    await this.offer();
    await this.isStable();
  }

  // Pictures decoded and energy of sound (W3C totalAudioEnergy) of all streams so far, also of those whose sections were stopped, and
  // the newest stream's codec.
  received() {
    return this.page.evaluate(async () => {
      const { pc, counted } = globalThis.peer;
      const all = [...(await pc.getStats()).values()];
      let codec = null;
      for (const one of all.filter(({ type }) => type === 'inbound-rtp')) {
        counted.set(`${one.kind} ${one.ssrc}`, one.framesDecoded ?? one.totalAudioEnergy ?? 0);
        if (one.kind === 'video') codec = all.find(({ id }) => id === one.codecId)?.mimeType.toLowerCase() ?? codec;
      }
      const sum = (kind) => [...counted].filter(([key]) => key.startsWith(kind)).reduce((total, [, value]) => total + value, 0);
      return { pictures: sum('video'), energy: sum('audio'), codec };
    });
  }

  hangUp() {
    return this.page.evaluate(() => globalThis.peer.hangUp());
  }

  leave() {
    return this.page.context().close();
  }
}

export const [SOUND, PICTURE] = ['sound', 'picture'];
const BOTH = [SOUND, PICTURE];

// Waits until pictures and sound, or what is asked for, come from now on: `here` at the browser, `there` at the core, the command line.
export async function flows(peer, core, { here = BOTH, there = BOTH } = {}) {
  const looks = [
    [here, () => peer.received()],
    [there, () => receivedBy(core)],
  ];
  for (const [end, [wanted, look]] of looks.entries()) {
    const began = await look();
    let now = began;
    await until(async () => {
      now = await look();
      const [seen, heard] = [now.pictures - began.pictures >= 15, now.energy > began.energy];
      return (seen || !wanted.includes(PICTURE)) && (heard || !wanted.includes(SOUND));
    }, '', 10_000).catch(() => {
      throw new Error(`${['the browser', 'the core'][end]} gets no ${wanted.join(' and ')}: ${JSON.stringify({ began, now })}`);
    });
  }
}

// What the core has received so far.
function receivedBy(core) {
  return { pictures: total(core, ({ received }) => received?.frames), energy: total(core, ({ audio }) => audio?.energy) };
}

// Makes sure that the core receives neither pictures nor sound from now on, in two of its statistics. Those that come first count what
// had come before this was asked, and the sound that stood in for what did not.
export async function receivesNothing(core) {
  const told = () => core.events.filter(({ event }) => event === 'stats').length;
  const statistics = async () => {
    const wanted = told() + 2;
    await until(() => told() >= wanted, 'no statistics');
    return receivedBy(core);
  };
  const began = await statistics();
  assert.deepEqual(await statistics(), began);
}

// What the command line's statistics count up to, over all streams: each begins at 0.
function total(core, count) {
  let [before, last] = [0, 0];
  for (const stats of core.events.filter(({ event }) => event === 'stats')) {
    const now = count(stats) ?? 0;
    if (now < last) before += last;
    last = now;
  }
  return before + last;
}

// Waits until no more pictures are decoded at either end.
export async function picturesStop(peer, core) {
  let before = null;
  await until(async () => {
    const now = `${(await peer.received()).pictures} ${total(core, ({ received }) => received?.frames)}`;
    const same = now === before;
    before = now;
    // Longer than the second between two statistics of the command line.
    await new Promise((resolve) => { setTimeout(resolve, same ? 0 : 1_200); });
    return same;
  }, 'pictures go on');
}

// Runs in the page.
async function behave({ url, name, config }) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
  const socket = new WebSocket(url, 'json');
  const tell = (message) => socket.send(JSON.stringify({ name, target: peer.target, call: peer.call, ...message }));
  const draw = (width, height) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    let turn = 0;
    setInterval(() => {
      context.fillStyle = `hsl(${turn += 20} 80% 50%)`;
      context.fillRect(0, 0, width, height);
    }, 50);
    return canvas.captureStream(20).getVideoTracks()[0];
  };
  const peer = {
    pc: new RTCPeerConnection(config),
    sound: stream.getAudioTracks()[0],
    picture: stream.getVideoTracks()[0],
    stream,
    more: draw,
    target: null,
    call: crypto.randomUUID(),
    counted: new Map(),
    beforeAnswer: ({ pc }) => stream.getTracks().forEach((track) => pc.addTrack(track, stream)),
    async offer(target) {
      if (target) peer.target = target;
      await peer.pc.setLocalDescription();
      tell({ type: 'video-offer', sdp: peer.pc.localDescription });
    },
    hangUp() {
      tell({ type: 'hang-up' });
      peer.pc.close();
    },
  };
  globalThis.peer = peer;
  peer.pc.onicecandidate = ({ candidate }) => tell({ type: 'new-ice-candidate', candidate });
  peer.pc.ontrack = ({ track }) => {
    const element = document.body.appendChild(document.createElement(track.kind));
    Object.assign(element, { autoplay: true, muted: track.kind === 'video', srcObject: new MediaStream([track]) });
  };
  const handlers = {
    'video-offer': async ({ name: from, call, sdp }) => {
      const first = peer.target === null;
      Object.assign(peer, { target: from, call });
      await peer.pc.setRemoteDescription(sdp);
      if (first) await peer.beforeAnswer(peer);
      await peer.pc.setLocalDescription();
      tell({ type: 'video-answer', sdp: peer.pc.localDescription });
    },
    'video-answer': ({ sdp }) => peer.pc.setRemoteDescription(sdp),
    'new-ice-candidate': ({ candidate }) => candidate && peer.pc.addIceCandidate(candidate),
    'hang-up': () => peer.pc.close(),
  };
  // Descriptions and candidates one after the other, in the order in which they came.
  let queue = Promise.resolve();
  await new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'id') socket.send(JSON.stringify({ type: 'username', name, id: message.id, date: Date.now() }));
      if (message.type === 'userlist' && message.users.includes(name)) resolve();
      const handle = handlers[message.type];
      if (handle) queue = queue.then(() => handle(message));
    };
  });
}
