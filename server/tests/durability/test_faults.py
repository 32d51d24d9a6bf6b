"""A disk that fails: syncs and writes that strace makes fail, files that may not grow, a file system that is full."""

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
from truth import Truth, confirm_ledger

WRITERS = 8
# Everything with which the database could reach the disk; the server's own log goes out by write(2), which is left alone.
SYNCS = "fsync,fdatasync,sync_file_range,msync"
WRITES = "pwrite64,pwritev,pwritev2"
GROWING = "ftruncate,fallocate"
FILE_LIMIT = 1_000_000
ROOM = 800_000


class Faults(unittest.TestCase):
    """Each with its own data and its own kind of failure."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.trace = self.folder / "trace"
        self.server = Server(self.folder / "data")
        self.addCleanup(self.server.kill)
        self.workers = [Worker(number, 2) for number in range(WRITERS)]
        self.truth = Truth()

    def wrapper(self, calls: str, error: str, when: str) -> list[str]:
        """strace with one kind of failure. `when` counts the calls of each thread: the writer is the one that makes them."""
        self.assertIsNotNone(shutil.which("strace"), "strace is needed: apt-get install strace")
        trace = ["strace", "-f", "-qq", "-ttt", "-o", str(self.trace), "--seccomp-bpf", "-e", f"trace={calls}"]
        return [*trace, "-e", f"inject={calls}:error={error}:when={when}", "-e", "signal=none", "--"]

    def injected(self) -> list[float]:
        """When the calls failed."""
        lines = self.trace.read_text(errors="replace").splitlines()
        return [float(re.search(r"\d+\.\d+", line).group()) for line in lines if "(INJECTED)" in line]

    def seed(self) -> None:
        """Some data, made while all is well."""
        self.server.start()
        load = Load(self.workers, self.server)
        time.sleep(0.3)
        load.stop()
        operator = self.server.operator()
        confirm_ledger(self.truth, self.workers, operator)
        operator.close()
        self.assertEqual(self.server.stop(), 0)

    def confirm_reads(self) -> None:
        """While the disk fails, what is served is still what the log says, and nothing that was refused is among it."""
        operator = self.server.operator()
        seen = Truth()
        seen.read(operator)
        seen.confirm_served(operator)
        seen.confirm_lists(operator)
        for worker in self.workers:
            for intent in worker.acknowledged:
                seen.confirm_acknowledged(intent)
            for intent in worker.refused:
                self.assertFalse(seen.confirm_at_most_once(intent), f"refused, and served: {intent}")
        operator.close()

    def confirm_after_restart(self) -> Counter:
        """Dies, starts on a disk that is well again, and is asked."""
        self.server.kill()
        verify_log(self.server.data)
        self.server.start()
        operator = self.server.operator()
        counts = confirm_ledger(self.truth, self.workers, operator)
        self.truth.confirm_lists(operator)
        operator.close()
        self.assertEqual(self.server.stop(), 0)
        verify_log(self.server.data)
        return counts

    def fail_for_good(self, calls: str, error: str, when: str) -> None:
        """From one moment on no such call succeeds."""
        self.seed()
        self.server.start(self.wrapper(calls, error, when))
        load = Load(self.workers, self.server, patience=3)
        load.join()
        failures = self.injected()
        self.assertTrue(failures, "nothing failed")
        for worker in self.workers:
            self.assertEqual(worker.failures, [])
            self.assertGreater(len(worker.refused), 0, "nothing was refused")
            self.assertEqual({intent.answer.code for intent in worker.refused}, {"store_unavailable"})
            late = [intent for intent in worker.acknowledged if intent.sent > failures[0]]
            self.assertEqual(late, [], "acknowledged although it cannot have reached the disk")
        self.assertGreater(sum(len(worker.acknowledged) for worker in self.workers), 0)
        self.confirm_reads()
        self.confirm_after_restart()

    def fail_now_and_then(self, calls: str, error: str, when: str) -> None:
        """Some calls fail and the next ones succeed: nobody starts the server anew, and it goes on."""
        self.seed()
        self.server.start(self.wrapper(calls, error, when))
        load = Load(self.workers, self.server, patience=1_000_000)
        time.sleep(2)
        load.stop()
        failures = self.injected()
        self.assertGreater(len(failures), 1, "nothing failed")
        for worker in self.workers:
            self.assertEqual(worker.failures, [])
            self.assertEqual({intent.answer.code for intent in worker.refused} - {"store_unavailable"}, set())
        self.assertGreater(sum(len(worker.refused) for worker in self.workers), 0)
        later = [intent for worker in self.workers for intent in worker.acknowledged if intent.sent > failures[0]]
        self.assertTrue(later, "it never wrote again")
        self.confirm_reads()
        self.confirm_after_restart()

    def test_no_sync_succeeds(self):
        self.fail_for_good(SYNCS, "EIO", "12+")

    def test_no_write_succeeds(self):
        self.fail_for_good(WRITES, "EIO", "1500+")

    def test_no_space_for_writes(self):
        self.fail_for_good(WRITES, "ENOSPC", "1500+")

    def test_some_syncs_fail(self):
        self.fail_now_and_then(SYNCS, "EIO", "12+5")

    def test_some_writes_fail(self):
        self.fail_now_and_then(WRITES, "EIO", "1500+307")

    def test_some_writes_find_no_space(self):
        self.fail_now_and_then(WRITES, "ENOSPC", "1501+211")

    def test_syncs_fail_for_a_while(self):
        self.fail_now_and_then(SYNCS, "EIO", "12..25")

    def test_files_may_not_grow(self):
        """As on a full disk, but for real: the system refuses, at whatever place, by the size of the file."""
        self.seed()

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))

        # Its log is a file too, and begins anew.
        self.server.log.unlink()
        self.server.start(preexec=limit)
        self.confirm_full()

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount; test_files_may_not_grow is the same for everybody")
    def test_full_file_system(self):
        place = self.folder / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(place)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)], check=True)
        self.addCleanup(self.server.kill)
        self.server.data = place / "data"
        self.seed()
        usage = os.statvfs(place)
        self.resize(place, (usage.f_blocks - usage.f_bfree) * usage.f_frsize + ROOM)
        self.server.start()
        self.confirm_full(lambda: self.resize(place, 50_000_000))

    def resize(self, place: Path, size: int) -> None:
        """Makes a file system as large as that."""
        subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)

    def confirm_full(self, make_room=None) -> None:
        """Writes until nothing goes any more; what was acknowledged is there all the same."""
        load = Load(self.workers, self.server, patience=3)
        load.join()
        for worker in self.workers:
            self.assertEqual(worker.failures, [])
            self.assertEqual({intent.answer.code for intent in worker.refused}, {"store_unavailable"})
        self.assertGreater(sum(len(worker.acknowledged) for worker in self.workers), WRITERS)
        self.confirm_reads()
        if make_room:
            # Without a new start it writes again.
            make_room()
            load = Load(self.workers, self.server)
            time.sleep(0.3)
            load.stop()
            refused = [intent for worker in self.workers for intent in worker.refused if intent.sent > load.began]
            self.assertEqual(refused, [])
        self.confirm_after_restart()

    def test_a_disk_that_fails_from_the_start(self):
        """Then there is no server, or one that only reads; and the data is as it was."""
        self.seed()
        for calls, error in ((SYNCS, "EIO"), (f"{WRITES},{GROWING}", "ENOSPC")):
            with self.subTest(calls=calls):
                try:
                    self.server.start(self.wrapper(calls, error, "1+"))
                except NotStarted:
                    self.assertNotEqual(self.server.process.returncode, 0)
                else:
                    # It may start where it has nothing to write; then it refuses.
                    Load(self.workers, self.server).join()
                    self.assertEqual([len(worker.acknowledged) for worker in self.workers], [0] * WRITERS)
                    self.assertGreater(sum(len(worker.refused) for worker in self.workers), 0)
                finally:
                    self.server.kill()
                self.assertTrue(self.injected(), "nothing failed")
        self.confirm_after_restart()

    def test_backup_to_a_full_disk(self):
        """A copy that cannot be made is an error, and leaves the data alone."""
        self.seed()
        wrapper = self.wrapper(WRITES, "ENOSPC", "20+")
        copy = self.folder / "copy.sqlite3"
        done = subprocess.run([*wrapper, binary(), "backup", "--data", str(self.server.data), str(copy)], capture_output=True)
        self.assertTrue(self.injected(), "nothing failed")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(copy.exists(), "half a copy was left behind")
        self.assertEqual(command("backup", "--data", str(self.server.data), str(copy)).returncode, 0)
        self.confirm_after_restart()


if __name__ == "__main__":
    unittest.main()
