#!/usr/bin/env python3
"""Mixed abuse of a running server, for ABUSE_SECONDS (600): floods, slow requests, unread answers, unknown keys, conflicting writes, kills.

Several attacks run at a time, in rounds, while an honest client reads and writes. After each round the server must have recovered: memory and
file descriptors within bounds. Sometimes it is killed in the middle of a round, and started again. The end of the output says what was tried
and what was measured; the exit code is 1 if a bound was broken. All traffic is loopback's.

    ABUSE_SECONDS   how long, in seconds (600)
    ABUSE_SEED      the order of attacks (by the time); the output names it
    ABUSE_SLOWEST   within how many seconds 99 of 100 honest answers must come (2); more where the machine has other work
    DEZKY_SERVER    the binary under test; else the one that was built last
"""

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "durability"))

from attacks import ATTACKS, Scene  # noqa: E402
from harness import Server, binary, verify_log  # noqa: E402
from honest import Honest  # noqa: E402

# What must hold. Memory is the process's own (resident), descriptors are its open files.
MOST_MIB = 512
MOST_DESCRIPTORS = 4_000
MOST_MIB_AFTER = 256
MOST_DESCRIPTORS_AFTER = 100
SLOWEST_OF_100 = float(os.environ.get("ABUSE_SLOWEST", "2"))

ROUND_SECONDS = 12
# A connection may wait for its next request, or for its head, for thirty seconds.
RECOVERY_SECONDS = 45
ATTACKS_AT_A_TIME = 4
KILL_EVERY = 4


class Watch:
    """Measures a process twice a second."""

    def __init__(self, server: Server):
        self.server, self.most_mib, self.most_descriptors = server, 0.0, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        """Until told to stop."""
        while not self.stop.wait(0.5):
            mib, descriptors = self.measure()
            self.most_mib, self.most_descriptors = max(self.most_mib, mib), max(self.most_descriptors, descriptors)

    def measure(self) -> tuple[float, int]:
        """Resident memory in MiB, and open files; nothing of a process that is gone."""
        process = self.server.process
        try:
            place = Path(f"/proc/{process.pid}")
            pages = int((place / "statm").read_text().split()[1])
            return pages * resource.getpagesize() / (1 << 20), len(os.listdir(place / "fd"))
        except (AttributeError, OSError, IndexError):
            return 0.0, 0

    def end(self) -> None:
        """Lets it finish."""
        self.stop.set()
        self.thread.join()


class Run:
    """One run: its server, its bounds, its findings."""

    def __init__(self, folder: Path, seed: int):
        self.random = random.Random(seed)
        self.server = Server(folder / "data")
        self.server.start()
        self.watch = Watch(self.server)
        self.counts: dict[str, Counter] = {attack.__name__: Counter() for attack in ATTACKS}
        self.rounds: Counter = Counter()
        self.broken: list[str] = []
        self.recoveries: list[float] = []
        operator = self.server.operator()
        key = operator.ask("POST", "/keys", {"name": "Abused", "kind": "server"})
        tenant = operator.ask("POST", "/tenants", {"slug": "contended", "name": "Contended", "plan": "free"})
        self.hold(key.status == tenant.status == 201, f"the scene cannot be set: {key.body} {tenant.body}")
        operator.close()
        self.scene = Scene(self.server.port, key.body["secret"], "contended")
        self.honest = Honest(self.server.port)
        self.sign_in()
        self.honest.start()

    def sign_in(self) -> None:
        """New tokens for everybody: the built-in identity provider signs with a new key after each start."""
        self.scene.operator, self.scene.member = self.server.token("operator"), self.server.token("member")
        self.honest.token = self.server.token("operator")

    def hold(self, condition: bool, text: str) -> None:
        """Notes a bound that is broken."""
        if not condition:
            print(f"BROKEN: {text}", flush=True)
            self.broken.append(text)

    def round(self, number: int, seconds: float) -> None:
        """Some attacks at once; in some rounds the server dies in the middle."""
        attacks = self.random.sample(ATTACKS, ATTACKS_AT_A_TIME)
        self.scene.stop.clear()
        threads = [threading.Thread(target=attack, args=(self.scene, self.counts[attack.__name__])) for attack in attacks]
        for thread in threads:
            thread.start()
        names = ", ".join(attack.__name__ for attack in attacks)
        time.sleep(seconds / 2)
        is_killed = number % KILL_EVERY == 0
        if is_killed:
            self.restart()
        time.sleep(seconds / 2)
        self.scene.stop.set()
        for thread in threads:
            thread.join()
        for attack in attacks:
            self.rounds[attack.__name__] += 1
        took = self.recover()
        mib, descriptors = self.watch.measure()
        killed = ", killed once" if is_killed else ""
        print(f"round {number}: {names}{killed}; {took:.0f} s later {mib:.0f} MiB, {descriptors} descriptors", flush=True)

    def restart(self) -> None:
        """kill -9 or SIGTERM, and a new process on the same data."""
        self.honest.server_ends()
        if self.random.random() < 0.5:
            self.server.kill()
        else:
            self.server.process.send_signal(signal.SIGTERM)
            try:
                self.server.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.hold(False, "the server does not stop within 40 s of SIGTERM")
                self.server.kill()
        self.server.start()
        self.sign_in()
        self.honest.server_is_back()

    def recover(self) -> float:
        """Waits until memory and descriptors are those of a server that nobody abuses; how long it took."""
        start = time.monotonic()
        while True:
            mib, descriptors = self.watch.measure()
            took = time.monotonic() - start
            if mib <= MOST_MIB_AFTER and descriptors <= MOST_DESCRIPTORS_AFTER:
                self.recoveries.append(took)
                return took
            if took > RECOVERY_SECONDS:
                self.hold(False, f"{took:.0f} s after the abuse: {mib:.0f} MiB, {descriptors} descriptors")
                return took
            time.sleep(0.5)

    def finish(self, seconds: float) -> None:
        """Judges the whole run, and says what was tried and measured."""
        self.honest.end()
        self.watch.end()
        self.hold(self.server.process.poll() is None, "the server has died by itself")
        self.hold("panicked" not in self.server.log.read_text(errors="replace"), "a handler panicked: see the log")
        self.hold(not self.honest.wrong, f"honest requests were refused: {self.honest.wrong[:3]}")
        self.hold(not self.honest.lost, f"honest requests lost their connection: {dict(self.honest.lost)}")
        missing = self.honest.missing()
        self.hold(not missing, f"{len(missing)} acknowledged writes are gone: {missing[:3]}")
        slow = self.honest.percentile(0.99)
        self.hold(slow <= SLOWEST_OF_100, f"one honest answer in a hundred took more than {slow:.2f} s")
        self.hold(self.watch.most_mib <= MOST_MIB, f"{self.watch.most_mib:.0f} MiB resident")
        self.hold(self.watch.most_descriptors <= MOST_DESCRIPTORS, f"{self.watch.most_descriptors} descriptors")
        for name, count in self.counts.items():
            self.hold(count["500"] == 0, f"{name}: {count['500']} answers are 500")
        self.hold(self.server.stop() == 0, "the server does not end with 0")
        verify_log(self.server.data)
        print(f"\nwhat was tried in {seconds:.0f} s:")
        for name, count in self.counts.items():
            seen = ", ".join(f"{what} {number:,}" for what, number in sorted(count.items()))
            print(f"  {name} ({self.rounds[name]} rounds): {seen or 'nothing'}")
        answered = sum(self.honest.answers.values())
        print(f"memory {self.watch.most_mib:.0f} MiB at most (bound {MOST_MIB})")
        print(f"descriptors {self.watch.most_descriptors} at most (bound {MOST_DESCRIPTORS})")
        print(f"recovered after {max(self.recoveries, default=0):.0f} s at most (bound {RECOVERY_SECONDS})")
        print(
            f"honest requests {answered:,}: median {self.honest.percentile(0.5) * 1_000:.1f} ms, "
            f"99 % within {slow * 1_000:.0f} ms, slowest {self.honest.percentile(1) * 1_000:.0f} ms; "
            f"{len(self.honest.ledger)} acknowledged writes, {len(missing)} lost"
        )
        print(f"{len(self.broken)} bounds broken")


def main() -> int:
    """The whole run."""
    seconds = float(os.environ.get("ABUSE_SECONDS", "600"))
    seed = int(os.environ.get("ABUSE_SEED", str(int(time.time()))))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"{binary()}, {seconds:.0f} s, ABUSE_SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), seed)
        start, number = time.monotonic(), 0
        try:
            while time.monotonic() - start < seconds:
                number += 1
                run.round(number, min(ROUND_SECONDS, seconds))
            run.finish(time.monotonic() - start)
        finally:
            run.scene.stop.set()
            run.honest.stop.set()
            run.watch.stop.set()
            if run.server.process is not None:
                run.server.kill()
        return 1 if run.broken else 0


if __name__ == "__main__":
    sys.exit(main())
