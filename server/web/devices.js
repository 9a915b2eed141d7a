// Camera and microphone of this side, for as long as a call lasts.

const SIZES = {
  full: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  small: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24 } },
};
// Larger screens are scaled down while they are captured.
const SCREEN = { width: { max: 3840 }, height: { max: 2160 }, frameRate: { max: 30 } };
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

function withoutChoice(wanted) {
  return Object.fromEntries(Object.entries(wanted).map(([kind, { deviceId, ...rest }]) => [kind, rest]));
}

export class Devices {
  #media;
  #saveData;
  #changed;
  /** @type {Promise<string | null> | null} */
  #opening = null;
  // Counts releases: what was being opened before one is closed as soon as it is there.
  #age = 0;
  /** @type {MediaStreamTrack | null} */
  audio = null;
  /** @type {MediaStreamTrack | null} */
  video = null;
  // The screen that is shared in place of the camera.
  /** @type {MediaStreamTrack | null} */
  screen = null;
  /** @type {string | null} */
  facing = null;
  // Which camera and which microphone is wanted, by deviceId; null leaves it to the browser.
  /** @type {Record<string, string | null>} */
  #chosen = { audio: null, video: null };
  // Why each could not be opened when that was last tried: the name of the browser's error, or null.
  #failures = { audio: null, video: null };
  #permissions;

  // `changed(what)` hears 'camera-lost', 'microphone-lost', 'screen-ended' where it was stopped elsewhere than in this page, and, whenever the preview changes, 'preview'. `chosen` is what `choose` was
  // told on an earlier visit.
  /** @param {any} options */
  constructor({ mediaDevices, permissions = null, saveData, changed, chosen = {} }) {
    this.#media = mediaDevices ?? null;
    this.#permissions = permissions;
    this.#saveData = saveData;
    this.#changed = changed;
    this.#chosen = { ...this.#chosen, ...chosen };
  }

  // The key of the text that says which of the two could not be opened, and why; null if none failed.
  get missing() {
    const { audio, video } = this.#failures;
    const denied = (failure) => failure === 'NotAllowedError';
    if (!this.#media?.getUserMedia) return 'media.insecure';
    if (audio && video) return denied(audio) && denied(video) ? 'media.denied' : 'media.nothing';
    if (video) return denied(video) ? 'media.camera-denied' : 'media.no-camera';
    if (audio) return denied(audio) ? 'media.microphone-denied' : 'media.no-microphone';
    return null;
  }

  // Takes this camera ('video') or microphone ('audio') from now on, and at once if one is open. If it cannot be opened, the one of
  // before is opened again and the error thrown.
  async choose(kind, deviceId) {
    const before = this.#chosen[kind];
    this.#chosen[kind] = deviceId;
    await this.#opening;
    const current = this[kind];
    if (!current) return;
    const { enabled } = current;
    // Phones open one camera at a time.
    this.#stop(kind);
    try {
      await this.#openOne(this.#wanted(kind));
    } catch (error) {
      this.#chosen[kind] = before;
      await this.#openOne(this.#wanted(kind));
      throw error;
    } finally {
      if (this[kind]) this[kind].enabled = enabled;
    }
  }

  // Asks for both, so that the browser asks its user and tells what the devices are called. What it opens is closed again, unless there
  // is a call. Gives what `missing` says then.
  async ask() {
    const wasOpen = this.#opening !== null;
    const missing = await this.open();
    if (!wasOpen) this.release();
    return missing;
  }

  // What there is to choose from: {videoinput, audioinput, audiooutput}, each of {deviceId, label}; labels are empty before the browser
  // was allowed to open one.
  async list() {
    const all = (await this.#media?.enumerateDevices?.()) ?? [];
    const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId !== '');
    return { videoinput: of('videoinput'), audioinput: of('audioinput'), audiooutput: of('audiooutput') };
  }

  // The deviceId of what is open or wanted; '' where the browser chooses.
  current(kind) {
    return this[kind]?.getSettings().deviceId ?? this.#chosen[kind] ?? '';
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
    this.#stop('screen');
    this.facing = null;
    this.#changed('preview');
  }

  get canShareScreen() {
    return Boolean(this.#media?.getDisplayMedia);
  }

  // Has the person choose a screen, a window or a tab, and captures it; to be called while the browser still knows of their click. Throws what
  // the browser says.
  async openScreen() {
    const age = this.#age;
    const [track] = (await this.#media.getDisplayMedia({ video: SCREEN, audio: false })).getVideoTracks();
    // The call is over, or another one was chosen meanwhile.
    if (age !== this.#age || this.screen) return track.stop();
    track.contentHint = 'detail';
    track.onended = () => {
      if (this.screen !== track) return;
      this.screen = null;
      this.#changed('screen-ended');
    };
    this.screen = track;
    this.#changed('preview');
  }

  closeScreen() {
    this.#stop('screen');
    this.#changed('preview');
  }

  // Turns one of them on or off. A camera is closed for real and opened again; a microphone that there is falls silent.
  // Throws what the browser says if it cannot be opened.
  async set(kind, on) {
    await this.#opening;
    if (kind === 'audio' && this.audio) {
      this.audio.enabled = on;
    } else if (kind === 'audio' && on) {
      await this.#openOne(this.#wanted('audio'));
    } else if (kind === 'video' && !on) {
      this.#stop('video');
      this.#changed('preview');
    } else if (kind === 'video' && !this.video) {
      await this.#openOne(this.#wanted('video'));
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
        await this.#openCamera(which);
        // Who had chosen one has chosen this one now.
        if (this.#chosen.video) this.#chosen.video = this.video?.getSettings().deviceId ?? null;
        return;
      } catch (error) {
        failure = error;
      }
    }
    await this.#openCamera(before.deviceId ? { deviceId: { exact: before.deviceId } } : {});
    throw failure;
  }

  async #openAll() {
    const age = this.#age;
    if (!this.#media?.getUserMedia) return this.missing;
    const attempts = [{ ...this.#wanted('audio'), ...this.#wanted('video') }, this.#wanted('audio'), this.#wanted('video')];
    for (const wanted of attempts) {
      if (age !== this.#age) return null;
      // After a refusal it is not asked for what it has refused for good, nor again if it was both at once.
      if (wanted !== attempts[0] && !(await this.#mayAsk(Object.keys(wanted)[0]))) continue;
      try {
        const stream = await this.#open(wanted);
        if (age !== this.#age) {
          for (const track of stream.getTracks()) track.stop();
          return null;
        }
        for (const track of stream.getTracks()) this.#use(track);
        this.#changed('preview');
        return this.missing;
      } catch (error) {
        console.warn(`camera or microphone: ${error.name}: ${error.message}`);
      }
    }
    return this.missing;
  }

  // Whether one of the two can still be opened after both were refused together (W3C Permissions): where the browser would only ask a
  // second time, its user has answered.
  async #mayAsk(kind) {
    if (this.#failures[kind] !== 'NotAllowedError') return true;
    const state = async (name) => {
      try {
        return (await this.#permissions?.query({ name }))?.state ?? 'unknown';
      } catch {
        // It does not know this name.
        return 'unknown';
      }
    };
    const [microphone, camera] = [await state('microphone'), await state('camera')];
    if (microphone === 'prompt' && camera === 'prompt') return false;
    return (kind === 'audio' ? microphone : camera) !== 'denied';
  }

  // What to ask the browser for.
  #wanted(kind) {
    // Only as a must is it taken before one that fits the rest better.
    const deviceId = this.#chosen[kind] ? { deviceId: { exact: this.#chosen[kind] } } : {};
    if (kind === 'audio') return { audio: { ...SOUND, ...deviceId } };
    const facing = this.#chosen.video ? {} : { facingMode: { ideal: this.facing ?? 'user' } };
    return { video: { ...this.#size(), ...facing, ...deviceId } };
  }

  #openCamera(which) {
    return this.#openOne({ video: { ...this.#size(), ...which } });
  }

  async #openOne(wanted) {
    const age = this.#age;
    if (!this.#media?.getUserMedia) throw new DOMException('the address is not secure', 'NotAllowedError');
    const [track] = (await this.#open(wanted)).getTracks();
    if (age !== this.#age) return track.stop();
    this.#stop(track.kind);
    this.#use(track);
    this.#changed('preview');
  }

  // A device that was chosen once and is not there any more gives way to any other.
  async #open(wanted) {
    const isChosen = Object.entries(wanted).some(([kind, { deviceId }]) => deviceId && deviceId.exact === this.#chosen[kind]);
    try {
      return await this.#media.getUserMedia(wanted).catch((error) => {
        if (!isChosen || error.name !== 'OverconstrainedError') throw error;
        return this.#media.getUserMedia(withoutChoice(wanted));
      });
    } catch (error) {
      for (const kind of Object.keys(wanted)) this.#failures[kind] = error.name;
      throw error;
    }
  }

  #size() {
    return SIZES[this.#saveData() ? 'small' : 'full'];
  }

  async #cameras() {
    return (await this.list()).videoinput;
  }

  #use(track) {
    this[track.kind] = track;
    this.#failures[track.kind] = null;
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
