"""The attacks. Each runs from its own loopback address until `stop` is set, and counts outcomes."""

import json
import os
import random
import re
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

# The bounds of the attacks, independent of the answers.
FLOOD_THREADS = 4
PIPELINED = 40
SLOW_CONNECTIONS = 200
UNREAD_CONNECTIONS = 100
STREAMS = 200
WRITERS = 12
MIB = 1 << 20

# The errors of a connection that the server refuses, closes or loses by a kill.
CLOSED = (OSError, ValueError)


@dataclass
class Scene:
    """The data that attacks need. The two tokens change with each start of the server."""

    port: int
    key: str
    tenant: str
    operator: str = ""
    member: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def connect(self, address: str, timeout: float = 5.0, buffer: int = 0) -> socket.socket:
        """Connects from an address. A small receive buffer makes answers pile up at the server."""
        connection = socket.socket()
        try:
            connection.settimeout(timeout)
            if buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            connection.bind((address, 0))
            connection.connect(("127.0.0.1", self.port))
        except OSError:
            connection.close()
            # The server is down or full, so retries are spaced.
            self.stop.wait(0.05)
            raise
        return connection

    def request(self, method: str, path: str, credential: str = "", body: bytes = b"", headers: str = "") -> bytes:
        """Returns the bytes of a request."""
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}"
        if credential:
            head += f"authorization: Bearer {credential}\r\n"
        if body:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


def statuses(answers: bytes) -> Counter:
    """Counts the statuses in answers. A status line can follow a body without a line break."""
    return Counter(status.decode() for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers))


def ask(scene: Scene, address: str, request: bytes, count: Counter) -> None:
    """Sends one request on a new connection."""
    try:
        with scene.connect(address) as connection:
            connection.sendall(request)
            answer = connection.recv(65_536)
    except CLOSED:
        count["closed"] += 1
        return
    count.update(statuses(answer.split(b"\r\n\r\n")[0] + b"\r\n") or {"nothing": 1})


def run_together(count: Counter, number: int, work) -> None:
    """Runs `work(index, count)` on several threads and adds their counts."""
    own = [Counter() for _ in range(number)]
    threads = [threading.Thread(target=work, args=(index, own[index])) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in own:
        count.update(each)


def flood(scene: Scene, count: Counter) -> None:
    """Sends pipelined requests with a valid credential, as fast as they are answered."""

    def work(index: int, count: Counter) -> None:
        paths = ("/flags", "/tenants?limit=200", "/healthz", "/openapi.json")
        while not scene.stop.is_set():
            request = scene.request("GET", paths[index % 4], scene.member) * PIPELINED
            try:
                with scene.connect("127.0.1.1") as connection:
                    connection.sendall(request)
                    found, deadline = 0, time.monotonic() + 5
                    while found < PIPELINED and time.monotonic() < deadline:
                        answers = connection.recv(MIB)
                        if not answers:
                            break
                        seen = statuses(answers)
                        count.update(seen)
                        found += sum(seen.values())
            except CLOSED:
                count["closed"] += 1

    run_together(count, FLOOD_THREADS, work)


def drip(scene: Scene, count: Counter, address: str, start) -> None:
    """Opens connections that send the start of a request and then one byte per second."""
    connections = []
    while not scene.stop.is_set():
        try:
            connection = scene.connect(address)
            connection.sendall(start())
            connection.setblocking(False)
            connections.append(connection)
            count["opened"] += 1
        except CLOSED:
            count["closed"] += 1
        if len(connections) >= SLOW_CONNECTIONS or random.random() < 0.02:
            scene.stop.wait(1)
            connections = [own for own in connections if is_open_after_byte(own, count)]
    for connection in connections:
        connection.close()


def is_open_after_byte(connection: socket.socket, count: Counter) -> bool:
    """Sends one more byte and returns whether the connection is still open."""
    try:
        connection.send(b"x")
        answer = connection.recv(4_096)
    except BlockingIOError:
        return True
    except CLOSED:
        answer = b""
    count.update(statuses(answer) or {"ended": 1})
    connection.close()
    return False


def slow_heads(scene: Scene, count: Counter) -> None:
    """Sends request heads that never end."""
    drip(scene, count, "127.0.1.2", lambda: b"GET /flags HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ")


def slow_bodies(scene: Scene, count: Counter) -> None:
    """Sends bodies that never end, of requests that would create a machine key."""

    def head() -> bytes:
        request = scene.request("POST", "/keys", scene.operator, b"x" * 900_000)
        return request[: request.index(b"\r\n\r\n") + 4]

    drip(scene, count, "127.0.1.3", head)


def unread_answers(scene: Scene, count: Counter) -> None:
    """Requests many large answers and reads none of them."""
    request = scene.request("GET", "/openapi.json") * PIPELINED
    hold_open(scene, count, "127.0.1.4", UNREAD_CONNECTIONS, lambda _: request)


def unread_exports(scene: Scene, count: Counter) -> None:
    """Requests exports and verifications of the whole log and does not read the answers."""
    requests = (("GET", "/audit/export"), ("POST", "/audit/verify"))
    hold_open(scene, count, "127.0.1.5", 20, lambda index: scene.request(*requests[index % 2], scene.operator))


def streams(scene: Scene, count: Counter) -> None:
    """Opens streams with random instance names and does not read them."""

    def name() -> str:
        return f"dezky-instance: {random.getrandbits(64):x}\r\ndezky-digest: {'0' * 64}\r\n"

    def request(_: int) -> bytes:
        return scene.request("GET", "/flags/stream", scene.key, headers=name())

    hold_open(scene, count, "127.0.1.6", STREAMS, request)


def hold_open(scene: Scene, count: Counter, address: str, limit: int, request) -> None:
    """Keeps connections that request and never read, and replaces some all the time."""
    connections, opened = [], 0
    while not scene.stop.is_set():
        try:
            connection = scene.connect(address, timeout=0.5, buffer=4_096)
            connections.append(connection)
            connection.sendall(request(opened))
            count["sent"] += 1
        except CLOSED:
            count["closed"] += 1
        opened += 1
        if len(connections) >= limit:
            scene.stop.wait(0.2)
            connections.pop(random.randrange(len(connections))).close()
    for connection in connections:
        connection.close()


def unknown_credentials(scene: Scene, count: Counter) -> None:
    """Sends unknown machine keys, tokens with bad signatures, and no credentials."""
    while not scene.stop.is_set():
        head, claims, signature = scene.operator.split(".")
        credential = random.choice(
            ("", f"dzk_{random.getrandbits(256):064x}", f"{head}.{claims}.{signature[::-1]}", f"{head}.e30.{signature}", "a.b.c", "x" * 12_000)
        )
        ask(scene, "127.0.1.7", scene.request("GET", "/tenants", credential), count)


def malformed(scene: Scene, count: Counter) -> None:
    """Sends malformed and nearly malformed requests."""
    host = b"host: 127.0.0.1\r\n"
    deep = b"[" * 200_000
    while not scene.stop.is_set():
        request = random.choice(
            (
                os.urandom(random.randrange(1, 4_096)),
                b"GET / HTTP/9.9\r\n\r\n",
                b"GET /flags HTTP/1.1\r\n" + host + host + b"\r\n",
                b"GET /flags?" + b"a=b&" * 5_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
                b"GET /flags HTTP/1.1\r\n" + host + b"x: " + b"y" * 100_000 + b"\r\n\r\n",
                b"POST /flags HTTP/1.1\r\n" + host + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
                b"POST /flags HTTP/1.1\r\n" + host + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                scene.request("POST", "/flags", scene.operator, deep),
                scene.request("POST", "/flags/plan", scene.operator, b'{"edits":' + b'[{"a":' * 9_000),
                scene.request("PATCH", "/tenants/acme", scene.operator, b"{}", headers='if-match: "x", *\r\n'),
                scene.request("GET", "/tenants?limit=1e9&limit=%00&cursor=" + "A" * 3_000, scene.operator),
                scene.request("POST", "/ofrep/v1/evaluate/flags", scene.key, json.dumps({"context": {"targetingKey": "x" * 500_000}}).encode()),
            )
        )
        ask(scene, "127.0.1.8", request, count)


def churn(scene: Scene, count: Counter) -> None:
    """Opens connections and closes or resets them at once."""
    while not scene.stop.is_set():
        try:
            connection = scene.connect("127.0.1.9")
            if random.random() < 0.5:
                # SO_LINGER with zero seconds closes with a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                connection.sendall(scene.request("GET", "/openapi.json"))
            connection.close()
            count["opened"] += 1
        except CLOSED:
            count["closed"] += 1


def conflicting_writes(scene: Scene, count: Counter) -> None:
    """Changes one tenant from many threads, each from its last read version, with shared keys."""

    def work(index: int, count: Counter) -> None:
        tag = "*"
        while not scene.stop.is_set():
            body = json.dumps({"name": f"Writer {index}"}).encode()
            headers = f"if-match: {tag}\r\nidempotency-key: shared-{random.randrange(50)}\r\n"
            request = scene.request("PATCH", f"/tenants/{scene.tenant}", scene.operator, body, headers)
            try:
                with scene.connect("127.0.1.10") as connection:
                    connection.sendall(request)
                    answer = connection.recv(65_536)
            except CLOSED:
                count["closed"] += 1
                continue
            count.update(statuses(answer.split(b"\r\n\r\n")[0] + b"\r\n"))
            tags = [line[6:].decode() for line in answer.split(b"\r\n") if line.lower().startswith(b"etag: ")]
            tag = tags[0] if tags else "*"

    run_together(count, WRITERS, work)


ATTACKS = (
    flood, slow_heads, slow_bodies, unread_answers, unread_exports, streams, unknown_credentials, malformed, churn,
    conflicting_writes,
)
