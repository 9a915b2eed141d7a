// The service worker: shows that somebody calls while the page is closed, and opens the page. The texts come with its own address, so that
// they are those of the page's language: `ring`, and `called` for what is over, missed or answered elsewhere, with {name} in them.

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const texts = new URL(worker.location.href).searchParams;
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
  const [shown] = await worker.registration.getNotifications({ tag: call.call });
  // What did not ring here and is over is no news, but browsers want something to be seen of every push.
  const text = (texts.get(rings ? 'ring' : 'called') ?? '{name}').replaceAll('{name}', call.from);
  // A variable, as some of these are too new for the type of what is expected.
  const options = {
    tag: call.call,
    icon: 'icon.svg',
    requireInteraction: rings,
    renotify: rings && !shown,
    silent: !rings,
    timestamp: call.sent,
    data: { room: call.room },
  };
  await worker.registration.showNotification(text, options);
}

// The page of the room, which is in front then.
async function open(room) {
  const url = new URL(room ? `room/${encodeURIComponent(room)}` : '.', worker.registration.scope).href;
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = pages.find((one) => one.url.split(/[?#]/, 1)[0] === url);
  if (page) return page.focus();
  // It goes in by itself: somebody waits.
  return worker.clients.openWindow(`${url}#enter`);
}

worker.addEventListener('push', (event) => event.waitUntil(event.data ? show(event.data) : Promise.resolve()));
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.room ?? ''));
});
worker.addEventListener('install', () => worker.skipWaiting());
