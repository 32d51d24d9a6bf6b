"""Tests of the last-known-good file: identical for every SDK, and a guard against older rules."""

import json
import shutil
import time
import unittest

from support import DATABASE, FLAG, EndToEnd, Operator, command, until

KINDS = ("node", "python", "rust")
SHORT = {"deadline": 700, "maxBackoff": 200, "timing": {"minBackoff": 50, "pollInterval": 300}}


class File(EndToEnd):
    """Node, Python and Rust, which support files."""

    def prepare(self):
        """Starts a server, backs it up, and lets each SDK write a file of a newer revision."""
        self.server = self.serve()
        self.operator = Operator(self.server)
        self.addCleanup(self.operator.close)
        self.operator.create()
        self.options = {"url": f"http://127.0.0.1:{self.server.port}", "key": self.operator.key("server")["secret"], **SHORT}
        self.files = {kind: self.folder / f"{kind}.json" for kind in KINDS}
        self.backup = self.folder / "backup" / DATABASE
        self.backup.parent.mkdir(mode=0o700)
        done = command("backup", "--data", str(self.server.data), str(self.backup))
        self.assertEqual(done.returncode, 0, done.stderr)
        for kind, file in self.files.items():
            self.follow(kind, f"{kind}-first", file=str(file), **self.options).connected()
        self.operator.flip()
        self.digest, _ = self.operator.record()
        for driver in self.drivers:
            until(lambda: driver.state()["digest"] == self.digest, f"{driver.name} has the newest")
            until(lambda: json.loads(self.files[driver.kind].read_text())["revision"] == driver.state()["revision"], "the file holds the newest revision")
            driver.ask("close")
            self.assertEqual(driver.end(), 0)

    def test_every_sdk_reads_every_file(self):
        self.prepare()
        texts = {file.read_bytes() for file in self.files.values()}
        self.assertEqual(len(texts), 1, texts)
        self.assertEqual({file.stat().st_mode & 0o777 for file in self.files.values()}, {0o600})
        self.assertEqual(sorted(path.name for path in self.folder.glob("*.json*")), sorted(file.name for file in self.files.values()))
        self.server.kill()
        for kind in KINDS:
            for other, file in self.files.items():
                began = time.monotonic()
                driver = self.follow(kind, f"{kind}-by-{other}", file=str(file), **self.options).connected()
                self.assertEqual(driver.state()["status"], "stale", driver.name)
                self.assertEqual(self.confirm(driver, self.operator), self.digest)
                self.assertLess(time.monotonic() - began, 10)
                driver.end() if kind != "node" else driver.kill()
        self.assertEqual({file.read_bytes() for file in self.files.values()}, texts, "no client may change the files")

    def test_a_restart_does_not_go_back(self):
        self.prepare()
        self.assertEqual(self.server.stop(), 0)
        shutil.rmtree(self.server.data)
        shutil.copytree(self.backup.parent, self.server.data)
        self.start(self.server)
        self.operator.renew()
        again = [self.follow(kind, f"{kind}-again", file=str(file), **self.options) for kind, file in self.files.items()]
        for driver in again:
            driver.connected()
            state = driver.state()
            self.assertEqual((state["digest"], state["status"]), (self.digest, "stale"), driver.name)
        self.assertEqual(self.server.stop(), 0)
        done = command("new-history", "--keep-keys", "--data", str(self.server.data))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.start(self.server)
        self.operator.renew()
        older, _ = self.operator.record()
        self.assertNotEqual(older, self.digest)
        for driver in again:
            until(lambda: driver.state()["digest"] == older, f"{driver.name} takes the new history")
            until(lambda: json.loads(self.files[driver.kind].read_text())["revision"] == driver.state()["revision"], "the file holds the newest revision")
            self.assertFalse(driver.ask("evaluate", subjects=[self.operator.subject])["flags"][0][FLAG])
        self.assertEqual(len({file.read_bytes() for file in self.files.values()}), 1)


if __name__ == "__main__":
    unittest.main()
