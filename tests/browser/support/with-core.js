// Calls of pages with the Rust core; pictures and sound are checked on both sides.

import assert from 'node:assert/strict';
import { Core } from './core.js';
import { until } from './person.js';

// Makes stories into such in which the core's command line takes part; it is gone at their end.
export const withCore = (story) => (name, tell) => story(name, async (world) => {
  const cores = [];
  const start = (core) => {
    cores.push(core);
    return core;
  };
  try {
    await tell({
      ...world,
      answer: (who, ...options) => start(Core.answer(world.server, who, ...options)),
      call: (whom, who, ...options) => start(Core.call(world.server, whom, who, ...options)),
    });
  } finally {
    for (const core of cores) await core.stop();
  }
});

// Both have sent and received for a while: the core's summary, and the page's own count.
export async function talk(ana, core, codec, pictures = 60) {
  await ana.isConnected();
  await until(async () => {
    const [video] = await ana.stats({ type: 'inbound-rtp', kind: 'video' });
    return video.framesDecoded >= pictures;
  }, `the page decoded fewer than ${pictures} pictures`);
  await core.event('stats', ({ received }) => received?.frames >= pictures);
  const [{ codecId }] = await ana.stats({ type: 'inbound-rtp', kind: 'video' });
  const [{ mimeType }] = await ana.stats({ id: codecId });
  assert.equal(mimeType.toLowerCase(), `video/${codec}`);
}

export function assertSummary({ code, complaints, summary }, ended, codec, pictures = 60) {
  assert.equal(code, 0, complaints);
  assert.equal(summary.event, 'summary');
  assert.equal(summary.ended, ended);
  const { video_sent: sent, video_received: received, audio_received: heard } = summary;
  assert.equal(sent.codec.toLowerCase(), codec);
  assert.equal(received.codec.toLowerCase(), codec);
  assert.ok(sent.frames >= pictures && sent.kbps > 0, JSON.stringify(sent));
  assert.ok(received.frames_decoded >= pictures && received.fps > 5 && received.width > 0 && received.height > 0, JSON.stringify(received));
  assert.ok(heard.packets > 0 && heard.energy > 0, JSON.stringify(heard));
  assert.ok(summary.setup_ms > 0 && summary.first_frame_ms > 0, JSON.stringify(summary));
}
