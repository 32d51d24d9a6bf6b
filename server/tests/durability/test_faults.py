"""Tests of a failing disk: failed syncs and writes by strace, file limits, a full file system."""

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

from harness import NotStarted, Server, binary, command, verify_log
from load import Load, Worker
from replay import LogReplay, confirm_ledger

WRITERS = 8
# All calls that the database uses to reach the disk. The server's log uses write(2), which works.
SYNCS = "fsync,fdatasync,sync_file_range,msync"
WRITES = "pwrite64,pwritev,pwritev2"
GROWING = "ftruncate,fallocate"
FILE_LIMIT = 1_000_000
ROOM = 800_000
# The duration of a load on a disk that fails now and then.
INTERMITTENT_SECONDS = 2.0


class Faults(unittest.TestCase):
    """Disk failures, each test with its own data and its own kind of failure."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.trace = self.folder / "trace"
        self.server = Server(self.folder / "data")
        self.addCleanup(self.server.kill)
        self.workers = [Worker(number, 2) for number in range(WRITERS)]
        self.replay = LogReplay()

    def wrapper(self, calls: str, error: str, when: str) -> list[str]:
        """Returns an strace command that injects one kind of failure.

        `when` counts the calls of each thread. Only the writer thread makes these calls.
        """
        self.assertIsNotNone(shutil.which("strace"), "strace is needed: apt-get install strace")
        trace = ["strace", "-f", "-qq", "-ttt", "-o", str(self.trace), "--seccomp-bpf", "-e", f"trace={calls}"]
        return [*trace, "-e", f"inject={calls}:error={error}:when={when}", "-e", "signal=none", "--"]

    def injected(self) -> list[float]:
        """Returns the times of the injected failures."""
        lines = self.trace.read_text(errors="replace").splitlines()
        return [float(re.search(r"\d+\.\d+", line).group()) for line in lines if "(INJECTED)" in line]

    def seed(self) -> None:
        """Writes some data on a working disk."""
        self.server.start()
        load = Load(self.workers, self.server)
        load.wait_for_writes(100)
        load.stop()
        operator = self.server.operator()
        confirm_ledger(self.replay, self.workers, operator)
        operator.close()
        self.assertEqual(self.server.stop(), 0)

    def confirm_reads(self) -> None:
        """Checks the answers while the disk fails.

        They must equal the log and contain no refused write.
        """
        operator = self.server.operator()
        seen = LogReplay()
        seen.read(operator)
        seen.confirm_served(operator)
        seen.confirm_lists(operator)
        for worker in self.workers:
            for intent in worker.acknowledged:
                seen.confirm_acknowledged(intent)
            for intent in worker.refused:
                self.assertFalse(seen.confirm_at_most_once(intent), f"refused, but served: {intent}")
        operator.close()

    def confirm_after_restart(self) -> Counter:
        """Kills the server, starts it on a working disk, and checks all data."""
        self.server.kill()
        verify_log(self.server.data)
        self.server.start()
        operator = self.server.operator()
        counts = confirm_ledger(self.replay, self.workers, operator)
        self.replay.confirm_lists(operator)
        operator.close()
        self.assertEqual(self.server.stop(), 0)
        verify_log(self.server.data)
        return counts

    def check_permanent_failure(self, calls: str, error: str, when: str) -> None:
        """Checks a disk on which every call fails from some call on."""
        self.seed()
        self.server.start(self.wrapper(calls, error, when))
        load = Load(self.workers, self.server, max_refusals=3)
        load.join()
        failures = self.injected()
        self.assertTrue(failures, "no failure was injected")
        for worker in self.workers:
            self.assertEqual(worker.failures, [])
            self.assertGreater(len(worker.refused), 0, "no write was refused")
            self.assertEqual({intent.answer.code for intent in worker.refused}, {"store_unavailable"})
            late = [intent for intent in worker.acknowledged if intent.sent > failures[0]]
            self.assertEqual(late, [], "acknowledged, but it cannot have reached the disk")
        self.assertGreater(sum(len(worker.acknowledged) for worker in self.workers), 0)
        self.confirm_reads()
        self.confirm_after_restart()

    def check_intermittent_failure(self, calls: str, error: str, when: str) -> None:
        """Checks that the server recovers without a restart if only some calls fail."""
        self.seed()
        self.server.start(self.wrapper(calls, error, when))
        load = Load(self.workers, self.server, max_refusals=1_000_000)
        time.sleep(INTERMITTENT_SECONDS)
        load.stop()
        failures = self.injected()
        self.assertGreater(len(failures), 1, "no failure was injected")
        for worker in self.workers:
            self.assertEqual(worker.failures, [])
            self.assertEqual({intent.answer.code for intent in worker.refused} - {"store_unavailable"}, set())
        self.assertGreater(sum(len(worker.refused) for worker in self.workers), 0)
        later = [intent for worker in self.workers for intent in worker.acknowledged if intent.sent > failures[0]]
        self.assertTrue(later, "no write succeeded after the first failure")
        self.confirm_reads()
        self.confirm_after_restart()

    def test_every_sync_fails(self):
        self.check_permanent_failure(SYNCS, "EIO", "12+")

    def test_every_write_fails(self):
        self.check_permanent_failure(WRITES, "EIO", "1500+")

    def test_every_write_finds_no_space(self):
        self.check_permanent_failure(WRITES, "ENOSPC", "1500+")

    def test_some_syncs_fail(self):
        self.check_intermittent_failure(SYNCS, "EIO", "12+5")

    def test_some_writes_fail(self):
        self.check_intermittent_failure(WRITES, "EIO", "1500+307")

    def test_some_writes_find_no_space(self):
        self.check_intermittent_failure(WRITES, "ENOSPC", "1501+211")

    def test_syncs_fail_for_a_while(self):
        self.check_intermittent_failure(SYNCS, "EIO", "12..25")

    def test_files_that_cannot_grow(self):
        """The system refuses to grow files beyond a limit, like a full disk."""
        self.seed()

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))

        # The limit also applies to the log file, so the log starts empty.
        self.server.log.unlink()
        self.server.start(preexec=limit)
        self.confirm_full()

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount; test_files_that_cannot_grow tests the same without root")
    def test_a_full_file_system(self):
        small = self.folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(small)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(small)], check=True)
        self.addCleanup(self.server.kill)
        self.server.data = small / "data"
        self.seed()
        usage = os.statvfs(small)
        self.resize(small, (usage.f_blocks - usage.f_bfree) * usage.f_frsize + ROOM)
        self.server.start()
        self.confirm_full(lambda: self.resize(small, 50_000_000))

    def resize(self, folder: Path, size: int) -> None:
        """Resizes a file system."""
        subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)

    def confirm_full(self, make_room=None) -> None:
        """Writes until the disk is full, and checks that acknowledged writes are kept."""
        load = Load(self.workers, self.server, max_refusals=3)
        load.join()
        for worker in self.workers:
            self.assertEqual(worker.failures, [])
            self.assertEqual({intent.answer.code for intent in worker.refused}, {"store_unavailable"})
        self.assertGreater(sum(len(worker.acknowledged) for worker in self.workers), WRITERS)
        self.confirm_reads()
        if make_room:
            # The server must accept writes again without a restart.
            make_room()
            load = Load(self.workers, self.server)
            load.wait_for_writes(50)
            load.stop()
            refused = [intent for worker in self.workers for intent in worker.refused if intent.sent > load.began]
            self.assertEqual(refused, [])
        self.confirm_after_restart()

    def test_a_disk_that_fails_from_the_start(self):
        """The server does not start, or it only reads. The data stays unchanged."""
        self.seed()
        for calls, error in ((SYNCS, "EIO"), (f"{WRITES},{GROWING}", "ENOSPC")):
            with self.subTest(calls=calls):
                try:
                    self.server.start(self.wrapper(calls, error, "1+"))
                except NotStarted:
                    self.assertNotEqual(self.server.process.returncode, 0)
                else:
                    # The server may start if it has nothing to write. Then it refuses writes.
                    Load(self.workers, self.server).join()
                    self.assertEqual([len(worker.acknowledged) for worker in self.workers], [0] * WRITERS)
                    self.assertGreater(sum(len(worker.refused) for worker in self.workers), 0)
                finally:
                    self.server.kill()
                self.assertTrue(self.injected(), "no failure was injected")
        self.confirm_after_restart()

    def test_a_backup_to_a_full_disk(self):
        """A backup that fails is an error and leaves the data unchanged."""
        self.seed()
        wrapper = self.wrapper(WRITES, "ENOSPC", "20+")
        copy = self.folder / "copy.sqlite3"
        done = subprocess.run([*wrapper, binary(), "backup", "--data", str(self.server.data), str(copy)], capture_output=True)
        self.assertTrue(self.injected(), "no failure was injected")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(copy.exists(), "a partial copy was left")
        self.assertEqual(command("backup", "--data", str(self.server.data), str(copy)).returncode, 0)
        self.confirm_after_restart()


if __name__ == "__main__":
    unittest.main()
