// A page that is loaded anew in a call goes on with it; at the other side it is a new peer connection in the same call.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallEngine } from '../../../server/web/call.js';
import { hasNothingInCommon } from '../../../server/web/peer.js';
import { ALL_ON, MAX_REPLACEMENTS, REPAIR_TIMEOUT, certificatesOf, isOtherPeer } from '../../../server/web/state.js';
import { OUR_CALL, engineIn } from './support.js';

const described = (type, certificate, more = '') => ({ type, sdp: `v=0\r\na=fingerprint:sha-256 ${certificate}\r\n${more}` });
const KEPT = { call: OUR_CALL, with: 'bia', local: { ...ALL_ON, audio: false }, remote: { ...ALL_ON, video: false } };
const actions = (outputs) => outputs.filter((one) => one.kind === 'peer').map((one) => one.action.kind);
const ends = (outputs) => outputs.filter((one) => one.event?.kind === 'ended').map((one) => one.event.reason);

test('one certificate in common is the same peer, in whatever case', () => {
  const ours = certificatesOf(described('offer', 'AB:CD'));
  assert.ok(!isOtherPeer(ours, certificatesOf({ sdp: 'a=fingerprint:SHA-256 ab:cd\r\na=fingerprint:sha-512 01\r\n' })));
  assert.ok(isOtherPeer(ours, certificatesOf(described('offer', 'AB:CE'))));
  assert.ok(!isOtherPeer(ours, []) && !isOtherPeer([], ours));
});

test('an answer that refuses sound and picture shows that there is no codec in common', () => {
  assert.ok(hasNothingInCommon({ sdp: 'm=audio 0 X\r\nm=video 0 X\r\nm=application 9 X\r\n' }));
  assert.ok(!hasNothingInCommon({ sdp: 'm=audio 9 X\r\nm=video 0 X\r\n' }));
  assert.ok(!hasNothingInCommon({ sdp: 'v=0\r\n' }));
});

test('after a reload the call goes on: offered on a new connection, muted as before, and ended when nothing comes of it', () => {
  const engine = new CallEngine(() => assert.fail('a new call'));
  assert.equal(engine.command(0, { ...KEPT, kind: 'rejoin' }), 'not-logged-in');
  engine.loggedIn(0, 'ana');
  assert.equal(engine.command(0, { ...KEPT, kind: 'rejoin' }), null);
  const outputs = engine.take();
  assert.deepEqual(actions(outputs), ['create', 'offer']);
  assert.deepEqual(engine.snapshot(), { ...KEPT, state: 'reconnecting' });
  engine.report(1, 1, { kind: 'description', sdp: described('offer', '01') });
  assert.deepEqual(engine.take().map(({ message }) => [message.type, message.call, message.target]), [['video-offer', OUR_CALL, 'bia']]);
  engine.handleTimeout(REPAIR_TIMEOUT);
  assert.deepEqual(ends(engine.take()), ['connection-failed']);
});

test('a call that was hung up during the reload is over', () => {
  const engine = new CallEngine(() => OUR_CALL);
  engine.loggedIn(0, 'ana');
  engine.message(0, { type: 'hang-up', name: 'bia', call: OUR_CALL });
  engine.command(0, { ...KEPT, kind: 'rejoin' });
  assert.deepEqual(ends(engine.take()), ['hung-up-there']);
});

for (const caller of [true, false]) {
  test(`an offer with another certificate gets a new connection, with a bound, where ${caller ? 'we' : 'they'} called`, () => {
    const { engine, now, call, outputs } = engineIn('connected', { caller });
    const offer = (certificate) => engine.message(now, { type: 'video-offer', name: 'bia', call, sdp: described('offer', certificate) });
    offer('00');
    assert.deepEqual(actions(outputs()), ['answer'], 'so far no certificate was known');
    for (let i = 1; i <= MAX_REPLACEMENTS; i += 1) {
      offer(`0${i}`);
      assert.deepEqual(actions(outputs()), ['close', 'create', 'answer']);
      assert.equal(engine.snapshot().state, 'reconnecting');
      assert.equal(engine.snapshot().call, call);
    }
    offer('99');
    assert.deepEqual(ends(outputs()), ['connection-failed']);
  });
}
