"""Tests of SIGTERM: accepted requests are answered, and the server exits cleanly."""

import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import Server, verify_log
from load import Load, Worker
from replay import LogReplay, confirm_ledger

TIME_LIMIT = 20.0


class Shutdown(unittest.TestCase):
    """Shutdowns, each test with its own data."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = Server(Path(folder.name) / "data").start()
        self.addCleanup(self.server.kill)

    def test_a_shutdown_under_load_loses_no_answer(self):
        workers = [Worker(number, 6) for number in range(16)]
        replay = LogReplay()
        for _ in range(5):
            load = Load(workers, self.server)
            load.wait_for_writes(100)
            started = time.monotonic()
            self.assertEqual(self.server.stop(), 0)
            self.assertLess(time.monotonic() - started, TIME_LIMIT)
            load.join()
            verify_log(self.server.data)
            self.server.start()
            operator = self.server.operator()
            # An idle connection may be closed while a request is sent. Such a request must have
            # no effect.
            lost = [intent for worker in workers for intent in worker.lost]
            replay.read(operator)
            landed = [intent for intent in lost if replay.confirm_at_most_once(intent)]
            self.assertEqual(landed, [], "stored, but never answered")
            counts = confirm_ledger(replay, workers, operator)
            self.assertGreater(counts["acknowledged"], len(workers))
            operator.close()

    def test_a_request_in_flight_is_answered(self):
        """A request whose body is still arriving counts as accepted and is answered."""
        token = self.server.token("operator")
        body = b'{"slug": "slow", "name": "Slow", "plan": "business"}'
        head = (
            f"POST /tenants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(head.encode() + body[:10])
            # No event shows that the server has read the head, so the test waits.
            time.sleep(0.3)
            codes = []
            ending = threading.Thread(target=lambda: codes.append(self.server.stop()))
            started = time.monotonic()
            ending.start()
            ending.join(0.5)
            self.assertTrue(ending.is_alive(), "the server did not wait for a request in flight")
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

    def test_a_stalled_client_does_not_block_the_shutdown(self):
        """A stalled client delays the shutdown at most by its time limit."""
        token = self.server.token("operator")
        head = f"POST /tenants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 50\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(head.encode())
            idle = self.server.client()
            idle.get("/healthz")
            # No event shows that the server has read the head, so the test waits.
            time.sleep(0.2)
            started = time.monotonic()
            self.assertEqual(self.server.stop(), 0)
            self.assertLess(time.monotonic() - started, TIME_LIMIT + 1)
            idle.close()


if __name__ == "__main__":
    unittest.main()
