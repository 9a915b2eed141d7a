// Calls that ring while the page is closed: the subscription, and the service worker that shows them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';
import { PushSetup } from '../../../server/web/push.js';

const KEY = Buffer.from([4, ...new Array(64).fill(251)]).toString('base64url');
const OFFER = { platforms: ['fcm', 'webpush'], key: KEY };

// A browser that gives subscriptions, and what became of it.
function browser({ permission = 'granted', subscribed = null, fails = false } = {}) {
  const world = { told: [], states: [], subscription: null, worker: null };
  const made = (key) => ({
    toJSON: () => ({ endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } }),
    options: { applicationServerKey: key.buffer },
    unsubscribe: async () => {
      world.subscription = null;
    },
    key,
  });
  if (subscribed) world.subscription = made(Uint8Array.from(Buffer.from(subscribed, 'base64url')));
  const registration = {
    pushManager: {
      getSubscription: async () => world.subscription,
      subscribe: async ({ applicationServerKey, userVisibleOnly }) => {
        assert.ok(userVisibleOnly);
        if (fails) throw new Error('not today');
        assert.equal(world.subscription, null);
        return (world.subscription = made(applicationServerKey));
      },
    },
  };
  const scope = {
    PushManager: class {},
    Notification: { permission: 'default', requestPermission: async () => permission },
    navigator: {
      serviceWorker: {
        register: async (worker) => {
          world.worker = worker;
        },
        getRegistration: async () => (subscribed || world.worker ? registration : undefined),
        ready: Promise.resolve(registration),
      },
    },
  };
  world.setup = new PushSetup({
    scope,
    worker: 'push-worker.js?ring=x',
    changed: (state) => world.states.push(state),
    subscribed: (subscription) => world.told.push(subscription),
  });
  world.scope = scope;
  return world;
}

test('a browser that may show notifications is subscribed with the key of the server', async () => {
  const world = browser();
  await world.setup.offered(OFFER);
  assert.deepEqual([world.states, world.told], [[{ possible: true, on: false }], []]);
  assert.equal(await world.setup.turnOn(), true);
  assert.deepEqual([...world.subscription.key], [4, ...new Array(64).fill(251)]);
  assert.deepEqual(world.told, [{ endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } }]);
  assert.equal(await world.setup.turnOff(), false);
  assert.deepEqual([world.subscription, world.told.at(-1)], [null, null]);
});

test('a subscription that there is already is told at each login', async () => {
  const world = browser({ subscribed: KEY });
  await world.setup.offered(OFFER);
  assert.equal(world.told.length, 1);
  assert.deepEqual(world.states, [{ possible: true, on: true }]);
});

test('one for an earlier key of the server is replaced, as the server could not use it', async () => {
  const world = browser({ subscribed: Buffer.alloc(65, 4).toString('base64url') });
  await world.setup.offered(OFFER);
  assert.deepEqual([...world.subscription.key], [4, ...new Array(64).fill(251)]);
  assert.deepEqual([world.told.length, world.states], [1, [{ possible: true, on: true }]]);
});

test('a browser that refuses is off, and says nothing to the server', async () => {
  const world = browser({ fails: true });
  await world.setup.offered(OFFER);
  assert.equal(await world.setup.turnOn(), false);
  world.scope.navigator.serviceWorker.getRegistration = async () => {
    throw new Error('not in this window');
  };
  await world.setup.offered(OFFER);
  assert.deepEqual([world.told, world.states.map(({ on }) => on)], [[], [false, false, false]]);
  assert.equal(await world.setup.turnOff(), false);
});

test('without a server that pushes, without the means, or without leave there is none', async () => {
  const world = browser({ permission: 'denied' });
  await world.setup.offered(null);
  await world.setup.offered({ platforms: ['fcm'], key: null });
  await world.setup.offered(OFFER);
  assert.equal(await world.setup.turnOn(), false);
  delete world.scope.PushManager;
  await world.setup.offered(OFFER);
  assert.deepEqual(world.states.map(({ possible }) => possible), [false, false, true, true, false]);
  assert.deepEqual(world.told, []);
});

// The service worker in a scope of our own.
function worker({ pages = [] } = {}) {
  const world = { shown: [], opened: [], focused: [], notifications: [], handlers: {} };
  const waits = [];
  const self = {
    location: { href: 'https://call.example/push-worker.js?ring=%7Bname%7D+is+calling&called=%7Bname%7D+called' },
    registration: {
      scope: 'https://call.example/',
      getNotifications: async ({ tag }) => world.notifications.filter((one) => one.tag === tag),
      showNotification: async (title, options) => {
        world.shown.push({ title, ...options });
        world.notifications = [...world.notifications.filter((one) => one.tag !== options.tag), options];
      },
    },
    clients: {
      matchAll: async () => pages.map((url) => ({ url, focus: async () => world.focused.push(url) })),
      openWindow: async (url) => world.opened.push(url),
    },
    addEventListener: (kind, handler) => {
      world.handlers[kind] = handler;
    },
    skipWaiting: () => {},
  };
  const file = readFileSync(new URL('../../../server/web/push-worker.js', import.meta.url), 'utf8');
  vm.runInNewContext(file, { self, URL, Date });
  world.event = async (kind, event) => {
    world.handlers[kind]({ ...event, waitUntil: (work) => waits.push(work) });
    await Promise.all(waits);
  };
  world.push = (data) => world.event('push', { data: { json: () => data } });
  world.click = (room) => world.event('notificationclick', { notification: { close: () => {}, data: { room } } });
  return world;
}

const ring = (more = {}) => ({ kind: 'ring', call: 'c1', from: 'Ana', room: '', sent: Date.now(), ...more });

test('a call is shown until it is over, and then as one that was, under one notification', async () => {
  const world = worker();
  await world.push(ring());
  await world.push(ring({ kind: 'cancel' }));
  assert.deepEqual(world.shown.map(({ title, tag, silent }) => [title, tag, silent]), [
    ['Ana is calling', 'c1', false],
    ['Ana called', 'c1', true],
  ]);
  assert.equal(world.notifications.length, 1);
});

test('a push that comes late does not ring, and one that is no call shows nothing', async () => {
  const world = worker();
  await world.push(ring({ sent: Date.now() - 90_000 }));
  assert.equal(world.shown[0].title, 'Ana called');
  for (const bad of [{}, ring({ kind: 'dance' }), ring({ from: 7 }), ring({ sent: 'now' }), null]) await world.push(bad);
  await world.event('push', { data: { json: () => JSON.parse('{') } });
  await world.event('push', { data: null });
  assert.equal(world.shown.length, 1);
});

test('a click brings the page of the room to the front, or opens it', async () => {
  const world = worker({ pages: ['https://call.example/?lang=en', 'https://call.example/room/other'] });
  await world.click('');
  await world.click('a room');
  assert.deepEqual([world.focused, world.opened], [['https://call.example/?lang=en'], ['https://call.example/room/a%20room#enter']]);
});
