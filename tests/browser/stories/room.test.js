// Before any call: names, the list, chat, languages, small screens.

import assert from 'node:assert/strict';
import { stories } from '../support/story.js';

const story = stories();

story('people log in, see each other, and hear who comes and goes', async ({ enter }) => {
  const ana = await enter('ana');
  assert.match(await ana.text('#people-list .me'), /ana\s+you/);
  await ana.sees('Nobody else is here yet', '#people');
  const rui = await enter('rui');
  await ana.sees('rui arrived', '#chat');
  assert.equal(await ana.personButton('rui').getAttribute('aria-label'), 'Call rui');
  await rui.press('leave');
  await ana.sees('rui left', '#chat');
  await ana.gone('button.person');
  await rui.page.waitForSelector('#welcome:not([hidden])');
  assert.equal(await rui.page.inputValue('#name'), 'rui', 'the name is remembered');
});

story('chat goes both ways with its time, by Enter, and markup stays text', async ({ enter }) => {
  const ana = await enter('ana');
  const rui = await enter('rui');
  await ana.say('olá, rui');
  await rui.sees('olá, rui', '#chat');
  await ana.sees('olá, rui', '#chat');
  const line = rui.page.locator('.line').filter({ hasText: 'olá, rui' });
  assert.equal(await line.locator('.line-name').textContent(), 'ana');
  const told = Date.parse(await line.locator('time').getAttribute('datetime'));
  assert.ok(Math.abs(Date.now() - told) < 60_000, 'the time is now');
  assert.match(await line.locator('time').innerText(), /\d{1,2}:\d\d/);

  await rui.say('1 < 2 <img src=x onerror=alert(1) & <script>alert(1)</script> &amp;');
  await ana.sees('alert(1) &amp;', '#chat');
  assert.equal(await ana.page.locator('#chat-log img, #chat-log script').count(), 0);
  assert.match(await ana.page.locator('.line-text').last().innerText(), /^1 .*&amp;$/);
});

story('a name that is taken is changed and the person is told', async ({ enter }) => {
  await enter('ana');
  const second = await enter('ana');
  await second.sees('You are ana2', '#notices');
  assert.equal(second.name, 'ana2');
});

story('a name that cannot be is refused before and by the server, and the form says so', async ({ visit }) => {
  const page = await visit();
  for (const bad of ['x'.repeat(33), 'a\u200Eb', '   ']) {
    await page.page.fill('#name', bad);
    await page.page.press('#name', 'Enter');
    await page.sees('This name cannot be used', '#login-error');
    await page.page.fill('#name', 'x');
    await page.page.evaluate(() => { document.querySelector('#login-error').textContent = ''; });
  }
  await page.logIn('ok');
});

story('a line of 256 characters goes, a longer one waits to be shortened', async ({ enter }) => {
  const ana = await enter('ana');
  await ana.page.fill('#chat-text', '😀'.repeat(257));
  assert.equal(await ana.text('#chat-count'), '257/256');
  assert.ok(await ana.page.locator('#chat-send').isDisabled());
  await ana.page.press('#chat-text', 'Enter');
  assert.equal(await ana.page.locator('.line').count(), 0);
  await ana.say('😀'.repeat(256));
  await ana.page.locator('.line').waitFor();
  assert.equal(await ana.text('#chat-count'), '0/256');
});

story('a reload comes back under the same name without asking', async ({ enter }) => {
  const ana = await enter('ana');
  const rui = await enter('rui');
  await ana.page.reload();
  await ana.page.waitForSelector('#room:not([hidden])');
  assert.equal(await ana.text('#me'), 'ana');
  await rui.sees('ana arrived', '#chat');
});

story('the page speaks Portuguese where the browser does, or the address says so', async ({ enter, visit }) => {
  const bia = await enter('bia', { locale: 'pt-PT' });
  assert.equal(await bia.page.getAttribute('html', 'lang'), 'pt-BR');
  const ana = await enter('ana');
  await bia.sees('ana chegou', '#chat');
  assert.equal(await bia.personButton('ana').getAttribute('aria-label'), 'Ligar para ana');
  assert.equal(await bia.page.getAttribute('#chat-text', 'placeholder'), 'Escreva uma mensagem');
  assert.equal(await ana.page.getAttribute('html', 'lang'), 'en');
  const asked = await visit({ query: '?lang=pt-BR' });
  assert.equal(await asked.text('#enter'), 'Entrar');
});

story('everything fits on a phone of 320 pixels, with long names and long words', async ({ enter, visit }) => {
  const phone = { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true };
  const login = await visit(phone);
  await fits(login);
  const ana = await enter('M'.repeat(32), phone);
  const rui = await enter('W'.repeat(32), phone);
  await rui.say('x'.repeat(256));
  await ana.page.locator('.line').waitFor();
  await fits(ana);
  for (const id of ['chat-text', 'chat-send', 'leave']) assert.ok(await inside(ana, `#${id}`), `${id} is in sight`);
});

story('who has blocked as many people as this browser keeps is told', async ({ enter }) => {
  const [ana] = [await enter('ana'), await enter('rui')];
  const many = Array.from({ length: 256 }, (_, n) => `stranger ${n}`);
  await ana.page.evaluate((names) => localStorage.setItem('chamada.blocked', names), JSON.stringify(many));
  await ana.page.reload();
  await ana.page.getByRole('button', { name: 'Block rui' }).click();
  await ana.sees('as many people as this device can keep', '#notices');
});

story('who is blocked is not heard and cannot call, also after a reload, until that is taken back', async ({ enter }) => {
  const ana = await enter('ana');
  const rui = await enter('rui');
  await ana.personButton('rui').waitFor();
  await ana.page.getByRole('button', { name: 'Block rui' }).click();
  await ana.page.getByRole('button', { name: 'Unblock rui' }).waitFor();
  assert.ok(await ana.personButton('rui').isDisabled());
  await ana.page.reload();
  await ana.page.getByRole('button', { name: 'Unblock rui' }).waitFor();
  await rui.call('ana');
  await rui.page.locator('#stage').waitFor({ state: 'hidden' });
  assert.equal(await ana.page.locator('#incoming[open]').count(), 0);
  await ana.page.getByRole('button', { name: 'Unblock rui' }).click();
  await rui.call('ana');
  await ana.page.locator('#incoming[open]').waitFor();
});

story('the keyboard alone reaches everything, in the order of sight', async ({ enter }) => {
  const ana = await enter('ana');
  await enter('rui');
  await ana.personButton('rui').waitFor();
  await ana.page.locator('#leave').focus();
  const stops = [];
  for (let i = 0; i < 6; i += 1) {
    stops.push(await ana.page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute('aria-label')));
    await ana.page.keyboard.press('Tab');
  }
  assert.deepEqual(stops, ['leave', 'Call rui', 'Block rui', 'notify', 'chat-log', 'chat-text']);
});

async function fits({ page }) {
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  assert.ok(wide <= screen, `${wide} pixels on a screen of ${screen}`);
}

async function inside({ page }, selector) {
  const { width, height } = page.viewportSize();
  const box = await page.locator(selector).boundingBox();
  return box !== null && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
}
