"""A test of a forking Python server: each worker follows as a separate instance."""

import json
import os
import signal
import subprocess
import threading
import unittest

from support import DRIVERS, INSTALLED, EndToEnd, Operator, until

WORKERS = 3
ROUNDS = 8


class Fork(EndToEnd):
    """A server with preforked workers, like gunicorn with --preload."""

    def test_forked_workers_follow_as_separate_instances(self):
        server = self.serve()
        operator = Operator(server)
        self.addCleanup(operator.close)
        operator.create()
        options = {"url": f"http://127.0.0.1:{server.port}", "key": operator.key("server")["secret"], "max_backoff": 0.3}
        errors = self.folder / "errors"
        with open(errors, "wb") as sink:
            process = subprocess.Popen(
                [INSTALLED / "python/bin/python", DRIVERS / "prefork.py", json.dumps(options), str(WORKERS)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, text=True, process_group=0,
            )
        self.addCleanup(self.end, process)
        lines = []
        threading.Thread(target=lambda: lines.extend(map(json.loads, iter(process.stdout.readline, ""))), daemon=True).start()

        def workers() -> dict:
            """Returns the live workers with their instance names."""
            ended = {line["pid"] for line in lines if "closed" in line} | killed
            return {line["pid"]: line["worker"] for line in lines if "worker" in line and line["pid"] not in ended}

        killed = set()
        for number in range(ROUNDS):
            # A worker that is still starting must follow this flip too.
            operator.flip()
            until(lambda: len(workers()) == WORKERS, f"there are {WORKERS} workers: {lines}")
            operator.flip()
            digest, _ = operator.record()
            following = {process.pid, *workers()}

            def processes_with_newest() -> set:
                """Returns the processes that reported the newest digest."""
                return {line["pid"] for line in lines if line.get("digest") == digest}

            def reached_instances() -> set:
                """Returns the instances that the server reports as reached."""
                instances = operator.client.get("/flags/reach").body["instances"]
                return {each["instance"] for each in instances if each["standing"] == "reached"}

            until(lambda: following <= processes_with_newest(), f"round {number}: every process follows: {lines[-12:]} {errors.read_text()}")
            names = set(workers().values())
            self.assertEqual(len(names), WORKERS, "every worker has its own instance name")
            until(lambda: names <= reached_instances() and len(reached_instances()) >= WORKERS + 1, "all workers and the parent are reached")
            victim = next(iter(workers()))
            os.kill(victim, signal.SIGKILL if number % 2 else signal.SIGTERM)
            killed.add(victim)
        until(lambda: len(workers()) == WORKERS, f"there are {WORKERS} workers")
        process.stdin.write("end\n")
        process.stdin.flush()
        self.assertEqual(process.wait(20), 0, errors.read_text())
        self.assertEqual(errors.read_text(), "")
        self.assertEqual([line["worker_ended"] for line in lines if "worker_ended" in line], [0] * WORKERS)
        # Handlers also run after a fork.
        self.assertGreater(len({line["pid"] for line in lines if "event" in line} - {process.pid}), WORKERS)
        # Every process that closed its client had only its main thread left.
        self.assertEqual({line["closed"] for line in lines if "closed" in line}, {1})
        until(lambda: self.streams(server) == 0, "no stream is left", 3)
        print(f"\n{ROUNDS} rounds of {WORKERS} workers, {sum('worker' in line for line in lines)} forks")

    def end(self, process):
        """Kills the process and its workers."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        process.stdin.close()
        process.stdout.close()


if __name__ == "__main__":
    unittest.main()
