// Reads a W3C statistics report (https://www.w3.org/TR/webrtc-stats/) into what the page shows. Rates need the report before.

// `report` and `before` are iterables of statistics objects; `before` may be null. Numbers that are not known are null.
export function readStats(report, before) {
  const now = byId(report);
  const then = before ? byId(before) : new Map();
  const find = (type, kind) => [...now.values()].find((one) => one.type === type && one.kind === kind);
  const rate = (one, field) => perSecond(one, then.get(one?.id), field);
  const picture = (one, bytes) => one && {
    codec: now.get(one.codecId)?.mimeType?.replace(/^\w+\//, '') ?? null,
    width: one.frameWidth ?? null,
    height: one.frameHeight ?? null,
    fps: one.framesPerSecond ?? null,
    kbps: kilobits(rate(one, bytes)),
  };
  const [video, audio] = [find('inbound-rtp', 'video'), find('inbound-rtp', 'audio')];
  const pair = selectedPair(now);
  return {
    received: picture(video, 'bytesReceived') ?? null,
    sent: picture(find('outbound-rtp', 'video'), 'bytesSent') ?? null,
    sound: {
      codec: now.get(audio?.codecId)?.mimeType?.replace(/^\w+\//, '') ?? null,
      kbps: kilobits(rate(audio, 'bytesReceived')),
    },
    rtt: pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
    loss: lossOf([video, audio].filter(Boolean), then),
    path: pathOf(pair, now),
  };
}

const byId = (report) => new Map([...report].map((one) => [one.id, one]));

function perSecond(one, earlier, field) {
  if (!one || !earlier || one.timestamp <= earlier.timestamp) return null;
  return ((one[field] - earlier[field]) * 1000) / (one.timestamp - earlier.timestamp);
}

function kilobits(bytesPerSecond) {
  return bytesPerSecond === null ? null : (bytesPerSecond * 8) / 1000;
}

function selectedPair(now) {
  const all = [...now.values()];
  const transport = all.find((one) => one.type === 'transport' && one.selectedCandidatePairId);
  return now.get(transport?.selectedCandidatePairId)
    // Firefox has no transport statistics.
    ?? all.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
}

// The share of packets since the report before that never came, 0 to 1.
function lossOf(streams, then) {
  let [lost, received] = [0, 0];
  for (const one of streams) {
    const earlier = then.get(one.id);
    lost += (one.packetsLost ?? 0) - (earlier?.packetsLost ?? 0);
    received += (one.packetsReceived ?? 0) - (earlier?.packetsReceived ?? 0);
  }
  // A packet that came late after all is counted back.
  lost = Math.max(0, lost);
  return lost + received > 0 ? lost / (lost + received) : null;
}

function pathOf(pair, now) {
  const [local, remote] = [now.get(pair?.localCandidateId), now.get(pair?.remoteCandidateId)];
  if (!local || !remote) return null;
  return { local: local.candidateType, remote: remote.candidateType, protocol: local.protocol };
}
