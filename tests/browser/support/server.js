// The real server, as a process of its own on a free port.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

// The command line: CHAMADA_BIN, or what `cargo build` made.
export const BINARY = process.env.CHAMADA_BIN ?? `${ROOT}target/debug/chamada`;

export class Server {
  #process;
  url;

  // Port 0 lets the system choose.
  static async start(port = 0) {
    const server = new Server();
    server.#process = spawn(BINARY, ['serve', '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    server.url = await new Promise((resolve, reject) => {
      server.#process.on('error', (error) => reject(new Error(`cannot run ${BINARY}: ${error.message}`)));
      server.#process.on('exit', (code) => reject(new Error(`the server ended with ${code} before it listened`)));
      createInterface({ input: server.#process.stdout }).on('line', (line) => {
        const found = line.match(/http:\/\/127\.0\.0\.1:\d+\//);
        if (found) resolve(found[0]);
      });
    });
    return server;
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  get webSocketUrl() {
    return this.url.replace('http', 'ws');
  }

  // Ends it at once, as a crash would; resolves when it is gone.
  async kill() {
    const gone = new Promise((resolve) => { this.#process.once('exit', resolve); });
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) await gone;
  }
}
