// Chromium with the Rust core: the page, and connections that do what the page does not.

import { bareCases, firstSectionCases, chromiumCases } from '../support/bare-cases.js';
import { cells } from '../support/cells.js';
import { stories } from '../support/story.js';
import { assertSummary, talk, withCore } from '../support/with-core.js';

const cell = cells(withCore(stories()), 'Chromium', ({ browser }) => browser.version());

// A script that makes Chromium another kind of peer, before the page's own.
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

for (const codec of ['vp8', 'h264']) {
  // The page prefers VP8, and it is the offer's own first codec that counts.
  cell(codec === 'vp8' ? 'as it is' : 'as it is, where we prefer H.264', 'calls us', async ({ enter, answer }) => {
    const ana = await enter('ana');
    const core = answer('rui', '--codec', codec);
    await ana.call('rui');
    await talk(ana, core, 'vp8', 30);
    await ana.press('hang-up');
    assertSummary(await core.end(), 'hung-up-there', 'vp8', 30);
  });

  cell(codec === 'vp8' ? 'as it is' : 'as it is, where we prefer H.264', 'is called', async ({ enter, call }) => {
    const ana = await enter('ana');
    const core = call('ana', 'rui', '--codec', codec);
    await ana.sees('rui is calling', '#incoming');
    await core.event('state', ({ state }) => state === 'ringing-there');
    await ana.accept();
    await talk(ana, core, codec, 30);
    await ana.press('hang-up');
    assertSummary(await core.end(), 'hung-up-there', codec, 30);
  });
}

for (const [codec, ours, what] of [['vp8', 'h264', 'VP8 alone, where we prefer H.264'], ['h264', 'vp8', 'H.264 alone']]) {
  cell(what, 'calls us', async ({ enter, answer }) => {
    const ana = await enter('ana', { init: withOnly(codec) });
    const core = answer('rui', '--codec', ours);
    await ana.call('rui');
    await talk(ana, core, codec, 30);
    await ana.press('hang-up');
    assertSummary(await core.end(), 'hung-up-there', codec, 30);
  });
}

bareCases(cell, ({ browser }) => browser);
firstSectionCases(cell, ({ browser }) => browser, true);
chromiumCases(cell, ({ browser }) => browser);
