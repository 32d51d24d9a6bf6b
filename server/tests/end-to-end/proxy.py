"""A faulty network: an HTTP proxy that applies a fault to each request."""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

# The real server sends a heartbeat every 15 s, which is too slow for these tests.
HEARTBEAT = 0.25
BROKEN = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass(frozen=True)
class Fault:
    """A fault that is applied to one request."""

    name: str
    seconds: float = 0.0
    status: int = 0
    headers: tuple = ()
    body: bytes = b"{}"


PASS = Fault("pass")
# The faults of the fetch of a snapshot, by name.
FETCH_FAULTS = {
    "delayed": Fault("pass", seconds=0.15),
    "reset at once": Fault("reset"),
    "reset in the body": Fault("reset_in_body"),
    "truncated": Fault("truncate"),
    "never answered": Fault("half_open"),
    "one byte corrupted": Fault("corrupt"),
    "an older answer again": Fault("replay"),
    "an older body under the new tag": Fault("mix"),
    "304 for something else": Fault("status", status=304, headers=(("ETag", '"' + "0" * 64 + '"'),), body=b""),
    "429": Fault("status", status=429, headers=(("Retry-After", "1"),)),
    "500": Fault("status", status=500),
    "503": Fault("status", status=503),
    "503 with a wait": Fault("status", status=503, headers=(("Retry-After", "1"),)),
    "302": Fault("redirect", status=302),
    "307": Fault("redirect", status=307),
    "a page": Fault("status", status=200, headers=(("Content-Type", "text/html"), ("ETag", '"x"')), body=b"<!doctype html><title>Sign in</title>"),
    "nothing": Fault("status", status=200, headers=(("Content-Type", "application/json"),), body=b""),
    "no HTTP": Fault("raw", body=b"220 smtp.example ESMTP\r\n"),
    "slow": Fault("drip", seconds=0.0002),
}
# The faults of opening and reading a stream, by name.
STREAM_FAULTS = {
    "delayed": Fault("pass", seconds=0.15),
    "reset at once": Fault("reset"),
    "cut soon": Fault("cut", seconds=0.05),
    "ended soon": Fault("truncate", seconds=0.05),
    "never answered": Fault("half_open"),
    "silent": Fault("stall"),
    "garbled": Fault("garble"),
    "repeated": Fault("double"),
    "slow": Fault("drip", seconds=0.001),
    "429": Fault("status", status=429, headers=(("Retry-After", "1"),)),
    "500": Fault("status", status=500),
    "503": Fault("status", status=503),
    "302": Fault("redirect", status=302),
    "a page": Fault("status", status=200, headers=(("Content-Type", "text/html"),), body=b"<!doctype html>"),
}
GARBAGE = (
    b"data: {\n\n", b"event: revision\ndata: not json\n\n", b'event: revision\ndata: {"revision":-1,"digest":7}\n\n',
    b'event: other\ndata: {"revision":1,"digest":"' + b"0" * 64 + b'"}\n\n', b'event: revision\r\ndata: {"digest":"' + b"f" * 64 + b'"}\r\n\r\n',
    b"\xff\xfe\x00\n\n", b"id\n:\nretry: 0\n\n", b"event: revision\n\n", b"\r\r\r", b"x" * 2_000 + b"\n",
)


@dataclass
class Proxy:
    """An HTTP proxy with faults.

    `choose` returns the fault of the next request from its kind, "fetch" or "stream". It can be
    replaced at any time.
    """

    upstream: int
    seed: int = 0
    trap: int = 0
    choose: object = None
    is_down: bool = False
    requests: Counter = field(default_factory=Counter)
    # The open connections of clients.
    open: set = field(default_factory=set)
    # The open connections with at least one request, and the streams with at least one event.
    used: set = field(default_factory=set)
    flowing: set = field(default_factory=set)

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.recorded: list[tuple[list, bytes]] = []
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.port = 0

        async def listen():
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = self.server.sockets[0].getsockname()[1]
            started.set()

        def run():
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(listen())
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        started.wait()

    @property
    def url(self) -> str:
        """Returns the URL for clients."""
        return f"http://127.0.0.1:{self.port}"

    def heal(self) -> None:
        """Ends all faults and the outage."""
        self.choose, self.is_down = None, False

    def cut(self) -> None:
        """Resets every open connection."""
        self.loop.call_soon_threadsafe(lambda: [_reset(writer) for writer in list(self.open)])

    def close(self) -> None:
        """Closes the proxy and all connections."""
        async def end():
            self.server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join(5)
        self.loop.close()

    async def _serve(self, reader, writer):
        if self.is_down:
            return _reset(writer)
        self.open.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (*BROKEN, asyncio.CancelledError):
            pass
        finally:
            for connections in (self.open, self.used, self.flowing):
                connections.discard(writer)
            writer.close()

    async def _answer(self, reader, writer) -> bool:
        """Answers one request and returns whether the connection stays open."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.used.add(writer)
        if self.is_down:
            return _reset(writer)
        line, *lines = head.decode("latin-1").split("\r\n")[:-2]
        kind = "preflight" if line.startswith("OPTIONS") else "stream" if "/stream" in line else "fetch"
        self.requests[kind] += 1
        fault = PASS if kind == "preflight" or not self.choose else self.choose(kind)
        if fault.seconds and fault.name == "pass":
            await asyncio.sleep(fault.seconds)
        if fault.name == "reset":
            return _reset(writer)
        if fault.name == "half_open":
            await reader.read()
            return False
        if fault.name == "raw":
            writer.write(fault.body)
            return False
        if fault.name in ("status", "redirect"):
            return await self._send_own_answer(writer, fault, lines)
        if fault.name in ("corrupt", "mix") or self.requests[kind] % 2:
            # Every second answer is uncompressed, because faults of compressed answers are easier
            # to detect.
            lines = [each for each in lines if not each.lower().startswith("accept-encoding:")]
        lines = [each for each in lines if not each.lower().startswith("connection:")]
        try:
            upstream, sink = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            return _reset(writer)
        try:
            sink.write("\r\n".join([line, *lines, "Connection: close", "", ""]).encode("latin-1"))
            answer = (await upstream.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
            answer = [each for each in answer if not each.lower().startswith("connection:")]
            if kind == "stream" and any("event-stream" in each for each in answer):
                return await self._stream(fault, answer, upstream, reader, writer)
            return await self._body(fault, answer, await upstream.read(), writer)
        finally:
            sink.close()

    async def _send_own_answer(self, writer, fault, lines) -> bool:
        """Sends an answer of the proxy itself."""
        origin = next((each.partition(":")[2].strip() for each in lines if each.lower().startswith("origin:")), "*")
        headers = [*fault.headers, ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "etag, retry-after, dezky-history")]
        if fault.name == "redirect":
            headers.append(("Location", f"http://127.0.0.1:{self.trap}/flags/snapshot"))
        if fault.status != 304:
            headers.append(("Content-Length", str(len(fault.body))))
        text = "".join(f"{name}: {value}\r\n" for name, value in headers)
        writer.write(f"HTTP/1.1 {fault.status} So\r\n{text}\r\n".encode() + fault.body)
        await writer.drain()
        return True

    async def _body(self, fault, head, body, writer) -> bool:
        """Sends the answer to a fetch with its fault."""
        is_snapshot = head[0].split()[1] == "200"
        if is_snapshot and (not self.recorded or self.recorded[-1] != (head, body)):
            self.recorded = [*self.recorded[-20:], (head, body)]
        if is_snapshot and fault.name == "replay":
            head, body = self.recorded[0]
        if is_snapshot and fault.name == "mix":
            body = next(recorded for lines, recorded in self.recorded if not any("content-encoding" in each.lower() for each in lines))
            head = [each for each in head if not each.lower().startswith("content-length")] + [f"content-length: {len(body)}"]
        if body and fault.name == "corrupt":
            offset = self.random.randrange(len(body))
            body = body[:offset] + bytes([body[offset] ^ (1 << self.random.randrange(8))]) + body[offset + 1:]
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
        if fault.name in ("truncate", "reset_in_body"):
            writer.write(body[: len(body) // 2])
            await writer.drain()
            await asyncio.sleep(0.005)
            return _reset(writer) if fault.name == "reset_in_body" else False
        if fault.name == "drip":
            for offset in range(0, len(body), 16):
                writer.write(body[offset:offset + 16])
                await writer.drain()
                await asyncio.sleep(fault.seconds)
        else:
            writer.write(body)
        await writer.drain()
        return True

    async def _stream(self, fault, head, upstream, reader, writer) -> bool:
        """Forwards the chunks of a stream until one side ends it."""
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
        tasks = [asyncio.create_task(self._forward_chunks(fault, upstream, writer)), asyncio.create_task(reader.read())]
        limit = fault.seconds if fault.name in ("cut", "truncate") else None
        try:
            await asyncio.wait(tasks, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return _reset(writer) if fault.name == "cut" else False

    async def _forward_chunks(self, fault, upstream, writer):
        # One read is always pending, so that a timeout cannot lose a part of a chunk.
        pending = asyncio.ensure_future(_chunk(upstream))
        try:
            while True:
                done, _ = await asyncio.wait([pending], timeout=HEARTBEAT)
                if fault.name == "stall":
                    await asyncio.sleep(3600)
                chunk = b":\n\n"
                if done:
                    chunk = pending.result()
                    if not chunk:
                        writer.write(b"0\r\n\r\n")
                        return
                    pending = asyncio.ensure_future(_chunk(upstream))
                if fault.name == "garble":
                    chunk = self.random.choice(GARBAGE) + chunk + self.random.choice(GARBAGE)
                if fault.name == "double" and done:
                    chunk = chunk + chunk
                size = 3 if fault.name == "drip" else len(chunk)
                for offset in range(0, len(chunk), size):
                    part = chunk[offset:offset + size]
                    writer.write(b"%x\r\n%s\r\n" % (len(part), part))
                    await writer.drain()
                    if fault.name == "drip":
                        await asyncio.sleep(fault.seconds)
                if done:
                    self.flowing.add(writer)
        finally:
            pending.cancel()
            with suppress(BaseException):
                await pending


async def _chunk(upstream) -> bytes:
    """Reads one chunk of a chunked body. It is empty at the end."""
    size = int((await upstream.readuntil(b"\r\n")).split(b";")[0], 16)
    return (await upstream.readexactly(size + 2))[:-2]


def _reset(writer) -> bool:
    """Resets a connection, like a crashed machine."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


class Trap:
    """The target of redirects. No client may follow one, above all not with a key."""

    def __init__(self):
        self.seen: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    connection.settimeout(1)
                    self.seen.append(connection.recv(65_536).decode("latin-1"))

    def close(self):
        """Closes the listening socket."""
        self.socket.close()
