// A story: a test with a server and a browser, and people who leave at its end.

import { after, before, test } from 'node:test';
import { launch, launchFirefox } from './browser.js';
import { Person } from './person.js';
import { Server } from './server.js';

// Gives `story(name, tell)` for a file whose stories share a browser, and a Firefox if they ask for one; each has a server of its own, and may
// take so many seconds.
export function stories({ withFirefox = false, ...options } = {}) {
  let [browser, firefox] = [];
  before(async () => {
    browser = await launch(options);
    if (withFirefox) firefox = await launchFirefox();
  });
  after(async () => {
    await browser?.close();
    await firefox?.close();
  });

  return (name, tell, { seconds = 120 } = {}) => test(name, { timeout: seconds * 1000 }, async () => {
    let server = await Server.start();
    const people = [];
    const world = {
      get browser() { return browser; },
      get firefox() { return firefox; },
      get server() { return server; },
      // The page, opened and logged in, in this browser.
      async enter(who, { within = browser, ...more } = {}) {
        const person = await Person.enter(within, server, who, more);
        people.push(person);
        return person;
      },
      // The page, only opened.
      async visit(more) {
        const person = await Person.visit(browser, server, more);
        people.push(person);
        return person;
      },
      // Two who are in a call.
      async inCall(from, to, more) {
        const [caller, callee] = [await world.enter(from, more), await world.enter(to, more)];
        await caller.call(to);
        await callee.accept();
        await Promise.all([caller.isConnected(), callee.isConnected()]);
        return [caller, callee];
      },
      serverGoes: () => server.kill(),
      async serverComesBack() { server = await Server.start(server.port); },
    };
    try {
      await tell(world);
      const left = people.splice(0);
      for (const person of left) await person.leave();
    } finally {
      for (const person of people) await person.page.context().close().catch(() => {});
      await server.kill();
    }
  });
}
