"""A real server process, and a client that knows which of its requests were answered."""

import fcntl
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
START_LIMIT = 30.0
DATABASE = "dezky.sqlite3"

# Whatever can happen to a connection whose server dies.
LOST = (OSError, http.client.HTTPException)


def binary() -> str:
    """The server under test: DEZKY_SERVER, or what was built last."""
    named = os.environ.get("DEZKY_SERVER")
    if named:
        return named
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    built = [path for path in (target / "release/dezky-server", target / "debug/dezky-server") if path.exists()]
    if not built:
        raise FileNotFoundError(f"no dezky-server below {target}: cargo build -p dezky-server --features dev, or set DEZKY_SERVER")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def free_port() -> int:
    """A port that can be listened on again and again: outside the range from which clients' ports are taken."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class NotStarted(AssertionError):
    """The server said why it cannot start, and ended."""


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict
    body: object
    at: float = field(default_factory=time.time)

    @property
    def etag(self) -> str:
        """The tag of the version that it shows."""
        return self.headers.get("etag", "")

    @property
    def code(self) -> str:
        """The problem's code."""
        return self.body.get("code", "") if isinstance(self.body, dict) else ""


class Client:
    """One connection, kept open; not for several threads."""

    def __init__(self, port: int, token: str = "", timeout: float = 40.0):
        self.port, self.token, self.timeout = port, token, timeout
        self.connection = None

    def ask(self, method: str, path: str, body=None, match: str = "", key: str = "") -> Answer:
        """Asks once. Raises one of LOST where the answer did not arrive whole."""
        headers = {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if match:
            headers["If-Match"] = match
        if key:
            headers["Idempotency-Key"] = key
        text = None
        if body is not None:
            text, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.request(method, path, text, headers)
            response = self.connection.getresponse()
            data = response.read()
        except LOST:
            self.close()
            raise
        if response.will_close:
            self.close()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, json.loads(data) if data else None)

    def get(self, path: str) -> Answer:
        """Reads, and insists."""
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise AssertionError(f"GET {path}: {answer.status} {answer.body}")
        return answer

    def all(self, path: str) -> list:
        """Every item of a list, over all its pages."""
        items, cursor = [], None
        joint = "&" if "?" in path else "?"
        while True:
            page = self.get(path + (f"{joint}cursor={cursor}" if cursor else "")).body
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return items

    def close(self) -> None:
        """Hangs up."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Server:
    """A server process over one data directory. Its address stays, as the people it knows are those of its built-in issuer."""

    def __init__(self, data: Path, port: int | None = None):
        self.data, self.port = Path(data), port or free_port()
        self.process = None
        self.log = self.data.parent / f"{self.data.name}.log"

    def start(self, wrapper=(), preexec=None, options=()) -> "Server":
        """Starts it and waits until it answers."""
        command = [*wrapper, binary(), "serve", "--dev", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--data", str(self.data), "--rate-limit", "0", *options]
        with open(self.log, "ab") as log:
            log.write(f"--- {' '.join(command)}\n".encode())
            log.flush()
            # A group of its own, so that a wrapper and what it wraps end together.
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=preexec, process_group=0
            )
        limit, client = time.monotonic() + START_LIMIT, self.client()
        while True:
            if self.process.poll() is not None:
                raise NotStarted(f"the server ended with {self.process.returncode} at its start:\n{self.tail()}")
            try:
                if client.ask("GET", "/readyz").status == 200:
                    client.close()
                    return self
            except LOST:
                pass
            if time.monotonic() > limit:
                raise AssertionError(f"the server is not ready after {START_LIMIT} s:\n{self.tail()}")
            time.sleep(0.005)

    def client(self, token: str = "") -> Client:
        """A connection to it."""
        return Client(self.port, token)

    def operator(self) -> Client:
        """A connection of somebody who may do everything."""
        return self.client(self.token("operator"))

    def token(self, persona: str) -> str:
        """A token for a persona."""
        client = self.client()
        answer = client.ask("POST", "/dev/token", {"persona": persona})
        client.close()
        if answer.status != 200:
            raise AssertionError(f"no token for {persona}: {answer.status} {answer.body}")
        return answer.body["access_token"]

    def kill(self) -> None:
        """kill -9, of it and of what it was started with."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.process = None
            self.wait_until_gone()

    def wait_until_gone(self) -> None:
        """Waits until its data is nobody's: a server outlives its wrapper by some milliseconds."""
        lock = self.data / "lock"
        if lock.exists():
            with open(lock, "rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def tail(self) -> str:
        """The end of its log, for whoever looks for a cause."""
        return self.log.read_text(errors="replace")[-3_000:] if self.log.exists() else ""


def command(*arguments: str) -> subprocess.CompletedProcess:
    """Runs one of the server's other commands."""
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=120)


def verify_log(data: Path) -> str:
    """What `verify-log` says; it must be content."""
    done = command("verify-log", "--data", str(data))
    if done.returncode != 0:
        raise AssertionError(f"verify-log: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def together(count: int, work) -> list:
    """Runs `work(index)` on so many threads that start at the same moment; their results, in order. What one raises is raised here."""
    barrier, results, failures = threading.Barrier(count), [None] * count, []

    def run(index: int) -> None:
        try:
            barrier.wait()
            results[index] = work(index)
        except BaseException as failure:  # noqa: BLE001 - handed on below
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results
