"""What the peers in Python share: cases, each of them a call with the command line, and what is told of them.

A peer's program is started with the path of the command line, and with names of cases if not all are wanted. It prints a line per
case and appends it as JSON to the file that CHAMADA_INTEROP_CELLS names; it exits with 1 if one failed.
"""

import asyncio
import json
import os
import sys
import uuid
from dataclasses import dataclass, field

import websockets

CALLS, IS_CALLED = "calls us", "is called"
SECONDS = 3
PATIENCE = 30
# Cases that are tried at a time.
AT_A_TIME = 4


@dataclass
class Case:
    """A call with something special. `expected` is the codec that the command line has received; `special` goes to the peer."""

    what: str
    way: str
    expected: str = "VP8"
    options: list = field(default_factory=list)
    special: dict = field(default_factory=dict)


class Signaling:
    """The peer's name at the server, and the offers, answers and candidates of its call."""

    def __init__(self, server, name, target):
        self.server, self.name, self.target = server, name, target
        self.call = str(uuid.uuid4())

    async def send(self, kind, **content):
        message = {"type": kind, "name": self.name, "target": self.target, "call": self.call, **content}
        await self.server.send(json.dumps(message))

    async def describe(self, kind, sdp):
        await self.send(f"video-{kind}", sdp={"type": kind, "sdp": sdp})

    async def run(self, peer, calls):
        """Until the other side hangs up."""
        first = json.loads(await self.server.recv())
        await self.server.send(json.dumps({"type": "username", "name": self.name, "id": first["id"], "date": 0}))
        called = False
        async for text in self.server:
            message = json.loads(text)
            kind = message["type"]
            if kind == "userlist" and calls and not called and self.target in message["users"]:
                called = True
                await self.describe("offer", await peer.offer())
            elif kind == "video-offer":
                self.call = message.get("call", self.call)
                await self.describe("answer", await peer.answer(message["sdp"]["sdp"]))
            elif kind == "video-answer":
                await peer.apply(message["sdp"]["sdp"])
            elif kind == "new-ice-candidate" and message.get("candidate"):
                await peer.add(message["candidate"])
            elif kind == "hang-up":
                return


async def hold(chamada, url, make_peer, number, case):
    """Tries a case. Gives whether it went well, and its figures."""
    us, them, calls = f"rui{number}", f"peer{number}", case.way == CALLS
    what = ["answer", "--from", them] if calls else ["call", them]
    arguments = ["--server", url, "--name", us, "--video", "test:320x240@15", "--seconds", str(SECONDS), "--wait", "20", "--json"]
    line = await asyncio.create_subprocess_exec(chamada, *what, *arguments, *case.options, stdout=asyncio.subprocess.PIPE)
    peer = None
    try:
        async with websockets.connect(url, subprotocols=["json"]) as server:
            signaling = Signaling(server, them, us)
            peer = make_peer(signaling, **case.special)
            await asyncio.wait_for(signaling.run(peer, calls), PATIENCE)
        output, _ = await asyncio.wait_for(line.communicate(), PATIENCE)
    finally:
        if peer:
            await peer.close()
        if line.returncode is None:
            line.kill()
    summary = json.loads(output.decode().splitlines()[-1])
    ours, sound, theirs = summary["video_received"] or {}, summary["audio_received"] or {}, peer.frames
    codec = "".join(c for c in str(ours.get("codec")).upper() if c.isalnum())
    pictures, packets = ours.get("frames_decoded") or 0, sound.get("packets") or 0
    figures = f"{codec}, {pictures} pictures and {packets} packets here, {theirs['video']} and {theirs['audio']} there"
    good = codec == case.expected and pictures >= 10 and packets >= 50 and sound["energy"] > 0
    return good and theirs["video"] >= 10 and theirs["audio"] >= 50 and line.returncode == 0, figures


def tell(peer, case, passed):
    file = os.environ.get("CHAMADA_INTEROP_CELLS")
    if file:
        with open(file, "a") as cells:
            cells.write(json.dumps({"peer": peer, "what": case.what, "way": case.way, "passed": passed}) + "\n")


async def run(name, make_peer, cases):
    """Tries all cases with a server of their own. `name` has the peer's version. Gives the exit code."""
    chamada, only = sys.argv[1], sys.argv[2:]
    server = await asyncio.create_subprocess_exec(chamada, "serve", "--listen", "127.0.0.1:0", stdout=asyncio.subprocess.PIPE)
    url = None
    while not url:
        words = (await server.stdout.readline()).decode().split("http://")
        url = f"ws://{words[1].split('/')[0]}/" if len(words) > 1 else None
    places = asyncio.Semaphore(AT_A_TIME)

    async def one(number, case):
        async with places:
            try:
                good, figures = await hold(chamada, url, make_peer, number, case)
            except Exception as error:  # the others are tried all the same
                good, figures = False, repr(error)
        return good, f"{'ok    ' if good else 'FAILED'} {case.way}, {case.what}: {figures}"

    wanted = [case for case in cases if not only or case.what in only]
    failed = 0
    for case, going in [(case, asyncio.ensure_future(one(number, case))) for number, case in enumerate(wanted)]:
        good, line = await going
        failed += not good
        tell(name, case, good)
        print(line, flush=True)
    server.terminate()
    await server.wait()
    return 1 if failed else 0
