"""kill -9 at random moments, again and again, under concurrent writes."""

import os
import random
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

from harness import Server, verify_log
from load import Load, Worker
from truth import Truth, confirm_ledger

ROUNDS = int(os.environ.get("DURABILITY_ROUNDS", "50"))
WRITERS = 10
SEED = int(os.environ.get("DURABILITY_SEED", str(time.time_ns() % 1_000_000)))


class Kill(unittest.TestCase):
    """One data directory, many sudden deaths."""

    def test_acknowledged_writes_survive(self):
        chance = random.Random(SEED)
        counts: Counter = Counter()
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder) / "data")
            workers = [Worker(number, SEED) for number in range(WRITERS)]
            truth = Truth()
            self.addCleanup(server.kill)
            for number in range(ROUNDS):
                try:
                    counts += self.round(server, workers, truth, chance, number)
                except AssertionError as failure:
                    failure.add_note(f"round {number}, DURABILITY_SEED={SEED}; the server's log ends:\n{server.tail()}")
                    raise
        print(f"\n{ROUNDS} rounds, seed {SEED}, {truth.revision} changes: {dict(counts)}")
        self.assertGreater(counts["acknowledged"], ROUNDS * WRITERS)
        self.assertGreater(counts["repeated"], ROUNDS)
        # Deaths that interrupt nothing would prove nothing.
        self.assertGreater(counts["landed unacknowledged"] + counts["not landed"], ROUNDS)

    def round(self, server: Server, workers: list, truth: Truth, chance: random.Random, number: int) -> Counter:
        """Writes, dies, starts again, and is asked."""
        server.start()
        load = Load(workers, server)
        time.sleep(chance.uniform(0.1, 0.4))
        server.kill()
        load.join()
        verify_log(server.data)
        server.start()
        operator = server.operator()
        counts = confirm_ledger(truth, workers, operator)
        if number % 10 == 9 or number == ROUNDS - 1:
            truth.confirm_lists(operator)
        operator.close()
        # So the next round's server starts after a sudden death too.
        server.kill()
        return counts


if __name__ == "__main__":
    unittest.main()
