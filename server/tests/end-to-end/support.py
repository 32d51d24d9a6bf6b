"""Real servers, clients in separate processes, and measurements of them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "durability"))

from harness import DATABASE, REPOSITORY, Server, command, free_port  # noqa: E402

__all__ = ["DATABASE", "DRIVERS", "INSTALLED", "Driver", "EndToEnd", "Operator", "Server", "command", "free_port", "percentiles", "until"]

INSTALLED = Path(os.environ.get("DEZKY_INSTALLED_SDKS", REPOSITORY / "target/end-to-end"))
DRIVERS = HERE / "drivers"
# The time limit of waits, long enough for a busy machine.
PATIENCE = 20.0
FLAG = "end_to_end"


def until(condition, expectation: str, seconds: float = PATIENCE, pause: float = 0.01):
    """Polls until the condition returns a true value, and returns the value."""
    limit = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {expectation}")
        time.sleep(pause)


def percentiles(times: list[float]) -> str:
    """Formats percentiles of times in milliseconds."""
    ordered = sorted(times)
    at = {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))}
    return ", ".join(f"{name} {value:.1f} ms" for name, value in at.items()) + f", max {ordered[-1]:.1f} ms ({len(ordered)} times)"


class Driver:
    """One client in a separate process.

    `kind` is node, python, rust or browser. `name` is the name of its instance at the server.
    """

    def __init__(self, kind: str, name: str, options: dict, log: Path, origin: str = ""):
        self.kind, self.name, self.log = kind, name, log
        self.events: list[dict] = []
        self.answers: dict[int, dict] = {}
        self.asked, self.offset, self.first = 0, 0.0, None
        self.changed = threading.Condition()
        text = json.dumps({"instance": name, **options})
        commands = {
            "node": ["node", "--expose-gc", DRIVERS / "node.mjs", INSTALLED / "node", text],
            "python": [INSTALLED / "python/bin/python", DRIVERS / "python.py", text],
            "rust": [INSTALLED / "live", text],
            "browser": ["node", DRIVERS / "browser.mjs", INSTALLED / "wasm", origin, text],
        }
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                [str(part) for part in commands[kind]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, process_group=0
            )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            message = json.loads(line)
            with self.changed:
                if "event" in message or "pageerror" in message:
                    message["arrived"] = time.monotonic()
                    self.events.append(message)
                elif "id" in message:
                    message["arrived"] = time.monotonic()
                    self.answers[message["id"]] = message
                else:
                    self.first = message
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def connected(self) -> "Driver":
        """Waits for the connection and measures the offset of the driver's clock."""
        with self.changed:
            self.changed.wait_for(lambda: self.first or self.process.poll() is not None, 60)
        if not self.first or "connected" not in self.first:
            raise AssertionError(f"{self.name} did not connect: {self.first} {self.stderr_end()}")
        samples = []
        for _ in range(30):
            sent = time.monotonic()
            answer = self.ask("clock")
            samples.append((answer["arrived"] - sent, (sent + answer["arrived"]) / 2 - answer["at"] / 1e3))
        self.offset = min(samples)[1]
        return self

    def stderr_end(self) -> str:
        """Returns the end of its standard error."""
        return self.log.read_text(errors="replace")[-2_000:]

    def ask(self, ask: str, **question) -> dict:
        """Sends a question and waits for the answer."""
        with self.changed:
            self.asked += 1
            number = self.asked
            try:
                self.process.stdin.write(json.dumps({"id": number, "ask": ask, **question}) + "\n")
                self.process.stdin.flush()
            except OSError:
                raise AssertionError(f"{self.name} has ended: {self.process.poll()} {self.stderr_end()}") from None
            self.changed.wait_for(lambda: number in self.answers or self.process.poll() is not None, 60)
            if number not in self.answers:
                raise AssertionError(f"{self.name} did not answer {ask}: {self.process.poll()} {self.stderr_end()}")
            return self.answers.pop(number)

    def state(self) -> dict:
        """Returns the status, revision and digest of the client."""
        return self.ask("state")

    def mark(self) -> int:
        """Returns the index of the next event."""
        with self.changed:
            return len(self.events)

    def wait(self, matches, since: int = 0, seconds: float = PATIENCE) -> dict:
        """Waits for the first event since a mark that matches, and returns it."""

        def found():
            return next((event for event in self.events[since:] if matches(event)), None)

        with self.changed:
            event = self.changed.wait_for(found, seconds)
            if not event:
                raise AssertionError(f"{self.name}: not within {seconds} s, only {self.events[since:]} {self.stderr_end()}")
            return event

    def named(self, *names: str, since: int = 0) -> list[dict]:
        """Returns the events with these names since a mark."""
        with self.changed:
            return [event for event in self.events[since:] if event.get("event") in names]

    def when(self, event: dict) -> float:
        """Returns the time of an event on this process's clock."""
        return event["at"] / 1e3 + self.offset

    def threads(self) -> int:
        """Returns its number of threads."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def sockets(self) -> int:
        """Returns its number of open sockets."""
        count = 0
        for name in os.listdir(f"/proc/{self.process.pid}/fd"):
            try:
                count += os.readlink(f"/proc/{self.process.pid}/fd/{name}").startswith("socket:")
            except OSError:
                continue
        return count

    def files(self) -> int:
        """Returns its number of open files, sockets and pipes."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self) -> int:
        """Returns its resident memory in kB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def end(self, seconds: float = PATIENCE) -> int:
        """Asks the process to end by itself and returns its exit code."""
        try:
            self.process.stdin.write('{"id":0,"ask":"end"}\n')
            self.process.stdin.flush()
        except OSError:
            pass
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end by itself") from None

    def kill(self) -> None:
        """Kills the process and its children."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass


class Operator:
    """An operator who edits flags and records all published rules with the answers of the server."""

    def __init__(self, server: Server, tenant: str = "acme"):
        self.server, self.tenant = server, tenant
        self.client = server.operator()
        # The revision and the answers for every tenant, by digest of the snapshot. A second map
        # holds the same for the slice of one tenant.
        self.published: dict[str, tuple[int, dict]] = {}
        self.slices: dict[str, tuple[int, dict]] = {}
        self.is_on = False
        partners = {partner["id"]: partner["slug"] for partner in self.client.all("/partners?limit=200")}
        self.subjects = []
        for each in self.client.all("/tenants?limit=200"):
            subject = {"tenantId": each["id"], "tenantSlug": each["slug"], "plan": each["plan"]}
            if each.get("partnerId"):
                subject["partnerSlug"] = partners[each["partnerId"]]
            self.subjects.append(subject)
        self.subject = next(subject for subject in self.subjects if subject["tenantSlug"] == tenant)

    def renew(self) -> "Operator":
        """Reconnects after a restart of the server, whose issuer then has new keys."""
        self.client.close()
        self.client = self.server.operator()
        return self

    def write(self, method: str, path: str, body=None, expected: int = 200) -> dict:
        """Sends a write that must succeed."""
        answer = self.client.ask(method, path, body, match="" if method == "POST" and "/kill" not in path else "*")
        if answer.status != expected:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.body}")
        return answer.body

    def key(self, kind: str, tenant: str | None = None) -> dict:
        """Creates a machine key."""
        body = {"name": f"end to end, {kind}", "kind": kind, **({"tenantSlug": tenant} if tenant else {})}
        return self.write("POST", "/keys", body, 201)

    def create(self) -> None:
        """Creates the flag of the tests, which is off."""
        self.write("POST", "/flags", {"key": FLAG, "state": "off"}, 201)
        self.record()

    def flip(self) -> tuple[float, bool]:
        """Flips the flag. Returns the time of the acknowledgement and the new state."""
        self.is_on = not self.is_on
        self.write("PATCH", f"/flags/{FLAG}", {"state": "on" if self.is_on else "off"})
        return time.monotonic(), self.is_on

    def record(self) -> tuple[str, str]:
        """Records the published rules. Returns the digests of the snapshot and of the slice."""
        whole, part = self.client.get("/flags/snapshot"), self.client.get(f"/flags/slice?tenant={self.tenant}")
        digest, slice_digest = whole.etag.strip('"'), part.etag.strip('"')
        if digest not in self.published:
            flags = {subject["tenantSlug"]: self.evaluated(subject["tenantSlug"]) for subject in self.subjects}
            self.published[digest] = (whole.body["revision"], flags)
        self.slices[slice_digest] = (part.body["revision"], {self.tenant: self.published[digest][1][self.tenant]})
        return digest, slice_digest

    def reach(self) -> dict:
        """Returns the reach as the server reports it."""
        return self.client.get("/flags/reach").body

    def evaluated(self, tenant: str) -> dict:
        """Returns the answers of the server for a tenant."""
        answer = self.client.ask("POST", "/flags/evaluate", {"tenantSlug": tenant})
        if answer.status != 200:
            raise AssertionError(f"/flags/evaluate: {answer.status} {answer.body}")
        return answer.body

    def close(self) -> None:
        """Closes the connection of the operator."""
        self.client.close()


class EndToEnd(unittest.TestCase):
    """A test with a folder and with drivers that end with the test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.drivers: list[Driver] = []
        # The origin of the page, which differs from that of the server.
        self.origin = f"http://127.0.0.1:{free_port()}"

    def serve(self, data: str = "data", port: int | None = None) -> Server:
        """Creates and starts a server."""
        server = Server(self.folder / data, port)
        self.addCleanup(server.kill)
        return self.start(server)

    def start(self, server: Server) -> Server:
        """Starts a server that allows the origin of the test page."""
        return server.start(options=("--failure-limit", "0", "--origin", self.origin))

    def follow(self, kind: str, name: str, **options) -> Driver:
        """Starts a client. `connected` waits until it is connected."""
        driver = Driver(kind, name, options, self.folder / f"{name}.log", self.origin)
        self.addCleanup(driver.kill)
        self.drivers.append(driver)
        return driver

    def streams(self, server: Server) -> int:
        """Returns the number of open streams of a server."""
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        return int(metrics.split("\ndezky_streams ")[1].split()[0])

    def confirm(self, driver: Driver, operator: Operator, is_slice: bool = False) -> str:
        """Compares the answers of a client with those of the server for the same rules.

        Returns the digest of the rules.
        """
        published = operator.slices if is_slice else operator.published
        subjects = [operator.subject] if is_slice else operator.subjects
        answer = driver.ask("evaluate", subjects=subjects)
        self.assertIn(answer["digest"], published, f"{driver.name} has rules that were not published")
        revision, flags = published[answer["digest"]]
        self.assertEqual(answer["revision"], revision, driver.name)
        for subject, flags_of_client in zip(subjects, answer["flags"]):
            self.assertEqual(flags_of_client, flags[subject["tenantSlug"]], f"{driver.name}, {subject['tenantSlug']}")
        return answer["digest"]
