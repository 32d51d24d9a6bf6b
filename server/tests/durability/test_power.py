"""A power cut: whatever was written and not synced may be lost, in any order, and what was acknowledged is there all the same."""

import os
import random
import shutil
import tempfile
import time
import unittest
from pathlib import Path

from disk import STRACE, Disk
from harness import Server, verify_log
from load import Load, Worker
from truth import Truth

CUTS = 8
SEED = int(os.environ.get("DURABILITY_SEED", str(time.time_ns() % 1_000_000)))


class PowerCut(unittest.TestCase):
    """One run under a trace, cut at many moments."""

    def test_acknowledged_writes_survive(self):
        self.assertIsNotNone(shutil.which("strace"), "strace is needed: apt-get install strace")
        chance = random.Random(SEED)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        folder = Path(folder.name).resolve()
        server = Server(folder / "data").start()
        self.addCleanup(server.kill)
        self.assertEqual(server.stop(), 0)
        shutil.copytree(server.data, folder / "baseline")
        server.start([*STRACE, "-o", str(folder / "trace"), "--"])
        workers = [Worker(number, SEED) for number in range(8)]
        load = Load(workers, server)
        time.sleep(1.5)
        load.stop()
        ended = time.time()
        # The kill may tear the trace's last line. Lines come one after another, so a write after the moments that count keeps theirs whole.
        operator = server.operator()
        last = {"slug": "last", "name": "Last", "plan": "business"}
        self.assertEqual(operator.ask("POST", "/tenants", last).status, 201)
        operator.close()
        server.kill()
        acknowledged = [intent for worker in workers for intent in worker.acknowledged]
        self.assertGreater(len(acknowledged), 100)
        disk = Disk(folder / "baseline", server.data, folder / "trace")
        moments = sorted(chance.uniform(load.began + 0.2, ended) for _ in range(CUTS - 1))
        unsynced = 0
        for number, moment in enumerate([*moments, ended]):
            disk.advance(moment)
            unsynced += sum(len(file.pending) for file in disk.files.values())
            expected = [intent for intent in acknowledged if intent.answer.at <= moment]
            for luck in (0.0, 0.5, 0.95):
                place = folder / f"cut-{number}-{luck}"
                disk.leave(place, chance, luck)
                with self.subTest(seed=SEED, moment=moment - load.began, luck=luck):
                    self.confirm(Server(place, server.port), expected)
                shutil.rmtree(place)
        self.assertGreater(disk.syncs, 20)
        # Cuts between a sync and the next write would prove nothing.
        self.assertGreater(unsynced, 0)
        print(f"\n{len(acknowledged)} acknowledged, {disk.syncs} syncs, {unsynced} writes cut off, seed {SEED}")

    def confirm(self, server: Server, expected: list) -> None:
        """What is found after a cut starts, is consistent, and has everything that was acknowledged."""
        self.addCleanup(server.kill)
        verify_log(server.data)
        server.start()
        operator = server.operator()
        truth = Truth()
        truth.read(operator)
        truth.confirm_served(operator)
        truth.confirm_lists(operator)
        for intent in expected:
            truth.confirm_acknowledged(intent)
        operator.close()
        server.kill()


if __name__ == "__main__":
    unittest.main()
