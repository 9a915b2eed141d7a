// One call between two Chromium, each of them started by a script of its own (which puts it into a network namespace): the first
// sends video and sound, the second sound. Prints a JSON object a line: `connected`, `stats` each second, `end`.
//
//   node network/pair.js CALLER CALLEE SECONDS VP8|H264 VIDEO.y4m AUDIO.wav
import { chromium } from 'playwright-core';

const [caller, callee, seconds, codec, video, audio] = process.argv.slice(2);

const options = [
  '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream=fps=30', `--use-file-for-fake-video-capture=${video}`,
  `--use-file-for-fake-audio-capture=${audio}`,
  // Names for addresses would be asked for by multicast, which the path does not carry.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function open(executablePath) {
  const browser = await chromium.launch({ executablePath, headless: true, args: options });
  const page = await (await browser.newContext()).newPage();
  // Cameras want a secure origin; nothing of this page comes from a network.
  await page.route('https://call.test/', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<video id="remote" autoplay playsinline></video>' }));
  await page.goto('https://call.test/');
  return { browser, page };
}

const prepare = (page, sendsVideo) => page.evaluate(async (sendsVideo) => {
  const connection = new RTCPeerConnection();
  globalThis.connection = connection;
  globalThis.lastPicture = undefined;
  connection.ontrack = ({ track }) => {
    const stream = new MediaStream([track]);
    if (track.kind === 'audio') {
      globalThis.speaker = new Audio();
      globalThis.speaker.srcObject = stream;
      globalThis.speaker.play();
      return;
    }
    const view = document.getElementById('remote');
    view.srcObject = stream;
    const shown = (now) => {
      globalThis.lastPicture = now;
      view.requestVideoFrameCallback(shown);
    };
    view.requestVideoFrameCallback(shown);
  };
  const stream = await navigator.mediaDevices.getUserMedia({
    // What a call does to speech would take a tone for noise.
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    video: sendsVideo && { width: { exact: 1280 }, height: { exact: 720 }, frameRate: 30 },
  });
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
}, sendsVideo);

const gathered = `new Promise((resolve) => {
  const look = () => connection.iceGatheringState === 'complete' && resolve();
  connection.onicegatheringstatechange = look;
  look();
})`;

async function describe(page, remote, codec) {
  await page.evaluate(async ([remote, codec]) => {
    if (remote) await connection.setRemoteDescription(remote);
    else {
      const transceiver = connection.getTransceivers().find(({ sender }) => sender.track?.kind === 'video');
      const { codecs } = RTCRtpReceiver.getCapabilities('video');
      const wanted = codecs.filter(({ mimeType }) => mimeType === `video/${codec}`);
      transceiver.setCodecPreferences([...wanted, ...codecs.filter(({ mimeType }) => mimeType === 'video/rtx')]);
    }
    await connection.setLocalDescription();
  }, [remote, codec]);
  await page.evaluate(gathered);
  return page.evaluate(() => connection.localDescription.toJSON());
}

const statistics = (page) => page.evaluate(async () => {
  const told = { state: connection.connectionState };
  for (const report of (await connection.getStats()).values()) {
    if (report.type === 'inbound-rtp' && report.kind === 'video') {
      const waited = report.jitterBufferDelay / Math.max(1, report.jitterBufferEmittedCount);
      Object.assign(told, {
        frames: report.framesDecoded, width: report.frameWidth, height: report.frameHeight,
        freezes: report.freezeCount, freeze_s: report.totalFreezesDuration, bytes: report.bytesReceived,
        jitter_buffer_ms: Math.round(waited * 1000), plis: report.pliCount, packets_lost: report.packetsLost,
      });
    } else if (report.type === 'inbound-rtp' && report.kind === 'audio') {
      Object.assign(told, {
        concealed: report.concealedSamples, silent_concealed: report.silentConcealedSamples,
        samples: report.totalSamplesReceived,
      });
    } else if (report.type === 'outbound-rtp' && report.kind === 'video') {
      Object.assign(told, {
        sent: report.framesSent, sent_width: report.frameWidth, limited_by: report.qualityLimitationReason,
      });
    } else if (report.type === 'candidate-pair' && report.nominated) {
      Object.assign(told, { rtt: report.currentRoundTripTime, target: report.availableOutgoingBitrate });
    }
  }
  return told;
});

async function call(a, b) {
  await prepare(a, true);
  await prepare(b, false);
  const offer = await describe(a, null, codec);
  const answer = await describe(b, offer, codec);
  await a.evaluate((answer) => connection.setRemoteDescription(answer), answer);
  await a.waitForFunction(() => connection.connectionState === 'connected', null, { timeout: 20_000, polling: 20 });
  say('connected', {});
  const start = Date.now();
  for (let second = 1; second <= Number(seconds); second += 1) {
    await sleep(start + second * 1000 - Date.now());
    const [sent, received] = await Promise.all([statistics(a), statistics(b)]);
    const { target, sent: frames_sent, sent_width, limited_by, rtt } = sent;
    say('stats', { ...received, target, frames_sent, sent_width, limited_by, rtt, t: (Date.now() - start) / 1000 });
  }
  const still = await b.evaluate(() => performance.now() - (globalThis.lastPicture ?? performance.now()));
  say('end', { t: (Date.now() - start) / 1000, still_ms: still, ...(await statistics(b)) });
}

const browsers = [];
try {
  for (const script of [caller, callee]) browsers.push(await open(script));
  await call(browsers[0].page, browsers[1].page);
} finally {
  await Promise.all(browsers.map(({ browser }) => browser.close()));
}
