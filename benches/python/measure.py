"""Interleaved rounds on a CPU clock. The median round counts."""

import gc
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent


class Effort:
    def __init__(self, quick):
        self.rounds = 3 if quick else 15
        self.processes = 1 if quick else 9
        self.nanoseconds = 3_000_000 if quick else 30_000_000


def short(passes, effort):
    """Returns the nanoseconds per operation. `passes` is {name: (pass, operations)}."""
    repetitions = {name: _calibrate(run, effort) for name, (run, _) in passes.items()}
    rounds = {name: [] for name in passes}
    for run_order in _orders(list(passes), effort.rounds):
        for name in run_order:
            run, operations = passes[name]
            rounds[name].append(_time(run, repetitions[name]) / repetitions[name] / operations)
    return {name: median(values) for name, values in rounds.items()}


def alone(documents, arguments, effort):
    """Returns the medians of the numbers that each engine prints in new interpreters.

    `documents` is {name: document}. Each engine has its own process, memory and threads.
    """
    rounds = {name: [] for name in documents}
    for run_order in _orders(list(documents), effort.processes):
        for name in run_order:
            command = [sys.executable, str(HERE / "alone.py"), name, *arguments]
            output = subprocess.run(command, input=documents[name], stdout=subprocess.PIPE, text=True, check=True)
            rounds[name].append(tuple(map(int, output.stdout.split())))
    return {name: tuple(median(values) for values in zip(*runs)) for name, runs in rounds.items()}


def _orders(names, rounds):
    # Each round starts with another engine, so that the order favors none.
    for number in range(rounds):
        first = number % len(names)
        yield names[first:] + names[:first]


def _time(run, repetitions):
    gc.collect()
    gc.disable()
    start = time.thread_time_ns()
    for _ in range(repetitions):
        run()
    spent = time.thread_time_ns() - start
    gc.enable()
    return spent


def _calibrate(run, effort):
    """Finds the number of repetitions that fills a round. The search is also the warm-up."""
    repetitions = 1
    while (spent := _time(run, repetitions)) * 2 < effort.nanoseconds:
        repetitions *= 2
    return max(1, repetitions * effort.nanoseconds // max(spent, 1))
