// The session with the server, over sockets and a clock made by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOGIN_TIMEOUT, Session, retryDelay } from '../../../server/web/signaling.js';

function world(name = 'ana', more = {}) {
  const sockets = [];
  const events = [];
  const timers = new Map();
  let ids = 0;
  const clock = {
    now: () => 1_700_000_000_000,
    random: () => 1,
    setTimer: (work, ms) => { timers.set(ids += 1, { work, ms }); return ids; },
    clearTimer: (id) => timers.delete(id),
  };
  const open = () => {
    const socket = { sent: [], send: (text) => socket.sent.push(JSON.parse(text)), close: (code) => { socket.code = code; } };
    sockets.push(socket);
    return socket;
  };
  const tell = (event) => {
    events.push(event);
    if (event.kind === 'logged-in') one.onLogin();
  };
  const one = {
    onLogin: () => {},
    session: new Session(name, { open, clock, tell, ...more }),
    sockets,
    events: () => events.splice(0),
    kinds: () => events.splice(0).map((event) => event.kind),
    get socket() { return sockets.at(-1); },
    hear: (message) => sockets.at(-1).onmessage({ data: JSON.stringify(message) }),
    // The one timer there is runs out.
    timeOut() {
      assert.equal(timers.size, 1);
      const [[id, { work, ms }]] = timers;
      timers.delete(id);
      work();
      return ms;
    },
    timers,
    logIn(token = 'token-1') {
      this.hear({ type: 'id', id: 7, resume: token, iceServers: [{ urls: 'stun:stun.example.org' }, { nonsense: 1 }] });
      this.hear({ type: 'userlist', users: [name, null, name, 'bia'] });
    },
  };
  return one;
}

test('an id is answered with the name, and the list that holds it is the login', () => {
  const one = world();
  one.hear({ type: 'id', id: 7 });
  assert.deepEqual(one.socket.sent, [{ type: 'username', name: 'ana', id: 7, date: 1_700_000_000_000, features: ['user-delta', 'push'] }]);
  one.hear({ type: 'userlist', users: ['bia'] });
  assert.deepEqual(one.kinds(), []);
  one.hear({ type: 'userlist', users: [null, 'bia', 'ana'] });
  assert.deepEqual(one.events(), [
    { kind: 'logged-in', name: 'ana', iceServers: [], push: null },
    { kind: 'users', users: ['bia', 'ana'] },
  ]);
  assert.equal(one.timers.size, 0);
});

test('changes of the list are told as lists, and after a gap the list is asked for', () => {
  const one = world();
  one.hear({ type: 'id', id: 7 });
  one.hear({ type: 'userlist', users: ['bia', 'ana'], seq: 4 });
  one.events();
  one.hear({ type: 'userlist-delta', seq: 5, left: ['bia'], joined: ['eva'] });
  assert.deepEqual(one.events(), [{ kind: 'users', users: ['ana', 'eva'] }]);
  one.hear({ type: 'userlist-delta', seq: 7, joined: ['zoe'] });
  assert.deepEqual(one.events(), []);
  assert.deepEqual(one.socket.sent.at(-1), { type: 'userlist-request' });
});

test('who is blocked is not heard, and only a server that keeps it is told', () => {
  for (const [features, told] of [[undefined, 0], [['block'], 1]]) {
    const one = world();
    one.session.setBlocked('eva', true);
    one.hear({ type: 'id', id: 7, features });
    one.hear({ type: 'userlist', users: ['ana', 'eva'] });
    assert.equal(one.socket.sent.filter(({ type }) => type === 'block').length, told);
    one.events();
    one.hear({ type: 'message', name: 'eva', text: 'x' });
    one.hear({ type: 'video-offer', name: 'eva', target: 'ana', sdp: { type: 'offer', sdp: 'v=0' } });
    assert.deepEqual(one.events(), []);
    one.session.setBlocked('eva', false);
    assert.equal(one.socket.sent.filter(({ type }) => type === 'unblock').length, told);
    one.hear({ type: 'message', name: 'eva', text: 'x' });
    assert.equal(one.kinds().length, 1);
  }
});

test('a token is shown where there is one; without one that the server takes nobody comes in', () => {
  const one = world('ana', { auth: 'first' });
  one.hear({ type: 'id', id: 7, resume: 'place' });
  assert.equal(one.socket.sent[0].token, 'first');
  one.hear({ type: 'error', code: 'unauthorized', for: 'username', message: 'no' });
  assert.deepEqual(one.events(), [{ kind: 'closed', why: 'token' }]);
});

test('an expired token makes room for another, and neither place nor name is lost with it', () => {
  const one = world('ana', { auth: 'first' });
  one.hear({ type: 'id', id: 7, resume: 'place' });
  one.hear({ type: 'userlist', users: ['ana'] });
  one.hear({ type: 'error', code: 'token-expired', for: 'username', message: 'old' });
  assert.deepEqual(one.events().at(-1), { kind: 'refused', code: 'token-expired', for: 'username' });
  one.session.setAuth('second');
  assert.equal(one.socket.sent.at(-1).token, 'second');
  assert.equal(one.socket.sent.at(-1).resume, undefined);
  one.session.reconnectNow();
  one.hear({ type: 'id', id: 8, resume: 'next place' });
  assert.equal(one.socket.sent.at(-1).resume, 'place');
  one.hear({ type: 'error', code: 'token-expired', for: 'username', message: 'old again' });
  one.session.setAuth('third');
  assert.deepEqual([one.socket.sent.at(-1).token, one.socket.sent.at(-1).resume], ['third', 'place']);
});

test('a taken name is told before the login, and ICE servers of nonsense are left out', () => {
  const one = world();
  one.hear({ type: 'id', id: 7, iceServers: [{ urls: 'stun:s.example.org' }, { urls: 5 }, null] });
  one.hear({ type: 'rejectusername', id: 7, name: 'ana2' });
  one.hear({ type: 'userlist', users: ['ana', 'ana2'] });
  assert.deepEqual(one.events().slice(0, 2), [
    { kind: 'renamed', wanted: 'ana', name: 'ana2' },
    { kind: 'logged-in', name: 'ana2', iceServers: [{ urls: 'stun:s.example.org' }], push: null },
  ]);
});

test('a lost connection comes back with the token, and what was said meanwhile follows in order', () => {
  const one = world();
  one.logIn();
  one.kinds();
  one.socket.onclose();
  assert.deepEqual(one.events(), [{ kind: 'reconnecting', attempt: 1 }]);
  one.session.send({ type: 'message', text: 'first' });
  one.session.send({ type: 'hang-up', target: 'bia' });
  assert.equal(one.timeOut(), 400);
  one.hear({ type: 'id', id: 8, resume: 'token-2' });
  assert.equal(one.socket.sent[0].resume, 'token-1');
  one.hear({ type: 'userlist', users: ['ana'] });
  assert.deepEqual(one.socket.sent.slice(1), [
    { type: 'message', text: 'first', id: 8, date: 1_700_000_000_000 },
    { type: 'hang-up', target: 'bia', name: 'ana' },
  ]);
});

test('what is said because we are back goes after what waited', () => {
  const one = world();
  one.logIn();
  one.socket.onclose();
  one.session.send({ type: 'hang-up', target: 'bia' });
  one.onLogin = () => one.session.send({ type: 'call-ringing', target: 'bia' });
  one.timeOut();
  one.hear({ type: 'id', id: 8 });
  one.hear({ type: 'userlist', users: ['ana'] });
  assert.deepEqual(one.socket.sent.slice(1).map((message) => message.type), ['hang-up', 'call-ringing']);
});

test('what is too long for any server is not sent, and whoever said it is told', () => {
  const one = world();
  one.logIn();
  const said = one.socket.sent.length;
  const message = (text) => ({ type: 'video-offer', sdp: text });
  // Two bytes each.
  const most = 'é'.repeat((64 * 1024 - 512 - JSON.stringify(message('')).length) / 2);
  assert.equal(one.session.send(message(most)), true);
  assert.equal(one.session.send(message(`${most}é`)), false);
  assert.equal(one.socket.sent.length, said + 1);
});

test('late words of an earlier connection are not heard', () => {
  const one = world();
  one.logIn();
  const first = one.socket;
  one.session.reconnectNow();
  assert.equal(first.code, 4000, 'a code that keeps the name');
  one.kinds();
  first.onmessage({ data: JSON.stringify({ type: 'message', text: 'late' }) });
  first.onclose();
  assert.deepEqual(one.kinds(), []);
  assert.equal(one.sockets.length, 2);
});

test('attempts wait longer and longer, up to a bound', () => {
  const one = world();
  one.logIn();
  const waits = [];
  for (let i = 0; i < 8; i += 1) {
    one.socket.onclose();
    waits.push(one.timeOut());
  }
  assert.deepEqual(waits, [400, 800, 1_600, 3_200, 6_400, 12_000, 12_000, 12_000]);
  assert.equal(retryDelay(1, 0), 200);
});

test('a server that is not there, refuses the name or is full ends the first login', () => {
  const unreachable = world();
  unreachable.socket.onclose();
  assert.deepEqual(unreachable.events(), [{ kind: 'closed', why: 'unreachable' }]);
  for (const [code, why] of [['bad-name', 'bad-name'], ['too-large', 'bad-name'], ['full', 'full']]) {
    const one = world();
    one.hear({ type: 'id', id: 7 });
    one.hear({ type: 'error', code, message: '', for: 'username' });
    assert.deepEqual(one.events(), [{ kind: 'closed', why }]);
    assert.equal(one.socket.code, 1000);
    assert.equal(one.timers.size, 0);
  }
});

test('a server that says nothing is given up after a while', () => {
  const one = world();
  assert.equal(one.timeOut(), LOGIN_TIMEOUT);
  assert.deepEqual(one.events(), [{ kind: 'closed', why: 'unreachable' }]);
});

test('a log-out closes with 1000, and nothing follows', () => {
  const one = world();
  one.logIn();
  one.kinds();
  one.session.close();
  one.session.close();
  assert.deepEqual(one.events(), [{ kind: 'closed', why: null }]);
  assert.equal(one.socket.code, 1000);
});

test('frames of nonsense are passed over, and the session lives on', (t) => {
  t.mock.method(console, 'warn', () => {});
  const one = world();
  one.logIn();
  one.kinds();
  for (const data of ['', '{', '[]', 'null', '5', '{"type":5}', '{"type":"toString"}', '{"type":"userlist"}', '{"type":"unknown","x":1}',
    '{"type":"video-offer","name":"bia","sdp":"v=0"}', '{"type":"hang-up","name":"bia","call":"not-a-uuid"}',
    '{"type":"new-ice-candidate","candidate":{"candidate":5}}', new ArrayBuffer(3)]) {
    one.socket.onmessage({ data });
  }
  assert.deepEqual(one.kinds(), []);
  one.hear({ type: 'message', name: 'bia', text: 'hi', date: 5 });
  assert.deepEqual(one.events(), [{ kind: 'chat', from: 'bia', text: 'hi', date: 5 }]);
});

test('errors about calls go to the call, others to the person', () => {
  const one = world();
  one.logIn();
  one.kinds();
  one.hear({ type: 'error', code: 'no-such-user', message: 'x', for: 'video-offer', target: 'bia' });
  one.hear({ type: 'error', code: 'rate-limited', message: 'x', for: 'message' });
  assert.deepEqual(one.events(), [
    { kind: 'call', message: { type: 'error', code: 'no-such-user', message: 'x', for: 'video-offer', target: 'bia' } },
    { kind: 'refused', code: 'rate-limited', for: 'message' },
  ]);
});
