"""Tests of backups under concurrent writes, and of answers over a restart."""

import tempfile
import unittest
from pathlib import Path

from harness import DATABASE, Server, command, verify_log
from load import Load, Worker
from replay import LogReplay, confirm_ledger

LISTS = (
    "/tenants?limit=200&counts=true", "/tenants?sort=-createdAt&limit=7", "/partners?limit=200", "/users?limit=200",
    "/subscriptions?limit=200", "/subscriptions/mrr", "/flags", "/audit?limit=200",
)


class Copies(unittest.TestCase):
    """Backups and restarts, each test with its own data."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.server = Server(self.folder / "data").start()
        self.addCleanup(self.server.kill)
        self.workers = [Worker(number, 5) for number in range(8)]

    def test_a_backup_under_writes_is_consistent(self):
        load = Load(self.workers, self.server)
        operator = self.server.operator()
        copies = []
        for number in range(3):
            load.wait_for_writes(20)
            minimum = operator.get("/audit?limit=1").body["proof"]["headRevision"]
            copy = self.folder / f"copy-{number}" / DATABASE
            copy.parent.mkdir(mode=0o700)
            done = command("backup", "--data", str(self.server.data), str(copy))
            self.assertEqual(done.returncode, 0, done.stderr)
            maximum = operator.get("/audit?limit=1").body["proof"]["headRevision"]
            self.assertGreater(maximum, minimum, "no write happened during the backup")
            copies.append((copy, minimum, maximum))
        again = command("backup", "--data", str(self.server.data), str(copies[0][0]))
        self.assertNotEqual(again.returncode, 0, "a backup replaced an existing file")
        load.stop()
        replay = LogReplay()
        confirm_ledger(replay, self.workers, operator)
        operator.close()
        self.assertEqual(self.server.stop(), 0)
        for copy, minimum, maximum in copies:
            self.confirm_copy(copy, minimum, maximum, replay)

    def confirm_copy(self, copy: Path, minimum: int, maximum: int, original: LogReplay) -> None:
        """Checks that a copy equals the original at one revision during the backup."""
        self.assertEqual([path.name for path in copy.parent.iterdir()], [DATABASE], "a copy must be one file")
        verify_log(copy.parent)
        # The same address, because it is part of the identities of users.
        server = Server(copy.parent, self.server.port).start()
        self.addCleanup(server.kill)
        operator = server.operator()
        replay = LogReplay()
        replay.read(operator)
        self.assertTrue(minimum <= replay.revision <= maximum, f"{minimum} <= {replay.revision} <= {maximum}")
        replay.confirm_served(operator)
        replay.confirm_lists(operator)
        for signature, changes in replay.changes.items():
            self.assertEqual(changes, original.changes[signature][: len(changes)])
        made = operator.ask("POST", "/tenants", {"slug": "after-the-copy", "name": "After", "plan": "business"})
        self.assertEqual(made.status, 201, made.body)
        operator.close()
        self.assertEqual(server.stop(), 0)
        verify_log(copy.parent)

    def test_a_restart_changes_no_answer(self):
        load = Load(self.workers, self.server)
        load.wait_for_writes(100)
        load.stop()
        before = self.answers()
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.answers_of_new_process(), before)
        self.server.kill()
        self.assertEqual(self.answers_of_new_process(), before)

    def answers_of_new_process(self) -> list:
        """Starts the server and returns its answers."""
        self.server.start()
        return self.answers()

    def answers(self) -> list:
        """Returns the answers for every list, a page behind a cursor, and the tags of tenants."""
        operator = self.server.operator()
        found = [operator.get(path).body for path in LISTS]
        cursor = found[1]["nextCursor"]
        found.append(operator.get(f"/tenants?sort=-createdAt&limit=7&cursor={cursor}").body)
        tags = [operator.get(f"/tenants/{tenant['slug']}").etag for tenant in found[0]["items"]]
        operator.close()
        return [*found, tags]


if __name__ == "__main__":
    unittest.main()
