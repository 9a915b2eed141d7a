// Somebody in front of the page: a browser context of their own, and the hands and eyes to use it.

import assert from 'node:assert/strict';

// Bounds a wait that fails the test.
export const PATIENCE = 15_000;

// What a page may complain about when its server is away on purpose.
export const SERVER_AWAY = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;

export class Person {
  #problems = [];
  page;
  name;

  // Opens the page and logs in. `init` runs in the page before its own scripts; `forgiven` are complaints that are expected;
  // `route` handles its WebSockets.
  static async enter(browser, server, name, options = {}) {
    const person = await Person.visit(browser, server, options);
    await person.logIn(name);
    return person;
  }

  static async visit(browser, server, { query = '', forgiven = null, init = null, route = null, saveData = true, ...context } = {}) {
    const person = new Person();
    const made = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, ...context });
    made.setDefaultTimeout(PATIENCE);
    await made.addInitScript(rememberConnections);
    // A small picture leaves the processor to the tests.
    await made.addInitScript((small) => {
      // Firefox runs this on its empty first page, too, which has no storage.
      if (location.host) localStorage.setItem('chamada.save-data', String(small));
    }, saveData);
    if (init) await made.addInitScript(init);
    if (route) await made.routeWebSocket(/.*/, route);
    person.page = await made.newPage();
    person.#watch(forgiven);
    await person.page.goto(server.url + query);
    return person;
  }

  #watch(forgiven) {
    const note = (text) => !forgiven?.test(text) && this.#problems.push(text);
    this.page.on('console', (message) => message.type() === 'error' && note(message.text()));
    this.page.on('pageerror', (error) => note(String(error.stack ?? error)));
  }

  // Leaves, and fails if the page ever complained: an error, an exception, a violation of the Content Security Policy.
  async leave() {
    await this.page.context().close();
    assert.deepEqual(this.#problems, [], `the page of ${this.name} complained`);
  }

  async logIn(name) {
    await this.page.fill('#name', name);
    await this.page.press('#name', 'Enter');
    await this.page.waitForSelector('#room:not([hidden])');
    this.name = await this.text('#me');
  }

  text(selector) {
    return this.page.locator(selector).first().innerText();
  }

  // Waits until an element that can be seen holds this text.
  sees(text, within = 'body') {
    return this.page.locator(within).getByText(text).filter({ visible: true }).first().waitFor();
  }

  // Waits until no such element can be seen.
  gone(selector) {
    return this.page.locator(selector).waitFor({ state: 'hidden' });
  }

  personButton(name) {
    return this.page.locator('button.person').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  async call(name) {
    await this.personButton(name).click();
  }

  async accept() {
    await this.page.locator('#incoming[open] #accept').click();
  }

  async state(state) {
    await this.page.locator(`#stage[data-state="${state}"]:not([hidden])`).waitFor();
  }

  async say(text) {
    await this.page.fill('#chat-text', text);
    await this.page.press('#chat-text', 'Enter');
  }

  press(id) {
    return this.page.click(`#${id}`);
  }

  // Waits until the picture in this <video> is neither dark nor still.
  async seesMotion(video = '#remote') {
    await this.page.waitForFunction(motionOf, video, { polling: 100, timeout: PATIENCE }).catch((error) => {
      throw new Error(`${this.name} sees no moving picture in ${video}: ${error.message}`);
    });
  }

  // Statistics of the newest connection: those objects for which all of `like` holds.
  stats(like) {
    return this.page.evaluate(async (wanted) => {
      const all = [...(await globalThis.connections.at(-1).getStats()).values()];
      return all.filter((one) => Object.entries(wanted).every(([key, value]) => one[key] === value));
    }, like);
  }

  // Waits until sound of the other side was heard: its energy (W3C totalAudioEnergy) has grown since now.
  async hears() {
    const energy = async () => {
      const [sound] = await this.stats({ type: 'inbound-rtp', kind: 'audio' });
      return sound?.totalAudioEnergy ?? 0;
    };
    const before = await energy();
    await until(async () => (await energy()) > before, `${this.name} hears nothing`);
  }

  // Sees and hears the other side.
  async isConnected() {
    await this.state('connected');
    await this.seesMotion();
    await this.hears();
  }
}

// Asks again and again until it holds.
export async function until(holds, complaint, patience = PATIENCE) {
  const end = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(complaint);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

// In the page: keeps every connection, so that tests can ask for its statistics.
function rememberConnections() {
  globalThis.connections = [];
  const Native = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given);
      globalThis.connections.push(this);
    }
  };
}

// In the page: whether two looks at the video differ and the last one is not dark.
function motionOf(selector) {
  const video = document.querySelector(selector);
  if (!video?.videoWidth || video.readyState < 2) return false;
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, 64, 36);
  const { data } = context.getImageData(0, 0, 64, 36);
  const looks = (globalThis.looks ??= {});
  const before = looks[selector];
  looks[selector] = data;
  if (!before) return false;
  let [light, change] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    light += data[i] + data[i + 1] + data[i + 2];
    change += Math.abs(data[i] - before[i]) + Math.abs(data[i + 1] - before[i + 1]);
  }
  delete looks[selector];
  return light / (64 * 36 * 3) > 8 && change > 64;
}
