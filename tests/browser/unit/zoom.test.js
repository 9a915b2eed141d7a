// Looking at a part of a shared screen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Zoom } from '../../../server/web/zoom.js';

test('steps in and out meet at the whole, and no edge ever comes into the view', () => {
  const zoom = new Zoom();
  zoom.out();
  assert.equal(zoom.transform, 'none');
  for (let i = 0; i < 20; i += 1) zoom.in();
  assert.deepEqual([zoom.scale, zoom.isLargest], [5, true]);
  zoom.pan(9, -9);
  assert.equal(zoom.transform, 'translate(200%, -200%) scale(5)');
  for (let i = 0; i < 4; i += 1) zoom.out();
  assert.deepEqual([zoom.isWhole, zoom.transform], [true, 'none']);
});

test('what is under the fingers stays there', () => {
  const zoom = new Zoom();
  zoom.by(2, { x: 0.25, y: -0.5 });
  // A point p of the picture is shown at offset + 2 p.
  assert.equal(zoom.transform, 'translate(-25%, 50%) scale(2)');
  zoom.by(0.5, { x: 0.4, y: 0 });
  assert.equal(zoom.transform, 'none');
});

test('nonsense leaves the whole picture', () => {
  const zoom = new Zoom();
  for (const factor of [NaN, Infinity, -3, 0]) zoom.by(factor);
  assert.equal(zoom.transform, 'none');
});
