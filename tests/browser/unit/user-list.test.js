// Who is here, from lists and changes.

import assert from 'node:assert/strict';
import test from 'node:test';
import { UserList } from '../../../server/web/user-list.js';

const delta = (seq, change = {}) => ({ seq, left: [], renamed: [], joined: [], ...change });

test('people leave, change names all at once, and join in that order', () => {
  const list = new UserList();
  list.replace({ users: ['ana', 'bia', 'eva'], seq: 4 });
  const change = { left: ['bia'], renamed: [['ana', 'bia'], ['eva', 'ana']], joined: ['eva'] };
  assert.deepEqual(list.apply(delta(5, change)), { users: ['bia', 'ana', 'eva'] });
});

test('who is away is so until they come or cannot be reached any more', () => {
  const list = new UserList();
  list.replace({ users: ['ana', 'bia'], away: ['zoe', 'ana'], seq: 1 });
  assert.deepEqual(list.away, ['zoe']);
  list.apply(delta(2, { left: ['bia'], away: ['bia', 'eva'] }));
  assert.deepEqual(list.away, ['zoe', 'bia', 'eva']);
  list.apply(delta(3, { left: ['zoe'], joined: ['bia'] }));
  assert.deepEqual(list.away, ['eva']);
});

test('after a gap a list is asked for once and mends it', () => {
  const list = new UserList();
  list.replace({ users: ['ana'], seq: 1 });
  assert.deepEqual(list.apply(delta(3, { joined: ['eva'] })), { missing: true });
  assert.deepEqual(list.apply(delta(4, { joined: ['zoe'] })), {});
  list.replace({ users: ['ana', 'eva', 'zoe'], seq: 4 });
  assert.deepEqual(list.apply(delta(4, { joined: ['zoe'] })), {});
  assert.deepEqual(list.apply(delta(5, { left: ['ana'] })), { users: ['eva', 'zoe'] });
});

test('changes from a server that promised none are not applied', () => {
  const list = new UserList();
  list.replace({ users: ['ana'], seq: null });
  assert.deepEqual(list.apply(delta(1, { left: ['ana'] })), {});
});
