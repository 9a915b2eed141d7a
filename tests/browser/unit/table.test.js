// The page's call engine against the core's own table of states and inputs: both must decide alike.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ALL_ON, CONNECT_TIMEOUT, REPAIR_TIMEOUT, RING_TIMEOUT } from '../../../server/web/state.js';
import { OTHER_CALL, engineIn } from './support.js';

const TABLE = readFileSync(new URL('../../../core/src/call/table.md', import.meta.url), 'utf8');
const rows = TABLE.trim().split('\n').map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
const STATES = rows[0].slice(1);
// The table has the core's variants, the page the words of the wire: `RingingLocally` is `ringing-here`.
const kebab = (name) => name.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()
  .replace(/-locally$/, '-here').replace(/-remotely$/, '-there');

// Each input, given to an engine in some state; gives the refusal of a command.
const say = (type, fields) => ({ engine, now, call }) => engine.message(now, { type, name: 'bia', call: call ?? OTHER_CALL, ...fields });
const sdp = (type) => ({ sdp: { type, sdp: `another ${type}` } });
const command = (kind, fields) => ({ engine, now }) => engine.command(now, { kind, ...fields });
const report = (kind, fields) => ({ engine, now, peer }) => engine.report(now, peer, { kind, ...fields });
const INPUTS = {
  'command: call somebody': command('call', { to: 'caio', media: ALL_ON }),
  'command: call oneself': ({ engine, now, me }) => engine.command(now, { kind: 'call', to: me, media: ALL_ON }),
  'command: accept': command('accept', { media: ALL_ON }),
  'command: decline': command('decline'),
  'command: hang up': command('hang-up'),
  'command: hold': command('set-held', { on: true }),
  'command: share the screen': command('set-screen', { on: true }),
  'command: resume': command('set-held', { on: false }),
  'command: microphone off': command('set-microphone', { on: false }),
  'offer of a stranger': say('video-offer', { name: 'eva', call: OTHER_CALL, ...sdp('offer') }),
  'offer in this call, we are polite': { polite: true, give: say('video-offer', sdp('offer')) },
  'offer in this call, we are impolite': { polite: false, give: say('video-offer', sdp('offer')) },
  'offer of a new call by the peer, we are polite': { polite: true, give: say('video-offer', { call: OTHER_CALL, ...sdp('offer') }) },
  'answer of the peer': say('video-answer', sdp('answer')),
  'answer of a stranger': say('video-answer', { name: 'eva', call: OTHER_CALL, ...sdp('answer') }),
  'call-ringing of the peer': say('call-ringing'),
  'call-pushed of the server': say('call-pushed', { name: undefined, target: 'bia' }),
  'candidate of the peer': say('new-ice-candidate', { candidate: { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 } }),
  'media-state of the peer': say('media-state', { audio: false, video: true, screen: false }),
  'hang-up of the peer': say('hang-up'),
  'hang-up of the peer, busy': say('hang-up', { reason: 'busy' }),
  'hang-up of the peer, no-common-codec': say('hang-up', { reason: 'no-common-codec' }),
  'hang-up of the peer, handshake-failed': say('hang-up', { reason: 'handshake-failed' }),
  'hang-up of the peer, media-error': say('hang-up', { reason: 'media-error' }),
  'hang-up of the peer, another call': say('hang-up', { call: OTHER_CALL }),
  'hang-up of a stranger': say('hang-up', { name: 'eva', call: undefined }),
  'hang-up of nobody': say('hang-up', { name: undefined }),
  'error: no such user, for the offer': say('error', { name: undefined, code: 'no-such-user', for: 'video-offer', target: 'bia' }),
  'error: bad message, for the offer': say('error', { name: undefined, code: 'bad-message', for: 'video-offer', target: 'bia' }),
  'the peer leaves the user list': ({ engine, now, me }) => engine.users(now, [me]),
  'the peer is away, and can be reached by push': ({ engine, now, me }) => {
    engine.away(['bia']);
    engine.users(now, [me]);
  },
  'the server is lost': ({ engine, now }) => engine.signalingLost(now),
  'connection: connected': report('connection', { state: 'connected' }),
  'connection: connecting': report('connection', { state: 'connecting' }),
  'connection: closed': report('connection', { state: 'closed' }),
  'connection: disconnected': report('connection', { state: 'disconnected' }),
  'connection: failed': report('connection', { state: 'failed' }),
  'negotiation failed': report('negotiation-failed', { why: 'nonsense' }),
  'no common codec': report('no-common-codec'),
  'handshake failed': report('handshake-failed'),
  'camera or microphone failed': report('media-failed', { why: 'gone' }),
  'report of an earlier peer connection': ({ engine, now }) => engine.report(now, 0, { kind: 'media-failed' }),
  'time runs out': ({ engine, now }) => engine.handleTimeout(now + Math.max(RING_TIMEOUT, CONNECT_TIMEOUT, REPAIR_TIMEOUT)),
};

test('every input of the table is known here, and none is left out there', () => {
  assert.deepEqual(rows.slice(2).map(([input]) => input).sort(), Object.keys(INPUTS).sort());
});

for (const [input, ...cells] of rows.slice(2)) {
  test(`in every state: ${input}`, () => {
    const { polite: one, give = INPUTS[input] } = INPUTS[input];
    const manners = one === undefined ? [true, false] : [one];
    cells.forEach((cell, i) => {
      for (const polite of manners) for (const caller of [true, false]) check(input, give, cell, STATES[i], { polite, caller });
    });
  });
}

function check(input, give, cell, column, manner) {
  const state = kebab(column);
  const world = engineIn(state, manner);
  const before = world.engine.snapshot();
  const refusal = give(world);
  const after = world.engine.snapshot();
  const ended = world.outputs().filter((one) => one.kind === 'event' && one.event.kind === 'ended').map((one) => one.event.reason);
  const [next, reason] = cell.split(' ');
  const stays = cell === '=' || cell === 'refused';
  const where = `${input}, in ${column}, ${JSON.stringify(manner)}`;
  assert.equal(after.state, stays ? state : kebab(next), where);
  assert.deepEqual(ended, reason ? [kebab(reason)] : [], where);
  if (stays) assert.deepEqual([after.call, after.with], [before.call, before.with], where);
  if (input.startsWith('command')) assert.equal(typeof refusal === 'string', cell === 'refused', `${where}: ${refusal}`);
}
