#!/usr/bin/env python3
"""Mixed abuse of a running server for ABUSE_SECONDS.

The attacks are floods, slow requests, unread answers, unknown keys, conflicting writes and kills.
Several attacks run at once, in rounds, while an honest client reads and writes. After each round
the server must recover: memory and file descriptors must be within bounds. In some rounds the
server is killed and restarted. The output ends with the attacks and the measurements. The exit code
is 1 if a bound was broken. All traffic is on loopback.

    ABUSE_SECONDS   the duration in seconds (600)
    ABUSE_SEED      the seed of the order of attacks (the current time); printed in the output
    ABUSE_SLOWEST   the bound for the p99 of honest answers in seconds (2); raise it on a busy machine
    DEZKY_SERVER    the path of the server binary; the default is the newest build
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

# The bounds. Memory is resident memory. Descriptors are the open files of the process.
MAX_MIB = 512
MAX_DESCRIPTORS = 4_000
MAX_MIB_AFTER = 256
MAX_DESCRIPTORS_AFTER = 100
MAX_HONEST_P99 = float(os.environ.get("ABUSE_SLOWEST", "2"))

ROUND_SECONDS = 12
# The server allows a connection 30 s for its next request or for a request head.
RECOVERY_SECONDS = 45
ATTACKS_AT_A_TIME = 4
KILL_EVERY = 4


class Watch:
    """Measures the server process twice a second."""

    def __init__(self, server: Server):
        self.server, self.peak_mib, self.peak_descriptors = server, 0.0, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        """Measures until `stop` is set."""
        while not self.stop.wait(0.5):
            mib, descriptors = self.measure()
            self.peak_mib, self.peak_descriptors = max(self.peak_mib, mib), max(self.peak_descriptors, descriptors)

    def measure(self) -> tuple[float, int]:
        """Returns resident memory in MiB and the count of open files, or zeros without a process."""
        process = self.server.process
        try:
            process_folder = Path(f"/proc/{process.pid}")
            pages = int((process_folder / "statm").read_text().split()[1])
            return pages * resource.getpagesize() / (1 << 20), len(os.listdir(process_folder / "fd"))
        except (AttributeError, OSError, IndexError):
            return 0.0, 0

    def end(self) -> None:
        """Stops the measuring thread."""
        self.stop.set()
        self.thread.join()


class Run:
    """One run: the server, the attacks, and the broken bounds."""

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
        self.require(key.status == tenant.status == 201, f"the setup failed: {key.body} {tenant.body}")
        operator.close()
        self.scene = Scene(self.server.port, key.body["secret"], "contended")
        self.honest = Honest(self.server.port)
        self.sign_in()
        self.honest.start()

    def sign_in(self) -> None:
        """Gets new tokens, because the dev identity provider has a new key after each start."""
        self.scene.operator, self.scene.member = self.server.token("operator"), self.server.token("member")
        self.honest.token = self.server.token("operator")

    def require(self, condition: bool, text: str) -> None:
        """Records a broken bound unless the condition holds."""
        if not condition:
            print(f"BROKEN: {text}", flush=True)
            self.broken.append(text)

    def round(self, number: int, seconds: float) -> None:
        """Runs some attacks at once. In some rounds the server is restarted in the middle."""
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
        """Ends the server by SIGKILL or SIGTERM and starts a new process on the same data."""
        self.honest.server_ends()
        if self.random.random() < 0.5:
            self.server.kill()
        else:
            self.server.process.send_signal(signal.SIGTERM)
            try:
                self.server.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.require(False, "the server did not stop within 40 s after SIGTERM")
                self.server.kill()
        self.server.start()
        self.sign_in()
        self.honest.server_is_back()

    def recover(self) -> float:
        """Waits until memory and descriptors are within bounds and returns the time it took."""
        start = time.monotonic()
        while True:
            mib, descriptors = self.watch.measure()
            took = time.monotonic() - start
            if mib <= MAX_MIB_AFTER and descriptors <= MAX_DESCRIPTORS_AFTER:
                self.recoveries.append(took)
                return took
            if took > RECOVERY_SECONDS:
                self.require(False, f"{took:.0f} s after the abuse: {mib:.0f} MiB, {descriptors} descriptors")
                return took
            time.sleep(0.5)

    def finish(self, seconds: float) -> None:
        """Checks all bounds and prints the attacks and the measurements."""
        self.honest.end()
        self.watch.end()
        self.require(self.server.process.poll() is None, "the server ended by itself")
        self.require("panicked" not in self.server.log.read_text(errors="replace"), "a handler panicked: see the log")
        self.require(not self.honest.wrong, f"honest requests were refused: {self.honest.wrong[:3]}")
        self.require(not self.honest.lost, f"honest requests lost their connection: {dict(self.honest.lost)}")
        missing = self.honest.missing()
        self.require(not missing, f"{len(missing)} acknowledged writes are lost: {missing[:3]}")
        slow = self.honest.percentile(0.99)
        self.require(slow <= MAX_HONEST_P99, f"the p99 of honest answers is {slow:.2f} s")
        self.require(self.watch.peak_mib <= MAX_MIB, f"{self.watch.peak_mib:.0f} MiB resident")
        self.require(self.watch.peak_descriptors <= MAX_DESCRIPTORS, f"{self.watch.peak_descriptors} descriptors")
        for name, count in self.counts.items():
            self.require(count["500"] == 0, f"{name}: {count['500']} answers have the status 500")
        self.require(self.server.stop() == 0, "the exit code of the server is not 0")
        verify_log(self.server.data)
        print(f"\nattacks in {seconds:.0f} s:")
        for name, count in self.counts.items():
            seen = ", ".join(f"{outcome} {number:,}" for outcome, number in sorted(count.items()))
            print(f"  {name} ({self.rounds[name]} rounds): {seen or 'nothing'}")
        answered = sum(self.honest.answers.values())
        print(f"peak memory {self.watch.peak_mib:.0f} MiB (bound {MAX_MIB})")
        print(f"peak descriptors {self.watch.peak_descriptors} (bound {MAX_DESCRIPTORS})")
        print(f"slowest recovery {max(self.recoveries, default=0):.0f} s (bound {RECOVERY_SECONDS})")
        print(
            f"honest requests {answered:,}: median {self.honest.percentile(0.5) * 1_000:.1f} ms, "
            f"p99 {slow * 1_000:.0f} ms, slowest {self.honest.percentile(1) * 1_000:.0f} ms; "
            f"{len(self.honest.ledger)} acknowledged writes, {len(missing)} lost"
        )
        print(f"{len(self.broken)} bounds broken")


def main() -> int:
    """Runs the attacks until the time is over."""
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
