// Which camera, microphone and speaker: a dialog, in and outside of calls.

import { $, element } from '../dom.js';

/**
 * The <select> of each kind, its list, and what a device without a name is called.
 * @type {{kind: 'video' | 'audio' | 'speaker', list: string, id: 'choose-camera' | 'choose-microphone' | 'choose-speaker', text: string}[]}
 */
const LISTS = [
  { kind: 'video', list: 'videoinput', id: 'choose-camera', text: 'camera.other' },
  { kind: 'audio', list: 'audioinput', id: 'choose-microphone', text: 'settings.microphone' },
  { kind: 'speaker', list: 'audiooutput', id: 'choose-speaker', text: 'route.speaker' },
];

export class SettingsView {
  #t;
  #devices;
  #speaker;

  // `choose(kind, deviceId)` hears what was chosen: kind is 'video', 'audio' or 'speaker'. `speaker()` gives the deviceId of the one in use.
  constructor(t, { devices, choose, speaker }) {
    this.#t = t;
    this.#devices = devices;
    this.#speaker = speaker;
    for (const { kind, id } of LISTS) $(id).onchange = () => choose(kind, $(id).value);
    for (const opener of document.querySelectorAll('.open-settings')) opener.addEventListener('click', () => this.#open());
    $('settings-ask').onclick = async () => {
      const missing = await devices.ask();
      $('settings-missing').textContent = missing ? this.#t(missing) : '';
      await this.refresh();
    };
    $('settings-close').onclick = () => $('settings').close();
    // A click beside the dialog closes it.
    $('settings').onclick = ({ target }) => target === $('settings') && $('settings').close();
  }

  async #open() {
    $('settings-missing').textContent = '';
    await this.refresh();
    $('settings').showModal();
  }

  // What was chosen cannot be used, and what was in use before still is.
  failed() {
    $('settings-missing').textContent = this.#t('settings.failed');
    this.refresh();
  }

  // Devices came or went, or another one is in use.
  async refresh() {
    const all = await this.#devices.list();
    for (const { kind, list, id, text } of LISTS) {
      const current = kind === 'speaker' ? this.#speaker() : this.#devices.current(kind);
      const unnamed = (at) => this.#t(text) + (all[list].length > 1 ? ` ${at + 1}` : '');
      const options = all[list].map(({ deviceId, label }, at) => element('option', { value: deviceId }, label || unnamed(at)));
      $(id).replaceChildren(...options);
      if (all[list].some(({ deviceId }) => deviceId === current)) $(id).value = current;
      $(id).disabled = options.length === 0;
    }
    // Safari and older Firefox leave the speaker to the system.
    $('settings-speaker').hidden = !('setSinkId' in HTMLMediaElement.prototype) || all.audiooutput.length === 0;
    const isNameless = [...all.videoinput, ...all.audioinput].every(({ label }) => label === '');
    $('settings-ask').hidden = !isNameless || !navigator.mediaDevices?.getUserMedia;
  }
}
