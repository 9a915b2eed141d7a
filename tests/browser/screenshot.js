// Takes docs/images/page-in-call.png from a real call between two pages, each with a drawn person before its fake camera.
// `npm run --silent screenshot [folder]`; with a folder also every state that the page shows, for a look at them.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './support/browser.js';
import { Person, until } from './support/person.js';
import { SCENES, writeScene } from './support/scene.js';
import { Server } from './support/server.js';
import { eachState } from './support/states.js';

const IMAGE = fileURLToPath(new URL('../../docs/images/page-in-call.png', import.meta.url));
const more = process.argv[2];

const folder = await mkdtemp(path.join(tmpdir(), 'chamada-scenes-'));
const server = await Server.start();
const browsers = [];
const open = async (flags) => {
  const browser = await launch({ flags });
  browsers.push(browser);
  return browser;
};

try {
  const painter = await open([]);
  const faces = {};
  for (const [name, scene] of Object.entries(SCENES)) {
    const file = path.join(folder, `${name}.y4m`);
    await writeScene(painter, scene, file);
    faces[name] = await open([`--use-file-for-fake-video-capture=${file}`]);
  }
  const full = { saveData: false, viewport: { width: 1440, height: 820 } };
  const rui = await Person.enter(faces.rui, server, 'Rui', full);
  const ana = await Person.enter(faces.ana, server, 'Ana', full);
  await Person.enter(painter, server, 'Bia', full);
  await Person.enter(painter, server, 'João', full);
  await ana.say('Hi Rui, do you have a minute?');
  await rui.sees('do you have a minute', '#chat');
  await rui.say('Sure, call me!');
  await ana.sees('Sure, call me!', '#chat');
  await rui.call('Ana');
  await ana.accept();
  await Promise.all([ana.isConnected(), rui.isConnected()]);
  await rui.press('stats-toggle');
  // The encoders need some seconds to reach the full size.
  await until(async () => /1280×720/.test(await rui.text('#stats .stats-received')), 'the picture stays small', 60_000);
  await rui.page.mouse.move(640, 300);
  await until(() => rui.page.evaluate(() => !document.querySelector('.notice')), 'a notice stands');
  await mkdir(path.dirname(IMAGE), { recursive: true });
  await rui.page.screenshot({ path: IMAGE });
  console.log(`saved ${IMAGE}`);
  if (more) {
    await mkdir(more, { recursive: true });
    await everyState(painter, more);
  }
} finally {
  for (const browser of browsers) await browser.close();
  await server.kill();
  await rm(folder, { recursive: true });
}

// Every state, in three sizes and both themes.
async function everyState(browser, folder) {
  const server = await Server.start();
  const world = {
    enter: (name, options) => Person.enter(browser, server, name, options),
    visit: (options) => Person.visit(browser, server, options),
    serverGoes: () => server.kill(),
  };
  try {
    await eachState(world, async (state, { page }) => {
      for (const [width, height] of [[1280, 800], [768, 1024], [320, 568]]) {
        await page.setViewportSize({ width, height });
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          await page.screenshot({ path: path.join(folder, `${state}-${width}-${colorScheme}.png`) });
        }
      }
    });
  } finally {
    await server.kill();
  }
}
