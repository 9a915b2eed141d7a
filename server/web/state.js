// The state of the current call, its timeouts, and the end reasons.

import { OfferAnswer } from './offer-answer.js';

// Milliseconds: how long a call rings, how long ICE and DTLS may take, and how long a connection that was lost is repaired.
export const RING_TIMEOUT = 60_000;
export const CONNECT_TIMEOUT = 30_000;
export const REPAIR_TIMEOUT = 30_000;
// How long it may be `disconnected` before ICE is restarted, since short losses mend themselves, and how long a restart may take.
export const RESTART_AFTER = 2_000;
export const RESTART_EVERY = 8_000;

// What a side sends unless it says otherwise; `held`: it has the call on hold.
/** @typedef {{audio: boolean, video: boolean, screen?: boolean, facing?: string, held?: boolean}} MediaState */

/** @type {Readonly<MediaState>} */
export const ALL_ON = Object.freeze({ audio: true, video: true, screen: false });

// What really goes out: nothing while the call is on hold, and a picture while a screen is shared though the camera be off. Those who do not
// know of holds see microphone and camera off.
/** @param {MediaState} media @returns {MediaState} */
export function sentOf(media) {
  const { held, ...rest } = media;
  if (held) return { ...rest, audio: false, video: false, screen: false, held };
  return { ...rest, video: rest.video || Boolean(rest.screen) };
}

// How many new peer connections one call may get.
export const MAX_REPLACEMENTS = 8;

const MAX_SESSION_CHARS = 200;

// Whether `me` is the polite peer of perfect negotiation: the one whose name is smaller, compared as UTF-8 bytes.
export function isPolite(me, other) {
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(me), encoder.encode(other)];
  const differs = a.findIndex((byte, i) => byte !== b[i]);
  return differs === -1 ? a.length < b.length : differs < b.length && a[differs] < b[differs];
}

// Identifies one remote peer connection: user and session identifier in `o=` (RFC 8866 section 5.2), which are the same in all its
// descriptions (RFC 9429 section 5.2.1). They distinguish the calls of old peers, which send no call identifiers. Null if the
// description has no such line, or only zeros in it.
export function sessionOf({ sdp }) {
  const origin = sdp.split(/\r?\n/, 4).find((line) => line.startsWith('o='));
  const [user, session] = origin?.slice(2).trim().split(/\s+/, 2) ?? [];
  return !session || /^0+$/.test(session) ? null : `${user} ${session}`.slice(0, MAX_SESSION_CHARS);
}

const MAX_CERTIFICATES = 8;

// The certificates that a description names in `a=fingerprint` (RFC 8122 section 5). DTLS binds a connection to them.
export function certificatesOf({ sdp }) {
  const lines = [...sdp.matchAll(/^a=fingerprint:(\S+)[ \t]+(\S+)/gm)];
  return lines.slice(0, MAX_CERTIFICATES).map(([, hash, value]) => `${hash} ${value}`.toLowerCase());
}

// Whether a description with `named` comes from another peer connection than one with `known`. Unknown ones prove nothing.
export function isOtherPeer(known, named) {
  return known.length > 0 && named.length > 0 && !named.some((one) => known.includes(one));
}

export class Call {
  // Whether this side made the first offer; that side restarts ICE.
  offerer = false;
  // Whether the remote peer sends call identifiers, which old peers do not.
  sendsCallIds = false;
  // The remote peer connection, identified by its first description.
  /** @type {string | null} */
  session = null;
  // The remote peer connection's certificates, as far as they are known.
  /** @type {string[]} */
  certificates = [];
  // New peer connections that this call got.
  replacements = 0;
  // The remote call that lost the glare against this one.
  /** @type {string | null} */
  collidingCall = null;
  // Whether an old page was hung up and offered again because of glare.
  oldPeerRestarted = false;
  // Whether the remote user is missing from the user list, so that messages do not arrive.
  peerOffline = false;
  /** @type {MediaState} */
  local = ALL_ON;
  /** @type {MediaState} */
  remote = ALL_ON;
  // Null before an incoming call is accepted.
  /** @type {number | null} */
  peer = null;
  // The offer of an incoming call that was not accepted yet.
  /** @type {RTCSessionDescriptionInit | null} */
  offer = null;
  offerAnswer = new OfferAnswer();
  // Whether the server was reachable when the last description was sent. Messages sent while it is not wait in the session and
  // are not lost.
  sentOnline = false;
  // When to restart ICE.
  /** @type {number | null} */
  restartAt = null;

  // `deadline` is when the current state times out.
  constructor(id, me, person, state, deadline) {
    this.id = id;
    this.with = person;
    this.state = state;
    /** @type {number | null} */
    this.deadline = deadline;
    // Whether this side is the polite peer. Set from the names at the start; later renames do not change it.
    this.polite = isPolite(me, person);
  }

  // An outgoing call that was not answered yet.
  get isCalling() {
    return ['calling', 'ringing-there', 'ringing-by-push'].includes(this.state);
  }

  // The call was accepted.
  get isAnswered() {
    return this.state === 'connecting' || this.hasConnected;
  }

  get hasConnected() {
    return this.state === 'connected' || this.state === 'reconnecting';
  }

  // Whether an offer without a call identifier can be from the remote peer connection of this call.
  isOfSession(session) {
    return this.session === null || session === null || this.session === session;
  }
}

/** @param {Call | null} call */
export function snapshotOf(call) {
  if (!call) return { state: 'idle', with: null, call: null, local: ALL_ON, remote: ALL_ON };
  return { state: call.state, with: call.with, call: call.id, local: call.local, remote: call.remote };
}

// The reason in `hang-up` for each end reason.
export const WIRE_REASONS = Object.freeze({
  'declined-here': 'declined',
  'declined-there': 'declined',
  busy: 'busy',
  timeout: 'timeout',
  'cancelled-here': 'cancelled',
  'cancelled-there': 'cancelled',
  'hung-up-here': 'ended',
  'hung-up-there': 'ended',
  'no-path': 'failed',
  'connection-failed': 'failed',
  'negotiation-failed': 'negotiation-failed',
  'no-common-codec': 'no-common-codec',
  'handshake-failed': 'handshake-failed',
  unreachable: 'failed',
  'media-failed-here': 'media-error',
  'media-failed-there': 'media-error',
  'answered-elsewhere': 'elsewhere',
});

// The end reason for a hang-up of the remote peer. Old peers send no reason.
export function endReasonFor(call, reason) {
  if (reason === 'media-error') return 'media-failed-there';
  if (reason === 'failed') return call.state === 'connecting' ? 'no-path' : 'connection-failed';
  if (['negotiation-failed', 'no-common-codec', 'handshake-failed'].includes(reason)) return reason;
  if (call.isAnswered) return 'hung-up-there';
  if (reason === 'timeout') return 'timeout';
  if (call.state === 'ringing-here') return reason === 'elsewhere' ? 'answered-elsewhere' : 'cancelled-there';
  return reason === 'busy' ? 'busy' : 'declined-there';
}
