"""Tests of clients on a faulty network: no wrong answer, no older revision, and a fast recovery."""

import os
import random
import threading
import time
import unittest

from proxy import FETCH_FAULTS, PASS, STREAM_FAULTS, Proxy, Trap
from support import FLAG, PATIENCE, EndToEnd, Operator, until

SEED = int(os.environ.get("SEED", "20265"))
MAX_BACKOFF = 0.3
REQUEST_TIMEOUT = 0.8
SILENCE = 1.0
OPTIONS = {
    "staleAfter": 2_000, "maxBackoff": int(MAX_BACKOFF * 1e3), "deadline": 20_000,
    "timing": {"minBackoff": 50, "requestTimeout": int(REQUEST_TIMEOUT * 1e3), "silence": int(SILENCE * 1e3), "settled": 500, "pollInterval": 600_000},
}
# An additional margin for a busy machine.
MARGIN = 1.5
# The seconds of a fault until the client can detect it or may retry.
DETECTION_SECONDS = {"never answered": REQUEST_TIMEOUT, "silent": SILENCE, "429": 1.0, "503 with a wait": 1.0}
# The Python client has no option for the timeouts of these faults: 10 s and 40 s.
NOT_FOR_PYTHON = {"half_open", "stall"}
# The error codes that each fault must cause. Other faults may cause any code or none.
BROKEN_BODY = {"digest_mismatch", "bad_snapshot", "unreachable"}
EXPECTED_CODES = {
    "reset at once": {"unreachable"}, "reset in the body": {"unreachable"}, "truncated": {"unreachable"}, "one byte corrupted": BROKEN_BODY,
    "an older answer again": {"older_revision"}, "an older body under the new tag": BROKEN_BODY, "304 for something else": {"digest_mismatch"},
    "429": {"rate_limited"}, "500": {"unexpected_status"}, "503": {"unexpected_status"}, "503 with a wait": {"unexpected_status"},
    "302": {"unexpected_status"}, "307": {"unexpected_status"}, "a page": {"bad_snapshot", "unexpected_status"}, "nothing": {"bad_snapshot"},
    "no HTTP": {"unreachable"},
}
# A stream that breaks during reading is no error. A stream that does not open is one.
EXPECTED_STREAM_CODES = {name: codes for name, codes in EXPECTED_CODES.items() if name in ("429", "500", "503", "302", "a page")}
RANDOM_SECONDS = 25.0
QUIET_SECONDS = 1.5


class Watch(threading.Thread):
    """Evaluates with a client all the time and records each new result."""

    def __init__(self, driver, subject: dict):
        super().__init__(daemon=True)
        self.driver, self.subject = driver, subject
        self.results: list[tuple[int, str, dict]] = []
        self.failure = None
        self.is_done = threading.Event()

    def run(self):
        try:
            while not self.is_done.wait(0.02):
                answer = self.driver.ask("evaluate", subjects=[self.subject])
                results = (answer["revision"], answer["digest"], answer["flags"][0])
                if not self.results or self.results[-1] != results:
                    self.results.append(results)
        except BaseException as failure:  # noqa: BLE001 - raised again in `end`
            self.failure = failure

    def end(self):
        """Stops the watch and raises its failure, if any."""
        self.is_done.set()
        self.join(10)
        if self.failure:
            raise self.failure


class Network(EndToEnd):
    """All five clients at once, each behind its own proxy."""

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.operator = Operator(self.server)
        self.addCleanup(self.operator.close)
        self.operator.create()
        self.trap = Trap()
        self.addCleanup(self.trap.close)
        whole, part = self.operator.key("server")["secret"], self.operator.key("tenant", "acme")["secret"]
        self.proxies, self.watches = {}, []
        for kind, name, key in (
            ("node", "node-whole", whole), ("python", "python-whole", whole), ("rust", "rust-whole", whole),
            ("node", "node-slice", part), ("browser", "browser-slice", part),
        ):
            proxy = Proxy(self.server.port, SEED, self.trap.port)
            self.addCleanup(proxy.close)
            options = {"tenant": "acme"} if name.endswith("slice") else {}
            self.proxies[name] = proxy
            self.follow(kind, name, url=proxy.url, key=key, **options, **OPTIONS)
        for driver in self.drivers:
            driver.connected()
            driver.ask("watch", key=FLAG, subject=self.operator.subject)
        self.settle(10, "the start")
        time.sleep(QUIET_SECONDS)
        self.before = {driver.name: (driver.threads(), driver.sockets()) for driver in self.drivers}
        for driver in self.drivers:
            watch = Watch(driver, self.operator.subject)
            watch.start()
            self.watches.append(watch)

    def is_slice(self, driver) -> bool:
        return driver.name.endswith("slice")

    def settle(self, seconds: float, what: str) -> float:
        """Waits until every client has the published rules and returns the time it took."""
        whole, part = self.operator.record()
        began = time.monotonic()
        for driver in self.drivers:
            wanted = part if self.is_slice(driver) else whole
            left = max(began + seconds - time.monotonic(), 0.05)
            until(lambda: driver.state()["digest"] == wanted, f"{driver.name} has the newest after {what}, within {seconds} s", left)
        return time.monotonic() - began

    def settle_over_streams(self, what: str):
        """Waits until every client has followed a flip over a working stream and reported it.

        Without a working stream, the next fault would count as the same outage, which is reported
        only once. A pending fetch would miss the next fault.
        """
        for driver in self.drivers:
            until(lambda: self.proxies[driver.name].flowing, f"{driver.name} has a stream after {what}")
        self.operator.flip()
        self.settle(PATIENCE, f"the stream after {what}")
        until(lambda: self.operator.reach()["reached"] == len(self.drivers), f"every client has reported its rules after {what}")

    def check_all_results(self):
        """Checks on a working network that all results were correct and no resources leaked."""
        for watch in self.watches:
            watch.end()
            published = self.operator.slices if self.is_slice(watch.driver) else self.operator.published
            name, last = watch.driver.name, 0
            for revision, digest, flags in watch.results:
                self.assertIn(digest, published, f"{name} had rules that were not published")
                self.assertEqual((revision, flags), (published[digest][0], published[digest][1]["acme"]), name)
                self.assertGreaterEqual(revision, last, f"{name} went back to an older revision")
                last = revision
            self.assertGreater(len(watch.results), 3, f"{name} followed too few changes")
        self.assertEqual(self.trap.seen, [], "a client followed a redirect")
        for driver in self.drivers:
            self.assertEqual([event for event in driver.events if "pageerror" in event], [], driver.name)
            self.assertEqual(driver.state()["status"], "ready", driver.name)
            self.assertFalse([event for event in driver.named("error") if event["fatal"]], driver.name)
            threads, sockets = self.before[driver.name]
            proxy = self.proxies[driver.name]
            until(lambda: len(proxy.flowing) == 1, f"{driver.name} has one stream, not {len(proxy.flowing)}", 8)
            # The stream and a connection for the next request. Chromium may open an unused one.
            connections = proxy.used if driver.kind == "browser" else proxy.open
            until(lambda: len(connections) <= 2, f"{driver.name} has two connections, not {len(connections)}", 8)
            if driver.kind == "browser":
                continue
            until(lambda: driver.threads() <= threads, f"{driver.name} has {threads} threads again, not {driver.threads()}", 15)
            until(lambda: driver.sockets() <= sockets + 1, f"{driver.name} has {sockets} sockets again, not {driver.sockets()}", 8)

    def test_each_fault_in_turn(self):
        print()
        cases = [("fetch", name, fault) for name, fault in FETCH_FAULTS.items()]
        cases += [("stream", name, fault) for name, fault in STREAM_FAULTS.items()]
        for kind, name, fault in cases:
            marks = [(driver, driver.mark()) for driver in self.drivers]
            for driver in self.drivers:
                is_spared = driver.kind == "python" and fault.name in NOT_FOR_PYTHON
                proxy = self.proxies[driver.name]
                proxy.choose = None if is_spared else lambda request_kind: fault if request_kind == kind else PASS
                if kind == "stream":
                    proxy.cut()
            self.operator.flip()
            self.operator.record()
            codes = (EXPECTED_CODES if kind == "fetch" else EXPECTED_STREAM_CODES).get(name)
            for driver, mark in marks if codes else []:
                driver.wait(lambda event: event.get("code") in codes, mark, 5)
            time.sleep(0.4)
            for proxy in self.proxies.values():
                proxy.heal()
            self.operator.flip()
            bound = MAX_BACKOFF + DETECTION_SECONDS.get(name, 0.0) + MARGIN
            took = self.settle(bound, f"{kind} {name}")
            print(f"{kind} {name}: recovered after {took * 1e3:.0f} ms")
            self.settle_over_streams(f"{kind} {name}")
        # At last, the proxy refuses all connections for a while.
        for proxy in self.proxies.values():
            proxy.is_down = True
            proxy.cut()
        for driver in self.drivers:
            driver.wait(lambda event: event.get("event") == "stale")
        self.operator.flip()
        for proxy in self.proxies.values():
            proxy.heal()
        print(f"down until stale: recovered after {self.settle(MAX_BACKOFF + MARGIN, 'the outage') * 1e3:.0f} ms")
        for driver in self.drivers:
            until(lambda: driver.state()["status"] == "ready", f"{driver.name} is ready again", 2)
        self.check_all_results()

    def test_random_faults(self):
        generator = random.Random(SEED)
        fetches, streams = list(FETCH_FAULTS.values()), list(STREAM_FAULTS.values())
        is_python = {driver.name: driver.kind == "python" for driver in self.drivers}

        def chooser(name: str):
            own = random.Random(f"{SEED}/{name}")

            def choose(kind: str):
                fault = own.choice(fetches if kind == "fetch" else streams) if own.random() < 0.6 else PASS
                return PASS if is_python[name] and fault.name in NOT_FOR_PYTHON else fault

            return choose

        for name, proxy in self.proxies.items():
            proxy.choose = chooser(name)
        ends = time.monotonic() + RANDOM_SECONDS
        while time.monotonic() < ends:
            self.operator.flip()
            self.operator.record()
            for proxy in self.proxies.values():
                if generator.random() < 0.25:
                    proxy.cut()
            time.sleep(generator.uniform(0.05, 0.4))
        for proxy in self.proxies.values():
            proxy.heal()
        self.operator.flip()
        bound = MAX_BACKOFF + max(DETECTION_SECONDS.values()) + MARGIN
        took = self.settle(bound, f"the seed {SEED}")
        requests = {name: dict(proxy.requests) for name, proxy in self.proxies.items()}
        print(f"\nseed {SEED}: {requests}, {len(self.operator.published)} revisions; recovered after {took * 1e3:.0f} ms")
        for driver in self.drivers:
            until(lambda: driver.state()["status"] == "ready", f"{driver.name} is ready again", bound)
        self.check_all_results()


if __name__ == "__main__":
    unittest.main()
