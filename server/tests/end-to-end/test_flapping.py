"""A day of flapping in a minute and a half: what a client holds does not grow, however often its connections are lost."""

import os
import random
import threading
import time
import unittest

from proxy import PASS, Fault, Proxy
from support import EndToEnd, Operator, until

# All times are a thousandth of the real ones, so that this many seconds stand for a day.
SECONDS = float(os.environ.get("FLAPPING_SECONDS", "86.4"))
SEED = int(os.environ.get("SEED", "20265"))
OPTIONS = {
    "staleAfter": 60, "maxBackoff": 30, "deadline": 10_000,
    # Requests and silence get what a busy machine needs.
    "timing": {"pollInterval": 30, "minBackoff": 1, "requestTimeout": 500, "silence": 500, "settled": 10, "spacing": 1},
}
# What the resident set may grow by between the first tenth and the end, in kB. Node takes room for garbage as it likes: what is left after it was
# collected is looked at besides.
GROWTH = {"node": 40_000, "python": 3_000, "rust": 2_000}
HEAP_GROWTH = 2_000
LOSSES = (
    Fault("cut", seconds=0.005), Fault("cut", seconds=0.02), Fault("cut", seconds=0.04), Fault("truncate", seconds=0.01), Fault("truncate", seconds=0.03),
    Fault("reset"), PASS,
)


class Flapping(EndToEnd):
    """Node, Python and Rust, each behind a proxy that loses its connections."""

    def test_a_day(self):
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
        dice = random.Random(SEED)
        for proxy in proxies.values():
            proxy.choose = lambda kind: dice.choice(LOSSES) if kind == "stream" or dice.random() < 0.05 else PASS
        over = threading.Event()

        def flap():
            while not over.wait(dice.uniform(0.02, 0.06)):
                proxy = dice.choice(list(proxies.values()))
                proxy.cut()
                proxy.is_down = dice.random() < 0.2

        flapping = threading.Thread(target=flap, daemon=True)
        flapping.start()
        began, first, most = time.monotonic(), {}, {kind: [0, 0] for kind in proxies}
        while time.monotonic() < began + SECONDS:
            operator.flip()
            time.sleep(0.3)
            for driver in self.drivers:
                most[driver.kind] = [max(most[driver.kind][0], driver.threads()), max(most[driver.kind][1], driver.files())]
            if not first and time.monotonic() > began + SECONDS / 10:
                first = {driver.kind: self.held(driver) for driver in self.drivers}
        over.set()
        flapping.join()
        last = {driver.kind: self.held(driver) for driver in self.drivers}
        for proxy in proxies.values():
            proxy.heal()
        operator.flip()
        newest, _ = operator.record()
        print()
        for driver in self.drivers:
            until(lambda: driver.state()["digest"] == newest, f"{driver.name} has the newest")
            until(lambda: driver.state()["status"] == "ready", f"{driver.name} is ready")
            requests, kind = proxies[driver.kind].requests, driver.kind
            print(
                f"{kind}: {requests['stream']} streams and {requests['fetch']} fetches; memory {first[kind][0]} → {last[kind][0]} kB"
                f"{f', of its heap {first[kind][2]} → {last[kind][2]} kB' if kind == 'node' else ''}; at most {most[kind][0]} threads and {most[kind][1]} files"
            )
            self.assertGreater(requests["stream"], SECONDS * 3, f"{kind} was hardly disturbed")
            self.assertLess(last[kind][0] - first[kind][0], GROWTH[kind], f"{kind}: memory, in kB")
            self.assertLess(last[kind][2] - first[kind][2], HEAP_GROWTH, f"{kind}: heap, in kB")
            self.assertFalse([event for event in driver.named("error") if event["fatal"]], kind)
            # Once it is quiet, there are as many threads and sockets as after the first tenth, or fewer.
            until(lambda: driver.threads() <= first[kind][1], f"{kind} has {first[kind][1]} threads, not {driver.threads()}", 15)
            # Standard input, output and error, what its runtime needs, the stream and one more connection.
            until(lambda: driver.sockets() <= 3, f"{kind} has few sockets, not {driver.sockets()}", 8)
            # A connection that was lost is not kept: at no time were there more than a few.
            self.assertLess(most[kind][1], 60, f"{kind}: files")
            self.assertLess(most[kind][0], 30, f"{kind}: threads")

    def held(self, driver) -> tuple[int, int, int]:
        """Its memory in kB, without what may be collected, its threads, and in Node the heap."""
        collected = driver.ask("collect") if driver.kind != "rust" else {}
        heap = collected.get("heapUsed", 0) + collected.get("external", 0)
        return driver.memory(), driver.threads(), heap // 1024


if __name__ == "__main__":
    unittest.main()
