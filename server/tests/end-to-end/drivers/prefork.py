"""A server with forked workers, like gunicorn with --preload: `python prefork.py OPTIONS WORKERS`.

The client is created before the fork, and every worker follows the server. Each process writes
lines of JSON. A worker that dies is replaced. A line on standard input ends the parent, which ends
its workers.
"""

import json
import os
import select
import signal
import sys

from dezky import connect

options, count = json.loads(sys.argv[1]), int(sys.argv[2])
client = connect(options.pop("url"), **options)


def say(line):
    # One write per line, because several processes share this pipe.
    os.write(1, (json.dumps({"pid": os.getpid(), **line}) + "\n").encode())


last_digest = None


def say_digest():
    # New rules are not always a change event: two flips at once cancel each other.
    global last_digest
    digest = client.ruleset.digest
    if digest != last_digest:
        last_digest = digest
        say({"digest": digest})


client.on("change", lambda event: say({"event": event.name, "keys": event.keys}))


def work():
    global last_digest
    ended, last_digest = [], None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.append(1))
    say({"worker": client.instance})
    while not ended:
        say_digest()
        # Waits like a worker that waits for requests.
        select.select([], [], [], 0.05)
    client.close()
    say({"closed": len(os.listdir("/proc/self/task"))})
    os._exit(0)


workers = set()
say({"parent": client.instance})
while True:
    while len(workers) < count:
        pid = os.fork()
        if not pid:
            work()
        workers.add(pid)
    say_digest()
    readable, _, _ = select.select([0], [], [], 0.05)
    if readable:
        break
    pid, _ = os.waitpid(-1, os.WNOHANG)
    workers.discard(pid)
for pid in workers:
    os.kill(pid, signal.SIGTERM)
for pid in workers:
    _, status = os.waitpid(pid, 0)
    say({"worker_ended": status})
client.close()
say({"closed": len(os.listdir("/proc/self/task"))})
