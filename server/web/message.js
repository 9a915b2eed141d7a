// Frames of the signaling protocol (docs/protocol.md): what comes is read leniently and never trusted.

export const MAX_NAME_CHARS = 32;
export const MAX_TEXT_CHARS = 256;
const MAX_USERS = 10_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

// Characters as the server counts them: Unicode code points.
export const countChars = (text) => [...text].length;

/** @type {(value: any) => boolean} */
const isText = (value) => typeof value === 'string';
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

class Malformed extends Error {}

// The message in a text frame, its known fields checked; null if it is none of ours. Throws on nonsense.
export function readMessage(frame) {
  const message = isText(frame) ? JSON.parse(frame) : null;
  if (!isObject(message) || !isText(message.type)) throw new Malformed('no object with a type');
  const read = READERS[message.type];
  return read && Object.hasOwn(READERS, message.type) ? { type: message.type, ...read(message) } : null;
}

function optional(message, fields, accept = isText) {
  const found = {};
  for (const field of fields) {
    const value = message[field];
    if (value === undefined || value === null) continue;
    if (!accept(value)) throw new Malformed(`${field} is wrong`);
    found[field] = value;
  }
  return found;
}

function required(message, field, accept) {
  if (!accept(message[field])) throw new Malformed(`${field} is missing or wrong`);
  return message[field];
}

function ofCall(message) {
  const found = optional(message, ['name', 'target']);
  const { call } = optional(message, ['call'], (value) => isText(value) && UUID.test(value));
  return call ? { ...found, call: call.toLowerCase() } : found;
}

function description(message) {
  const { type, sdp } = required(message, 'sdp', (value) => isObject(value) && isText(value.type) && isText(value.sdp));
  return { ...ofCall(message), sdp: { type, sdp } };
}

function candidate(value) {
  if (value === undefined || value === null) return null;
  if (!isObject(value) || !isText(value.candidate)) throw new Malformed('candidate is wrong');
  const { sdpMid = null, sdpMLineIndex = null, usernameFragment } = value;
  if (sdpMid !== null && !isText(sdpMid)) throw new Malformed('sdpMid is wrong');
  if (sdpMLineIndex !== null && !Number.isInteger(sdpMLineIndex)) throw new Malformed('sdpMLineIndex is wrong');
  return { candidate: value.candidate, sdpMid, sdpMLineIndex, ...(isText(usernameFragment) && { usernameFragment }) };
}

function iceServers(value) {
  if (!Array.isArray(value)) return [];
  const areUrls = (urls) => isText(urls) || (Array.isArray(urls) && urls.length > 0 && urls.every(isText));
  return value.filter((server) => isObject(server) && areUrls(server.urls)).map(({ urls, username, credential }) => ({
    urls,
    ...(isText(username) && { username }),
    ...(isText(credential) && { credential }),
  }));
}

// An old server's list has null for whoever has no name yet.
function users(value) {
  const names = value.filter((name) => isText(name) && name !== '').slice(0, MAX_USERS);
  return [...new Set(names)];
}

const names = (value) => (Array.isArray(value) ? value.filter((name) => isText(name) && name !== '') : []);
const pairs = (value) => (Array.isArray(value) ? value.filter((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isText)) : []);

const on = (value) => value !== false;

const READERS = {
  id: (m) => ({
    id: required(m, 'id', Number.isFinite),
    iceServers: iceServers(m.iceServers),
    resume: isText(m.resume) ? m.resume : null,
    features: names(m.features),
    push: isObject(m.push) ? { platforms: names(m.push.platforms), key: isText(m.push.applicationServerKey) ? m.push.applicationServerKey : null } : null,
  }),
  'ice-servers': (m) => ({ iceServers: iceServers(required(m, 'iceServers', Array.isArray)) }),
  rejectusername: (m) => ({ id: required(m, 'id', Number.isFinite), name: required(m, 'name', (v) => isText(v) && v !== '') }),
  userlist: (m) => ({ users: users(required(m, 'users', Array.isArray)), away: names(m.away).slice(0, MAX_USERS), seq: Number.isInteger(m.seq) ? m.seq : null }),
  'userlist-delta': (m) => ({
    seq: required(m, 'seq', Number.isInteger),
    joined: names(m.joined),
    left: names(m.left),
    away: names(m.away),
    renamed: pairs(m.renamed),
  }),
  message: (m) => ({
    text: required(m, 'text', isText),
    date: Number.isFinite(m.date) ? m.date : null,
    name: isText(m.name) ? m.name : null,
  }),
  'video-offer': description,
  'video-answer': description,
  'new-ice-candidate': (m) => ({ ...ofCall(m), candidate: candidate(m.candidate) }),
  'hang-up': (m) => ({ ...ofCall(m), ...optional(m, ['reason']) }),
  'call-ringing': ofCall,
  'call-pushed': ofCall,
  'push-registered': (m) => ({ platform: isText(m.platform) ? m.platform : null }),
  'media-state': (m) => ({
    ...ofCall(m),
    audio: on(m.audio),
    video: on(m.video),
    screen: m.screen === true,
    ...(m.held === true && { held: true }),
    ...(['user', 'environment'].includes(m.facing) && { facing: m.facing }),
  }),
  error: (m) => ({ ...ofCall(m), code: isText(m.code) ? m.code : 'unknown', ...optional(m, ['message', 'for']) }),
};
