// The page: joins the session with the server, the call engine, the peer connection and the views. Decides nothing itself.

import { Attention } from './attention.js';
import { CallEngine } from './call.js';
import { Devices } from './devices.js';
import { $, remembered, translate } from './dom.js';
import { emptyStore } from './file-store.js';
import { pushBounded } from './offer-answer.js';
import { Peer } from './peer.js';
import { Presence } from './presence.js';
import { PrivateCall } from './private-call.js';
import { PushSetup } from './push.js';
import { QualityMonitor, noticeOf, sampleOf } from './quality.js';
import { keepCall, takeCall } from './reload.js';
import { Session } from './signaling.js';
import { ALL_ON, sentOf } from './state.js';
import { readStats } from './stats.js';
import { chooseLanguage, textsIn } from './texts.js';
import { newUuid } from './uuid.js';
import { VerifiedPeople } from './verified.js';
import { ChatView } from './view/chat.js';
import { IncomingView } from './view/incoming.js';
import { KeypadView } from './view/keypad.js';
import { LoginView } from './view/login.js';
import { Notices } from './view/notices.js';
import { PeopleView } from './view/people.js';
import { PrivateView } from './view/private.js';
import { SettingsView } from './view/settings.js';
import { StageView } from './view/stage.js';
import { VerificationView } from './view/verification.js';

const preferred = navigator.languages ?? [navigator.language];
const t = textsIn(chooseLanguage(new URLSearchParams(location.search).get('lang'), preferred), preferred);
translate(t);

const REFUSALS = { 'rate-limited': 'server.too-fast', unauthorized: 'login.token', 'token-expired': 'login.token' };

// As many as a server keeps.
const MAX_BLOCKED = 256;

// Messages of a call that wait until the page is back in it.
const MAX_WAITING = 256;

// So many who come or go at once are named; a crowd is told of none, whose comings and goings would drown what is said.
const MAX_NAMED = 3;
const CROWD = 100;

const clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer: (work, ms) => setTimeout(work, ms),
  clearTimer: (timer) => clearTimeout(timer),
};

/** @type {Session | null} */
let session = null;
const blocked = new Set(readBlocked());
let online = false;
// The call that the page was in before it was loaded anew, until it is back in it, and what came for it meanwhile.
/** @type {any} */
let rejoining = null;
/** @type {any[]} */
let waiting = [];
/** @type {string[] | null} */
let users = null;
// Who is not here, but can be rung by push.
/** @type {string[]} */
let away = [];
/** @type {Presence | null} */
let presence = null;
/** @type {number | undefined} */
let presenceTimer;
let iceServers = [];
/** @type {{id: number, connection: Peer} | null} */
let peer = null;
/** @type {number | undefined} */
let engineTimer;
/** @type {number | undefined} */
let pathTimer;
/** @type {number | undefined} */
let statsTimer;
/** @type {QualityMonitor | null} */
let monitor = null;

const notices = new Notices();
const attention = new Attention(t);
const engine = new CallEngine(newUuid);
const login = new LoginView(t, { enter });
const savesData = () => login.savesData;
const devices = new Devices({
  mediaDevices: navigator.mediaDevices,
  permissions: navigator.permissions,
  saveData: savesData,
  changed: onDevices,
  chosen: { audio: remembered.get('device.audio'), video: remembered.get('device.video') },
});
const people = new PeopleView(t, { call, setBlocked });
const chat = new ChatView(t, { send: (text) => session?.send({ type: 'message', text }) });
/** @type {PrivateCall | null} */
let privateCall = null;
const privately = new PrivateView(t, {
  write: (text) => privateCall?.write(text) ?? null,
  typing: (on) => privateCall?.typing(on),
  send: (file) => privateCall?.files.send(file) ?? false,
  accept: (id) => privateCall?.files.accept(id),
  end: (id) => privateCall?.files.end(id),
  pause: (id, on) => privateCall?.files.pause(id, on),
  unread: () => stage.unread(true),
  tooMuch: () => notices.say(t('private.too-much')),
});
emptyStore();
const incoming = new IncomingView(t, {
  accept: () => command({ kind: 'accept', media: ALL_ON }),
  decline: () => command({ kind: 'decline' }),
  block: (name) => {
    command({ kind: 'decline' });
    setBlocked(name, true);
  },
});
const stage = new StageView(t, {
  microphone: () => command({ kind: 'set-microphone', on: !engine.snapshot().local.audio }),
  camera: () => command({ kind: 'set-camera', on: !engine.snapshot().local.video }),
  hold: () => command({ kind: 'set-held', on: !engine.snapshot().local.held }),
  screen: () => (engine.snapshot().local.screen ? stopScreen() : shareScreen()),
  flip: () => peer?.connection.changeDevice(() => devices.flip(), () => notices.say(t('media.flip-failed'))),
  photo: async () => notices.say(t((await stage.photo()) ? 'photo.taken' : 'photo.failed')),
  stats: () => {
    if (!stage.toggleStats()) return;
    showOnly('stats');
    measure();
  },
  chat: () => stage.toggleChat(),
  hangUp: () => command({ kind: 'hang-up' }),
});

stage.canShareScreen(devices.canShareScreen);

async function shareScreen() {
  try {
    await devices.openScreen();
  } catch (error) {
    // Whoever chose none knows that.
    if (error.name !== 'NotAllowedError') notices.say(t('screen.failed'));
    return;
  }
  if (!devices.screen) return;
  command({ kind: 'set-screen', on: true });
  if (!engine.snapshot().local.screen) devices.closeScreen();
}

// The camera is sent again if it is on.
function stopScreen() {
  command({ kind: 'set-screen', on: false });
  devices.closeScreen();
}

const verified = new VerifiedPeople(remembered, isRoom() ? location.pathname : '/');
const verification = new VerificationView(t, {
  confirm: (same) => peer?.connection.confirmVerification(same),
  opened: () => showOnly('verification'),
  tellDoubt: (text) => (text ? notices.stand('verification', text) : notices.drop('verification')),
});

const keypad = new KeypadView(t, {
  press(key) {
    const isSent = peer?.connection.sendDtmf(key) ?? false;
    if (!isSent) notices.say(t('keypad.not-taken'));
    return isSent;
  },
  opened: () => showOnly('keypad'),
});

// There is room for one of what can be opened over the picture.
function showOnly(one) {
  if (one !== 'stats' && stage.showsStats) stage.toggleStats();
  if (one !== 'verification') verification.toggle(false);
  if (one !== 'keypad') keypad.toggle(false);
}

const settings = new SettingsView(t, { devices, choose, speaker: () => stage.speaker });
stage.setSpeaker(remembered.get('device.speaker') ?? '').catch((error) => console.debug('speaker:', error.message));

// Another camera, microphone or speaker.
async function choose(kind, deviceId) {
  remembered.set(`device.${kind}`, deviceId);
  const failed = () => settings.failed();
  const change = () => (kind === 'speaker' ? stage.setSpeaker(deviceId) : devices.choose(kind, deviceId));
  if (peer && kind !== 'speaker') peer.connection.changeDevice(change, failed);
  else await change().catch(failed);
}

const push = new PushSetup({ worker: pushWorker(), changed: showPush, subscribed: registerPush });

// The service worker of all rooms, with the texts that it shows.
function pushWorker() {
  const texts = new URLSearchParams({ ring: t('push.ring', { name: '{name}' }), called: t('push.called', { name: '{name}' }) });
  return new URL(`${isRoom() ? '../' : ''}push-worker.js?${texts}`, location.href).href;
}

// A page that a notification has opened has to know who we are, too.
function registerPush(subscription) {
  session?.setPush(subscription);
  const token = remembered.get('token', 'sessionStorage');
  if (subscription && token) remembered.set('token', token);
  else if (!subscription) remembered.remove('token');
}

function showPush({ possible, on }) {
  $('push').hidden = !possible && !on;
  $('push').textContent = t(on ? 'people.push-off' : 'people.push-on');
  $('push').setAttribute('aria-pressed', String(on));
}

$('push').onclick = async () => {
  if (push.isOn) await push.turnOff();
  else if (!(await push.turnOn())) notices.say(t('push.failed'));
};

function isRoom() {
  return /\/room\/[^/]+$/.test(location.pathname);
}

// Names this browser, so that the server knows it again.
function device() {
  const known = remembered.get('device');
  if (known) return known;
  const made = newUuid();
  remembered.set('device', made);
  return made;
}

// The room is in the page's own address.
function serverUrl() {
  const url = new URL(isRoom() ? location.pathname : '.', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = url.hash = '';
  return url.href;
}

function enter(name) {
  login.wait();
  const open = () => new WebSocket(serverUrl(), 'json');
  session = new Session(name, { open, clock, tell: onSession, blocked, auth: readToken(), device: device(), resume: rejoining?.resume });
}

// The token that a link brings along (`#token=…`), which never gets into the server's or a proxy's log. It is kept for reloads of this tab,
// and taken out of sight.
function readToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token) {
    remembered.set('token', token, 'sessionStorage');
    globalThis.history.replaceState(null, '', location.pathname + location.search);
  }
  return remembered.get('token', 'sessionStorage') ?? remembered.get('token');
}

// Whom this browser has blocked, on earlier visits too.
function readBlocked() {
  try {
    const names = JSON.parse(remembered.get('blocked') ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string').slice(0, MAX_BLOCKED) : [];
  } catch (error) {
    console.debug('blocked people:', error.message);
    return [];
  }
}

function setBlocked(name, block) {
  if (block && blocked.size >= MAX_BLOCKED && !blocked.has(name)) return notices.say(t('people.blocked-full'));
  if (block) blocked.add(name);
  else blocked.delete(name);
  remembered.set('blocked', JSON.stringify([...blocked]));
  session?.setBlocked(name, block);
  showPeople();
}

function call(name) {
  if (!globalThis.RTCPeerConnection) return notices.say(t('refused.no-webrtc'));
  command({ kind: 'call', to: name, media: ALL_ON });
}

function command(wanted) {
  const refusal = engine.command(performance.now(), wanted);
  if (refusal && t.has(`refused.${refusal}`)) notices.say(t(`refused.${refusal}`));
  pump();
}

// Does what the engine wants, until it wants nothing more, and sees to it that it is woken in time.
function pump() {
  for (let outputs = engine.take(); outputs.length; outputs = engine.take()) {
    for (const output of outputs) {
      if (output.kind === 'send') send(output.message);
      else if (output.kind === 'peer') onPeerAction(output.peer, output.action);
      else if (output.event.kind === 'changed') onCallChanged(output.event);
      else if (output.event.kind === 'incoming') onIncoming(output.event.from);
      else onCallEnded(output.event);
    }
  }
  clearTimeout(engineTimer);
  const at = engine.timeoutAt();
  if (at === null) return;
  engineTimer = setTimeout(() => {
    engine.handleTimeout(performance.now());
    pump();
  }, Math.max(0, at - performance.now()));
}

function send(message) {
  if (session?.send(message) === false) engine.notSent(message);
}

function onPeerAction(id, action) {
  if (action.kind === 'create') {
    const carried = carryPrivate();
    const connection = new Peer({
      iceServers,
      devices,
      saveData: savesData,
      report: (report) => {
        engine.report(performance.now(), id, report);
        pump();
      },
      opened: onOpened,
      verification: checkOf(engine.snapshot().with),
      channel: (channel, isCurrent) => carried.add(channel, isCurrent),
    });
    peer = { id, connection };
    stage.remote(connection.remote);
  }
  if (peer && peer.id === id) peer.connection.do(action);
}

// The check of the other end in a call with this person.
function checkOf(name) {
  const secrets = verified.secretsOf(name);
  return {
    secrets: () => secrets,
    changed: (check) => verification.show(check, { name, known: secrets.length > 0 }),
    remember: (secret) => verified.add(name, secret),
  };
}

// What the two send each other goes over the newest connection of the call.
function carryPrivate() {
  if (!privateCall) {
    privately.begin();
    privateCall = new PrivateCall({ tell: onPrivate, changed: onFile });
  }
  privateCall.renew();
  return privateCall;
}

function onPrivate(event) {
  switch (event.kind) {
    case 'available': return privately.available(engine.snapshot().with);
    case 'files': return privately.filesAvailable();
    case 'text': return privately.text(event.text);
    case 'delivered': return privately.delivered(event.id);
    case 'refused': return privately.refused(event.id);
    case 'typing': return privately.typing(event.on);
  }
}

const asked = new Set();

function onFile(file) {
  privately.file(file);
  if (file.state !== 'asked' || asked.has(file.id)) return;
  asked.add(file.id);
  notices.say(t('file.notice', { name: engine.snapshot().with, file: file.name }));
}

// Camera and microphone are as they are now: the engine tells it to the other side.
function onOpened(missing) {
  const { local } = engine.snapshot();
  if (missing) notices.say(t(missing));
  // On hold, and while a screen is shared, the camera is closed, and is to be open again after it.
  if (local.held || local.screen) return;
  // Both at once: after one alone the other would be tried, and told, again.
  command({ kind: 'set-media', audio: local.audio && devices.audio !== null, video: local.video && devices.video !== null });
  if (devices.video) command({ kind: 'set-facing', facing: devices.facing ?? undefined });
  devices.cameraCount().then((count) => stage.canFlip(count > 1));
}

function onDevices(what) {
  stage.preview(devices.screen ?? devices.video, devices.screen ? 'screen' : devices.facing);
  if (what === 'preview') return;
  if (what === 'screen-ended') return stopScreen();
  notices.say(t(`media.${what}`));
  command({ kind: what === 'camera-lost' ? 'set-camera' : 'set-microphone', on: false });
}

function onIncoming(name) {
  incoming.show(name);
  attention.ring(name);
}

function onCallChanged(snapshot) {
  if (snapshot.state !== 'ringing-here' && incoming.hide()) attention.quiet();
  if (snapshot.state === 'idle') {
    peer = null;
    devices.release();
  }
  if (snapshot.state === 'connecting') pathTimer ??= setInterval(tellOfPath, 250);
  else if (pathTimer !== undefined) {
    clearInterval(pathTimer);
    pathTimer = undefined;
    notices.drop('path');
  }
  if (snapshot.state === 'connected' && statsTimer === undefined) {
    monitor = new QualityMonitor();
    statsTimer = setInterval(measure, 1000);
  }
  stage.show(snapshot, peer?.connection.lacksPicture ?? false);
  showServer();
  showPeople();
}

// A connection that was there once is repaired for as long as any, and says so.
function tellOfPath() {
  const why = peer?.connection.noPath(performance.now());
  if (why) notices.stand('path', t(`path.${why}`, { name: engine.snapshot().with }));
}

function onCallEnded({ with: name, reason }) {
  clearInterval(statsTimer);
  statsTimer = undefined;
  lastReport = monitor = null;
  privateCall?.close();
  privateCall = null;
  asked.clear();
  privately.ended();
  stage.quality(null);
  verification.show(null);
  keypad.clear();
  if (incoming.hide()) attention.quiet(reason === 'cancelled-there' ? name : null);
  notices.say(t(`end.${reason}`, { name }));
}

/** @type {any[] | null} */
let lastReport = null;

async function measure() {
  const report = await peer?.connection.stats();
  if (!report) return;
  const snapshot = engine.snapshot();
  if (snapshot.state === 'connected' && monitor) {
    const { local, remote } = snapshot;
    // On hold nothing is waited for.
    const flow = { local: sentOf(local), remote: sentOf({ ...remote, held: remote.held || local.held }) };
    const quality = monitor.update(performance.now(), sampleOf(report), flow);
    if (quality) stage.quality(noticeOf(quality));
  }
  if (stage.showsStats) stage.stats(readStats(report, lastReport));
  lastReport = report;
}

function onSession(event) {
  switch (event.kind) {
    case 'logged-in': {
      const again = users !== null;
      online = true;
      presence ??= new Presence();
      presence.reconnected(performance.now());
      iceServers = event.iceServers;
      remembered.set('here', 'yes', 'sessionStorage');
      if (!again) showRoom();
      if (notices.drop('server')) notices.say(t('server.back'));
      $('me').textContent = event.name;
      chat.setOnline(true);
      engine.loggedIn(performance.now(), event.name);
      push.offered(event.push);
      if (rejoining) rejoin();
      break;
    }
    case 'renamed':
      $('me').textContent = event.name;
      engine.renamed(event.name);
      notices.say(t('chat.renamed', event));
      break;
    case 'ice-servers': iceServers = event.iceServers; break;
    case 'away':
      away = event.names;
      engine.away(away);
      break;
    case 'users': onUsers(event.users); break;
    case 'chat':
      chat.line({ ...event, own: event.from === session?.name });
      stage.unread(true);
      break;
    case 'call':
      if (rejoining) pushBounded(waiting, event.message, MAX_WAITING);
      else engine.message(performance.now(), event.message);
      break;
    case 'refused': notices.say(t(REFUSALS[event.code] ?? 'server.refused')); break;
    case 'reconnecting':
      online = false;
      chat.setOnline(false);
      engine.signalingLost();
      showServer();
      showPeople();
      break;
    case 'closed': onClosed(event.why); break;
  }
  pump();
}

function rejoin() {
  const kept = rejoining;
  rejoining = null;
  const came = waiting.splice(0);
  // What ended the call meanwhile comes first.
  const isEnd = ({ type }) => type === 'hang-up';
  for (const message of came.filter(isEnd)) engine.message(performance.now(), message);
  engine.command(performance.now(), { ...kept, kind: 'rejoin' });
  for (const message of came.filter((one) => !isEnd(one))) engine.message(performance.now(), message);
}

function onUsers(names) {
  users = names;
  presence ??= new Presence();
  tellPresence(presence.update(performance.now(), names));
  engine.users(performance.now(), names);
  showPeople();
}

function tellPresence(changes) {
  for (const [one, many, list] of [['arrived', 'many-arrived', changes.arrived], ['left', 'many-left', changes.left]]) {
    const names = list.filter((name) => name !== session?.name);
    if ((users?.length ?? 0) > CROWD || names.length === 0) continue;
    if (names.length > MAX_NAMED) chat.system(t(`chat.${many}`, { count: names.length }));
    else for (const name of names) chat.system(t(`chat.${one}`, { name }));
  }
  clearTimeout(presenceTimer);
  const told = presence;
  const at = told?.timeoutAt() ?? null;
  if (!told || at === null) return;
  presenceTimer = setTimeout(() => tellPresence(told.handleTimeout(performance.now())), Math.max(0, at - performance.now()));
}

function onClosed(why) {
  if (engine.snapshot().state !== 'idle') command({ kind: 'hang-up' });
  engine.signalingLost();
  online = false;
  clearTimeout(presenceTimer);
  rejoining = null;
  waiting = [];
  session = users = presence = null;
  notices.drop('server');
  remembered.remove('here', 'sessionStorage');
  $('room').hidden = true;
  login.show(why);
}

function showRoom() {
  login.hide();
  chat.clear();
  $('room').hidden = false;
  $('chat-text').focus({ preventScroll: true });
}

function showPeople() {
  if (session) people.show(users ?? [], session.name, online && engine.snapshot().state === 'idle', blocked, away);
}

function showServer() {
  if (online || users === null) return;
  const inCall = !$('stage').hidden;
  notices.stand('server', t(inCall ? 'server.lost-in-call' : 'server.lost'));
}

function leave() {
  if (engine.snapshot().state !== 'idle') command({ kind: 'hang-up' });
  session?.close();
}

$('leave').onclick = leave;
const showNotify = () => { $('notify').hidden = !attention.canAsk; };
$('notify').onclick = () => attention.ask().then(showNotify);
showNotify();
// The other side must not wait for a page that is gone, unless that comes back at once.
addEventListener('pagehide', ({ persisted }) => {
  const call = engine.snapshot();
  const isAnswered = call.state === 'connected' || call.state === 'reconnecting';
  if (!session) return;
  if (rejoining && online) keepCall({ ...rejoining, resume: session.suspend() });
  else if (isAnswered && online && !persisted) keepCall({ ...call, name: session.name, resume: session.suspend() });
  else if (call.state !== 'idle') command({ kind: 'hang-up' });
});
addEventListener('online', () => session?.reconnectNow());
addEventListener('pageshow', ({ persisted }) => persisted && session?.reconnectNow());
navigator.mediaDevices?.addEventListener?.('devicechange', async () => {
  stage.canFlip((await devices.cameraCount()) > 1);
  settings.refresh();
});

// A reload comes back by itself, and so does a page that a notification has opened.
addEventListener('hashchange', () => {
  const token = readToken();
  if (token) session?.setAuth(token);
});

readToken();
const name = remembered.get('name');
rejoining = takeCall();
if (name && (remembered.get('here', 'sessionStorage') || location.hash === '#enter')) enter(rejoining?.name ?? name);
else login.show();
