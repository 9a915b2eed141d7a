// Chromium with a fake camera and microphone.

import { chromium } from 'playwright-core';

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
