// The search for a path between the two networks, and when to say that it has found none. Waits as long as the core does
// (core/src/peer/webrtc/search.rs), and says the same.

const TOLD_AFTER = 2_500;

export class PathSearch {
  /** @type {number | null} */
  #since = null;

  // Why no path was found, as the last part of a text's key; null while the search is young, or over. `connection` is an RTCPeerConnection,
  // whose descriptions have the candidates that came after them, too.
  look(now, { currentLocalDescription: local, currentRemoteDescription: remote, iceConnectionState: state }) {
    const searches = local && remote && ['new', 'checking'].includes(state);
    const since = searches ? this.#since ?? now : null;
    this.#since = since;
    if (since === null || now - since < TOLD_AFTER) return null;
    const [here, there] = [local, remote].map(({ sdp }) => candidateTypes(sdp));
    if (here.size === 0) return 'no-network-here';
    if (there.size === 0) return 'nothing-from-there';
    return here.has('relay') || there.has('relay') ? 'unanswered' : 'no-relay';
  }
}

// RFC 8839 section 5.1.
function candidateTypes(sdp) {
  return new Set([...sdp.matchAll(/^a=candidate:.* typ (\w+)/gm)].map(([, type]) => type));
}
