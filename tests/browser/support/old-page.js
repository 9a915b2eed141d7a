// An old peer: what the page of long ago does, in as few lines, and with its habits (docs/protocol.md). It answers offers at
// once, but none that crosses its own, names nobody in its candidates, knows no calls and no reasons, forgets whom it talks to
// before it hangs up, and gives up as soon as ICE says `disconnected`. It runs in a browser of today, on a document of the
// server's that has no scripts.

import { PATIENCE } from './person.js';

export class OldPage {
  page;

  static async enter(browser, server, name) {
    const old = new OldPage();
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE);
    old.page = await context.newPage();
    await old.page.goto(`${server.url}healthz`);
    await old.page.evaluate(behave, { url: server.webSocketUrl, name });
    await old.page.waitForFunction(() => globalThis.users.includes(globalThis.me));
    return old;
  }

  say(text) {
    return this.page.evaluate((line) => globalThis.tell({ type: 'message', text: line, id: globalThis.id, date: Date.now() }), text);
  }

  // The lines that it has heard.
  lines() {
    return this.page.evaluate(() => globalThis.lines);
  }

  // Offers its sound, and its picture in a second offer, as old pages do that add one track after the other.
  call(name) {
    return this.page.evaluate((whom) => globalThis.call(whom), name);
  }

  hangUp() {
    return this.page.evaluate(() => globalThis.hangUp());
  }

  // Is as it would be after a reload, still under its name: no call, and nobody was told.
  forget() {
    return this.page.evaluate(() => globalThis.forget());
  }

  // Waits until it decodes pictures and hears sound of the other side.
  receives() {
    return this.page.waitForFunction(async () => {
      const stats = globalThis.peer ? [...(await globalThis.peer.getStats()).values()] : [];
      const of = (kind) => stats.find((one) => one.type === 'inbound-rtp' && one.kind === kind);
      return of('video')?.framesDecoded > 5 && of('audio')?.totalAudioEnergy > 0;
    });
  }

  // Waits until its call is over.
  isIdle() {
    return this.page.waitForFunction(() => globalThis.peer === null);
  }

  // Types of the messages that it has heard.
  heard() {
    return this.page.evaluate(() => globalThis.heard);
  }

  leave() {
    return this.page.context().close();
  }
}

// Runs in the page.
function behave({ url, name }) {
  const page = globalThis;
  Object.assign(page, { users: [], lines: [], heard: [], peer: null, target: null, me: name, id: 0, stream: null });
  const socket = new WebSocket(url, 'json');
  page.tell = (message) => socket.send(JSON.stringify(message));
  page.forget = () => {
    page.peer?.close();
    page.stream?.getTracks().forEach((track) => track.stop());
    page.peer = page.target = null;
  };
  page.hangUp = () => {
    page.forget();
    page.tell({ type: 'hang-up', name: page.me, target: page.target });
  };
  const open = (whom) => {
    page.target = whom;
    page.peer = new RTCPeerConnection();
    page.peer.onicecandidate = ({ candidate }) => candidate && page.tell({ type: 'new-ice-candidate', target: page.target, candidate });
    page.peer.oniceconnectionstatechange = () => ['failed', 'closed', 'disconnected'].includes(page.peer?.iceConnectionState) && page.forget();
    page.peer.ontrack = ({ streams: [stream] }) => {
      const video = document.querySelector('video') ?? document.body.appendChild(document.createElement('video'));
      Object.assign(video, { autoplay: true, srcObject: stream });
    };
  };
  const offer = async () => {
    await page.peer.setLocalDescription(await page.peer.createOffer());
    page.tell({ type: 'video-offer', name: page.me, target: page.target, sdp: page.peer.localDescription });
  };
  page.call = async (whom) => {
    open(whom);
    page.stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
    page.peer.addTrack(page.stream.getAudioTracks()[0], page.stream);
    page.answered = () => {
      page.answered = null;
      page.peer.addTrack(page.stream.getVideoTracks()[0], page.stream);
      offer();
    };
    await offer();
  };
  const handlers = {
    id: (message) => {
      page.id = message.id;
      page.tell({ type: 'username', name: page.me, id: page.id, date: Date.now() });
    },
    rejectusername: (message) => { page.me = message.name; },
    userlist: (message) => { page.users = message.users; },
    message: (message) => page.lines.push({ name: message.name, text: message.text }),
    'video-offer': async (message) => {
      const again = page.peer !== null;
      if (!again) open(message.name);
      // Both have offered: it takes its own offer back, and leaves it at that.
      if (page.peer.signalingState !== 'stable') return page.peer.setRemoteDescription(message.sdp).catch(console.warn);
      await page.peer.setRemoteDescription(message.sdp);
      if (!again) {
        page.stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
        page.stream.getTracks().forEach((track) => page.peer.addTrack(track, page.stream));
      }
      await page.peer.setLocalDescription(await page.peer.createAnswer());
      page.tell({ type: 'video-answer', name: page.me, target: page.target, sdp: page.peer.localDescription });
    },
    'video-answer': async (message) => {
      await page.peer.setRemoteDescription(message.sdp);
      page.answered?.();
    },
    // As it is: without a look at who sent it, and with an error for a candidate that is none.
    'new-ice-candidate': (message) => page.peer.addIceCandidate(new RTCIceCandidate(message.candidate)),
    'hang-up': page.forget,
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    page.heard.push(message.type);
    handlers[message.type]?.(message);
  };
}
