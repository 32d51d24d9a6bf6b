"""Measures Dezky and its peers and prints a Markdown report: `python run.py [--quick]`."""

import argparse
import importlib
import importlib.metadata
import os
import platform

import measure
from report import Row, report
from workload import PERCENT, Workload

PEERS = {"eppo": "eppo-server-sdk", "statsig": "statsig-python-core", "growthbook": "growthbook"}
NAMES = ["dezky", *PEERS, "plain"]
LIVE = "dezky_live"
ENGINES = {name: importlib.import_module(f"engines.{name}") for name in [*NAMES, LIVE]}
# The factor that counts as noise between two equal costs.
TOLERANCE = 1.1


class Field:
    """Every engine, loaded with the same workload."""

    def __init__(self, workload):
        self.workload = workload
        self.keys = [flag.key for flag in workload.flags]
        self.documents = {name: engine.document(workload) for name, engine in ENGINES.items()}
        self.loaded = {name: engine.load(self.documents[name]) for name, engine in ENGINES.items()}
        self.subjects = {
            name: [engine.subject(tenant) for tenant in workload.tenants] for name, engine in ENGINES.items()
        }

    def every(self, name):
        return ENGINES[name].every(self.loaded[name], self.keys)

    def verify(self):
        """Compares every answer with the scope rule.

        The rollouts of peers are checked by their share, because the hashes differ. Dezky and plain
        Python must give equal answers.
        """
        ours = [self.every("dezky")(subject) for subject in self.subjects["dezky"]]
        for name, engine in ENGINES.items():
            every, one, drawn, included = self.every(name), engine.one(self.loaded[name]), 0, 0
            for tenant, subject, our in zip(self.workload.tenants, self.subjects[name], ours):
                answers = every(subject)
                for flag in self.workload.flags:
                    enabled = answers[flag.key]
                    in_scope = flag.includes(tenant)
                    if flag.state == "rollout" and in_scope:
                        drawn, included = drawn + 1, included + enabled
                        expected = our[flag.key] if name in ("plain", LIVE) else enabled
                    else:
                        expected = flag.state == "on" or (flag.state == "targeted" and in_scope)
                    assert enabled is expected is one(flag.key, subject), (
                        f"{name} differs: {flag.key} for {tenant.slug}"
                    )
            assert abs(included / drawn - PERCENT / 100) < 0.02, f"{name} includes {included} of {drawn}"

    def resolved(self, name):
        """Returns a pass that reads every key of resolved tenants, and its number of reads."""
        resolve = ENGINES[name].resolve(self.loaded[name])
        tenants, keys = [resolve(subject) for subject in self.subjects[name][:100]], self.keys

        def run():
            for flags in tenants:
                for key in keys:
                    flags.is_enabled(key)

        return run, len(tenants) * len(keys)

    def walk(self, name):
        """Returns a pass that evaluates flags by name with prepared subjects, and its size."""
        pairs = [(key, subject) for subject in self.subjects[name][:100] for key in self.keys]
        return ENGINES[name].walk(self.loaded[name], pairs), len(pairs)

    def pass_of_all(self, name):
        every, subjects = self.every(name), self.subjects[name]

        def run():
            for subject in subjects:
                every(subject)

        return run, len(subjects)


def rows(effort):
    field = Field(Workload(100, 1000))
    field.verify()
    names_with_live = [*NAMES, LIVE]
    one = measure.short({name: field.walk(name) for name in names_with_live}, effort)
    ways = {name: field.walk if name in PEERS else field.resolved for name in NAMES}
    resolved = measure.short({name: way(name) for name, way in ways.items()}, effort)
    everything = measure.short({name: field.pass_of_all(name) for name in names_with_live}, effort)
    through_client = [("one flag by name", one, one.pop(LIVE)), ("100 flags", everything, everything.pop(LIVE))]
    yield Row("`flags.is_enabled(key)` on a resolved tenant", resolved, bar=90, ratio=10, beats_plain=True)
    yield Row("`rules.is_enabled(key, subject)`: one flag by name", one)
    yield Row("`rules.for_tenant(subject).all()`: 100 flags", everything, bar=10_000, ratio=10, beats_plain=True)
    for what, without, spent in through_client:
        bar = without["dezky"] * TOLERANCE
        yield Row(f"{what} through a live client (bar: 1.1 times without)", {"dezky": spent}, bar=bar)
    large = Workload(10_000, 1000)
    loads = measure.alone({name: ENGINES[name].document(large) for name in NAMES}, ["load"], effort)
    yield Row(
        "10,000 flags: load, from text to ready", {name: spent for name, (spent,) in loads.items()}, bar=15_000_000
    )
    documents = {name: field.documents[name] for name in NAMES}
    cold = measure.alone(documents, ["cold", *field.keys], effort)
    yield Row("cold: import, load 100 flags, first evaluate-all", {name: spent for name, (spent, _) in cold.items()})
    yield Row("cold: memory", {name: kilobytes * 1024 for name, (_, kilobytes) in cold.items()}, unit="bytes")
    for name in ["statsig", LIVE]:
        ENGINES[name].close(field.loaded[name])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="run for seconds as a check; the figures are not reliable"
    )
    effort = measure.Effort(parser.parse_args().quick)
    print(report(rows(effort), PEERS))
    versions = [f"{package} {importlib.metadata.version(package)}" for package in ["dezky", *PEERS.values()]]
    interpreter = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"\nPackages: {', '.join(versions)}.")
    print(f"{interpreter}, {platform.machine()}, {os.cpu_count()} cores.")
    print(f"Load average: {' '.join(f'{each:.2f}' for each in os.getloadavg())}.")


if __name__ == "__main__":
    main()
