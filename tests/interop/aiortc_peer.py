"""Calls between the command line and aiortc, with descriptions as aiortc writes them and changed ones.

Usage: aiortc_peer.py CHAMADA [CASE...]. Prints a line per case; exits with 1 if one failed.
"""

import asyncio
import json
import socket
import sys
import uuid

import websockets
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp

SECONDS = 3
PATIENCE = 30


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


def same(sdp):
    return sdp


# Name, who calls, codecs of aiortc, options of the command line, changes of aiortc's description and of ours, codec expected.
CASES = [
    ("calls", True, None, [], same, same, "VP8"),
    ("calls, H.264 only", True, "video/H264", [], same, same, "H264"),
    ("calls, VP8 only, we prefer H.264", True, "video/VP8", ["--codec", "h264"], same, same, "VP8"),
    ("answers", False, None, [], same, same, "VP8"),
    ("answers, H.264 only", False, None, [], same, lambda sdp: sdp.replace(" VP8/", " VP99/"), "H264"),
    ("calls, no direction", True, None, [], without("a=sendrecv"), same, "VP8"),
    ("calls, no sources", True, None, [], without("a=ssrc"), same, "VP8"),
    ("calls, no stream identifiers", True, None, [], without("a=msid:"), same, "VP8"),
    ("calls, neither", True, None, [], without("a=ssrc", "a=msid:"), same, "VP8"),
    ("answers, neither", False, None, [], without("a=ssrc", "a=msid:"), same, "VP8"),
    ("calls, other case", True, None, [], lower_fingerprints, same, "VP8"),
    ("calls, odd candidates", True, None, [], odd_candidates, same, "VP8"),
    ("calls, LF", True, None, [], lambda sdp: sdp.replace("\r\n", "\n"), same, "VP8"),
    ("calls, no mid", True, None, [], without("a=mid"), same, "VP8"),
    ("calls, active", True, None, [], lambda sdp: sdp.replace("a=setup:actpass", "a=setup:active"), same, "VP8"),
    ("calls, stopped section first", True, None, [], stopped_first, without_first, "VP8"),
]


class Peer:
    """An aiortc peer with a name at the signaling server."""

    def __init__(self, url, codec, change, change_back):
        self.url, self.change, self.change_back = url, change, change_back
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.frames = {"audio": 0, "video": 0}
        self.tasks = []
        self.call = str(uuid.uuid4())
        self.codec = codec

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
        self.pc.addTrack(AudioStreamTrack())
        self.pc.addTrack(VideoStreamTrack())
        if self.codec:
            wanted = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType in (self.codec, "video/rtx")]
            for transceiver in self.pc.getTransceivers():
                if transceiver.kind == "video":
                    transceiver.setCodecPreferences(wanted)

    async def run(self, calls):
        async with websockets.connect(self.url, subprotocols=["json"]) as server:
            first = json.loads(await server.recv())
            await server.send(json.dumps({"type": "username", "name": "aio", "id": first["id"], "date": 0}))
            called = False
            async for text in server:
                message = json.loads(text)
                kind = message["type"]
                if kind == "userlist" and calls and not called and "rui" in message["users"]:
                    called = True
                    self.add_tracks()
                    await self.pc.setLocalDescription(await self.pc.createOffer())
                    await self.send(server, "video-offer")
                elif kind == "video-offer":
                    self.call = message.get("call", self.call)
                    await self.pc.setRemoteDescription(RTCSessionDescription(self.change_back(message["sdp"]["sdp"]), "offer"))
                    self.add_tracks()
                    await self.pc.setLocalDescription(await self.pc.createAnswer())
                    await self.send(server, "video-answer")
                elif kind == "video-answer":
                    await self.pc.setRemoteDescription(RTCSessionDescription(self.change_back(message["sdp"]["sdp"]), "answer"))
                elif kind == "new-ice-candidate" and message.get("candidate"):
                    await self.add(message["candidate"])
                elif kind == "hang-up":
                    return

    async def send(self, server, kind):
        description = self.pc.localDescription
        sdp = {"type": description.type, "sdp": self.change(description.sdp)}
        await server.send(json.dumps({"type": kind, "name": "aio", "target": "rui", "sdp": sdp, "call": self.call}))

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


async def case(chamada, url, calls, codec, options, change, change_back, expected):
    what = ["answer", "--from", "aio"] if calls else ["call", "aio"]
    arguments = ["--server", url, "--name", "rui", "--video", "test:320x240@15", "--seconds", str(SECONDS), "--wait", "20", "--json"]
    line = await asyncio.create_subprocess_exec(chamada, *what, *arguments, *options, stdout=asyncio.subprocess.PIPE)
    peer = Peer(url, codec, change, change_back)
    try:
        await asyncio.wait_for(peer.run(calls), PATIENCE)
        output, _ = await asyncio.wait_for(line.communicate(), PATIENCE)
    finally:
        await peer.close()
        if line.returncode is None:
            line.kill()
    summary = json.loads(output.decode().splitlines()[-1])
    ours, sound, theirs = summary["video_received"] or {}, summary["audio_received"] or {}, peer.frames
    figures = f"{ours.get('frames_decoded')} pictures and {sound.get('packets')} packets here, {theirs['video']} and {theirs['audio']} there"
    codec = "".join(c for c in str(ours.get("codec")).upper() if c.isalnum())
    figures = f"{codec}, {figures}"
    good = codec == expected and ours["frames_decoded"] >= 10 and (sound.get("packets") or 0) >= 50
    return good and theirs["video"] >= 10 and theirs["audio"] >= 50 and line.returncode == 0, figures


async def main():
    chamada, only = sys.argv[1], sys.argv[2:]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = await asyncio.create_subprocess_exec(chamada, "serve", "--listen", address, stdout=asyncio.subprocess.DEVNULL)
    await asyncio.sleep(1)
    failed = 0
    for name, *rest in CASES:
        if only and name not in only:
            continue
        try:
            good, figures = await case(chamada, f"ws://{address}/", *rest)
        except Exception as error:  # the others are tried all the same
            good, figures = False, repr(error)
        failed += not good
        print(f"{'ok    ' if good else 'FAILED'} {name}: {figures}", flush=True)
    server.terminate()
    await server.wait()
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
