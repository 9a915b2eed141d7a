// How the page looks in every state, wide and narrow, light and dark: accessible by axe's rules, and nothing lies on what is needed.

import assert from 'node:assert/strict';
import axe from 'axe-core';
import { eachState } from '../support/states.js';
import { stories } from '../support/story.js';

const story = stories();

const SIZES = [{ width: 1280, height: 800 }, { width: 320, height: 568 }];

story('in every state nothing violates axe’s rules, in both themes, and every control is in sight and uncovered', async (world) => {
  const faults = [];
  await eachState(world, async (state, { page }) => {
    // What fades in has not its colours yet.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.evaluate(axe.source);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await page.evaluate(() => new Promise((painted) => { requestAnimationFrame(() => setTimeout(painted)); }));
      const found = await page.evaluate(hidden);
      faults.push(...found.map((fault) => `${state}, ${size.width}: ${fault}`));
    }
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      // What is not a matter of colour is alike in both.
      const rules = colorScheme === 'light' ? {} : { runOnly: ['color-contrast'] };
      const { violations } = await page.evaluate((options) => globalThis.axe.run(document, { ...options, resultTypes: ['violations'] }), rules);
      for (const { id, nodes } of violations) faults.push(...nodes.map(({ target, failureSummary }) => `${state}, ${colorScheme}: ${id} ${target}: ${failureSummary}`));
    }
    await page.setViewportSize(SIZES[0]);
  });
  assert.deepEqual(faults, []);
}, { seconds: 300 });

story('on a touch screen what is switched off looks off, not disabled', async ({ enter }) => {
  const ana = await enter('ana', { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });
  await enter('rui');
  await ana.call('rui');
  await ana.state('ringing-there');
  const looks = (id) => ana.page.locator(`#${id}`).evaluate((button) => {
    const { backgroundColor, opacity } = getComputedStyle(button);
    return { backgroundColor, opacity, icon: button.querySelector('use').getAttribute('href') };
  });
  const on = await looks('microphone');
  await ana.page.tap('#microphone');
  await ana.page.locator('#microphone.off').waitFor();
  await ana.page.waitForFunction(() => document.querySelector('#microphone').getAnimations().length === 0);
  const off = await looks('microphone');
  assert.deepEqual({ ...off, backgroundColor: '' }, { backgroundColor: '', opacity: '1', icon: 'icons.svg#mic-off' });
  assert.notEqual(off.backgroundColor, on.backgroundColor);
  assert.equal((await looks('photo')).opacity, '0.45', 'what is disabled looks so');
  await ana.page.tap('#microphone');
  await ana.page.locator('#microphone:not(.off)').waitFor();
  await ana.page.waitForFunction(() => document.querySelector('#microphone').getAnimations().length === 0);
  assert.deepEqual(await looks('microphone'), on);
});

// Runs in the page: what is wider than the screen, and controls that are out of sight or covered.
function hidden() {
  const faults = [];
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) faults.push(`${scrollWidth} pixels wide`);
  const scope = document.querySelector('dialog[open]') ?? document;
  const needed = 'button, input, select, label, h1, h2, .pill, #self, #stats, #cover-text, .error, #people-hint';
  for (const one of scope.querySelectorAll(needed)) {
    const { x, y, width, height } = one.getBoundingClientRect();
    // Whoever opens the details wants them in this place.
    if (one.id === 'cover-text' && !document.querySelector('#stats').hidden) continue;
    const isScrolled = one.closest('#people-list, #chat-log, #private-log, #welcome');
    const isUnseen = width < 2 || height < 2 || (one.textContent === '' && one.matches('p, label')) || !one.checkVisibility({ visibilityProperty: true });
    if (isUnseen || isScrolled) continue;
    const name = one.id || one.className || one.tagName;
    if (x < 0 || y < 0 || x + width > innerWidth + 1 || y + height > innerHeight + 1) faults.push(`${name} is out of sight`);
    const pointed = [...document.querySelectorAll('.pill, #self, .notice, #cover-text')];
    for (const other of pointed) other.style.pointerEvents = 'auto';
    for (const [across, down] of [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5]]) {
      const top = document.elementFromPoint(x + width * across, y + height * down);
      if (top && !one.contains(top) && !top.contains(one)) {
        faults.push(`${name} lies below ${top.id || top.className?.baseVal || top.className || top.tagName}`);
        break;
      }
    }
    for (const other of pointed) other.style.pointerEvents = '';
  }
  return faults;
}
