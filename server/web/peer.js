// One RTCPeerConnection that does what the call engine says, in order, and reports what happens.

const STATES = ['connecting', 'connected', 'disconnected', 'failed'];
const SMALL_PICTURE_BITS = 500_000;

export class Peer {
  #pc = null;
  #devices;
  #report;
  #opened;
  #saveData;
  #queue = Promise.resolve();
  #closed = false;
  // What the other side sends.
  remote = new MediaStream();

  // `report(report)` is for the engine. `opened(missing)` hears that camera and microphone were opened or closed, with the key of
  // a text where something is missing.
  constructor({ iceServers, devices, saveData, report, opened }) {
    this.#devices = devices;
    this.#report = (what) => !this.#closed && report(what);
    this.#opened = (missing) => !this.#closed && opened(missing);
    this.#saveData = saveData;
    try {
      this.#pc = connection(iceServers);
    } catch (error) {
      console.error(error);
      return;
    }
    this.#pc.onicecandidate = ({ candidate }) => this.#report({ kind: 'candidate', candidate: candidate?.toJSON() ?? null });
    this.#pc.onconnectionstatechange = () => {
      const state = this.#pc.connectionState;
      // A path was found, and what failed is the handshake on it.
      const found = ['connected', 'completed'].includes(this.#pc.iceConnectionState);
      if (state === 'failed' && found) this.#report({ kind: 'handshake-failed' });
      else if (STATES.includes(state)) this.#report({ kind: 'connection', state });
    };
    this.#pc.ontrack = ({ track }) => this.remote.addTrack(track);
  }

  do(action) {
    if (action.kind === 'close') return this.#close();
    this.#enqueue(() => this.#one(action), (error) => this.#failed(action, error));
  }

  // Changes the camera without renegotiation; `failed()` hears that it could not be done.
  flip(failed) {
    const flip = async () => {
      try {
        await this.#devices.flip();
      } finally {
        await this.useTracks();
        this.#opened(null);
      }
    };
    this.#enqueue(flip, (error) => {
      console.warn(`flip: ${error.name}: ${error.message}`);
      failed();
    });
  }

  async stats() {
    return this.#closed || !this.#pc ? null : [...(await this.#pc.getStats()).values()];
  }

  // Sends what the devices give at this moment, without renegotiation.
  async useTracks() {
    for (const { sender, receiver } of this.#transceivers()) {
      const track = this.#devices[receiver.track.kind];
      if (sender.track !== track) await sender.replaceTrack(track);
    }
  }

  async #one(action) {
    if (!this.#pc) throw new Error('this browser made no RTCPeerConnection');
    switch (action.kind) {
      case 'create': return this.#create(action);
      case 'offer': return this.#offer(action.iceRestart);
      case 'answer': return this.#answer(action.offer);
      case 'apply-answer': return this.#applyAnswer(action.answer);
      case 'add-candidate': return this.#pc.addIceCandidate(action.candidate ?? undefined);
      case 'set-media': return this.#setMedia(action.media);
    }
  }

  #enqueue(work, failed) {
    this.#queue = this.#queue.then(() => (this.#closed ? null : work())).catch((error) => {
      if (!this.#closed) failed(error);
    });
  }

  async #create({ offerer, media }) {
    const missing = await this.#devices.open();
    if (this.#closed) return;
    if (offerer) for (const kind of ['audio', 'video']) this.#pc.addTransceiver(kind);
    const wanted = { audio: media.audio && this.#devices.audio !== null, video: media.video && this.#devices.video !== null };
    await this.#setMedia(wanted);
    this.#opened(missing);
  }

  async #setMedia({ audio, video }) {
    let missing = null;
    for (const [kind, on] of [['audio', audio], ['video', video]]) {
      try {
        await this.#devices.set(kind, on);
      } catch (error) {
        console.warn(`${kind}: ${error.name}: ${error.message}`);
        missing = kind === 'video' ? 'media.no-camera' : 'media.no-microphone';
      }
    }
    await this.useTracks();
    if (missing) this.#opened(missing);
  }

  async #offer(iceRestart) {
    await this.#attach();
    await this.#pc.setLocalDescription(await this.#pc.createOffer({ iceRestart }));
    this.#report({ kind: 'description', sdp: plain(this.#pc.localDescription) });
  }

  // An own offer that is set is taken back by the browser itself, so that `rollback` says nothing new here.
  async #answer(offer) {
    await this.#pc.setRemoteDescription(offer);
    await this.#attach();
    await this.#pc.setLocalDescription();
    this.#report({ kind: 'description', sdp: plain(this.#pc.localDescription) });
  }

  async #applyAnswer(answer) {
    await this.#pc.setRemoteDescription(answer);
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

  #transceivers() {
    const all = this.#closed ? [] : this.#pc.getTransceivers().filter((one) => !one.stopped && one.direction !== 'stopped');
    return ['audio', 'video'].map((kind) => all.find((one) => one.receiver.track.kind === kind)).filter(Boolean);
  }

  #failed(action, error) {
    // A candidate of an earlier ICE generation, or one that makes no sense, harms nobody.
    console.warn(`${action.kind}: ${error.name}: ${error.message}`);
    if (['create', 'offer', 'answer', 'apply-answer'].includes(action.kind)) this.#report({ kind: 'negotiation-failed', why: error.message });
  }

  #close() {
    this.#closed = true;
    this.#pc?.close();
  }
}

// All of one side's tracks belong to one stream.
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
