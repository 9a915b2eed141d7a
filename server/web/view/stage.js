// The call: the other side's picture, our own in a corner, and the controls.

import { $, element, setLabel } from '../dom.js';
import { decimal, duration, photoName } from '../format.js';
import { avatar } from './people.js';
import { ZoomView } from './zoom.js';

// The picture fills the stage where no more than this share of it gets lost.
const MOST_CUT = 0.2;
const WAITING = ['calling', 'ringing-there', 'ringing-by-push', 'connecting'];

export class StageView {
  #t;
  /** @type {ReturnType<import('../call.js').CallEngine['snapshot']> | null} */
  #shown = null;
  /** @type {number | null} */
  #connectedAt = null;
  /** @type {number | undefined} */
  #clock;
  /** @type {string | null} */
  #with = null;
  #lacksPicture = false;
  // The key of what is to be told of the call's quality.
  /** @type {string | null} */
  #quality = null;
  #zoom;
  #canShareScreen = false;

  // `actions`: microphone(), camera(), hold(), screen(), flip(), photo(), stats(), chat(), hangUp().
  constructor(t, actions) {
    this.#t = t;
    this.#zoom = new ZoomView(t);
    $('microphone').onclick = actions.microphone;
    $('camera').onclick = actions.camera;
    $('hold').onclick = actions.hold;
    $('screen').onclick = actions.screen;
    $('flip').onclick = actions.flip;
    $('photo').onclick = actions.photo;
    $('stats-toggle').onclick = actions.stats;
    $('chat-toggle').onclick = actions.chat;
    $('hang-up').onclick = actions.hangUp;
    $('play').onclick = () => this.#play();
    for (const event of ['loadeddata', 'resize', 'emptied']) $('remote').addEventListener(event, () => this.#draw());
    new ResizeObserver(() => this.#fit()).observe($('stage'));
    const top = $('stage').querySelector('.stage-top') ?? $('stage');
    const placed = new ResizeObserver(() => this.#placeNotices(top.getBoundingClientRect()));
    for (const one of [top, $('stage'), $('notices')]) placed.observe(one);
  }

  // Shows where the call stands; hides everything when idle or while it rings here. `lacksPicture`: no pictures were agreed on.
  show(call, lacksPicture = false) {
    this.#lacksPicture = lacksPicture;
    const active = call.state !== 'idle' && call.state !== 'ringing-here';
    const before = this.#shown;
    this.#shown = active ? call : null;
    $('room').classList.toggle('in-call', active);
    $('stage').hidden = !active;
    $('notices').classList.toggle('in-call', active);
    if (!active) return before && this.#clear();
    if (this.#with !== call.with) {
      this.#with = call.with;
      $('cover-avatar').replaceChildren(avatar(call.with));
      $('cover-name').textContent = $('stage-name').textContent = call.with;
      setLabel($('stage'), this.#t('call.with', { name: call.with }));
      $('stage-title').textContent = this.#t('call.with', { name: call.with });
    }
    if (!before) $('stage').focus({ preventScroll: true });
    if (call.state === 'connected' && this.#connectedAt === null) this.#startClock();
    this.#draw();
  }

  remote(stream) {
    const video = $('remote');
    if (video.srcObject === stream) return;
    video.srcObject = stream;
    this.#play();
  }

  // Browsers play no sound before the first click on the page, as after a reload of one that may not use the microphone.
  async #play() {
    try {
      await $('remote').play();
      $('play').hidden = true;
    } catch (error) {
      console.debug('remote picture:', error.message);
      $('play').hidden = error.name !== 'NotAllowedError';
    }
  }

  // Where the other side is heard: a deviceId, or '' for what the system says.
  async setSpeaker(deviceId) {
    const video = $('remote');
    if (video.setSinkId && video.sinkId !== deviceId) await video.setSinkId(deviceId);
  }

  get speaker() {
    return $('remote').sinkId || 'default';
  }

  // Our own picture; mirrored, as in a mirror, unless the camera looks away from us or it is a screen.
  preview(track, facing) {
    const video = $('local');
    const stream = /** @type {MediaStream | null} */ (video.srcObject);
    const current = stream?.getVideoTracks()[0] ?? null;
    video.classList.toggle('mirrored', facing !== 'environment' && facing !== 'screen');
    video.classList.toggle('screen', facing === 'screen');
    if (current !== track) video.srcObject = track ? new MediaStream([track]) : null;
    $('self').classList.toggle('off', !track);
  }

  canShareScreen(can) {
    this.#canShareScreen = can;
  }

  canFlip(can) {
    $('flip').hidden = !can;
  }

  toggleChat(open = !$('room').classList.contains('chat-open')) {
    $('room').classList.toggle('chat-open', open);
    $('chat-toggle').setAttribute('aria-expanded', String(open));
    if (open) this.unread(false);
  }

  unread(unread) {
    $('chat-toggle').classList.toggle('unread', unread && !$('room').classList.contains('chat-open'));
  }

  // Saves the other side's picture as a PNG; whether there was one.
  async photo() {
    const video = $('remote');
    if (!this.#hasPicture()) return false;
    const canvas = element('canvas', { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (!blob) return false;
    const link = element('a', { href: URL.createObjectURL(blob), download: photoName(this.#with ?? '', new Date()) });
    link.click();
    // The download has its own hold on the picture by then.
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    return true;
  }

  toggleStats() {
    const shown = $('stats').hidden;
    $('stats').hidden = !shown;
    $('stats-toggle').setAttribute('aria-pressed', String(shown));
    return shown;
  }

  get showsStats() {
    return !$('stats').hidden;
  }

  stats({ received, sent, sound, rtt, loss, path }) {
    const number = (value, digits) => decimal(value, this.#t.locale, digits);
    const known = (value, text) => (value === null || value === undefined ? null : text(value));
    const picture = (one) => one && [
      one.codec,
      known(one.width, () => `${one.width}×${one.height}`),
      known(one.fps, () => `${number(one.fps)} fps`),
      known(one.kbps, () => `${number(one.kbps)} kbit/s`),
    ];
    const rows = {
      received: picture(received),
      sent: picture(sent),
      sound: [sound.codec, known(sound.kbps, () => `${number(sound.kbps)} kbit/s`)],
      rtt: [known(rtt, () => `${number(rtt)} ms`)],
      loss: [known(loss, () => `${number(loss * 100, 1)} %`)],
      path: [known(path, () => `${path.local} → ${path.remote}, ${path.protocol}`)],
    };
    $('stats').replaceChildren(...Object.entries(rows).flatMap(([key, parts]) => [
      element('dt', {}, this.#t(`stats.${key}`)),
      element('dd', { className: `stats-${key}` }, parts?.filter(Boolean).join(' · ') || '–'),
    ]));
  }

  // `key` of a text, or null where all is well.
  quality(key) {
    this.#quality = key;
    this.#draw();
  }

  #draw() {
    const call = this.#shown;
    if (!call) return;
    this.#fit();
    const { state, local, remote } = call;
    const waiting = WAITING.includes(state);
    const cover = waiting ? `call.${state}`
      : local.held ? 'call.on-hold'
        : remote.held ? 'call.held-there'
          : !remote.video ? 'call.camera-off-there'
            : this.#hasPicture() ? null
              : this.#lacksPicture ? 'call.no-common-picture' : 'call.no-picture';
    $('cover').hidden = cover === null;
    setText($('cover-text'), cover ? this.#t(cover, { name: call.with }) : '');
    const held = Boolean(local.held);
    $('remote').classList.toggle('away', !remote.video || held);
    $('remote').muted = held;
    $('muted-there').hidden = waiting || remote.audio || Boolean(remote.held);
    $('hold').hidden = waiting;
    setLabel($('hold'), this.#t(held ? 'call.resume' : 'call.hold'));
    $('hold').querySelector('use')?.setAttribute('href', `icons.svg#${held ? 'resume' : 'hold'}`);
    setText($('muted-there-text'), this.#t('call.muted-there', { name: call.with }));
    const reconnecting = state === 'reconnecting';
    $('stage').classList.toggle('reconnecting', reconnecting);
    setText($('stage-notice'), reconnecting ? this.#t('call.reconnecting') : '');
    const quality = state === 'connected' ? this.#quality : null;
    setText($('quality'), quality ? this.#t(quality, { name: call.with }) : '');
    this.#toggle($('microphone'), local.audio, 'call.mute', 'call.unmute', 'mic');
    this.#toggle($('camera'), local.video, 'call.camera-off', 'call.camera-on', 'cam');
    const shares = Boolean(local.screen);
    $('screen').hidden = waiting || !this.#canShareScreen;
    setLabel($('screen'), this.#t(shares ? 'screen.stop' : 'screen.share'));
    $('screen').setAttribute('aria-pressed', String(shares));
    const screenThere = Boolean(remote.screen) && cover === null;
    this.#zoom.show(screenThere);
    setText($('screen-there'), screenThere ? this.#t('screen.there', { name: call.with }) : '');
    $('photo').disabled = !this.#hasPicture() || !remote.video || held;
    $('flip').disabled = !local.video || held || shares;
    setLabel($('hang-up'), this.#t(['calling', 'ringing-there', 'ringing-by-push'].includes(state) ? 'call.cancel' : 'call.hang-up'));
    $('stage').dataset.state = state;
  }

  #fit() {
    const [video, stage] = [$('remote'), $('stage')];
    const ratio = (video.videoWidth / video.videoHeight) / (stage.clientWidth / stage.clientHeight);
    // Of a screen nothing may be cut off.
    video.classList.toggle('fills', !this.#shown?.remote.screen && Math.min(ratio, 1 / ratio) >= 1 - MOST_CUT);
  }

  // Notices lie below what is told at the top of the picture, and above the controls in any case.
  #placeNotices({ top: first, bottom, left, width }) {
    const lowest = $('hang-up').getBoundingClientRect().top - $('notices').offsetHeight - 8;
    const top = Math.max(first, Math.min(bottom + 8, lowest));
    for (const [name, value] of Object.entries({ top, left, width })) $('notices').style.setProperty(`--${name}`, `${value}px`);
  }

  #toggle(button, on, off, onAgain, name) {
    setLabel(button, this.#t(on ? off : onAgain));
    button.classList.toggle('off', !on);
    button.querySelector('use').setAttribute('href', `icons.svg#${on ? name : `${name}-off`}`);
  }

  #hasPicture() {
    return $('remote').videoWidth > 0 && $('remote').readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  #startClock() {
    const connectedAt = this.#connectedAt = performance.now();
    const tick = () => { $('stage-time').textContent = duration(performance.now() - connectedAt); };
    tick();
    this.#clock = setInterval(tick, 1000);
  }

  #clear() {
    clearInterval(this.#clock);
    this.#connectedAt = this.#with = this.#quality = null;
    $('stage-time').textContent = '';
    $('remote').srcObject = null;
    this.#zoom.show(false);
    $('play').hidden = true;
    $('stats').replaceChildren();
    this.toggleChat(false);
    this.unread(false);
    $('people-title').focus({ preventScroll: true });
  }
}

// Live regions are read out again whenever they are written to.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
