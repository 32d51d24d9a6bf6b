"""Tests of a power cut: unsynced writes may be lost, acknowledged writes must survive."""

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
from replay import LogReplay

CUTS = 8
# The traced load lasts this long, and until so many writes are acknowledged.
TRACED_SECONDS = 1.5
TRACED_WRITES = 100
SEED = int(os.environ.get("DURABILITY_SEED", str(time.time_ns() % 1_000_000)))


class PowerCut(unittest.TestCase):
    """One traced run, cut at many times."""

    def test_acknowledged_writes_survive_power_cuts(self):
        self.assertIsNotNone(shutil.which("strace"), "strace is needed: apt-get install strace")
        generator = random.Random(SEED)
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
        time.sleep(TRACED_SECONDS)
        deadline = time.monotonic() + 60
        while sum(len(worker.acknowledged) for worker in workers) <= TRACED_WRITES and time.monotonic() < deadline:
            time.sleep(0.05)
        load.stop()
        ended = time.time()
        # The kill may tear the last line of the trace. This later write keeps the lines that count
        # complete.
        operator = server.operator()
        last = {"slug": "last", "name": "Last", "plan": "business"}
        self.assertEqual(operator.ask("POST", "/tenants", last).status, 201)
        operator.close()
        server.kill()
        acknowledged = [intent for worker in workers for intent in worker.acknowledged]
        self.assertGreater(len(acknowledged), TRACED_WRITES)
        disk = Disk(folder / "baseline", server.data, folder / "trace")
        moments = sorted(generator.uniform(load.began + 0.2, ended) for _ in range(CUTS - 1))
        unsynced = 0
        for number, moment in enumerate([*moments, ended]):
            disk.advance(moment)
            unsynced += sum(len(file.pending) for file in disk.files.values())
            expected = [intent for intent in acknowledged if intent.answer.at <= moment]
            for keep_probability in (0.0, 0.5, 0.95):
                directory = folder / f"cut-{number}-{keep_probability}"
                disk.write_after_cut(directory, generator, keep_probability)
                with self.subTest(seed=SEED, moment=moment - load.began, keep_probability=keep_probability):
                    self.confirm(Server(directory, server.port), expected)
                shutil.rmtree(directory)
        self.assertGreater(disk.syncs, 20)
        # The cuts must lose unsynced writes, otherwise they prove nothing.
        self.assertGreater(unsynced, 0)
        print(f"\n{len(acknowledged)} acknowledged, {disk.syncs} syncs, {unsynced} writes cut off, seed {SEED}")

    def confirm(self, server: Server, expected: list) -> None:
        """Starts a server on the data after a cut and checks all acknowledged writes."""
        self.addCleanup(server.kill)
        verify_log(server.data)
        server.start()
        operator = server.operator()
        replay = LogReplay()
        replay.read(operator)
        replay.confirm_served(operator)
        replay.confirm_lists(operator)
        for intent in expected:
            replay.confirm_acknowledged(intent)
        operator.close()
        server.kill()


if __name__ == "__main__":
    unittest.main()
