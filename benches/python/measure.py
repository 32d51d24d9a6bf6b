"""Interleaved rounds on a CPU clock; the median round is what counts."""

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
    """Nanoseconds of this thread per operation of passes over many: {name: (pass, operations)}."""
    repetitions = {name: _calibrate(run, effort) for name, (run, _) in passes.items()}
    rounds = {name: [] for name in passes}
    for run_order in _orders(list(passes), effort.rounds):
        for name in run_order:
            run, operations = passes[name]
            rounds[name].append(_time(run, repetitions[name]) / repetitions[name] / operations)
    return {name: median(values) for name, values in rounds.items()}


def alone(documents, arguments, effort):
    """Medians of the numbers that each engine prints in fresh interpreters, where nobody else's memory and threads are: {name: document}."""
    rounds = {name: [] for name in documents}
    for run_order in _orders(list(documents), effort.processes):
        for name in run_order:
            command = [sys.executable, str(HERE / "alone.py"), name, *arguments]
            told = subprocess.run(command, input=documents[name], stdout=subprocess.PIPE, text=True, check=True)
            rounds[name].append(tuple(map(int, told.stdout.split())))
    return {name: tuple(median(values) for values in zip(*told)) for name, told in rounds.items()}


def _orders(names, rounds):
    # Starting with another one each round keeps the order itself from favouring anybody.
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
    """How many repetitions fill a round, which is also the warm-up."""
    repetitions = 1
    while (spent := _time(run, repetitions)) * 2 < effort.nanoseconds:
        repetitions *= 2
    return max(1, repetitions * effort.nanoseconds // max(spent, 1))
