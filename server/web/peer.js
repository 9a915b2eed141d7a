// One RTCPeerConnection that does what the call engine says, in order, and reports what happens.

import { PathSearch } from './path-search.js';
import { FILES_LABEL, TEXT_LABEL } from './private-call.js';
import { sentOf } from './state.js';
import { VerificationChannel } from './verification-channel.js';

const STATES = ['connecting', 'connected', 'disconnected', 'failed'];
const SMALL_PICTURE_BITS = 500_000;
const LABELS = [TEXT_LABEL, FILES_LABEL];

export class Peer {
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  #devices;
  #report;
  #opened;
  #saveData;
  #channel;
  #queue = Promise.resolve();
  #closed = false;
  #search = new PathSearch();
  // Whether the screen is sent in place of the camera.
  #sendsScreen = false;
  /** @type {VerificationChannel | null} */
  #verification = null;
  // What the other side sends.
  remote = new MediaStream();

  // `report(report)` is for the engine. `opened(missing)` hears that camera and microphone were opened or closed, with the key of
  // a text where something is missing. `verification` is for the check of the other end (verification-channel.js); `channel(channel, isCurrent)` gets
  // the data channels for private text and files, ours and theirs.
  constructor({ iceServers, devices, saveData, report, opened, verification, channel }) {
    this.#devices = devices;
    this.#report = (what) => !this.#closed && report(what);
    this.#opened = (missing) => !this.#closed && opened(missing);
    this.#saveData = saveData;
    this.#channel = (made) => !this.#closed && channel(made, () => !this.#closed);
    try {
      this.#pc = connection(iceServers);
    } catch (error) {
      console.error(error);
      return;
    }
    const pc = this.#pc;
    // Without HTTPS a page has no cryptography.
    if (crypto.subtle) this.#verification = new VerificationChannel(pc, verification);
    pc.onicecandidate = ({ candidate }) => this.#report({ kind: 'candidate', candidate: candidate?.toJSON() ?? null });
    pc.onconnectionstatechange = () => {
      const state = pc.connectionState;
      // A path was found, and what failed is the handshake on it.
      const found = ['connected', 'completed'].includes(pc.iceConnectionState);
      if (state === 'failed' && found) this.#report({ kind: 'handshake-failed' });
      else if (STATES.includes(state)) this.#report({ kind: 'connection', state });
      if (state === 'connected') this.#verification?.connected();
    };
    // Beside the listener of the check of the other end.
    pc.addEventListener('datachannel', ({ channel: theirs }) => LABELS.includes(theirs.label) && this.#channel(theirs));
    pc.ontrack = ({ track }) => this.remote.addTrack(track);
  }

  do(action) {
    if (action.kind === 'close') return this.#close();
    this.#enqueue(() => this.#one(action), (error) => this.#failed(action, error));
  }

  // Changes camera or microphone without renegotiation, by `change()` of the devices; `failed()` hears that it could not be done.
  changeDevice(change, failed) {
    const work = async () => {
      try {
        await change();
      } finally {
        await this.useTracks();
        this.#opened(null);
      }
    };
    this.#enqueue(work, (error) => {
      console.warn(`device: ${error.name}: ${error.message}`);
      failed();
    });
  }

  // The person has compared the words of the check of the other end.
  confirmVerification(same) {
    this.#verification?.confirm(same);
  }

  // Presses keys of a phone, after those that wait; false if the other side takes none.
  sendDtmf(keys) {
    const audio = this.#transceivers().find((one) => one.receiver.track.kind === 'audio');
    const dtmf = audio?.sender.dtmf;
    if (!dtmf?.canInsertDTMF) return false;
    dtmf.insertDTMF(dtmf.toneBuffer + keys);
    return true;
  }

  async stats() {
    return this.#closed || !this.#pc ? null : [...(await this.#pc.getStats()).values()];
  }

  // Whether pictures were refused in the answer: the two have no codec for them in common.
  get lacksPicture() {
    const { currentLocalDescription: local, currentRemoteDescription: remote } = /** @type {Partial<RTCPeerConnection>} */ (this.#pc ?? {});
    const answer = [local, remote].find((one) => one?.type === 'answer');
    return answer ? isRefused(answer, 'video') : false;
  }

  // Why no path was found yet, as the last part of a text's key, or null.
  noPath(now) {
    return this.#closed || !this.#pc ? null : this.#search.look(now, this.#pc);
  }

  // Sends what the devices give at this moment, without renegotiation.
  async useTracks() {
    for (const { sender, receiver } of this.#transceivers()) {
      const kind = receiver.track.kind === 'video' && this.#sendsScreen ? 'screen' : receiver.track.kind;
      const track = this.#devices[kind];
      if (sender.track !== track) await sender.replaceTrack(track);
    }
  }

  async #one(action) {
    const pc = this.#pc;
    if (!pc) throw new Error('this browser made no RTCPeerConnection');
    switch (action.kind) {
      case 'create': return this.#create(pc, action);
      case 'offer': return this.#offer(pc, action.iceRestart);
      case 'answer': return this.#answer(pc, action.offer);
      case 'apply-answer': return this.#applyAnswer(pc, action.answer);
      case 'add-candidate': return pc.addIceCandidate(action.candidate ?? undefined);
      case 'set-media': return this.#setMedia(action.media);
    }
  }

  #enqueue(work, failed) {
    this.#queue = this.#queue.then(() => (this.#closed ? null : work())).catch((error) => {
      if (!this.#closed) failed(error);
    });
  }

  async #create(pc, { offerer, media }) {
    const missing = await this.#devices.open();
    if (this.#closed) return;
    if (offerer) {
      for (const kind of ['audio', 'video']) pc.addTransceiver(kind);
      // The channel of apps' messages comes first.
      this.#verification?.offers();
      for (const label of LABELS) this.#channel(pc.createDataChannel(label));
    }
    const wanted = { ...media, audio: media.audio && this.#devices.audio !== null, video: media.video && (media.screen || this.#devices.video !== null) };
    await this.#setMedia(wanted);
    this.#opened(missing);
  }

  async #setMedia(media) {
    const { audio, video, screen } = sentOf(media);
    this.#sendsScreen = Boolean(screen);
    let failed = false;
    for (const [kind, on] of [['audio', audio], ['video', video && !screen]]) {
      try {
        await this.#devices.set(kind, on);
      } catch (error) {
        console.warn(`${kind}: ${error.name}: ${error.message}`);
        failed = true;
      }
    }
    await this.useTracks();
    if (failed) this.#opened(this.#devices.missing);
  }

  async #offer(pc, iceRestart) {
    await this.#attach();
    await pc.setLocalDescription(await pc.createOffer({ iceRestart }));
    this.#report({ kind: 'description', sdp: plain(pc.localDescription) });
  }

  // An own offer that is set is taken back by the browser itself, so that `rollback` says nothing new here.
  async #answer(pc, offer) {
    await pc.setRemoteDescription(offer);
    await this.#attach();
    const isFirst = pc.currentLocalDescription === null;
    const answer = await pc.createAnswer();
    if (isFirst && hasNothingInCommon(answer)) throw new NoCommonCodec();
    await pc.setLocalDescription(answer);
    this.#verification?.negotiated('answerer');
    this.#report({ kind: 'description', sdp: plain(pc.localDescription) });
  }

  async #applyAnswer(pc, answer) {
    if (pc.currentLocalDescription === null && hasNothingInCommon(answer)) throw new NoCommonCodec();
    await pc.setRemoteDescription(answer);
    this.#verification?.negotiated('offerer');
    this.#report({ kind: 'answer-applied' });
  }

  // Gives each kind's first transceiver our track. Old pages offer one kind after the other.
  async #attach() {
    for (const transceiver of this.#transceivers()) {
      transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(stream());
    }
    await this.useTracks();
    if (this.#saveData()) await this.#limitBits();
  }

  async #limitBits() {
    for (const { sender, receiver } of this.#transceivers()) {
      const parameters = sender.getParameters();
      if (receiver.track.kind !== 'video' || !parameters.encodings?.length) continue;
      parameters.encodings[0].maxBitrate = SMALL_PICTURE_BITS;
      await sender.setParameters(parameters);
    }
  }

  /** @returns {RTCRtpTransceiver[]} */
  #transceivers() {
    const all = (this.#closed ? null : this.#pc?.getTransceivers())?.filter((/** @type {any} */ one) => !one.stopped && one.direction !== 'stopped') ?? [];
    return ['audio', 'video'].flatMap((kind) => all.find((one) => one.receiver.track.kind === kind) ?? []);
  }

  #failed(action, error) {
    // A candidate of an earlier ICE generation, or one that makes no sense, harms nobody.
    console.warn(`${action.kind}: ${error.name}: ${error.message}`);
    if (!['create', 'offer', 'answer', 'apply-answer'].includes(action.kind)) return;
    this.#report({ kind: error instanceof NoCommonCodec ? 'no-common-codec' : 'negotiation-failed', why: error.message });
  }

  #close() {
    this.#closed = true;
    this.#verification?.close();
    this.#pc?.close();
  }
}

class NoCommonCodec extends Error {}

// Whether an answer refuses each section for sound and pictures (port 0, RFC 3264 section 6): for none the two have a codec in common.
export function hasNothingInCommon(answer) {
  return isRefused(answer, 'audio|video');
}

// Whether there are sections of these kinds, and all are refused.
function isRefused({ sdp }, kinds) {
  const ports = [...sdp.matchAll(new RegExp(`^m=(?:${kinds}) (\\d+)`, 'gm'))].map(([, port]) => Number(port));
  return ports.length > 0 && ports.every((port) => port === 0);
}

// All of one side's tracks belong to one stream.
/** @type {MediaStream | null} */
let ours = null;
const stream = () => (ours ??= new MediaStream());

const plain = ({ type, sdp }) => ({ type, sdp });

// A server's address that the browser does not understand must not cost the call.
function connection(iceServers) {
  try {
    return new RTCPeerConnection({ iceServers });
  } catch (error) {
    console.warn('ICE servers:', error.message);
    const usable = iceServers.filter((server) => {
      try {
        new RTCPeerConnection({ iceServers: [server] }).close();
        return true;
      } catch {
        return false;
      }
    });
    return new RTCPeerConnection({ iceServers: usable });
  }
}
