"""A server that forks its workers, as gunicorn does with an application that is loaded first: `python prefork.py OPTIONS WORKERS`.

The client is made before the fork, and every worker follows by itself. Each process writes lines of JSON; a worker that dies is replaced; a line on
standard input ends the parent, which ends its workers.
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
    # One write for a line, because several processes have this pipe.
    os.write(1, (json.dumps({"pid": os.getpid(), **line}) + "\n").encode())


said = None


def say_digest():
    # Not all that is swapped is a change: of two flips at once, nothing is left.
    global said
    digest = client.ruleset.digest
    if digest != said:
        said = digest
        say({"digest": digest})


client.on("change", lambda event: say({"event": event.name, "keys": event.keys}))


def work():
    global said
    ended, said = [], None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.append(1))
    say({"worker": client.instance})
    while not ended:
        say_digest()
        # As a worker waits for requests.
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
