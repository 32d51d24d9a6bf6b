"""A copy made while others write, and a restart that changes no answer."""

import tempfile
import time
import unittest
from pathlib import Path

from harness import DATABASE, Server, command, verify_log
from load import Load, Worker
from truth import Truth, confirm_ledger

LISTS = (
    "/tenants?limit=200&counts=true", "/tenants?sort=-createdAt&limit=7", "/partners?limit=200", "/users?limit=200",
    "/subscriptions?limit=200", "/subscriptions/mrr", "/flags", "/audit?limit=200",
)


class Copies(unittest.TestCase):
    """Each with its own data."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.server = Server(self.folder / "data").start()
        self.addCleanup(self.server.kill)
        self.workers = [Worker(number, 5) for number in range(8)]

    def test_backup_while_writing(self):
        load = Load(self.workers, self.server)
        operator = self.server.operator()
        copies = []
        for number in range(3):
            time.sleep(0.3)
            least = operator.get("/audit?limit=1").body["proof"]["headRevision"]
            copy = self.folder / f"copy-{number}" / DATABASE
            copy.parent.mkdir(mode=0o700)
            done = command("backup", "--data", str(self.server.data), str(copy))
            self.assertEqual(done.returncode, 0, done.stderr)
            most = operator.get("/audit?limit=1").body["proof"]["headRevision"]
            self.assertGreater(most, least, "nobody wrote during the copy")
            copies.append((copy, least, most))
        again = command("backup", "--data", str(self.server.data), str(copies[0][0]))
        self.assertNotEqual(again.returncode, 0, "a copy replaced what was there")
        load.stop()
        truth = Truth()
        confirm_ledger(truth, self.workers, operator)
        operator.close()
        self.assertEqual(self.server.stop(), 0)
        for copy, least, most in copies:
            self.confirm_copy(copy, least, most, truth)

    def confirm_copy(self, copy: Path, least: int, most: int, original: Truth) -> None:
        """A copy is what the original was at one revision during the copying, and can be served."""
        self.assertEqual([path.name for path in copy.parent.iterdir()], [DATABASE], "a copy is one file")
        verify_log(copy.parent)
        # The same address: the people are those of its built-in issuer.
        server = Server(copy.parent, self.server.port).start()
        self.addCleanup(server.kill)
        operator = server.operator()
        truth = Truth()
        truth.read(operator)
        self.assertTrue(least <= truth.revision <= most, f"{least} <= {truth.revision} <= {most}")
        truth.confirm_served(operator)
        truth.confirm_lists(operator)
        for signature, changes in truth.changes.items():
            self.assertEqual(changes, original.changes[signature][: len(changes)])
        made = operator.ask("POST", "/tenants", {"slug": "after-the-copy", "name": "After", "plan": "business"})
        self.assertEqual(made.status, 201, made.body)
        operator.close()
        self.assertEqual(server.stop(), 0)
        verify_log(copy.parent)

    def test_restart_changes_no_answer(self):
        load = Load(self.workers, self.server)
        time.sleep(0.5)
        load.stop()
        before = self.answers()
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.answers_of_new_process(), before)
        self.server.kill()
        self.assertEqual(self.answers_of_new_process(), before)

    def answers_of_new_process(self) -> list:
        """What the server says once it has started."""
        self.server.start()
        return self.answers()

    def answers(self) -> list:
        """What the server says to every list, to the pages behind a cursor, and of every entity's tag."""
        operator = self.server.operator()
        found = [operator.get(path).body for path in LISTS]
        cursor = found[1]["nextCursor"]
        found.append(operator.get(f"/tenants?sort=-createdAt&limit=7&cursor={cursor}").body)
        tags = [operator.get(f"/tenants/{tenant['slug']}").etag for tenant in found[0]["items"]]
        operator.close()
        return [*found, tags]


if __name__ == "__main__":
    unittest.main()
