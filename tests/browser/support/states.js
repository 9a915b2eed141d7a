// Leads people through every state that the page shows, for whoever wants to look at each.

import { SERVER_AWAY } from './person.js';

// `look(state, person)` is called in each state. `story` is what a story gets.
export async function eachState({ enter, visit, serverGoes }, look) {
  const forgiven = SERVER_AWAY;
  const login = await visit({ init: withoutDevices });
  await look('sign-in-insecure', login);
  await login.page.fill('#name', 'x'.repeat(33));
  await login.press('enter');
  await login.sees('This name cannot be used', '#login-error');
  await look('sign-in-refused', login);

  const ana = await enter('Ana Maria', { forgiven });
  await look('alone', ana);
  const rui = await enter('Rui', { locale: 'pt-BR', forgiven, init: deny });
  for (const name of ['João', 'W'.repeat(32), 'علي', '😀', 'Eva', 'Bia', 'Caio']) await enter(name, { forgiven });
  await rui.say(`Bom dia! https://example.org/${'x'.repeat(80)}`);
  await ana.sees('Bom dia', '#chat');
  await ana.say('Hello, Rui');
  await rui.sees('Hello, Rui', '#chat');
  await ana.page.getByRole('button', { name: 'Block João' }).click();
  await look('people', ana);
  await look('people-portuguese', rui);
  await rui.page.fill('#people-search', 'nobody');
  await look('nobody-found', rui);
  await rui.page.fill('#people-search', '');

  await ana.call('Rui');
  await ana.state('ringing-there');
  await rui.page.locator('#incoming[open]').waitFor();
  await look('calling', ana);
  await look('incoming', rui);
  await rui.accept();
  await ana.sees('Rui has the camera off', '#stage');
  await rui.page.locator('#notices .notice').first().waitFor();
  await look('devices-denied', rui);
  await rui.isConnected();
  await look('in-call', rui);
  await rui.press('keypad-toggle');
  await look('keypad', rui);
  await rui.press('verification-toggle');
  await rui.page.locator('#verification[data-result="compare"]').waitFor();
  await look('verification', rui);
  await rui.press('verification-toggle');
  await ana.press('screen');
  await rui.sees('Ana Maria compartilha uma tela', '#screen-there');
  await rui.page.locator('#zoom').waitFor();
  await look('screen-there', rui);
  await look('screen-shared', ana);
  await ana.press('screen');
  await rui.gone('#zoom');
  for (const id of ['microphone', 'camera', 'stats-toggle']) await ana.press(id);
  await rui.sees('Ana Maria está com a câmera desligada', '#stage');
  await ana.page.locator('.stats-sent').waitFor();
  await look('everything-off', ana);
  await look('camera-off-there', rui);
  await ana.press('stats-toggle');
  await ana.page.locator('#stage .open-settings').click();
  await ana.page.locator('#settings[open]').waitFor();
  await look('settings', ana);
  await ana.press('settings-close');
  await ana.gone('#settings');
  await rui.page.click('#tab-private');
  await rui.page.fill('#private-text', `Só para você: https://example.org/${'x'.repeat(80)}`);
  await rui.page.press('#private-text', 'Enter');
  await rui.sees('entregue', '#private-lines');
  await rui.page.setInputFiles('#private-picker', { name: `${'a'.repeat(60)}.pdf`, mimeType: 'application/pdf', buffer: Buffer.alloc(1_000) });
  await rui.sees('aguardando resposta', '#private-lines');
  await look('private', rui);
  await ana.page.setViewportSize({ width: 320, height: 568 });
  await ana.press('chat-toggle');
  await look('chat-in-call', ana);
  await ana.page.click('#tab-private');
  await ana.sees('wants to send you this', '#private-lines');
  await look('private-in-call', ana);
  await serverGoes();
  await ana.sees('Your call goes on', '#notices');
  await look('server-lost-in-call', ana);
  await rui.press('hang-up');
  await rui.gone('#stage');
  await look('server-lost', rui);
}

// These run in the page.

// What browsers leave out of pages that are not secure.
function withoutDevices() {
  Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
}

function deny() {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
}
