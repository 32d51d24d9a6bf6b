"""Tests of threads, forks, memory, and the interpreter lock."""

import json
import os
import threading
import time

import pytest
from conftest import ANSWERS, SNAPSHOT

from dezky import Ruleset, Subject, World

TENANTS = 60_000


def snapshot(revision, flags):
    return json.dumps({"format": 1, "revision": revision, "environment": "production", "flags": flags})


def rollouts(count):
    return [{"key": f"flag_{number}", "state": "rollout", "pct": 25} for number in range(count)]


def resident_kilobytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def test_threads_never_see_a_mix_of_two_rulesets(subject):
    # In even revisions every flag is on, in odd ones off, so a mix of two revisions is visible.
    def compiled(revision):
        state = "off" if revision % 2 else "on"
        return Ruleset.from_snapshot(
            snapshot(revision, [{"key": f"flag_{number}", "state": state} for number in range(70)])
        )

    current, ended, rounds, wrong = [compiled(0)], threading.Event(), [0] * 4, []

    def read(reader):
        while not ended.is_set():
            rules = current[0]
            expected = rules.revision % 2 == 0
            flags = rules.for_tenant(subject)
            answers = {
                *flags.all().values(),
                flags.is_enabled("flag_69"),
                flags.explain("flag_3").enabled,
                rules.is_enabled("flag_7", subject),
            }
            if answers != {expected}:
                wrong.append(rules.revision)
            rounds[reader] += 1

    readers = [threading.Thread(target=read, args=(reader,)) for reader in range(4)]
    for reader in readers:
        reader.start()
    revision, deadline = 0, time.monotonic() + 120
    while (min(rounds) < 500 or revision < 500) and time.monotonic() < deadline:
        revision += 1
        current[0] = compiled(revision)
    ended.set()
    for reader in readers:
        reader.join()
    assert wrong == [] and min(rounds) >= 500 and revision >= 500


def test_a_forked_child_returns_the_same_answers(rules, subject):
    def answer():
        flags = rules.for_tenant(subject)
        fresh = Ruleset.from_snapshot(SNAPSHOT)
        return json.dumps([flags.all(), flags.explain("in_part"), rules.fingerprint([subject]), fresh.digest])

    expected = answer()
    outward, inward = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(inward, answer().encode())
        finally:
            os._exit(0)
    os.close(inward)
    with os.fdopen(outward) as pipe:
        assert pipe.read() == expected
    assert os.waitpid(child, 0)[1] == 0


def test_replacing_rulesets_does_not_grow_memory(subject):
    flags = rollouts(50)

    def replace_rulesets(first, count):
        for revision in range(first, first + count):
            # New keys each time, so that a cache of names would grow.
            flags[0] = {"key": f"flag_of_{revision}", "state": "on"}
            rules = Ruleset.from_snapshot(snapshot(revision, flags))
            resolved = rules.for_tenant(subject)
            assert resolved[f"flag_of_{revision}"] and resolved.all() and resolved.explain("flag_9")
            with pytest.raises(ValueError):
                rules.for_tenant({"tenantId": f"t:{revision}"})

    replace_rulesets(0, 2_000)
    before = resident_kilobytes()
    replace_rulesets(2_000, 10_000)
    assert resident_kilobytes() - before < 1024


def world_text():
    tenants = [{"id": f"t{number}", "slug": f"s{number}", "plan": "free"} for number in range(TENANTS)]
    return json.dumps(
        {"revision": 1, "environment": "production", "partners": [], "tenants": tenants, "flags": rollouts(200)}
    )


def test_other_threads_run_during_long_work():
    text = world_text()
    world = World.from_json(text)
    rules = Ruleset.from_snapshot(snapshot(1, rollouts(200)))
    subjects = json.dumps([{"tenantId": f"t{n}", "tenantSlug": f"s{n}", "plan": "free"} for n in range(TENANTS)])
    to_half = {"edits": [{"kind": "putFlag", "flag": {**flag, "pct": 50}} for flag in rollouts(200)][:20]}
    flags = [{**flag, "scope": {"plans": [f"plan_{n}" for n in range(20)]}} for flag in rollouts(30_000)]
    large = snapshot(1, flags).encode()
    for work in [
        lambda: World.from_json(text),
        lambda: world.plan(to_half),
        lambda: world.fingerprint(),
        lambda: rules.fingerprint(subjects),
        lambda: Ruleset.from_snapshot(large),
    ]:
        assert share_of_ticks_during(work) > 0.2


def share_of_ticks_during(work):
    """Returns the share of the duration of `work` in which another thread could run.

    The other thread wakes every millisecond.
    """
    ticks, ended = [], threading.Event()

    def tick():
        while not ended.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    started = time.perf_counter()
    work()
    finished = time.perf_counter()
    ended.set()
    ticker.join()
    within = [started, *(each for each in ticks if started < each < finished), finished]
    alone = max(later - earlier for earlier, later in zip(within, within[1:]))
    return 1 - alone / (finished - started)


def test_answers_do_not_depend_on_the_order_of_questions(rules, flags):
    for key in sorted(ANSWERS, reverse=True):
        assert flags.is_enabled(key) is ANSWERS[key]
    assert rules.for_tenant(Subject("t1", "acme", "business", partner_slug="nordic")) == flags
