// Takes docs/images/page-in-call.png from a real call between two pages, each with a drawn person before its fake camera.
// `npm run --silent screenshot [folder]`; with a folder also the other views, for a look at them.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './support/browser.js';
import { Person, until } from './support/person.js';
import { SCENES, writeScene } from './support/scene.js';
import { Server } from './support/server.js';

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
  const bia = await Person.enter(painter, server, 'Bia', full);
  await Person.enter(painter, server, 'João', full);
  await ana.say('Hi Rui, do you have a minute?');
  await rui.sees('do you have a minute', '#chat');
  await rui.say('Sure, call me!');
  await ana.sees('Sure, call me!', '#chat');
  await rui.call('Ana');
  if (more) {
    await mkdir(more, { recursive: true });
    await ana.sees('Rui is calling', '#incoming');
    await ana.page.screenshot({ path: path.join(more, 'incoming.png') });
    await rui.page.screenshot({ path: path.join(more, 'calling.png') });
  }
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
  if (more) await otherViews(painter, rui, ana, bia);
} finally {
  for (const browser of browsers) await browser.close();
  await server.kill();
  await rm(folder, { recursive: true });
}

async function otherViews(painter, rui, ana, bia) {
  const shot = (person, name) => person.page.screenshot({ path: path.join(more, `${name}.png`) });
  const phone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, saveData: false };
  await ana.page.setViewportSize({ width: 390, height: 780 });
  await shot(ana, 'phone-call');
  await ana.press('chat-toggle');
  await shot(ana, 'phone-call-chat');
  await ana.press('chat-toggle');
  await rui.press('camera');
  await ana.sees('Rui has the camera off', '#stage');
  await shot(ana, 'phone-camera-off');
  await ana.page.setViewportSize({ width: 780, height: 390 });
  await shot(ana, 'phone-landscape');
  for (const [name, options] of [['login', { viewport: { width: 1280, height: 800 } }], ['login-phone', phone], ['login-dark', { ...phone, colorScheme: 'dark', locale: 'pt-BR' }]]) {
    await shot(await Person.visit(painter, server, { saveData: false, ...options }), name);
  }
  const eva = await Person.enter(painter, server, 'Eva', { ...phone, locale: 'pt-BR' });
  await bia.say('Oi, Eva!');
  await eva.sees('Oi, Eva!', '#chat');
  await eva.say('Oi, gente. Que bom ver vocês por aqui!');
  await shot(eva, 'phone-room');
  await eva.page.emulateMedia({ colorScheme: 'dark' });
  await eva.page.setViewportSize({ width: 1280, height: 800 });
  await shot(eva, 'room-dark');
}
