// What the call engine remembers of the call there is, its times, and the words for how calls end.

import { Negotiation } from './negotiation.js';

// Milliseconds: how long a call rings, how long ICE and DTLS may take, and how long a connection that was lost is repaired.
export const RING_TIMEOUT = 60_000;
export const CONNECT_TIMEOUT = 30_000;
export const REPAIR_TIMEOUT = 30_000;
// How long it may be `disconnected` before ICE is restarted, since short losses mend themselves, and how long a restart may take.
export const RESTART_AFTER = 2_000;
export const RESTART_EVERY = 8_000;

// What a side sends unless it says otherwise.
export const ALL_ON = Object.freeze({ audio: true, video: true, screen: false });

const MAX_SESSION_CHARS = 200;

// Which of two gives way when both offer at once: the one whose name is smaller, compared as UTF-8 bytes.
export function isPolite(me, other) {
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(me), encoder.encode(other)];
  const differs = a.findIndex((byte, i) => byte !== b[i]);
  return differs === -1 ? a.length < b.length : differs < b.length && a[differs] < b[differs];
}

// Names one peer connection of the other side's: user and session identifier in `o=` (RFC 8866 section 5.2), which stay the same
// in all its descriptions (RFC 9429 section 5.2.1). They tell the calls of old peers apart, which do not name them. Null if the
// description has no such line, or one that says nothing.
export function sessionOf({ sdp }) {
  const origin = sdp.split(/\r?\n/, 4).find((line) => line.startsWith('o='));
  const [user, session] = origin?.slice(2).trim().split(/\s+/, 2) ?? [];
  return !session || /^0+$/.test(session) ? null : `${user} ${session}`.slice(0, MAX_SESSION_CHARS);
}

export class Call {
  // Whether this side made the first offer: it is the one that restarts ICE.
  offerer = false;
  // Whether the other side has named the call, and so understands what old peers do not.
  namesCalls = false;
  // The other side's peer connection, by what it wrote into its first description.
  session = null;
  // The other side's call that gave way to this one when both called.
  rival = null;
  // Whether an old page that called at the same time was hung up and called again.
  calledAgain = false;
  // Whether the person is missing from the user list: what is sent now does not arrive.
  away = false;
  local = ALL_ON;
  remote = ALL_ON;
  // None before an incoming call is accepted.
  peer = null;
  // The offer that rings here.
  offer = null;
  negotiation = new Negotiation();
  // Whether the server was in reach when the last description was given to it: what was said in its absence waits in the
  // session and is not lost.
  saidOnline = false;
  // When to restart ICE.
  restartAt = null;

  // `deadline` is when the state it is in has lasted too long.
  constructor(id, me, person, state, deadline) {
    this.id = id;
    this.with = person;
    this.state = state;
    this.deadline = deadline;
    // Whether this side gives way when both offer at once: by the names at the start, so that no later name changes it.
    this.polite = isPolite(me, person);
  }

  // We call and nobody has answered yet.
  get isCalling() {
    return this.state === 'calling' || this.state === 'ringing-there';
  }

  // Both have taken the call.
  get isAnswered() {
    return this.state === 'connecting' || this.hasConnected;
  }

  get hasConnected() {
    return this.state === 'connected' || this.state === 'reconnecting';
  }

  // Whether an offer without a call's identifier comes from the peer connection that this call is with.
  isOfSession(session) {
    return this.session === null || session === null || this.session === session;
  }
}

export function snapshotOf(call) {
  if (!call) return { state: 'idle', with: null, call: null, local: ALL_ON, remote: ALL_ON };
  return { state: call.state, with: call.with, call: call.id, local: call.local, remote: call.remote };
}

// What the other side is told in `hang-up`, by why the call ended here.
export const WIRE_REASONS = Object.freeze({
  'declined-here': 'declined',
  'declined-there': 'declined',
  busy: 'busy',
  timeout: 'timeout',
  'cancelled-here': 'cancelled',
  'cancelled-there': 'cancelled',
  'hung-up-here': 'ended',
  'hung-up-there': 'ended',
  'connection-failed': 'failed',
  'negotiation-failed': 'failed',
  unreachable: 'failed',
  'media-failed-here': 'media-error',
  'media-failed-there': 'media-error',
  'answered-elsewhere': 'elsewhere',
});

// What the other side's hang-up means for this call. Old peers give no reason.
export function whyTheyHungUp(call, reason) {
  if (reason === 'media-error') return 'media-failed-there';
  if (reason === 'failed') return 'connection-failed';
  if (call.isAnswered) return 'hung-up-there';
  if (reason === 'timeout') return 'timeout';
  if (call.state === 'ringing-here') return reason === 'elsewhere' ? 'answered-elsewhere' : 'cancelled-there';
  return reason === 'busy' ? 'busy' : 'declined-there';
}
