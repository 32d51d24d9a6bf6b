"""Tests of closing: a closed client leaves no resources, and its process ends by itself."""

import time
import unittest

from support import EndToEnd, Operator, until

# Node keeps unused connections for four seconds. They do not keep the process alive.
IDLE = 6.0


class Close(EndToEnd):
    """Clients of each SDK in separate processes."""

    def test_a_closed_client_leaves_no_resources(self):
        server = self.serve()
        operator = Operator(server)
        self.addCleanup(operator.close)
        operator.create()
        key = operator.key("server")["secret"]
        print()
        for kind in ("node", "python", "rust", "browser"):
            with self.subTest(kind):
                driver = self.follow(kind, kind, url=f"http://127.0.0.1:{server.port}", key=key).connected()
                until(lambda: self.streams(server) == 1, "the stream is open")
                operator.flip()
                driver.wait(lambda event: event.get("event") == "change")
                while_open = (driver.threads(), driver.sockets())
                self.assertEqual(driver.ask("close")["status"], "closed")
                mark = driver.mark()
                until(lambda: self.streams(server) == 0, "the stream is closed", 3)
                instances = lambda: {each["instance"] for each in operator.reach()["instances"]}
                until(lambda: kind not in instances(), f"{kind} has sent its last request", 3)
                operator.flip()
                if kind in ("python", "rust"):
                    self.assertEqual((driver.threads(), driver.sockets()), (1, 0))
                if kind == "node":
                    until(lambda: driver.sockets() == 0, f"no socket is left, of {while_open[1]}", IDLE)
                # The absence of events can only be observed over time.
                time.sleep(0.2)
                self.assertEqual(driver.mark(), mark, "no event follows the close")
                self.assertEqual(len(driver.ask("evaluate", subjects=operator.subjects)["flags"]), len(operator.subjects))
                self.assertEqual(driver.ask("close")["status"], "closed")
                began = time.monotonic()
                self.assertEqual(driver.end(), 0, driver.stderr_end())
                self.assertEqual(driver.stderr_end(), "")
                print(f"{kind}: {while_open[0]} threads and {while_open[1]} sockets while open; ended {(time.monotonic() - began) * 1e3:.0f} ms after the close")

    def test_a_process_can_end_with_an_open_client(self):
        server = self.serve()
        operator = Operator(server)
        self.addCleanup(operator.close)
        operator.create()
        key = operator.key("server")["secret"]
        # An open Node client keeps its process alive, so Node is left out.
        for kind in ("python", "rust"):
            with self.subTest(kind):
                driver = self.follow(kind, kind, url=f"http://127.0.0.1:{server.port}", key=key).connected()
                until(lambda: self.streams(server) == 1, "the stream is open")
                self.assertEqual(driver.end(5), 0, driver.stderr_end())
                self.assertEqual(driver.stderr_end(), "")
                until(lambda: self.streams(server) == 0, "the stream is closed", 3)


if __name__ == "__main__":
    unittest.main()
