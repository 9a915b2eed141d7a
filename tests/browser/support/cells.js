// Stories that are cells of the table of peers and cases: CHAMADA_INTEROP_CELLS names the file that `cargo xtask interop` makes it from.

import { appendFile } from 'node:fs/promises';

// Gives `cell(what, way, tell)`: a story named by its peer, told as `way` (`calls us`, `is called`) in the row `what`. `version`
// says with which version it ran.
export const cells = (story, peer, version) => (what, way, tell) => story(`${peer} ${way}: ${what}`, async (world) => {
  let passed = false;
  try {
    await tell(world);
    passed = true;
  } finally {
    const file = process.env.CHAMADA_INTEROP_CELLS;
    if (file) await appendFile(file, `${JSON.stringify({ peer: `${peer} ${version(world)}`, what, way, passed })}\n`);
  }
});
