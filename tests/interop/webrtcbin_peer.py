"""Calls between the command line and GStreamer's webrtcbin: see cases.py. With --check it only says whether all its elements are there."""

import asyncio
import re
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

from cases import CALLS, IS_CALLED, Case, run  # noqa: E402

CASES = [
    Case("as it is", CALLS),
    Case("as it is", IS_CALLED),
    Case("VP8 alone, where we prefer H.264", CALLS, options=["--codec", "h264"]),
    Case("VP8 alone, where we prefer H.264", IS_CALLED, options=["--codec", "h264"]),
    Case("H.264 alone", CALLS, "H264", special={"codec": "H264"}),
    Case("H.264 alone", IS_CALLED, "H264", special={"codec": "H264"}),
]

# Debian's openh264enc refuses its own defaults.
VIDEO = {
    "VP8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 target-bitrate=400000 ! rtpvp8pay pt={pt}",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=400 ! video/x-h264,profile=constrained-baseline ! h264parse ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt={pt}",
}
DECODERS = {
    "VP8": "rtpvp8depay ! vp8dec",
    "H264": "rtph264depay ! h264parse ! openh264dec",
    "OPUS": "rtpopusdepay ! opusdec",
}
FORMATS = {"VP8": "", "H264": ",packetization-mode=(string)1"}


class Peer:
    """Sends a test picture in one codec and a tone; decodes what comes."""

    def __init__(self, signaling, codec="VP8"):
        self.signaling, self.codec = signaling, codec
        self.loop = asyncio.get_running_loop()
        self.frames = {"audio": 0, "video": 0}
        self.pipeline = self.webrtc = None
        self.described = asyncio.Event()

    def start(self, video, audio):
        """Builds the pipeline with these payload types."""
        self.pipeline = Gst.parse_launch(
            "webrtcbin name=webrtc bundle-policy=max-bundle "
            f"audiotestsrc is-live=true ! opusenc ! rtpopuspay pt={audio} ! "
            f"application/x-rtp,media=audio,encoding-name=OPUS,payload={audio} ! queue ! webrtc. "
            "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! "
            f"{VIDEO[self.codec].format(pt=video)} ! "
            f"application/x-rtp,media=video,encoding-name={self.codec},payload={video}{FORMATS[self.codec]} ! queue ! webrtc. "
        )
        self.webrtc = self.pipeline.get_by_name("webrtc")
        self.webrtc.connect("on-ice-candidate", self.on_candidate)
        self.webrtc.connect("pad-added", self.on_pad)
        self.pipeline.set_state(Gst.State.PLAYING)

    def on_candidate(self, _, line, candidate):
        told = {"candidate": candidate, "sdpMLineIndex": line}
        asyncio.run_coroutine_threadsafe(self.trickle(told), self.loop)

    async def trickle(self, told):
        # The description is sent first.
        await self.described.wait()
        await self.signaling.send("new-ice-candidate", candidate=told)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        caps = pad.get_current_caps().get_structure(0)
        kind, name = caps.get_string("media"), caps.get_string("encoding-name")
        part = Gst.parse_bin_from_description(f"queue ! {DECODERS[name]} ! fakesink name=end sync=false signal-handoffs=true", True)
        part.get_by_name("end").connect("handoff", self.on_frame, kind)
        self.pipeline.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    def on_frame(self, _sink, _buffer, _pad, kind):
        self.frames[kind] += 1

    async def ask(self, signal, *given):
        """Emits a signal that answers by a promise, and gives its reply."""
        done = self.loop.create_future()
        promise = Gst.Promise.new_with_change_func(
            lambda promise, *_: self.loop.call_soon_threadsafe(done.set_result, promise.get_reply())
        )
        self.webrtc.emit(signal, *given, promise)
        return await done

    async def describe(self, kind):
        """Makes an offer or an answer, and sets it."""
        reply = await self.ask(f"create-{kind}", None)
        description = reply.get_value(kind)
        await self.ask("set-local-description", description)
        self.loop.call_later(0.05, self.described.set)
        return description.sdp.as_text()

    async def take(self, kind, text):
        result, sdp = GstSdp.SDPMessage.new_from_text(text)
        assert result == GstSdp.SDPResult.OK, "the description is not understood"
        await self.ask("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, sdp))

    async def offer(self):
        self.start(96, 97)
        return await self.describe("offer")

    async def answer(self, offer):
        # What webrtcbin sends has to have the numbers of the offer.
        number = lambda name: int(re.search(rf"a=rtpmap:(\d+) {name}/", offer, re.IGNORECASE)[1])
        if not self.webrtc:
            self.start(number(self.codec), number("opus"))
        await self.take(GstWebRTC.WebRTCSDPType.OFFER, offer)
        return await self.describe("answer")

    async def apply(self, answer):
        await self.take(GstWebRTC.WebRTCSDPType.ANSWER, answer)

    async def add(self, told):
        if told["candidate"]:
            self.webrtc.emit("add-ice-candidate", told.get("sdpMLineIndex") or 0, told["candidate"])

    async def close(self):
        if self.pipeline:
            self.pipeline.set_state(Gst.State.NULL)


Gst.init(None)
if sys.argv[1] == "--check":
    needed = ["webrtcbin", "nicesrc", "dtlsenc", "srtpenc", "vp8enc", "x264enc", "openh264dec", "opusenc", "rtpopuspay", "videotestsrc"]
    sys.exit(0 if all(Gst.ElementFactory.find(name) for name in needed) else 1)
sys.exit(asyncio.run(run(Gst.version_string(), Peer, CASES)))
