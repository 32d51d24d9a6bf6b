"""Measures one engine in a new interpreter, with its document on standard input.

`cold KEY…` imports the engine, loads the document and evaluates all keys. `load` loads several times.
"""

import gc
import importlib
import sys
import time
from statistics import median

from workload import Tenant

LOADS = 7


def resident_kilobytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def cold(name, document, keys):
    tenant = Tenant("65f1c0ffee65f1c0ffee65f1", "acme-labs-1", "business", None)
    memory, start = resident_kilobytes(), time.process_time_ns()
    engine = importlib.import_module(f"engines.{name}")
    loaded = engine.load(document)
    engine.every(loaded, keys)(engine.subject(tenant))
    print(time.process_time_ns() - start, resident_kilobytes() - memory)


def load(name, document):
    engine = importlib.import_module(f"engines.{name}")
    spent = []
    for _ in range(LOADS):
        gc.collect()
        start = time.process_time_ns()
        loaded = engine.load(document)
        spent.append(time.process_time_ns() - start)
        getattr(engine, "close", lambda _: None)(loaded)
    print(round(median(spent)))


name, command, *keys = sys.argv[1:]
text = sys.stdin.read()
cold(name, text, keys) if command == "cold" else load(name, text)
