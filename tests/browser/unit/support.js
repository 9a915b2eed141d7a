// The call engine in each state, and numbers by chance.

import { CallEngine } from '../../../server/web/call.js';
import { ALL_ON } from '../../../server/web/state.js';

export const OUR_CALL = '00000000-0000-4000-8000-000000000001';
export const THEIR_CALL = '00000000-0000-4000-8000-000000000002';
export const OTHER_CALL = '00000000-0000-4000-8000-000000000003';

const described = (type, sdp = 'v=0') => ({ sdp: { type, sdp } });

// An engine in this state, of a call with bia. `polite` is whether it has the smaller name; `caller` whether it called, where
// the state leaves that open.
export function engineIn(state, { polite = true, caller = true } = {}) {
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
  };
  const report = (kind, more) => {
    world.outputs();
    engine.report(world.now, world.peer, { kind, ...more });
  };
  const message = (type, more) => engine.message(world.now, { type, name: 'bia', call: world.call, ...more });
  engine.loggedIn(world.now, me);
  if (state !== 'idle') {
    const called = { calling: true, 'ringing-there': true, 'ringing-by-push': true, 'ringing-here': false }[state] ?? caller;
    const answered = ['connecting', 'connected', 'reconnecting'].includes(state);
    world.call = called ? OUR_CALL : THEIR_CALL;
    if (called) {
      engine.command(world.now, { kind: 'call', to: 'bia', media: ALL_ON });
      report('description', described('offer'));
      if (state === 'ringing-there') message('call-ringing');
      if (state === 'ringing-by-push') message('call-pushed', { name: undefined, target: 'bia' });
      if (answered) message('video-answer', described('answer'));
    } else {
      message('video-offer', described('offer'));
      if (answered) engine.command(world.now, { kind: 'accept', media: ALL_ON });
    }
    if (state === 'connected' || state === 'reconnecting') {
      if (called) report('answer-applied');
      else report('description', described('answer'));
      report('connection', { state: 'connected' });
    }
    if (state === 'reconnecting') report('connection', { state: 'disconnected' });
    world.outputs();
  }
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
