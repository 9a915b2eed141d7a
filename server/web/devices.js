// Camera and microphone of this side, for as long as a call lasts.

const SIZES = {
  full: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  small: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24 } },
};
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export const OPPOSITE = { user: 'environment', environment: 'user' };

// Which way a camera looks: what it says itself, or else what its label says. Null if neither does.
export function facingOf(settings, label) {
  if (settings.facingMode === 'user' || settings.facingMode === 'environment') return settings.facingMode;
  if (/\b(back|rear|environment|traseira)\b/i.test(label)) return 'environment';
  if (/\b(front|user|facetime|frontal)\b/i.test(label)) return 'user';
  return null;
}

// The camera after this one, in the order in which the browser lists them.
export function nextCamera(cameras, current) {
  const at = cameras.findIndex((one) => one.deviceId === current);
  return cameras.length < 2 ? null : cameras[(at + 1) % cameras.length];
}

export class Devices {
  #media;
  #saveData;
  #changed;
  #opening = null;
  // Counts releases: what was being opened before one is closed as soon as it is there.
  #age = 0;
  audio = null;
  video = null;
  facing = null;

  // `changed(what)` hears 'camera-lost', 'microphone-lost' and, whenever the preview changes, 'preview'.
  constructor({ mediaDevices, saveData, changed }) {
    this.#media = mediaDevices ?? null;
    this.#saveData = saveData;
    this.#changed = changed;
  }

  // Opens camera and microphone, or as much of it as there is. Gives null, or the key of the text that says what is missing.
  open() {
    this.#opening ??= this.#openAll();
    return this.#opening;
  }

  // Closes both; the browser's light goes out.
  release() {
    this.#age += 1;
    this.#opening = null;
    this.#stop('audio');
    this.#stop('video');
    this.facing = null;
    this.#changed('preview');
  }

  // Turns one of them on or off. A camera is closed for real and opened again; a microphone that there is falls silent.
  // Throws what the browser says if it cannot be opened.
  async set(kind, on) {
    await this.#opening;
    if (kind === 'audio' && this.audio) {
      this.audio.enabled = on;
    } else if (kind === 'audio' && on) {
      await this.#openOne({ audio: SOUND });
    } else if (kind === 'video' && !on) {
      this.#stop('video');
      this.#changed('preview');
    } else if (kind === 'video' && !this.video) {
      await this.#openCamera(this.facing ? { facingMode: { ideal: this.facing } } : {});
    }
  }

  async cameraCount() {
    return (await this.#cameras()).length;
  }

  // Changes to the other camera, or to the next one where cameras do not say which way they look. If that fails, the camera of
  // before is opened again and the error thrown.
  async flip() {
    const before = this.video?.getSettings() ?? {};
    const next = nextCamera(await this.#cameras(), before.deviceId);
    const attempts = [];
    if (this.facing) attempts.push({ facingMode: { exact: OPPOSITE[this.facing] } });
    if (next) attempts.push({ deviceId: { exact: next.deviceId } });
    // Phones open one camera at a time.
    this.#stop('video');
    let failure = new DOMException('there is no other camera', 'NotFoundError');
    for (const which of attempts) {
      try {
        return await this.#openCamera(which);
      } catch (error) {
        failure = error;
      }
    }
    await this.#openCamera(before.deviceId ? { deviceId: { exact: before.deviceId } } : {});
    throw failure;
  }

  async #openAll() {
    const age = this.#age;
    if (!this.#media?.getUserMedia) return 'media.insecure';
    const video = { ...this.#size(), facingMode: { ideal: 'user' } };
    let denied = false;
    for (const wanted of [{ audio: SOUND, video }, { audio: SOUND }, { video }]) {
      if (age !== this.#age) return null;
      try {
        const stream = await this.#media.getUserMedia(wanted);
        if (age !== this.#age) {
          for (const track of stream.getTracks()) track.stop();
          return null;
        }
        for (const track of stream.getTracks()) this.#use(track);
        this.#changed('preview');
        if (this.audio && this.video) return null;
        return this.audio ? 'media.no-camera' : 'media.no-microphone';
      } catch (error) {
        console.warn(`camera or microphone: ${error.name}: ${error.message}`);
        denied ||= error.name === 'NotAllowedError';
      }
    }
    return denied ? 'media.denied' : 'media.nothing';
  }

  #openCamera(which) {
    return this.#openOne({ video: { ...this.#size(), ...which } });
  }

  async #openOne(wanted) {
    const age = this.#age;
    if (!this.#media?.getUserMedia) throw new DOMException('the address is not secure', 'NotAllowedError');
    const [track] = (await this.#media.getUserMedia(wanted)).getTracks();
    if (age !== this.#age) return track.stop();
    this.#stop(track.kind);
    this.#use(track);
    this.#changed('preview');
  }

  #size() {
    return SIZES[this.#saveData() ? 'small' : 'full'];
  }

  async #cameras() {
    const devices = (await this.#media?.enumerateDevices?.()) ?? [];
    return devices.filter((device) => device.kind === 'videoinput');
  }

  #use(track) {
    this[track.kind] = track;
    if (track.kind === 'video') {
      track.contentHint = 'motion';
      this.facing = facingOf(track.getSettings(), track.label);
    }
    track.onended = () => {
      if (this[track.kind] !== track) return;
      this[track.kind] = null;
      this.#changed(track.kind === 'video' ? 'camera-lost' : 'microphone-lost');
    };
  }

  #stop(kind) {
    const track = this[kind];
    this[kind] = null;
    track?.stop();
  }
}
