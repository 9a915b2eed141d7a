// The page and the Rust core, in calls both ways; pictures and sound are checked on both sides.

import assert from 'node:assert/strict';
import { Core } from '../support/core.js';
import { until } from '../support/person.js';
import { stories } from '../support/story.js';

const story = stories();

// Stories in which the core's command line takes part; it is gone at their end.
const withCore = (name, tell) => story(name, async (world) => {
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
async function talk(ana, core, codec) {
  await ana.isConnected();
  await until(async () => {
    const [video] = await ana.stats({ type: 'inbound-rtp', kind: 'video' });
    return video.framesDecoded >= 60;
  }, 'the page decoded fewer than 60 pictures');
  await core.event('stats', ({ received }) => received?.frames >= 60);
  const [{ codecId }] = await ana.stats({ type: 'inbound-rtp', kind: 'video' });
  const [{ mimeType }] = await ana.stats({ id: codecId });
  assert.equal(mimeType.toLowerCase(), `video/${codec}`);
}

function assertSummary({ code, complaints, summary }, ended, codec) {
  assert.equal(code, 0, complaints);
  assert.equal(summary.event, 'summary');
  assert.equal(summary.ended, ended);
  const { video_sent: sent, video_received: received, audio_received: heard } = summary;
  assert.equal(sent.codec.toLowerCase(), codec);
  assert.equal(received.codec.toLowerCase(), codec);
  assert.ok(sent.frames >= 60 && sent.kbps > 0, JSON.stringify(sent));
  assert.ok(received.frames_decoded >= 60 && received.fps > 5 && received.width > 0 && received.height > 0, JSON.stringify(received));
  assert.ok(heard.packets > 0 && heard.energy > 0, JSON.stringify(heard));
  assert.ok(summary.setup_ms > 0 && summary.first_frame_ms > 0, JSON.stringify(summary));
}

// Scripts that make Chromium another kind of peer, before the page's own.
const script = (change, ...values) => ({ content: `(${change})(...${JSON.stringify(values)})` });

// One that offers this video codec alone.
const withOnly = (codec) => script((codec) => {
  const kept = ({ mimeType }) => [`video/${codec}`, 'video/rtx'].includes(mimeType.toLowerCase());
  const create = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = function (...options) {
    for (const transceiver of this.getTransceivers()) {
      if (transceiver.receiver.track.kind !== 'video') continue;
      transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter(kept));
    }
    return create.apply(this, options);
  };
}, codec);

// One that offers sections beside those of the call: sound on hold, and a place for a second picture.
const withMoreSections = script(() => {
  const create = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = function (...options) {
    if (this.getTransceivers().every(({ direction }) => direction !== 'inactive')) {
      this.addTransceiver('audio', { direction: 'inactive' });
      this.addTransceiver('video', { direction: 'recvonly' });
    }
    return create.apply(this, options);
  };
});

// One that offers its picture in two layers.
const withLayers = script(() => {
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (what, options) {
    const sendEncodings = [{ rid: 'h' }, { rid: 'l', scaleResolutionDownBy: 2 }];
    return add.call(this, what, what === 'video' ? { ...options, sendEncodings } : options);
  };
});

// One whose offers know only what nobody else does.
const withoutCodecs = script(() => {
  const create = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = async function (...options) {
    const { type, sdp } = await create.apply(this, options);
    const lines = sdp.replace(/^a=rtpmap:(\d+) [^/\r]+/gm, 'a=rtpmap:$1 unheard-of');
    return { type, sdp: lines.replace(/^a=(fmtp|rtcp-fb):.*\r\n/gm, '') };
  };
  const set = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = async function (description) {
    await set.call(this);
    Object.defineProperty(this, 'localDescription', { value: description });
  };
});

for (const [what, init] of [['more sections', withMoreSections], ['layers', withLayers]]) {
  withCore(`a page that offers ${what} calls the core`, async ({ enter, answer }) => {
    const ana = await enter('ana', { init });
    const core = answer('rui');
    await ana.call('rui');
    await talk(ana, core, 'vp8');
    await ana.press('hang-up');
    assertSummary(await core.end(), 'hung-up-there', 'vp8');
  });
}

for (const codec of ['vp8', 'h264']) {
  // The page prefers VP8, and it is the offer's own first codec that counts.
  withCore(`the page calls the core, which prefers ${codec}: VP8 and sound both ways`, async ({ enter, answer }) => {
    const ana = await enter('ana');
    const core = answer('rui', '--codec', codec);
    await ana.call('rui');
    await talk(ana, core, 'vp8');
    await ana.press('hang-up');
    assertSummary(await core.end(), 'hung-up-there', 'vp8');
  });

  const other = codec === 'vp8' ? 'h264' : 'vp8';
  withCore(`a page that offers ${codec} alone calls the core, which prefers ${other}`, async ({ enter, answer }) => {
    const ana = await enter('ana', { init: withOnly(codec) });
    const core = answer('rui', '--codec', other);
    await ana.call('rui');
    await talk(ana, core, codec);
    await ana.press('hang-up');
    assertSummary(await core.end(), 'hung-up-there', codec);
  });

  withCore(`the core calls the page: ${codec} and sound both ways`, async ({ enter, call }) => {
    const ana = await enter('ana');
    const core = call('ana', 'rui', '--codec', codec);
    await ana.sees('rui is calling', '#incoming');
    await core.event('state', ({ state }) => state === 'ringing-there');
    await ana.accept();
    await talk(ana, core, codec);
    await ana.press('hang-up');
    assertSummary(await core.end(), 'hung-up-there', codec);
  });
}

withCore('the page sees the core flip its camera, and goes on seeing', async ({ enter, call }) => {
  const ana = await enter('ana');
  const core = call('ana', 'rui', '--flip-after', '1');
  await ana.accept();
  await ana.isConnected();
  await core.event('camera', ({ facing }) => facing === 'environment');
  await ana.seesMotion();
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});

withCore('the core hears what the page has off, and the page turns it on again', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui');
  await ana.call('rui');
  await ana.isConnected();
  await ana.press('camera');
  await core.event('state', ({ remote }) => remote.video === false);
  await ana.press('microphone');
  await core.event('state', ({ remote }) => remote.audio === false && remote.video === false);
  await ana.press('camera');
  const frames = () => core.events.filter((one) => one.event === 'stats').at(-1)?.received?.frames ?? 0;
  const before = frames();
  await until(() => frames() > before + 30, 'no picture after the camera came back');
  await ana.press('hang-up');
  assert.equal((await core.end()).code, 0);
});

withCore('the core hangs up after the time it was given', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--seconds', '2');
  await ana.call('rui');
  await ana.isConnected();
  await ana.gone('#stage');
  await ana.sees('rui ended the call', '#notices');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [0, 'hung-up-here']);
});

withCore('a page that is loaded anew is back in its call with the core', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui');
  await ana.call('rui');
  await ana.isConnected();
  await ana.page.reload();
  await ana.state('connected');
  await ana.isConnected();
  const frames = () => core.events.filter((one) => one.event === 'stats').at(-1)?.received?.frames ?? 0;
  const before = frames();
  await until(() => frames() > before + 20, 'the core gets no pictures after the reload');
  await ana.press('hang-up');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [0, 'hung-up-there']);
});

withCore('the page and the core have no codec in common, and the page says so', async ({ enter, answer }) => {
  const ana = await enter('ana', { init: withoutCodecs });
  answer('rui');
  await ana.call('rui');
  await ana.sees('no way to send sound or pictures in common', '#notices');
});

withCore('the core declines, and the page says so', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--decline');
  await ana.call('rui');
  await ana.sees('rui declined the call', '#notices');
  await core.end();
});

withCore('the page declines the core', async ({ enter, call }) => {
  const ana = await enter('ana');
  const core = call('ana', 'rui');
  await ana.sees('rui is calling', '#incoming');
  await ana.press('decline');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [4, 'declined-there']);
});

withCore('the core hears that the page is busy', async ({ inCall, call }) => {
  const [ana] = await inCall('ana', 'eva');
  const core = call('ana', 'rui');
  const { code, summary } = await core.end();
  assert.deepEqual([code, summary.ended], [4, 'busy']);
  await ana.isConnected();
});

withCore('the core chats in the page’s room', async ({ enter, answer }) => {
  const ana = await enter('ana');
  const core = answer('rui', '--say', 'olá <b>mundo</b>');
  await ana.sees('olá mundo', '#chat');
  await ana.say('olá, rui');
  await core.event('chat', ({ from, text }) => from === 'ana' && text === 'olá, rui');
});
