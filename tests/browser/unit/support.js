// Call engines in each state, and two engines that talk to each other.

import { ALL_ON, CallEngine } from '../../../server/web/call.js';

export const OUR_CALL = '00000000-0000-4000-8000-000000000001';
export const THEIR_CALL = '00000000-0000-4000-8000-000000000002';
export const OTHER_CALL = '00000000-0000-4000-8000-000000000003';

export const offer = { type: 'offer', sdp: 'v=0' };
export const answer = { type: 'answer', sdp: 'v=0' };

// An engine in this state, of a call with bia in which it made the first offer, unless it rang here. Polite is who has the
// smaller name.
export function engineIn(state, { polite = true } = {}) {
  const me = polite ? 'ana' : 'zoe';
  const engine = new CallEngine(() => OUR_CALL);
  const world = {
    engine,
    me,
    now: 1_000,
    call: null,
    peer: null,
    // What it wanted since the last look.
    outputs() {
      const outputs = engine.take();
      world.peer = outputs.findLast((one) => one.kind === 'peer')?.peer ?? world.peer;
      return outputs;
    },
    sent: () => world.outputs().filter((one) => one.kind === 'send').map((one) => one.message),
  };
  engine.loggedIn(world.now, me);
  if (state === 'ringing-here') {
    engine.message(world.now, { type: 'video-offer', name: 'bia', call: THEIR_CALL, sdp: offer });
    world.call = THEIR_CALL;
  } else if (state !== 'idle') {
    engine.command(world.now, { kind: 'call', to: 'bia', media: ALL_ON });
    world.call = OUR_CALL;
    world.outputs();
    engine.report(world.now, world.peer, { kind: 'description', sdp: offer });
    if (state === 'ringing-there') engine.message(world.now, { type: 'call-ringing', name: 'bia', call: OUR_CALL });
    if (['connecting', 'connected', 'reconnecting'].includes(state)) {
      engine.message(world.now, { type: 'video-answer', name: 'bia', call: OUR_CALL, sdp: answer });
    }
    if (['connected', 'reconnecting'].includes(state)) engine.report(world.now, world.peer, { kind: 'connection', state: 'connected' });
    if (state === 'reconnecting') engine.report(world.now, world.peer, { kind: 'connection', state: 'disconnected' });
  }
  world.outputs();
  if (engine.snapshot().state !== state) throw new Error(`is ${engine.snapshot().state} and not ${state}`);
  return world;
}

// A number generator with a seed (mulberry32), so that a failing run can be run again.
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
