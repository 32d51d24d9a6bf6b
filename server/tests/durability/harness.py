"""A real server process, and a client that reports which requests were answered."""

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

# The errors of a connection whose server dies.
LOST = (OSError, http.client.HTTPException)


def binary() -> str:
    """Returns the path of the server: DEZKY_SERVER, or the newest build."""
    configured = os.environ.get("DEZKY_SERVER")
    if configured:
        return configured
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    built = [path for path in (target / "release/dezky-server", target / "debug/dezky-server") if path.exists()]
    if not built:
        raise FileNotFoundError(f"no dezky-server below {target}: run cargo build -p dezky-server --features dev, or set DEZKY_SERVER")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def free_port() -> int:
    """Returns a free port outside the range of client ports, so that it can be reused."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class NotStarted(AssertionError):
    """The server ended at its start."""


@dataclass
class Answer:
    """An answer of the server."""

    status: int
    headers: dict
    body: object
    at: float = field(default_factory=time.time)

    @property
    def etag(self) -> str:
        """The tag of the version in the answer."""
        return self.headers.get("etag", "")

    @property
    def code(self) -> str:
        """The code of a problem document, or an empty string."""
        return self.body.get("code", "") if isinstance(self.body, dict) else ""


class Client:
    """A client with one keep-alive connection, for one thread."""

    def __init__(self, port: int, token: str = "", timeout: float = 40.0):
        self.port, self.token, self.timeout = port, token, timeout
        self.connection = None

    def ask(self, method: str, path: str, body=None, match: str = "", key: str = "") -> Answer:
        """Sends one request. Raises one of LOST if the answer does not arrive completely."""
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
        """Sends a GET request that must return 200."""
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise AssertionError(f"GET {path}: {answer.status} {answer.body}")
        return answer

    def all(self, path: str) -> list:
        """Returns every item of a list from all its pages."""
        items, cursor = [], None
        joint = "&" if "?" in path else "?"
        while True:
            page = self.get(path + (f"{joint}cursor={cursor}" if cursor else "")).body
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return items

    def close(self) -> None:
        """Closes the connection, if any."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Server:
    """A server process on one data directory.

    Its address stays the same over restarts, because it is part of the identities of users.
    """

    def __init__(self, data: Path, port: int | None = None):
        self.data, self.port = Path(data), port or free_port()
        self.process = None
        self.log = self.data.parent / f"{self.data.name}.log"

    def start(self, wrapper=(), preexec=None, options=()) -> "Server":
        """Starts the server and waits until it is ready."""
        command = [*wrapper, binary(), "serve", "--dev", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--data", str(self.data), "--rate-limit", "0", *options]
        with open(self.log, "ab") as log:
            log.write(f"--- {' '.join(command)}\n".encode())
            log.flush()
            # A separate process group, so that a wrapper and the server end together.
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=preexec, process_group=0
            )
        limit, client = time.monotonic() + START_LIMIT, self.client()
        while True:
            if self.process.poll() is not None:
                raise NotStarted(f"the server exited with {self.process.returncode} at its start:\n{self.tail()}")
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
        """Returns a client of this server."""
        return Client(self.port, token)

    def operator(self) -> Client:
        """Returns a client with the rights of an operator."""
        return self.client(self.token("operator"))

    def token(self, persona: str) -> str:
        """Returns an access token of a persona."""
        client = self.client()
        answer = client.ask("POST", "/dev/token", {"persona": persona})
        client.close()
        if answer.status != 200:
            raise AssertionError(f"no token for {persona}: {answer.status} {answer.body}")
        return answer.body["access_token"]

    def kill(self) -> None:
        """Sends SIGKILL to the server and its wrapper."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.process = None
            self.wait_until_gone()

    def wait_until_gone(self) -> None:
        """Waits until the data is unlocked. A server can outlive its wrapper by milliseconds."""
        lock = self.data / "lock"
        if lock.exists():
            with open(lock, "rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX)

    def stop(self) -> int:
        """Sends SIGTERM and returns the exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def tail(self) -> str:
        """Returns the end of the log, for error messages."""
        return self.log.read_text(errors="replace")[-3_000:] if self.log.exists() else ""


def command(*arguments: str) -> subprocess.CompletedProcess:
    """Runs another command of the server binary."""
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=120)


def verify_log(data: Path) -> str:
    """Runs `verify-log`, which must succeed, and returns its output."""
    completed = command("verify-log", "--data", str(data))
    if completed.returncode != 0:
        raise AssertionError(f"verify-log: exit code {completed.returncode}: {completed.stdout}{completed.stderr}")
    return completed.stdout


def run_together(count: int, work) -> list:
    """Runs `work(index)` on threads that start at the same moment and returns the results.

    An exception of a thread is raised here.
    """
    barrier, results, failures = threading.Barrier(count), [None] * count, []

    def run(index: int) -> None:
        try:
            barrier.wait()
            results[index] = work(index)
        except BaseException as failure:  # noqa: BLE001 - raised again below
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results
