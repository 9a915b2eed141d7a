// Lets calls ring here while the page is closed, by Web Push (W3C Push API): asks the browser for a subscription, which the session tells
// the server.
//
// `scope` is the global object, or what looks like it in tests; `changed({possible, on})` hears how it is, `subscribed(subscription)` what the
// server is to be told, null if nothing any more.

const bytesOf = (base64url) => {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
};

// Whether a subscription was made with this key.
const isFor = (subscription, key) => {
  const own = new Uint8Array(subscription.options?.applicationServerKey ?? []);
  const wanted = bytesOf(key);
  return own.length === wanted.length && own.every((byte, at) => byte === wanted[at]);
};

export class PushSetup {
  #scope;
  #worker;
  #changed;
  #subscribed;
  // The server's public key; null while it cannot send.
  #key = null;
  #on = false;

  // `worker` is the address of the service worker, with the texts that it shows.
  constructor({ scope = globalThis, worker, changed, subscribed }) {
    this.#scope = scope;
    this.#worker = worker;
    this.#changed = changed;
    this.#subscribed = subscribed;
  }

  get isOn() {
    return this.#on;
  }

  get #isPossible() {
    const { navigator, PushManager, Notification } = this.#scope;
    return Boolean(this.#key && navigator?.serviceWorker && PushManager && Notification && Notification.permission !== 'denied');
  }

  // What the server can do, at each login: a subscription that there is already goes on.
  async offered(push) {
    this.#key = push?.platforms.includes('webpush') ? push.key : null;
    if (!this.#isPossible) return this.#tell(false);
    try {
      let subscription = await this.#current();
      if (subscription) {
        // The texts may be of another language now, and the server may have another key, with which it cannot use the old subscription.
        if (!isFor(subscription, this.#key)) subscription = await this.#subscribe();
        else await this.#scope.navigator.serviceWorker.register(this.#worker);
        this.#subscribed(subscription.toJSON());
      }
      return this.#tell(Boolean(subscription));
    } catch (error) {
      return this.#failed(error);
    }
  }

  // The person wants it. Gives whether it is so then.
  async turnOn() {
    try {
      if (!this.#isPossible || (await this.#scope.Notification.requestPermission()) !== 'granted') return this.#tell(false);
      const subscription = await this.#subscribe();
      this.#subscribed(subscription.toJSON());
      return this.#tell(true);
    } catch (error) {
      return this.#failed(error);
    }
  }

  async turnOff() {
    // The server sends nothing any more, whatever the browser says.
    this.#subscribed(null);
    await (await this.#current().catch(() => null))?.unsubscribe().catch(() => {});
    return this.#tell(false);
  }

  async #current() {
    const registration = await this.#scope.navigator.serviceWorker.getRegistration(this.#worker);
    return (await registration?.pushManager.getSubscription()) ?? null;
  }

  async #subscribe() {
    await this.#scope.navigator.serviceWorker.register(this.#worker);
    const { pushManager } = await this.#scope.navigator.serviceWorker.ready;
    const old = await pushManager.getSubscription();
    if (old && !isFor(old, this.#key)) await old.unsubscribe();
    return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(this.#key) });
  }

  #failed(error) {
    console.warn('no push:', error.message);
    return this.#tell(false);
  }

  #tell(on) {
    this.#on = on;
    this.#changed({ possible: this.#isPossible, on });
    return on;
  }
}
