// The page in Firefox: with the Rust core, and with the page in Chromium.

import assert from 'node:assert/strict';
import { bareCases, firstSectionCases, bareCell } from '../support/bare-cases.js';
import { cells } from '../support/cells.js';
import { until } from '../support/person.js';
import { stories } from '../support/story.js';
import { assertSummary, talk, withCore } from '../support/with-core.js';

const story = stories({ withFirefox: true });
const version = ({ firefox }) => firefox.version();
const cell = cells(withCore(story), 'Firefox', version);

// Debian's Firefox has no H.264.
const preferred = 'as it is, where we prefer H.264';

cell(preferred, 'calls us', async ({ enter, answer, firefox }) => {
  const ana = await enter('ana', { within: firefox });
  const core = answer('rui', '--codec', 'h264');
  await ana.call('rui');
  await talk(ana, core, 'vp8', 30);
  await ana.press('hang-up');
  assertSummary(await core.end(), 'hung-up-there', 'vp8', 30);
});

cell(preferred, 'is called', async ({ enter, call, firefox }) => {
  const ana = await enter('ana', { within: firefox });
  const core = call('ana', 'rui', '--codec', 'h264');
  await ana.sees('rui is calling', '#incoming');
  await ana.accept();
  await talk(ana, core, 'vp8', 30);
  await ana.press('hang-up');
  assertSummary(await core.end(), 'hung-up-there', 'vp8', 30);
});

for (const way of ['calls us', 'is called']) bareCell(cell, ({ firefox }) => firefox)('as it is', way, {});

cell('camera and microphone off and on', 'calls us', async ({ enter, answer, firefox }) => {
  const ana = await enter('ana', { within: firefox });
  const core = answer('rui', '--flip-after', '1');
  await ana.call('rui');
  await ana.isConnected();
  await ana.press('camera');
  await core.event('state', ({ remote }) => remote.video === false);
  await ana.press('microphone');
  await core.event('state', ({ remote }) => remote.audio === false);
  await ana.press('camera');
  const frames = () => core.events.filter((one) => one.event === 'stats').at(-1)?.received?.frames ?? 0;
  const before = frames();
  await until(() => frames() > before + 20, 'no picture after the camera came back');
  await core.event('camera', ({ facing }) => facing === 'environment');
  await ana.seesMotion();
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});

bareCases(cell, ({ firefox }) => firefox);
firstSectionCases(cell, ({ firefox }) => firefox, false);

const pages = 'the page in Chromium at the other end';

cells(story, 'Firefox', version)(pages, 'calls us', async ({ enter, firefox }) => {
  const [ana, rui] = [await enter('ana', { within: firefox }), await enter('rui')];
  await ana.call('rui');
  await rui.accept();
  await Promise.all([ana.isConnected(), rui.isConnected()]);
  await ana.press('camera');
  await rui.sees('ana has the camera off', '#stage');
  await ana.press('camera');
  await rui.gone('#cover');
  await rui.seesMotion();
  await rui.press('hang-up');
  await ana.gone('#stage');
  await ana.sees('rui ended the call', '#notices');
});

cells(story, 'Firefox', version)(pages, 'is called', async ({ enter, firefox }) => {
  const [ana, rui] = [await enter('ana'), await enter('rui', { within: firefox })];
  await ana.call('rui');
  await rui.sees('ana is calling', '#incoming');
  await rui.accept();
  await Promise.all([ana.isConnected(), rui.isConnected()]);
  await ana.press('microphone');
  await rui.sees('ana is muted', '#stage');
  await rui.press('camera');
  await ana.sees('rui has the camera off', '#stage');
  await rui.press('hang-up');
  await ana.gone('#stage');
  await ana.sees('rui ended the call', '#notices');
});
