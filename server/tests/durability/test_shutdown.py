"""SIGTERM under load: whatever was accepted is answered, and the server ends well."""

import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import Server, verify_log
from load import Load, Worker
from truth import Truth, confirm_ledger

TIME_LIMIT = 20.0


class Shutdown(unittest.TestCase):
    """Each with its own data."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = Server(Path(folder.name) / "data").start()
        self.addCleanup(self.server.kill)

    def test_under_load(self):
        workers = [Worker(number, 6) for number in range(16)]
        truth = Truth()
        for _ in range(5):
            load = Load(workers, self.server)
            time.sleep(0.3)
            started = time.monotonic()
            self.assertEqual(self.server.stop(), 0)
            self.assertLess(time.monotonic() - started, TIME_LIMIT)
            load.join()
            verify_log(self.server.data)
            self.server.start()
            operator = self.server.operator()
            # A connection that waits for its next request may be closed just as that is sent; but then nothing was done.
            lost = [intent for worker in workers for intent in worker.lost]
            truth.read(operator)
            landed = [intent for intent in lost if truth.confirm_at_most_once(intent)]
            self.assertEqual(landed, [], "done, and never answered")
            counts = confirm_ledger(truth, workers, operator)
            self.assertGreater(counts["acknowledged"], len(workers))
            operator.close()

    def test_a_request_that_has_begun(self):
        """A request whose body is still on its way is accepted, so it is answered too."""
        token = self.server.token("operator")
        body = b'{"slug": "slow", "name": "Slow", "plan": "business"}'
        head = (
            f"POST /tenants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(head.encode() + body[:10])
            time.sleep(0.3)
            codes = []
            ending = threading.Thread(target=lambda: codes.append(self.server.stop()))
            started = time.monotonic()
            ending.start()
            time.sleep(0.5)
            self.assertTrue(ending.is_alive(), "it did not wait for a request under way")
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", self.server.port), timeout=1)
            connection.sendall(body[10:])
            answer = b""
            while part := connection.recv(65_536):
                answer += part
            ending.join()
        self.assertIn(b" 201 ", answer.splitlines()[0])
        self.assertEqual(codes, [0])
        self.assertLess(time.monotonic() - started, TIME_LIMIT)
        self.server.start()
        operator = self.server.operator()
        self.assertEqual(operator.get("/tenants/slow").body["name"], "Slow")
        operator.close()

    def test_a_client_that_never_goes_on(self):
        """Nobody can hold the server up for longer than its limit."""
        token = self.server.token("operator")
        head = f"POST /tenants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 50\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(head.encode())
            idle = self.server.client()
            idle.get("/healthz")
            time.sleep(0.2)
            started = time.monotonic()
            self.assertEqual(self.server.stop(), 0)
            self.assertLess(time.monotonic() - started, TIME_LIMIT + 1)
            idle.close()


if __name__ == "__main__":
    unittest.main()
