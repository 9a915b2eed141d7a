// Where a file that comes is kept until it is whole: on disk in the page's own part of it (OPFS), so that memory does not depend on its size; where a
// browser has none, in a Blob, which browsers keep on disk when it is large.

import { newUuid } from './uuid.js';

// Each tab has a folder of its own, and a lock as long as it lives, by which others see that the folder is in use.
const PREFIX = 'files-';
const own = PREFIX + newUuid();

export async function openStore(id) {
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(own, { create: true });
    const file = await folder.getFileHandle(`${id}.part`, { create: true });
    const writable = await file.createWritable();
    const discard = async () => {
      await writable.abort().catch(() => {});
      await folder.removeEntry(`${id}.part`).catch(() => {});
    };
    return {
      write: (bytes) => writable.write(bytes),
      async finish() {
        await writable.close();
        return file.getFile();
      },
      discard,
    };
  } catch (error) {
    console.debug('files are kept in memory:', error.message);
    return inMemory();
  }
}

// Removes what tabs that are gone have left behind.
export async function emptyStore() {
  try {
    navigator.locks.request(own, () => new Promise(() => {}));
    const { held = [] } = await navigator.locks.query();
    const inUse = new Set([own, ...held.map(({ name }) => name)]);
    const root = /** @type {any} */ (await navigator.storage.getDirectory());
    for await (const name of root.keys()) {
      if (name.startsWith(PREFIX) && !inUse.has(name)) await root.removeEntry(name, { recursive: true });
    }
  } catch (error) {
    console.debug('no files of earlier visits:', error.message);
  }
}

function inMemory() {
  /** @type {Blob[]} */
  let parts = [];
  return {
    async write(bytes) {
      parts.push(new Blob([bytes]));
    },
    finish: async () => new Blob(parts),
    async discard() {
      parts = [];
    },
  };
}
