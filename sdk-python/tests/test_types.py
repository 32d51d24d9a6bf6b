"""Tests of the type stubs against the built module, and of types generated from a snapshot."""

import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest
from conftest import ANSWERS, SNAPSHOT

from dezky import _native
from dezky._events import ClientCode
from dezky.types import module

HERE = Path(__file__).parent


def run(*command, **options):
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, **options)


def mypy(*arguments, folder):
    return run("mypy", "--strict", "--cache-dir", str(folder), *map(str, arguments))


def test_a_sample_that_uses_everything_is_well_typed_and_runs(tmp_path):
    sample = HERE / "typed" / "uses_everything.py"
    checked = mypy(sample, folder=tmp_path)
    assert checked.returncode == 0, checked.stdout
    ran = subprocess.run([sys.executable, sample], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_package_itself_is_well_typed(tmp_path):
    checked = mypy("-p", "dezky", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_wrong_types_are_refused(tmp_path):
    sample = HERE / "typed" / "wrong.py"
    checked = mypy(sample, folder=tmp_path)
    refused = {int(line) for line in re.findall(r"wrong\.py:(\d+): error", checked.stdout)}
    marked = {number for number, line in enumerate(sample.read_text().splitlines(), 1) if line.endswith("# refused")}
    assert refused == marked and len(marked) == 28, checked.stdout


def test_the_stubs_match_the_built_module(tmp_path):
    checked = run("mypy.stubtest", "dezky", "--allowlist", HERE / "stubtest-allowlist.txt", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_the_typed_client_codes_are_those_of_the_extension():
    codes = _native.client_codes()
    assert len(codes) == len(set(codes)) and {"unknown_tenant", "invalid_slug"} <= set(codes)
    assert set(typing.get_args(ClientCode)) == set(codes)


@pytest.fixture
def snapshot_file(tmp_path):
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(SNAPSHOT))
    return file


@pytest.mark.parametrize("command", ["command", "module"])
def test_flag_keys_become_a_type(snapshot_file, tmp_path, command):
    program = (
        [Path(sys.executable).parent / "dezky-types"] if command == "command" else [sys.executable, "-m", "dezky.types"]
    )
    written = subprocess.run([*program, snapshot_file], capture_output=True, text=True)
    assert (written.returncode, written.stderr) == (0, "")
    (tmp_path / "flag_keys.py").write_text(written.stdout)
    found = {}
    exec(written.stdout, found)
    assert found["FlagKey"].__args__ == tuple(ANSWERS)
    uses = "from dezky import Ruleset\nfrom flag_keys import FlagKey\nrules = Ruleset[FlagKey].from_snapshot('')\n"
    for key, code in [("plan", 0), ("plam", 1)]:
        sample = tmp_path / f"uses_{key}.py"
        sample.write_text(uses + f"rules.for_tenant('').is_enabled('{key}')\n")
        checked = run("mypy", "--strict", sample, cwd=tmp_path)
        assert checked.returncode == code, checked.stdout


def test_a_snapshot_without_flags_has_a_type_too(tmp_path):
    found = {}
    exec(module({**SNAPSHOT, "flags": []}), found)
    assert "FlagKey" in found


def test_unreadable_snapshots_are_reported(snapshot_file):
    snapshot_file.write_text(json.dumps({**SNAPSHOT, "environment": 7, "revision": -1}))
    written = run("dezky.types", snapshot_file)
    assert written.returncode == 1 and written.stdout == ""
    assert written.stderr.splitlines() == [
        f'{snapshot_file}: invalid_revision at "/revision": a revision is a whole number from 0 to 2^53-1',
        f'{snapshot_file}: wrong_type at "/environment": expected a string, found a number: '
        "an environment is 1 to 64 of a-z, 0-9, _ and -, a letter or digit first",
    ]
    snapshot_file.unlink()
    assert run("dezky.types", snapshot_file).stderr == f"{snapshot_file}: No such file or directory\n"
