// How good a call is: `good`, `poor` or `bad` in each direction, with the reason, judged by W3C statistics once a second. It follows the
// same thresholds and times as the core (core/src/client/quality): measured over five seconds, recovered from only beyond a stricter
// threshold, and told only once it has lasted. Times are milliseconds.

const SPAN = 5_000;
const GRACE = 5_000;
const GAP = 4_000;
const WORSE_AFTER = 2_000;
const BETTER_AFTER = 5_000;
const RECOVERY = 0.7;

// Where a measurement is poor and where it is bad; all grow as things get worse.
const FROZEN = [0.05, 0.3];
const INTERVAL = [1000 / 12, 1000 / 6];
const CONCEALED = [0.02, 0.1];
const DELAY = [250, 400];
const RTT = [400, 700];
const SENT_LOSS = [0.05, 0.15];
const SHORTAGE = [0.5, 0.85];
const LOAD = [0.85, 1.3];
// Loss that explains frozen pictures and concealed sound, and packets without which nothing is said of loss.
const LOSS_EXPLAINS = 0.02;
const MIN_PACKETS = 20;
// Pictures of a camera that is on stayed away for so long, while so many packets of sound came.
const VIDEO_AWAY = 3_000;
const AUDIO_FLOWS = 10;
// What a camera's picture needs: 900 kbit/s for 1280×720 at 30 per second.
const BITS_PER_PIXEL = 900_000 / (1280 * 720 * 30);

const LEVELS = ['good', 'poor', 'bad'];
const GOOD = Object.freeze({ level: 'good', reason: null, audioOnly: false });
const AUDIO_ONLY = Object.freeze({ level: 'bad', reason: 'bandwidth', audioOnly: true });

// One moment of a call out of a statistics report (an iterable of statistics objects). Counters are since the start of the call.
export function sampleOf(report) {
  const all = [...report];
  const find = (type, kind) => all.find((one) => one.type === type && one.kind === kind) ?? {};
  const [video, audio] = [find('inbound-rtp', 'video'), find('inbound-rtp', 'audio')];
  const [out, sound] = [find('outbound-rtp', 'video'), find('outbound-rtp', 'audio')];
  const remote = [find('remote-inbound-rtp', 'video'), find('remote-inbound-rtp', 'audio')];
  const camera = find('media-source', 'video');
  const pair = all.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
  const sum = (ones, field) => ones.reduce((total, one) => total + (one[field] ?? 0), 0);
  const each = (one, total, count) => (one[count] > 0 ? ((one[total] ?? 0) * 1000) / one[count] : 0);
  return {
    rtt: (pair?.currentRoundTripTime ?? 0) * 1000,
    videoPackets: video.packetsReceived ?? 0,
    audioPackets: audio.packetsReceived ?? 0,
    lost: sum([video, audio], 'packetsLost'),
    frozen: (video.totalFreezesDuration ?? 0) * 1000,
    fps: video.framesDecoded > 0 ? video.framesPerSecond ?? null : null,
    decodeMs: each(video, 'totalDecodeTime', 'framesDecoded'),
    samples: audio.totalSamplesReceived ?? 0,
    concealed: (audio.concealedSamples ?? 0) - (audio.silentConcealedSamples ?? 0),
    bufferMs: each(audio, 'jitterBufferDelay', 'jitterBufferEmittedCount'),
    target: out.targetBitrate ?? null,
    needed: (camera.width ?? 0) * (camera.height ?? 0) * Math.max(1, camera.framesPerSecond ?? 0) * BITS_PER_PIXEL,
    limitedBy: out.qualityLimitationReason ?? null,
    sentFps: out.framesPerSecond ?? 0,
    encodeMs: each(out, 'totalEncodeTime', 'framesEncoded'),
    sentPackets: sum([out, sound], 'packetsSent'),
    sentLost: sum(remote, 'packetsLost'),
  };
}

export class QualityMonitor {
  /** @type {number | null} */
  #began = null;
  /** @type {any[]} */
  #samples = [];
  // When the last packet of video came, and how many of sound had come by then.
  /** @type {{now: number, audioPackets: number} | null} */
  #videoAt = null;
  #sent = new Direction();
  #received = new Direction();

  // Takes a sample and what both sides say of their devices; gives {sent, received} where one of them changed, else null.
  update(now, sample, { local, remote }) {
    const before = this.quality;
    if (this.#samples.length && now - this.#samples.at(-1).now > GAP) this.#restart();
    const began = this.#began ??= now;
    this.#push(now, { ...sample, now, local, remote });
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (now - began < GRACE || first.now === last.now) return null;
    this.#sent.update(now, (factor) => judgeSent(first, last, factor));
    this.#received.update(now, (factor) => judgeReceived(first, last, this.#isVideoAway(last), factor));
    const after = this.quality;
    return after.sent === before.sent && after.received === before.received ? null : after;
  }

  get quality() {
    return { sent: this.#sent.told, received: this.#received.told };
  }

  #push(now, sample) {
    const came = sample.videoPackets !== (this.#samples.at(-1)?.videoPackets ?? 0);
    if (came || !this.#videoAt || !sample.remote.video) this.#videoAt = { now, audioPackets: sample.audioPackets };
    // One is kept that is as old as the span, for the differences.
    while (this.#samples.length > 1 && now - this.#samples[1].now >= SPAN) this.#samples.shift();
    this.#samples.push(sample);
  }

  #isVideoAway({ now, audioPackets }) {
    const at = this.#videoAt;
    return at !== null && now - at.now >= VIDEO_AWAY && audioPackets - at.audioPackets >= AUDIO_FLOWS;
  }

  // What was told stays until something else is known.
  #restart() {
    this.#began = this.#videoAt = null;
    this.#samples = [];
    this.#sent.wait();
    this.#received.wait();
  }
}

class Direction {
  told = GOOD;
  /** @type {{what: string, since: number} | null} */
  #pending = null;

  wait() {
    this.#pending = null;
  }

  update(now, judge) {
    const [plain, strict] = [judge(1), judge(RECOVERY)];
    const rank = ({ level }) => LEVELS.indexOf(level);
    if (plain.audioOnly || this.told.audioOnly) return this.#tell(plain);
    if (rank(plain) > rank(this.told)) this.#wait('worse', now, plain, WORSE_AFTER);
    else if (rank(strict) < rank(this.told)) this.#wait('better', now, strict, BETTER_AFTER);
    else if (this.told.reason !== null && strict.reason !== null && strict.reason !== this.told.reason) {
      this.#wait(strict.reason, now, { ...strict, level: this.told.level }, BETTER_AFTER);
    } else this.#pending = null;
  }

  #wait(what, now, verdict, after) {
    const before = this.#pending;
    const pending = before && before.what === what ? before : { what, since: now };
    this.#pending = pending;
    if (now - pending.since >= after) this.#tell(verdict);
  }

  #tell(verdict) {
    this.#pending = null;
    const same = ['level', 'reason', 'audioOnly'].every((field) => verdict[field] === this.told[field]);
    if (!same) this.told = verdict;
  }
}

/** @param {number[]} limits poor, and bad */
function level([poor, bad], value, factor) {
  return value >= bad * factor ? 2 : value >= poor * factor ? 1 : 0;
}

// The worst counts; among equals the first.
function worst(levels) {
  let [most, reason] = [0, null];
  for (const [one, why] of levels) if (one > most) [most, reason] = [one, why];
  return most === 0 ? GOOD : { level: LEVELS[most], reason, audioOnly: false };
}

const part = (some, whole, least) => (whole < least || some <= 0 ? 0 : Math.min(1, some / whole));
const interval = (fps) => 1000 / Math.max(0.1, fps);

function judgeSent(first, last, factor) {
  const loss = part(last.sentLost - first.sentLost, last.sentPackets - first.sentPackets, MIN_PACKETS);
  let [device, bandwidth] = [0, 0];
  if (last.local.video) {
    device = level(LOAD, (last.encodeMs * last.sentFps) / 1000, factor);
    if (last.limitedBy === 'cpu') device = Math.max(1, device, level(INTERVAL, interval(last.sentFps), factor));
    else if (last.needed > 0 && last.target !== null) bandwidth = level(SHORTAGE, 1 - last.target / last.needed, factor);
  }
  return worst([
    [device, 'device'], [level(SENT_LOSS, loss, factor), 'loss'], [bandwidth, 'bandwidth'], [level(RTT, last.rtt, factor), 'delay'],
  ]);
}

function judgeReceived(first, last, isVideoAway, factor) {
  const isCamera = ({ remote }) => remote.video && !remote.screen;
  if (isCamera(last) && isVideoAway) return AUDIO_ONLY;
  const lost = Math.max(0, last.lost - first.lost);
  const came = last.videoPackets - first.videoPackets + last.audioPackets - first.audioPackets;
  const isLossy = part(lost, came + lost, MIN_PACKETS) >= LOSS_EXPLAINS;
  const concealed = part(last.concealed - first.concealed, last.samples - first.samples, 1);
  let [device, pictures] = [0, 0];
  if (last.remote.video) {
    // What stands on a screen is no picture that is late.
    if (isCamera(last)) pictures = level(FROZEN, (last.frozen - first.frozen) / (last.now - first.now), factor);
    // Both ends of the window, so that a camera that was just switched on is not called slow.
    if (isCamera(first) && isCamera(last) && first.fps !== null && last.fps !== null) {
      pictures = Math.max(pictures, level(INTERVAL, interval(last.fps), factor));
    }
    device = level(LOAD, (last.decodeMs * (last.fps ?? 0)) / 1000, factor);
  }
  return worst([
    [device, 'device'],
    // Sound that is concealed without loss came too late.
    [level(CONCEALED, concealed, factor), isLossy ? 'loss' : 'delay'],
    [pictures, isLossy ? 'loss' : 'bandwidth'],
    [level(DELAY, last.rtt / 2 + last.bufferMs, factor), 'delay'],
  ]);
}

// The key of what to tell people, or null where there is nothing to tell. Of two directions the worse one counts.
export function noticeOf({ sent, received }) {
  if (sent.audioOnly || received.audioOnly) return 'quality.audio-only';
  const worse = LEVELS.indexOf(sent.level) > LEVELS.indexOf(received.level) ? sent : received;
  if (worse.level === 'good') return null;
  if (worse.reason === 'delay' || worse.reason === 'device') return `quality.${worse.reason}`;
  return worse === sent ? 'quality.sent' : 'quality.received';
}
