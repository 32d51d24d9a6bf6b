"""A client that is closed leaves nothing behind, and its process ends by itself."""

import time
import unittest

from support import EndToEnd, Operator, until

# Node keeps the connections that it did not need any more for four seconds, and no process alive for them.
IDLE = 6.0


class Close(EndToEnd):
    """Each SDK in a process of its own."""

    def test_nothing_is_left(self):
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
                known = lambda: {each["instance"] for each in operator.reach()["instances"]}
                until(lambda: kind not in known(), f"{kind} has signed off", 3)
                operator.flip()
                if kind in ("python", "rust"):
                    self.assertEqual((driver.threads(), driver.sockets()), (1, 0))
                if kind == "node":
                    until(lambda: driver.sockets() == 0, f"no socket is left, of {while_open[1]}", IDLE)
                time.sleep(0.2)
                self.assertEqual(driver.mark(), mark, "nothing is said after the end")
                self.assertEqual(len(driver.ask("evaluate", subjects=operator.subjects)["flags"]), len(operator.subjects))
                self.assertEqual(driver.ask("close")["status"], "closed")
                began = time.monotonic()
                self.assertEqual(driver.end(), 0, driver.said())
                self.assertEqual(driver.said(), "")
                print(f"{kind}: {while_open[0]} threads and {while_open[1]} sockets while it was open; ended {(time.monotonic() - began) * 1e3:.0f} ms after")

    def test_a_process_may_end_without_closing(self):
        server = self.serve()
        operator = Operator(server)
        self.addCleanup(operator.close)
        operator.create()
        key = operator.key("server")["secret"]
        # Node's client is open, so its process goes on; nothing but closing ends it.
        for kind in ("python", "rust"):
            with self.subTest(kind):
                driver = self.follow(kind, kind, url=f"http://127.0.0.1:{server.port}", key=key).connected()
                until(lambda: self.streams(server) == 1, "the stream is open")
                self.assertEqual(driver.end(5), 0, driver.said())
                self.assertEqual(driver.said(), "")
                until(lambda: self.streams(server) == 0, "the stream is closed", 3)


if __name__ == "__main__":
    unittest.main()
