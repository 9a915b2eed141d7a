// Who arrived and who left, told without those who only come back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Presence } from '../../../server/web/presence.js';

const NOTHING = { arrived: [], left: [] };

test('the first list tells nothing, later ones who came and went', () => {
  const presence = new Presence();
  assert.deepEqual(presence.update(0, ['ana', 'rui']), NOTHING);
  assert.deepEqual(presence.update(1, ['ana', 'eva']), { arrived: ['eva'], left: ['rui'] });
  assert.equal(presence.timeoutAt(), null);
});

test('after a restart of the server those who come back did not leave, and those who do not are told later', () => {
  const presence = new Presence();
  presence.reconnected(0);
  presence.update(0, ['ana', 'rui', 'eva']);
  assert.equal(presence.timeoutAt(), null, 'a first login waits for nobody');
  presence.reconnected(1_000);
  assert.deepEqual(presence.update(1_000, ['ana']), NOTHING);
  assert.deepEqual(presence.update(3_000, ['ana', 'rui', 'bia']), { arrived: ['bia'], left: [] });
  const at = presence.timeoutAt();
  assert.deepEqual(presence.handleTimeout(at - 1), NOTHING);
  assert.deepEqual(presence.handleTimeout(at), { arrived: [], left: ['eva'] });
  assert.equal(presence.timeoutAt(), null);
  assert.deepEqual(presence.update(at + 1, ['ana', 'bia']), { arrived: [], left: ['rui'] });
});
