// The call that the page is in, kept over a reload of its tab. Whether a page is loaded anew or closed it cannot tell: the server ends the
// call of one that does not come back (docs/protocol.md, close code 4001).

import { remembered } from './dom.js';

// As long as the server keeps it.
const KEPT_FOR = 5_000;

// `kept` is {call, with, local, remote, name, resume}: the call as the engine has it, our name, and the session's resume token.
export function keepCall(kept) {
  remembered.set('call', JSON.stringify({ ...kept, at: Date.now() }), 'sessionStorage');
}

// What was kept just now, once; else null.
export function takeCall() {
  const text = remembered.get('call', 'sessionStorage');
  remembered.remove('call', 'sessionStorage');
  if (!text) return null;
  try {
    const kept = JSON.parse(text);
    const age = Date.now() - kept.at;
    return age >= 0 && age < KEPT_FOR ? kept : null;
  } catch (error) {
    console.debug('kept call:', error.message);
    return null;
  }
}
