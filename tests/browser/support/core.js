// The Rust core at the other end: the command line with `--json`, one event a line.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PATIENCE, until } from './person.js';
import { BINARY } from './server.js';

const PICTURE = 'test:640x360@30';

export class Core {
  #process;
  #ended;
  events = [];

  static answer(server, name, ...options) {
    return new Core(server, ['answer', '--name', name, ...options]);
  }

  static call(server, whom, name, ...options) {
    return new Core(server, ['call', whom, '--name', name, ...options]);
  }

  constructor(server, words) {
    const all = [...words, '--server', server.webSocketUrl, '--video', PICTURE, '--json'];
    this.#process = spawn(BINARY, all, { stdio: ['pipe', 'pipe', 'pipe'] });
    let complaints = '';
    this.#process.stderr.on('data', (text) => { complaints += text; });
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.events.push(JSON.parse(line)));
    this.#ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', (code) => resolve({ code, complaints, summary: this.events.at(-1) }));
    });
  }

  // Types a line.
  type(line) {
    this.#process.stdin.write(`${line}\n`);
  }

  // Waits for an event of this kind for which `fits` holds.
  async event(kind, fits = () => true) {
    const find = () => this.events.find((one) => one.event === kind && fits(one));
    await until(() => find() !== undefined, `no ${kind} among ${JSON.stringify(this.events.slice(-5))}`);
    return find();
  }

  // Waits for its end: {code, complaints, summary}.
  async end() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it does not end: ${JSON.stringify(this.events.slice(-3))}`)), 2 * PATIENCE);
    });
    return Promise.race([this.#ended, late]).finally(() => clearTimeout(timer));
  }

  // At the end of a story, whatever state it is in.
  async stop() {
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) await this.#ended;
  }
}
