// A story: a test with a server and a browser, and people who leave at its end.

import { after, before, test } from 'node:test';
import { launch } from './browser.js';
import { Person } from './person.js';
import { Server } from './server.js';

// Gives `story(name, tell)` for a file whose stories share a browser; each has a server of its own.
export function stories(options) {
  let browser;
  before(async () => { browser = await launch(options); });
  after(() => browser?.close());

  return (name, tell) => test(name, { timeout: 120_000 }, async () => {
    let server = await Server.start();
    const people = [];
    const world = {
      get browser() { return browser; },
      get server() { return server; },
      // The page, opened and logged in.
      async enter(who, more) {
        const person = await Person.enter(browser, server, who, more);
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
