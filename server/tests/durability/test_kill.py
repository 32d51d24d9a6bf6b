"""Tests of SIGKILL at random times under concurrent writes."""

import os
import random
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

from harness import Server, verify_log
from load import Load, Worker
from replay import LogReplay, confirm_ledger

ROUNDS = int(os.environ.get("DURABILITY_ROUNDS", "50"))
WRITERS = 10
SEED = int(os.environ.get("DURABILITY_SEED", str(time.time_ns() % 1_000_000)))


class Kill(unittest.TestCase):
    """Repeated kills of a server on one data directory."""

    def test_acknowledged_writes_survive_kills(self):
        generator = random.Random(SEED)
        counts: Counter = Counter()
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder) / "data")
            workers = [Worker(number, SEED) for number in range(WRITERS)]
            replay = LogReplay()
            self.addCleanup(server.kill)
            for number in range(ROUNDS):
                try:
                    counts += self.round(server, workers, replay, generator, number)
                except AssertionError as failure:
                    failure.add_note(f"round {number}, DURABILITY_SEED={SEED}; the server's log ends:\n{server.tail()}")
                    raise
        print(f"\n{ROUNDS} rounds, seed {SEED}, {replay.revision} changes: {dict(counts)}")
        self.assertGreater(counts["acknowledged"], ROUNDS * WRITERS)
        self.assertGreater(counts["repeated"], ROUNDS)
        # The kills must interrupt writes, otherwise they prove nothing.
        self.assertGreater(counts["landed unacknowledged"] + counts["not landed"], ROUNDS)

    def round(self, server: Server, workers: list, replay: LogReplay, generator: random.Random, number: int) -> Counter:
        """Writes, kills the server at a random time, restarts it, and checks all data."""
        server.start()
        load = Load(workers, server)
        time.sleep(generator.uniform(0.1, 0.4))
        server.kill()
        load.join()
        verify_log(server.data)
        server.start()
        operator = server.operator()
        counts = confirm_ledger(replay, workers, operator)
        if number % 10 == 9 or number == ROUNDS - 1:
            replay.confirm_lists(operator)
        operator.close()
        # The next round then also starts after a kill.
        server.kill()
        return counts


if __name__ == "__main__":
    unittest.main()
