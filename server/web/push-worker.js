// The service worker: shows that somebody calls while the page is closed, and opens the page. The texts come with its own address, so that
// they are those of the page's language: `ring` and `missed`, with {name} in them.

const texts = new URL(self.location.href).searchParams;
// A push that comes later is of a call that is over: the server lets calls wait for 45 s.
const FRESH = 60_000;
const MAX_NAME_CHARS = 64;

// What a push says; null if it is no call.
function readCall(data) {
  try {
    const { kind, call, from, room = '', sent } = data.json();
    const areTexts = [kind, call, from, room].every((value) => typeof value === 'string');
    const isCall = areTexts && ['ring', 'cancel'].includes(kind) && from !== '' && Number.isFinite(sent);
    return isCall ? { kind, call, from: [...from].slice(0, MAX_NAME_CHARS).join(''), room, sent } : null;
  } catch {
    return null;
  }
}

async function show(data) {
  const call = readCall(data);
  if (!call) return;
  const rings = call.kind === 'ring' && Date.now() - call.sent < FRESH;
  const [shown] = await self.registration.getNotifications({ tag: call.call });
  // What did not ring here and is over is no news, but browsers want something to be seen of every push.
  const text = (texts.get(rings ? 'ring' : 'missed') ?? '{name}').replaceAll('{name}', call.from);
  await self.registration.showNotification(text, {
    tag: call.call,
    icon: 'icon.svg',
    requireInteraction: rings,
    renotify: rings && !shown,
    silent: !rings,
    timestamp: call.sent,
    data: { room: call.room },
  });
}

// The page of the room, which is in front then.
async function open(room) {
  const url = new URL(room ? `room/${encodeURIComponent(room)}` : '.', self.registration.scope).href;
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = pages.find((one) => one.url.split(/[?#]/, 1)[0] === url);
  if (page) return page.focus();
  // It goes in by itself: somebody waits.
  return self.clients.openWindow(`${url}#enter`);
}

self.addEventListener('push', (event) => event.waitUntil(event.data ? show(event.data) : undefined));
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.room ?? ''));
});
self.addEventListener('install', () => self.skipWaiting());
