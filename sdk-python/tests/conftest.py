"""Shared fixtures. All tests import the installed package, never the source files."""

import json
import queue
import sysconfig
from pathlib import Path

import pytest
from flag_server import FlagServer, snapshot

import dezky
from dezky import Ruleset, Subject

FIXTURES = Path(__file__).parents[2] / "fixtures"

SNAPSHOT = {
    "format": 1,
    "revision": 481,
    "environment": "production",
    "flags": [
        {"key": "always", "state": "on"},
        {"key": "in_part", "state": "rollout", "pct": 4.31, "scope": {"plans": ["business"]}},
        {"key": "jmap_native_v2", "state": "rollout", "pct": 25, "scope": {"plans": ["business"]}},
        {"key": "never", "state": "off"},
        {"key": "nobody", "state": "targeted"},
        {"key": "partners", "state": "targeted", "scope": {"plans": ["business"], "partnerSlugs": ["alpine"]}},
        {"key": "plan", "state": "targeted", "scope": {"plans": ["business"]}},
    ],
}

ANSWERS = {
    "always": True,
    "in_part": False,
    "jmap_native_v2": True,
    "never": False,
    "nobody": False,
    "partners": False,
    "plan": True,
}


def pytest_configure():
    installed = Path(sysconfig.get_path("platlib"))
    assert installed in Path(dezky.__file__).parents, f"{dezky.__file__} is not the installed package"


@pytest.fixture
def rules():
    return Ruleset.from_snapshot(json.dumps(SNAPSHOT))


@pytest.fixture
def subject():
    return Subject("t1", "acme", "business", partner_slug="nordic")


@pytest.fixture
def flags(rules, subject):
    return rules.for_tenant(subject)


@pytest.fixture
def server():
    server = FlagServer(snapshot(1, a="off", b="on"))
    yield server
    server.end_streams()
    server.shutdown()
    server.server_close()


@pytest.fixture
def events():
    return queue.Queue()


@pytest.fixture
def client(server, events):
    with dezky.connect(server.url, key="dzk_test", on_event=events.put) as client:
        assert events.get(timeout=10) == dezky.ClientEvent("ready", 1)
        server.wait(lambda: server.streams)
        yield client


def problems(call, *arguments):
    """Returns the codes and paths of the problems of a call that must fail."""
    with pytest.raises(dezky.DezkyError) as refusal:
        call(*arguments)
    error = refusal.value
    assert (error.code, error.path, error.message) == tuple(error.errors[0].values())
    assert all(each["message"] for each in error.errors)
    return [(each["code"], each["path"]) for each in error.errors]
