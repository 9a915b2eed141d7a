"""Calls between the command line and aiortc, with descriptions as aiortc writes them and changed ones: see cases.py."""

import asyncio
import sys
from array import array

import aiortc
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp

from cases import CALLS, IS_CALLED, Case, run


def without(*prefixes):
    return lambda sdp: "".join(line + "\r\n" for line in sdp.splitlines() if not line.startswith(prefixes))


def lower_fingerprints(sdp):
    lines = [line.lower().replace("sha-", "SHA-") if line.startswith("a=fingerprint") else line for line in sdp.splitlines()]
    return "\r\n".join(lines) + "\r\n"


def odd_candidates(sdp):
    odd = ["a=candidate:1 1 udp 1 fe80::1%eth0 9 typ host", "a=candidate:1 1 ssltcp 1 10.255.255.1 443 typ host", "a=candidate:x"]
    return sdp.replace("a=sendrecv\r\n", "a=sendrecv\r\n" + "\r\n".join(odd) + "\r\n")


def stopped_first(sdp):
    stopped = "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:gone\r\na=inactive\r\n"
    return sdp.replace("m=audio ", stopped + "m=audio ", 1)


def without_first(sdp):
    session, first, *rest = sdp.split("m=")
    assert first.split()[1] == "0", "the stopped section was not refused in its place"
    return "m=".join([session, *rest])


def changed(what, way, change, **more):
    return Case(what, way, special={"change": change, **more})


CASES = [
    Case("as it is", CALLS),
    Case("as it is", IS_CALLED),
    Case("VP8 alone, where we prefer H.264", CALLS, options=["--codec", "h264"], special={"codec": "video/VP8"}),
    Case("H.264 alone", CALLS, "H264", special={"codec": "video/H264"}),
    Case("H.264 alone", IS_CALLED, "H264", special={"change_theirs": lambda sdp: sdp.replace(" VP8/", " VP99/")}),
    changed("a stopped section first", CALLS, stopped_first, change_theirs=without_first),
    changed("no directions", CALLS, without("a=sendrecv")),
    changed("no sources", CALLS, without("a=ssrc")),
    changed("no stream identifiers", CALLS, without("a=msid:")),
    changed("neither sources nor stream identifiers", CALLS, without("a=ssrc", "a=msid:")),
    changed("neither sources nor stream identifiers", IS_CALLED, without("a=ssrc", "a=msid:")),
    changed("hash and digits in the other case", CALLS, lower_fingerprints),
    changed("candidates with zone identifiers, `ssltcp`, nonsense", CALLS, odd_candidates),
    changed("lines that end with LF", CALLS, lambda sdp: sdp.replace("\r\n", "\n")),
    changed("no mid", CALLS, without("a=mid")),
    changed("begins the handshake (`a=setup:active`)", CALLS, lambda sdp: sdp.replace("a=setup:actpass", "a=setup:active")),
]


class Tone(AudioStreamTrack):
    """A square wave; aiortc's own track is silent."""

    async def recv(self):
        frame = await super().recv()
        half = [4_000] * 40 + [-4_000] * 40
        frame.planes[0].update(array("h", half * (frame.samples // 80 + 1))[: frame.samples].tobytes())
        return frame


class Peer:
    """Changes its own descriptions by `change` before they are sent, and those that come by `change_theirs`."""

    def __init__(self, signaling, codec=None, change=lambda sdp: sdp, change_theirs=lambda sdp: sdp):
        self.codec, self.change, self.change_theirs = codec, change, change_theirs
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.frames = {"audio": 0, "video": 0}
        self.tasks = []

        @self.pc.on("track")
        def on_track(track):
            self.tasks.append(asyncio.ensure_future(self.count(track)))

    async def count(self, track):
        try:
            while True:
                await track.recv()
                self.frames[track.kind] += 1
        except MediaStreamError:
            pass

    def add_tracks(self):
        self.pc.addTrack(Tone())
        self.pc.addTrack(VideoStreamTrack())
        if self.codec:
            wanted = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType in (self.codec, "video/rtx")]
            for transceiver in self.pc.getTransceivers():
                if transceiver.kind == "video":
                    transceiver.setCodecPreferences(wanted)

    async def offer(self):
        self.add_tracks()
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.change(self.pc.localDescription.sdp)

    async def answer(self, offer):
        await self.pc.setRemoteDescription(RTCSessionDescription(self.change_theirs(offer), "offer"))
        self.add_tracks()
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return self.change(self.pc.localDescription.sdp)

    async def apply(self, answer):
        await self.pc.setRemoteDescription(RTCSessionDescription(self.change_theirs(answer), "answer"))

    async def add(self, told):
        words = told["candidate"].removeprefix("candidate:")
        if not words or " tcp " in words:
            return
        candidate = candidate_from_sdp(words)
        # aiortc knows it by the mid of its own section.
        candidate.sdpMid, candidate.sdpMLineIndex = self.pc.getTransceivers()[0].mid, 0
        await self.pc.addIceCandidate(candidate)

    async def close(self):
        for task in self.tasks:
            task.cancel()
        await self.pc.close()


sys.exit(asyncio.run(run(f"aiortc {aiortc.__version__}", Peer, CASES)))
