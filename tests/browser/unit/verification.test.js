// The check of the other end: frames and words as docs/protocol.md has them, and what a side does that does not keep to it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { VerificationChannel, certificateOf } from '../../../server/web/verification-channel.js';
import { VERIFICATION_WORDS } from '../../../server/web/verification-words.js';
import { Check, sha256, verdictOf, wordOf } from '../../../server/web/verification.js';
import { VerifiedPeople } from '../../../server/web/verified.js';

const filled = (byte) => new Uint8Array(32).fill(byte);
const [ANA, RUI] = [filled(0x0a), filled(0x0b)];
const offerer = (...secrets) => new Check({ role: 'offerer', own: ANA, peer: RUI }, filled(1), secrets);
const answerer = (...secrets) => new Check({ role: 'answerer', own: RUI, peer: ANA }, filled(2), secrets);

// Carries frames both ways until there are none.
async function talk(one, other) {
  for (let moved = true; moved;) {
    moved = false;
    for (const [from, to] of [[one, other], [other, one]]) {
      for (const frame of from.take()) {
        moved = true;
        await to.receive(frame);
      }
    }
  }
}

async function met(ofOne = [], ofOther = []) {
  const [one, other] = [offerer(...ofOne), answerer(...ofOther)];
  await talk(one, other);
  return [one, other];
}

test('the words of the worked example are those of the document', async () => {
  const document = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const [, ...expected] = document.match(/as \*nonce_a\* the words are (\d+), (\d+), (\d+) and (\d+)/);
  const [one, other] = await met();
  assert.deepEqual(one.words, expected.map(Number));
  assert.deepEqual(other.words, one.words);
  assert.deepEqual([one.result, other.result], ['compare', 'compare']);
});

test('two who say that the words are the same know each other the next time, and nobody else', async () => {
  const [one, other] = await met();
  assert.equal(await one.secret(), null);
  one.confirm(true);
  await talk(one, other);
  assert.equal(other.result, 'compare', 'the other has not said so');
  other.confirm(true);
  await talk(one, other);
  assert.deepEqual([one.result, other.result], ['confirmed', 'confirmed']);
  const secret = await one.secret();
  assert.deepEqual(await other.secret(), secret);

  const [again, there] = await met([filled(9), secret], [secret]);
  assert.deepEqual([again.result, there.result], ['remembered', 'remembered']);
  again.confirm(true);
  there.confirm(true);
  await talk(again, there);
  assert.equal(await again.secret(), null, 'it is remembered already');
  const [changed, forgetful] = await met([secret], []);
  assert.deepEqual([changed.result, forgetful.result], ['changed', 'compare']);
});

test('one who says that they differ is believed, and may change their mind', async () => {
  const [one, other] = await met();
  one.confirm(false);
  await talk(one, other);
  assert.deepEqual([one.result, other.result], ['differs', 'differs']);
  for (const check of [one, other]) check.confirm(true);
  await talk(one, other);
  assert.deepEqual([one.result, other.result], ['confirmed', 'confirmed']);
});

test('other certificates are other words', async () => {
  const [one] = await met();
  const between = new Check({ role: 'answerer', own: RUI, peer: filled(0x0c) }, filled(2), []);
  const victim = offerer();
  await talk(victim, between);
  assert.deepEqual(victim.words, one.words);
  assert.notDeepEqual(between.words, victim.words);
});

test('a nonce that was not committed to, frames out of order, and nonsense end it', async () => {
  const liar = answerer();
  const [hello] = liar.take();
  assert.deepEqual([...hello], [1, 0]);
  await liar.receive(Uint8Array.of(1, 1, ...filled(7)));
  await liar.receive(Uint8Array.of(1, 2, ...filled(7)));
  assert.equal(liar.result, 'failed');
  const nonsense = [[], [1], [2, 0], [1, 0, 0], [1, 1, 1], [1, 3, 1], [1, 3, ...filled(1), ...new Uint8Array(128)], [1, 4], [1, 4, 2], [1, 9]];
  for (const bytes of nonsense) {
    const check = offerer();
    await check.receive(Uint8Array.from(bytes));
    assert.deepEqual([check.result, check.take(), check.words], ['failed', [], null], String(bytes));
  }
  const [one] = await met();
  for (let n = 0; n < 40; n += 1) await one.receive(Uint8Array.of(1, 4, 1));
  assert.deepEqual([one.result, one.words], ['failed', null], 'more than a check has');
});

test('a side that never begins does not know the check, but one that was checked before does', async () => {
  const [unknown, known, begun] = [offerer(), offerer(filled(3)), offerer()];
  await begun.receive(Uint8Array.of(1, 0));
  for (const check of [unknown, known, begun]) check.giveUp();
  assert.deepEqual([unknown.result, known.result, begun.result], ['unsupported', 'changed', 'failed']);
  const [one] = await met();
  one.giveUp();
  assert.equal(one.result, 'compare');
});

test('what is told of each result', () => {
  const words = [1, 2, 3, 4];
  const told = (result, { has = words, answered = false, known = false } = {}) => Object.values(verdictOf({ words: has, result }, { answered, known }));
  assert.deepEqual(told('checking', { has: null }), ['verification.checking', 'unknown', false]);
  assert.deepEqual(told('compare'), ['verification.compare', 'unknown', true]);
  assert.deepEqual(told('compare', { answered: true }), ['verification.waiting', 'unknown', false]);
  assert.deepEqual(told('changed'), ['verification.changed', 'doubtful', true]);
  assert.deepEqual(told('changed', { has: null }), ['verification.gone', 'doubtful', false]);
  assert.deepEqual(told('failed', { has: null }), ['verification.failed', 'unknown', false]);
  assert.deepEqual(told('failed', { has: null, known: true }), ['verification.gone', 'doubtful', false]);
  assert.deepEqual(told('unsupported', { has: null }), ['verification.unsupported', 'unknown', false]);
  for (const result of ['remembered', 'confirmed']) assert.deepEqual(told(result), [`verification.${result}`, 'verified', false]);
  assert.deepEqual(told('differs'), ['verification.differs', 'doubtful', false]);
});

test('there are 256 words, all different in both languages', () => {
  assert.equal(VERIFICATION_WORDS.length, 256);
  for (const part of [0, 1, 2]) assert.equal(new Set(VERIFICATION_WORDS.map((word) => word[part])).size, 256);
  assert.deepEqual([wordOf(0, 'en'), wordOf(0, 'pt-BR')], [{ emoji: '🐶', name: 'dog' }, { emoji: '🐶', name: 'cachorro' }]);
});

test('secrets are kept by room and name, four of a person, and nonsense is nobody', () => {
  const kept = new Map();
  const store = { get: (key) => kept.get(key) ?? null, set: (key, text) => kept.set(key, text) };
  const people = new VerifiedPeople(store, '/');
  for (const byte of [1, 2, 3, 4, 5]) people.add('rui', filled(byte));
  const again = new VerifiedPeople(store, '/');
  assert.deepEqual(again.secretsOf('rui'), [5, 4, 3, 2].map(filled));
  assert.deepEqual(again.secretsOf('ana'), []);
  assert.deepEqual(new VerifiedPeople(store, '/room/x').secretsOf('rui'), [], 'somebody else in another room');
  for (const json of ['', '{', '{}', '[1]', '[{"room":"/","name":"rui","secrets":["zz"]}]']) {
    kept.set('verified', json);
    assert.deepEqual(new VerifiedPeople(store, '/').secretsOf('rui'), [], json);
  }
});

test('a certificate is what a description names alone', () => {
  const hex = [...filled(0xab)].map((byte) => byte.toString(16).toUpperCase()).join(':');
  const line = `a=fingerprint:SHA-256 ${hex}\r\n`;
  assert.deepEqual(certificateOf({ sdp: `v=0\r\n${line}m=audio\r\n${line.toLowerCase()}` }), filled(0xab));
  for (const sdp of ['', `${line}a=fingerprint:sha-512 ab:cd\r\n`, 'a=fingerprint:sha-256 ab:cd\r\n']) assert.equal(certificateOf({ sdp }), null);
  assert.equal(certificateOf(null), null);
});

// A connection made by hand, with its certificates and its channels.
function fakeConnection(own, peer) {
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  const described = (bytes) => ({ sdp: `a=fingerprint:sha-256 ${hex(bytes)}\r\n` });
  const channels = [];
  return {
    channels,
    sctp: { transport: {} },
    currentLocalDescription: described(own),
    currentRemoteDescription: described(peer),
    ondatachannel: null,
    createDataChannel(label) {
      const channel = { label, readyState: 'connecting', sent: [], send: (frame) => channel.sent.push(frame) };
      channels.push(channel);
      return channel;
    },
  };
}

function run(connection, role, secrets = []) {
  const told = [];
  const channel = new VerificationChannel(connection, { secrets: () => secrets, changed: (check) => told.push(check.result), remember: () => {} });
  if (role === 'offerer') channel.offers();
  channel.negotiated(role);
  channel.connected();
  return { channel, told };
}

const settled = () => new Promise((done) => { setImmediate(done); });

test('the offerer opens the channel once the apps’ is open, and an old peer that says nothing is told after 5 s', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const connection = fakeConnection(ANA, RUI);
  const { told } = run(connection, 'offerer');
  assert.deepEqual(connection.channels.map(({ label }) => label), ['chamada']);
  connection.channels[0].readyState = 'open';
  connection.channels[0].onopen();
  assert.deepEqual(connection.channels.map(({ label }) => label), ['chamada', 'chamada-verification']);
  await settled();
  assert.deepEqual(told, ['checking']);
  t.mock.timers.tick(4_999);
  await settled();
  assert.deepEqual(told, ['checking']);
  t.mock.timers.tick(1);
  await settled();
  assert.deepEqual(told, ['checking', 'unsupported']);
});

test('a connection without data channels cannot be checked, which is a warning where a device was checked before', async () => {
  for (const [secrets, expected] of [[[], 'unsupported'], [[filled(1)], 'changed']]) {
    const connection = { ...fakeConnection(ANA, RUI), sctp: null };
    const { told } = run(connection, 'answerer', secrets);
    await settled();
    assert.deepEqual(told, [expected]);
  }
});

test('frames that come before the handshake was told wait for it, and a closed connection tells nothing', async () => {
  const connection = fakeConnection(RUI, ANA);
  connection.sctp.transport.getRemoteCertificates = () => [ANA];
  const { channel, told } = run(connection, 'answerer');
  const offered = connection.createDataChannel('chamada-verification');
  offered.readyState = 'open';
  connection.ondatachannel({ channel: offered });
  const other = new Check({ role: 'offerer', own: await sha256(ANA), peer: RUI }, filled(1), []);
  while (told.at(-1) !== 'compare') {
    await settled();
    for (const frame of offered.sent.splice(0)) await other.receive(frame);
    for (const frame of other.take()) offered.onmessage({ data: frame.buffer });
  }
  assert.deepEqual(told, ['checking', 'compare']);
  channel.close();
  offered.onmessage({ data: 'text' });
  await settled();
  assert.equal(told.length, 2);
});
