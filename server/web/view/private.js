// What two people of a call write and send to each other alone, beside the public chat and told apart from it. What people write is text and stays
// text; pictures that came are shown as pictures, and nothing else is opened.

import { $, element, icon, setLabel } from '../dom.js';
import { PICTURES } from '../file-receiver.js';
import { clockTime, fileSize, photoName } from '../format.js';
import { countChars } from '../message.js';
import { MAX_CHARS, clean } from '../private-text.js';

const MAX_LINES = 500;
// Why a file does not get through, as far as people are told apart.
const ENDS = ['declined', 'not-taken', 'too-many', 'cancelled', 'size', 'checksum', 'source', 'storage', 'call-ended'];

export class PrivateView {
  #t;
  #actions;
  #name = '';
  #open = false;
  #canSendFiles = false;
  // What was said, to be saved: [time, who, what].
  /** @type {[Date, string, string][]} */
  #said = [];
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map();
  /** @type {Map<string, {file: any, line: HTMLElement, at: number, bytes: number, speed: number}>} */
  #files = new Map();
  /** @type {Set<string>} */
  #dirty = new Set();
  #urls = [];

  // `actions`: write(text) says its identifier or null; typing(on); send(file) whether it can be; accept(id), end(id), pause(id, on); unread(), tooMuch().
  constructor(t, actions) {
    this.#t = t;
    this.#actions = actions;
    for (const tab of ['private', 'everyone']) $(/** @type {any} */ (`tab-${tab}`)).onclick = () => this.#select(tab);
    $('chat-tabs').onkeydown = (event) => {
      if (!['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
      this.#select($('private').hidden ? 'private' : 'everyone');
      $($('private').hidden ? 'tab-everyone' : 'tab-private').focus();
    };
    $('private-text').oninput = () => {
      this.#count();
      actions.typing($('private-text').value.trim() !== '');
    };
    $('private-form').onsubmit = (event) => {
      event.preventDefault();
      this.#write();
    };
    $('private-file').onclick = () => $('private-picker').click();
    $('private-picker').onchange = () => {
      this.#send([...($('private-picker').files ?? [])]);
      $('private-picker').value = '';
    };
    $('private-save').onclick = () => this.#save();
    for (const target of [$('private'), $('stage')]) {
      target.addEventListener('dragover', (event) => this.#canSendFiles && event.preventDefault());
      target.addEventListener('drop', (event) => {
        if (!this.#canSendFiles) return;
        event.preventDefault();
        this.#send([...(event.dataTransfer?.files ?? [])]);
      });
    }
    this.#count();
  }

  // Another call: what was said in the last one is gone.
  begin() {
    $('private-form').hidden = false;
    $('private-lines').replaceChildren();
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
    this.#said = [];
    this.#lines.clear();
    this.#files.clear();
    $('chat-tabs').hidden = true;
    this.#select('everyone');
  }

  // The other side takes private text.
  available(name) {
    this.#name = name;
    this.#open = true;
    $('chat-tabs').hidden = false;
    $('tab-private-name').textContent = this.#t('private.title', { name });
    $('private-hint').textContent = this.#t('private.hint', { name });
    $('private-text').placeholder = this.#t('private.write', { name });
    setLabel($('private-text'), this.#t('private.write', { name }));
    this.#count();
  }

  filesAvailable() {
    this.#canSendFiles = true;
    this.#count();
  }

  // The call is over; what was said can still be read and saved until the next one.
  ended() {
    this.#open = this.#canSendFiles = false;
    // What was said can be read and saved; there is nobody to write to.
    $('private-form').hidden = true;
    this.typing(false);
    this.#count();
  }

  text(text) {
    this.#line(text, this.#name, false);
    this.#unread();
  }

  delivered(id) {
    this.#mark(id, 'private.delivered');
  }

  refused(id) {
    this.#mark(id, 'private.refused');
  }

  typing(on) {
    $('private-typing').textContent = on ? this.#t('private.typing', { name: this.#name }) : '';
  }

  // A file is new, or has changed.
  file(file) {
    if (!this.#files.has(file.id)) {
      const line = element('li', { className: `line file${file.incoming ? '' : ' own'}` });
      this.#files.set(file.id, { file, line, at: performance.now(), bytes: 0, speed: 0 });
      this.#add(line);
      if (file.incoming) this.#unread();
    }
    if (this.#dirty.size === 0) setTimeout(() => this.#drawFiles(), 100);
    this.#dirty.add(file.id);
  }

  #write() {
    const text = $('private-text').value;
    if ($('private-send').disabled) return;
    const id = this.#actions.write(text);
    if (id === null) return this.#actions.tooMuch();
    $('private-text').value = '';
    this.#count();
    const line = this.#line(clean(text), this.#t('call.you'), true);
    this.#lines.set(id, line);
    this.#mark(id, 'private.sending');
  }

  #send(files) {
    for (const file of files) if (!this.#actions.send(file)) this.#actions.tooMuch();
  }

  #line(text, who, own) {
    const now = new Date();
    this.#said.push([now, who, text]);
    const head = element(
      'span', { className: 'line-head' },
      element('bdi', { className: 'line-name' }, who),
      element('time', { dateTime: now.toISOString() }, clockTime(now, this.#t.locale)),
      element('span', { className: 'line-mark' }),
    );
    const body = element('span', { className: 'line-body' }, head, element('span', { className: 'line-text', dir: 'auto' }, text));
    const line = element('li', { className: `line private${own ? ' own' : ''}` }, body);
    this.#add(line);
    return line;
  }

  #mark(id, key) {
    const mark = this.#lines.get(id)?.querySelector('.line-mark');
    if (mark) mark.textContent = this.#t(key);
  }

  #add(line) {
    const lines = $('private-lines');
    lines.append(line);
    while (lines.children.length > MAX_LINES) lines.firstElementChild?.remove();
    this.#said.splice(0, this.#said.length - MAX_LINES);
    $('private-log').scrollTop = $('private-log').scrollHeight;
  }

  #drawFiles() {
    const ids = [...this.#dirty];
    this.#dirty.clear();
    for (const id of ids) this.#drawFile(id);
  }

  #drawFile(id) {
    const shown = this.#files.get(id);
    if (!shown) return;
    const { file, line } = shown;
    const size = fileSize(file.size, this.#t.locale);
    const isOver = file.state === 'done' || file.state === 'ended';
    const key = `${file.state} ${file.pausedHere}`;
    // Buttons that are there stay, so that they keep the focus.
    if (line.dataset.state !== key) {
      line.dataset.state = key;
      const name = element('bdi', { className: 'file-name' }, file.name);
      const picture = this.#picture(file);
      const head = element('span', { className: 'file-head' }, icon('file'), name, element('span', { className: 'file-size' }, size));
      const progress = isOver || file.state === 'asked' ? [] : [element('progress', { max: Math.max(1, file.size), attributes: { 'aria-label': file.name } })];
      const state = element('span', { className: 'file-state' });
      line.replaceChildren(element('span', { className: 'line-body' }, ...picture, head, ...progress, state, ...this.#buttons(file)));
    }
    const bar = line.querySelector('progress');
    if (bar) bar.value = file.bytes;
    this.#measure(shown);
    const text = this.#stateOf(file, shown.speed);
    const state = line.querySelector('.file-state');
    if (state && state.textContent !== text) state.textContent = text;
  }

  // The speed of about the last second.
  #measure(shown) {
    const now = performance.now();
    const passed = now - shown.at;
    if (passed < 900) return;
    shown.speed = Math.max(0, ((shown.file.bytes - shown.bytes) * 1000) / passed);
    shown.at = now;
    shown.bytes = shown.file.bytes;
  }

  #stateOf(file, speed) {
    const size = (bytes) => fileSize(bytes, this.#t.locale);
    switch (file.state) {
      case 'asked': return this.#t('file.offered', { name: this.#name });
      case 'offered': return this.#t('file.waiting');
      case 'done': return this.#t(file.incoming ? 'file.received' : 'file.arrived');
      case 'ended': return this.#t(`file.ended.${ENDS.includes(file.why) ? file.why : 'other'}`);
    }
    if (file.pausedHere || file.pausedThere) return this.#t('file.paused', { done: size(file.bytes) });
    return this.#t('file.progress', { done: size(file.bytes), speed: size(speed) });
  }

  #picture(file) {
    if (file.state !== 'done' || !file.preview || !PICTURES.includes(file.mediaType)) return [];
    return [element('img', { className: 'file-picture', src: this.#url(file.preview), alt: file.name })];
  }

  #buttons(file) {
    const button = (key, work, more = '') => element('button', { type: 'button', className: `quiet ${more}`, onclick: work }, this.#t(key));
    const { id, state } = file;
    const end = (key) => button(key, () => this.#actions.end(id));
    const pause = button(file.pausedHere ? 'file.resume' : 'file.pause', () => this.#actions.pause(id, !file.pausedHere));
    let all = [];
    if (state === 'asked') all = [button('file.accept', () => this.#actions.accept(id), 'accept'), end('file.decline')];
    else if (state === 'offered') all = [end('file.cancel')];
    else if (state === 'sending' || state === 'receiving') all = [pause, end('file.cancel')];
    else if (state === 'done' && file.blob) {
      all = [element('a', { className: 'quiet', href: this.#url(file.blob), download: file.name }, this.#t('file.save'))];
    }
    return all.length ? [element('span', { className: 'file-buttons' }, ...all)] : [];
  }

  #url(blob) {
    const url = URL.createObjectURL(blob);
    this.#urls.push(url);
    return url;
  }

  #save() {
    const lines = this.#said.map(([when, who, what]) => `${when.toISOString()} ${who}: ${what}`);
    const blob = new Blob([`${lines.join('\n')}\n`], { type: 'text/plain' });
    const link = element('a', { href: this.#url(blob), download: photoName(this.#name, new Date()).replace(/png$/, 'txt') });
    link.click();
  }

  #select(pane) {
    for (const one of ['private', 'everyone']) {
      const isOne = one === pane;
      $(/** @type {any} */ (one)).hidden = !isOne;
      const tab = $(/** @type {any} */ (`tab-${one}`));
      tab.setAttribute('aria-selected', String(isOne));
      tab.tabIndex = isOne ? 0 : -1;
    }
    if (pane === 'private') $('tab-private').classList.remove('unread');
    $('private-log').scrollTop = $('private-log').scrollHeight;
  }

  #unread() {
    $('tab-private').classList.toggle('unread', $('private').hidden === true);
    this.#actions.unread();
  }

  #count() {
    const count = countChars(clean($('private-text').value));
    const tooLong = count > MAX_CHARS;
    $('private-text').setAttribute('aria-invalid', String(tooLong));
    $('private-text').disabled = !this.#open;
    $('private-send').disabled = !this.#open || tooLong || count === 0;
    $('private-file').disabled = !this.#canSendFiles;
  }
}
