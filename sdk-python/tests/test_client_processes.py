"""Tests of the live client across forks and at the end of the interpreter."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flag_server import client_threads, snapshot, until

from dezky import connect

HERE = Path(__file__).parent


def follow_in_child(client, expected, pipe):
    """Runs in a child: reports that it has started, then waits for a revision."""
    os.write(pipe, b"!")
    deadline = time.monotonic() + 10
    while client.ruleset.revision != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    os.write(pipe, b"y" if client.ruleset.revision == expected else b"n")


def test_parent_and_forked_child_both_follow(server, client, events):
    for round in range(5):
        outward, inward = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                follow_in_child(client, round + 2, inward)
            finally:
                os._exit(0)
        os.close(inward)
        assert os.read(outward, 1) == b"!"
        server.wait(lambda: len(server.streams) >= 2)
        server.publish(snapshot(round + 2, a="on" if round % 2 else "off"))
        assert os.read(outward, 1) == b"y"
        os.close(outward)
        assert os.waitpid(child, 0)[1] == 0
        until(lambda: client.ruleset.revision == round + 2)
    assert client_threads() == 1 and client.status == "ready"
    # Each child is a separate instance.
    assert len(server.instances()) == 6


def child_of_multiprocessing(client, expected, results):
    deadline = time.monotonic() + 10
    while client.ruleset.revision != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    results.put((client.ruleset.revision, client.status))


def test_children_of_multiprocessing_follow(server, client):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    children = [
        context.Process(target=child_of_multiprocessing, args=(client, 2, results), daemon=True) for _ in range(3)
    ]
    for child in children:
        child.start()
    server.wait(lambda: len(server.streams) >= 4)
    server.publish(snapshot(2, a="on"))
    assert [results.get(timeout=20) for _ in children] == [(2, "ready")] * 3
    for child in children:
        child.join(10)
        assert child.exitcode == 0
    until(lambda: client.ruleset.revision == 2)


def test_a_child_of_a_fork_in_c_gets_its_own_thread(server):
    # A fork in C runs no fork handlers of Python, so the child has no client thread. The program
    # has no other Python thread, because the child would inherit its lock without the thread.
    program = f"""
import ctypes, os
from flag_server import client_threads, until
from dezky import connect

client = connect({server.url!r}, key="dzk_test")
child = ctypes.PyDLL(None).fork()
if child == 0:
    code = 1
    try:
        client._resume()
        until(lambda: client.ruleset.revision == 2)
        client.close()
        code = client_threads()
    finally:
        os._exit(code)
assert os.waitpid(child, 0)[1] == 0
until(lambda: client.ruleset.revision == 2)
assert client_threads() == 1
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=HERE) as forked:
        try:
            server.wait(lambda: len(server.streams) >= 2)
            server.publish(snapshot(2, a="on"))
            assert forked.wait(30) == 0
        finally:
            forked.kill()
    assert len(server.instances()) == 2


def test_a_closed_client_stays_closed_over_a_fork(server):
    client = connect(server.url, key="dzk_test")
    client.close()
    child = os.fork()
    if child == 0:
        os._exit(client_threads())
    assert os.waitpid(child, 0)[1] == 0 and client_threads() == 0


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "client.close()",
        "raise SystemExit(0)",
        "client.on('change', lambda event: print(event.name)); del client",
        "import threading; threading.Thread(target=lambda: client.ruleset, daemon=True).start()",
        "keep = [client, lambda: client]; keep.append(keep); del client",
    ],
)
def test_the_interpreter_ends_with_a_client_open(server, ending):
    program = f"import dezky\nclient = dezky.connect({server.url!r}, key='dzk_test', on_event=lambda event: None)\n{ending}\n"
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert time.monotonic() - began < 5


def test_the_interpreter_ends_while_a_handler_sleeps(server):
    program = f"""
import dezky, time
def wait(event):
    print("in", flush=True)
    time.sleep(60)
client = dezky.connect({server.url!r}, key="dzk_test", deadline=0.5, past_deadline="off", on_event=wait)
"""
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stdout) == (0, "in\n")
    assert time.monotonic() - began < 10
