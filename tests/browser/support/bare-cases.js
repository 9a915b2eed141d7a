// Cells of browsers' bare connections, whose transceivers are stopped, held and added, with the Rust core.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { BrowserPeer, PICTURE, SOUND, flows, picturesStop, receivesNothing } from './browser-peer.js';
import { Path } from './path.js';
import { until } from './person.js';

// Cells that are tried at a time: their pictures are small.
const concurrency = 3;

const soundAlone = { here: [SOUND], there: [SOUND] };

// These run in the page.
const addTracks = ({ pc, stream, sound, picture }) => {
  pc.addTrack(sound, stream);
  pc.addTrack(picture, stream);
};
const pictureFirst = ({ pc, stream, sound, picture }) => {
  pc.addTrack(picture, stream);
  pc.addTrack(sound, stream);
};
const addSound = ({ pc, stream, sound }) => { pc.addTrack(sound, stream); };
const answerWith = (codec) => `({ pc, stream }) => {
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
  const { codecs: all } = RTCRtpReceiver.getCapabilities('video');
  const codecs = all.filter(({ mimeType }) => ['video/${codec}', 'video/rtx'].includes(mimeType));
  pc.getTransceivers().find(({ receiver }) => receiver.track.kind === 'video').setCodecPreferences(codecs);
}`;
const turn = ({ pc }, direction, kinds) => {
  for (const one of pc.getTransceivers()) if (kinds.includes(one.receiver.track.kind)) one.direction = direction;
};
const stop = ({ pc }, kind) => pc.getTransceivers().find(({ receiver }) => receiver.track.kind === kind).stop();

// Gives `bare(what, way, how, then)`, a cell of a bare connection. `caller` runs in the page before it offers, `callee` before it
// answers; `first` is what flows then, before `then`.
export const bareCell = (cell, within) => (what, way, how, then) => {
  cell(what, way, async (world) => {
    const { server, answer, call } = world;
    const { caller = addTracks, callee = null, config, options = [], lossy = false, first = {} } = how;
    const path = lossy ? new Path() : null;
    const peer = await BrowserPeer.enter(within(world), server, 'ana', config, path?.route('a', 'b'));
    try {
      if (callee) await peer.beforeAnswer(callee);
      const core = way === 'calls us' ? answer('rui', ...options) : call('ana', 'rui', ...options);
      if (way === 'calls us') {
        await core.event('logged-in');
        await peer.does(caller);
        await peer.offer('rui');
      }
      await peer.isStable();
      await flows(peer, core, first);
      await then?.(peer, core, path);
      await peer.hangUp();
      const { code, complaints, summary } = await core.end();
      assert.deepEqual([code, summary.ended], [0, 'hung-up-there'], complaints);
    } finally {
      path?.close();
      await peer.leave();
    }
  });
};

// What every browser does. `within` gives the browser of a story's world.
export const bareCases = (cell, within) => describe('bare connections', { concurrency }, () => {
  const bare = bareCell(cell, within);

  for (const way of ['calls us', 'is called']) {
    bare('restarts ICE', way, {}, async (peer, core) => {
      const user = () => peer.does(({ pc }) => pc.remoteDescription.sdp.match(/a=ice-ufrag:(.*)/)[1]);
      const before = await user();
      await peer.does(({ pc }) => pc.restartIce());
      await peer.renegotiate();
      assert.notEqual(await user(), before);
      await flows(peer, core);
    });

    bare('everything is held and goes on', way, {}, async (peer, core) => {
      await peer.does(turn, 'inactive', ['audio', 'video']);
      await peer.renegotiate();
      await picturesStop(peer, core);
      await peer.does(turn, 'sendrecv', ['audio', 'video']);
      await peer.renegotiate();
      await flows(peer, core);
    });

    bare('the picture’s section is stopped, and another takes its place', way, {}, async (peer, core) => {
      await peer.does(stop, 'video');
      await peer.renegotiate();
      await flows(peer, core, soundAlone);
      await peer.does(({ pc, stream, picture }) => { pc.addTrack(picture, stream); });
      await peer.renegotiate();
      assert.equal(await peer.does(({ pc }) => pc.localDescription.sdp.match(/^m=(audio|video)/gm).length), 2, 'the place is used again');
      await flows(peer, core);
    });
  }

  bare('sends alone, then receives alone, then both', 'calls us', {}, async (peer, core) => {
    await peer.does(turn, 'sendonly', ['video']);
    await peer.renegotiate();
    await flows(peer, core, { here: [SOUND] });
    await peer.does(turn, 'recvonly', ['video']);
    await peer.renegotiate();
    await flows(peer, core, { there: [SOUND] });
    await peer.does(turn, 'sendrecv', ['video']);
    await peer.renegotiate();
    await flows(peer, core);
  });

  bare('the picture is added in the call', 'calls us', { caller: addSound, first: soundAlone }, async (peer, core) => {
    await peer.does(({ pc, stream, picture }) => { pc.addTrack(picture, stream); });
    await peer.renegotiate();
    await flows(peer, core);
  });

  bare('the picture is added in the call', 'is called', { callee: addSound, first: soundAlone }, async (peer, core) => {
    await peer.does(({ pc, stream, picture }) => { pc.addTrack(picture, stream); });
    await peer.renegotiate();
    await flows(peer, core);
  });
});

// The section is stopped that the transport of the bundle belongs to: Chromium makes another one with new credentials for ICE, Firefox with
// the old ones. What Firefox `sends` from then on does not arrive, at another Firefox neither.
export const firstSectionCases = (cell, within, sends) => describe('the first section is stopped', { concurrency }, () => {
  const bare = bareCell(cell, within);
  for (const [what, kind, left, way, how] of [
    ['sound', 'audio', PICTURE, 'calls us', { caller: addTracks }],
    ['picture', 'video', SOUND, 'calls us', { caller: pictureFirst }],
    ['sound', 'audio', PICTURE, 'is called', {}],
  ]) {
    const goesOn = sends ? '' : ': ours goes on';
    bare(`the first section of the bundle is stopped, the ${what}${goesOn}`, way, how, async (peer, core) => {
      await peer.does(stop, kind);
      await peer.renegotiate();
      await core.event('state', ({ state }) => state === 'reconnecting');
      await until(() => core.events.findLast(({ event }) => event === 'state').state === 'connected', 'no new connection');
      await flows(peer, core, { here: [left], there: sends ? [left] : [] });
      // Once this fails, the README's table can say that it does.
      if (!sends) await receivesNothing(core);
    });
  }
});

// What Chromium does besides. Firefox gathers no candidate of the loopback interface, which is where paths can be cut.
export const chromiumCases = (cell, within) => describe('more of them', { concurrency }, () => {
  const bare = bareCell(cell, within);

  for (const way of ['calls us', 'is called']) {
    bare('the path is lost and we restart ICE', way, { lossy: true }, async (peer, core, path) => {
      path.cut();
      await core.event('state', ({ state }) => state === 'reconnecting');
      const offers = path.said.b.filter((type) => type === 'video-offer').length;
      await until(() => path.said.b.filter((type) => type === 'video-offer').length > offers, 'nobody restarts ICE');
      path.mend();
      await flows(peer, core);
    });
  }

  for (const [codec, ours, what] of [['VP8', 'h264', 'VP8 alone, where we prefer H.264'], ['H264', 'vp8', 'H.264 alone']]) {
    bare(what, 'is called', { callee: answerWith(codec), options: ['--codec', ours] }, async (peer) => {
      assert.equal((await peer.received()).codec, `video/${codec.toLowerCase()}`);
    });
  }

  bare('a second picture is added, and the newest is shown', 'calls us', {}, async (peer, core) => {
    await peer.does(({ pc, more }) => { pc.addTransceiver(more(160, 120), { direction: 'sendonly' }); });
    await peer.renegotiate();
    await core.event('stats', ({ received }) => received?.width === 160);
    await flows(peer, core);
  });

  bare('sections for what is held, and for a second picture', 'calls us', {
    caller: ({ pc, stream, sound, picture }) => {
      pc.addTransceiver('audio', { direction: 'inactive' });
      pc.addTrack(picture, stream);
      pc.addTransceiver('video', { direction: 'recvonly' });
      pc.addTransceiver(sound, { streams: [stream] });
    },
  });

  bare('simulcast: one of three layers comes', 'calls us', {
    caller: ({ pc, stream, sound, picture }) => {
      pc.addTrack(sound, stream);
      const sendEncodings = [{ rid: 'l', scaleResolutionDownBy: 4 }, { rid: 'm', scaleResolutionDownBy: 2 }, { rid: 'h' }];
      pc.addTransceiver(picture, { streams: [stream], sendEncodings });
    },
  }, async (peer) => {
    const encodings = await peer.does(({ pc }) => pc.getSenders().find(({ track }) => track?.kind === 'video').getParameters().encodings);
    assert.equal(encodings.length, 1, 'the layers were declined');
  });

  bare('no bundle asked for (`max-compat`)', 'calls us', { config: { bundlePolicy: 'max-compat' } });
});
