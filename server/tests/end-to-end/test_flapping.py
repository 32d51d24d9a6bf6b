"""A test of a day of lost connections in 86 s: memory, threads and sockets do not grow."""

import os
import random
import threading
import time
import unittest

from proxy import PASS, Fault, Proxy
from support import EndToEnd, Operator, until

# All times are a thousandth of the real ones, so these seconds represent a day.
SECONDS = float(os.environ.get("FLAPPING_SECONDS", "86.4"))
SEED = int(os.environ.get("SEED", "20265"))
OPTIONS = {
    "staleAfter": 60, "maxBackoff": 30, "deadline": 10_000,
    # The timeouts are long enough for a busy machine.
    "timing": {"pollInterval": 30, "minBackoff": 1, "requestTimeout": 500, "silence": 500, "settled": 10, "spacing": 1},
}
# The allowed growth of resident memory from the first tenth to the end, in kB. Node keeps much
# garbage, so its heap after a collection is checked too.
GROWTH = {"node": 40_000, "python": 3_000, "rust": 2_000}
HEAP_GROWTH = 2_000
LOSSES = (
    Fault("cut", seconds=0.005), Fault("cut", seconds=0.02), Fault("cut", seconds=0.04), Fault("truncate", seconds=0.01), Fault("truncate", seconds=0.03),
    Fault("reset"), PASS,
)


class Flapping(EndToEnd):
    """Clients of Node, Python and Rust, each behind a proxy that loses connections."""

    def test_a_day_of_lost_connections_does_not_grow_resources(self):
        server = self.serve()
        operator = Operator(server)
        self.addCleanup(operator.close)
        operator.create()
        key = operator.key("server")["secret"]
        proxies = {}
        for kind in ("node", "python", "rust"):
            proxies[kind] = Proxy(server.port, SEED)
            self.addCleanup(proxies[kind].close)
            self.follow(kind, kind, url=proxies[kind].url, key=key, **OPTIONS).connected()
        generator = random.Random(SEED)
        for proxy in proxies.values():
            proxy.choose = lambda kind: generator.choice(LOSSES) if kind == "stream" or generator.random() < 0.05 else PASS
        is_done = threading.Event()

        def flap():
            while not is_done.wait(generator.uniform(0.02, 0.06)):
                proxy = generator.choice(list(proxies.values()))
                proxy.cut()
                proxy.is_down = generator.random() < 0.2

        flapping = threading.Thread(target=flap, daemon=True)
        flapping.start()
        began, first, peak = time.monotonic(), {}, {kind: [0, 0] for kind in proxies}
        while time.monotonic() < began + SECONDS:
            operator.flip()
            time.sleep(0.3)
            for driver in self.drivers:
                peak[driver.kind] = [max(peak[driver.kind][0], driver.threads()), max(peak[driver.kind][1], driver.files())]
            if not first and time.monotonic() > began + SECONDS / 10:
                first = {driver.kind: self.resources(driver) for driver in self.drivers}
        is_done.set()
        flapping.join()
        last = {driver.kind: self.resources(driver) for driver in self.drivers}
        for proxy in proxies.values():
            proxy.heal()
        operator.flip()
        print()
        for driver in self.drivers:
            newest, _ = operator.record()
            until(lambda: driver.state()["digest"] == newest, f"{driver.name} has the newest")
            until(lambda: self.becomes_ready(driver, operator), f"{driver.name} is ready")
            requests, kind = proxies[driver.kind].requests, driver.kind
            print(
                f"{kind}: {requests['stream']} streams and {requests['fetch']} fetches; memory {first[kind][0]} → {last[kind][0]} kB"
                f"{f', heap {first[kind][2]} → {last[kind][2]} kB' if kind == 'node' else ''}; peak {peak[kind][0]} threads and {peak[kind][1]} files"
            )
            self.assertGreater(requests["stream"], SECONDS * 3, f"{kind} had too few lost connections")
            self.assertLess(last[kind][0] - first[kind][0], GROWTH[kind], f"{kind}: memory, in kB")
            self.assertLess(last[kind][2] - first[kind][2], HEAP_GROWTH, f"{kind}: heap, in kB")
            self.assertFalse([event for event in driver.named("error") if event["fatal"]], kind)
            # Afterwards the client has no more threads than after the first tenth.
            until(lambda: driver.threads() <= first[kind][1], f"{kind} has {first[kind][1]} threads, not {driver.threads()}", 15)
            # At most the stream, one more connection, and one socket of the runtime are open.
            until(lambda: driver.sockets() <= 3, f"{kind} has few sockets, not {driver.sockets()}", 8)
            # Lost connections are not kept, so the peaks are low.
            self.assertLess(peak[kind][1], 60, f"{kind}: files")
            self.assertLess(peak[kind][0], 30, f"{kind}: threads")

    def becomes_ready(self, driver, operator) -> bool:
        """Returns whether the client is ready.

        Python's client polls every 30 s, so after a change it is ready for `staleAfter` only. It
        gets another change if it is stale again.
        """
        is_ready = driver.state()["status"] == "ready"
        if driver.kind == "python" and not is_ready:
            operator.flip()
        return is_ready

    def resources(self, driver) -> tuple[int, int, int]:
        """Returns the memory in kB and the threads of a driver, and the heap in kB of Node."""
        collected = driver.ask("collect") if driver.kind != "rust" else {}
        heap = collected.get("heapUsed", 0) + collected.get("external", 0)
        return driver.memory(), driver.threads(), heap // 1024


if __name__ == "__main__":
    unittest.main()
