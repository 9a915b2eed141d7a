// Chromium and Firefox, each with a fake camera and microphone.

import { chromium, firefox } from 'playwright-core';

const INSTALLED = process.platform === 'darwin' ? '/Applications/Chromium.app/Contents/MacOS/Chromium' : '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--autoplay-policy=no-user-gesture-required',
  // Several pages are looked at in turn; none may doze.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

export function launch({ cameras = 1, flags = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? INSTALLED,
    args: [...FLAGS, `--use-fake-device-for-media-stream=device-count=${cameras},fps=30`, ...flags],
  });
}

const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  // No codecs from the network: a run has what the package has.
  'media.gmp-manager.updateEnabled': false,
};

// Debian's Firefox ESR, driven by WebDriver BiDi. Its H.264 would be a download: it has VP8, VP9 and AV1. From 1.65 on playwright-core asks
// for `emulation.setMediaFeaturesOverride`, which Firefox 153 does not know.
export function launchFirefox() {
  return firefox.launch({
    channel: 'moz-firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    firefoxUserPrefs: PREFERENCES,
  });
}
