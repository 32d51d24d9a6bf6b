"""Tests of the live client: rules that follow a server."""

import gc
import json
import os
import queue
import sys
import threading
import time
import weakref

import pytest
from flag_server import canonical, client_threads, snapshot, until

import dezky
from dezky import ClientEvent, DezkyError, Ruleset, Subject, connect


def refusal(call):
    """Returns the error of a call that must fail."""
    with pytest.raises(DezkyError) as refused:
        call()
    return refused.value


def test_a_changed_flag_arrives(server, client, events, subject):
    assert client.status == "ready" and client.instance.startswith("python-")
    assert not client.is_enabled("a", subject) and client.is_enabled("b", subject)
    before = client.ruleset
    assert isinstance(before, Ruleset) and client.ruleset is before
    server.publish(snapshot(2, a="on", c="off"))
    assert events.get(timeout=10) == ClientEvent("change", 2, ("a", "b", "c"))
    assert client.is_enabled("a", subject) and not client.is_enabled("b", subject)
    assert client.for_tenant(subject).all() == {"a": True, "c": False}
    after = client.ruleset
    assert after is not before and (before.revision, after.revision) == (1, 2) and after.digest == server.digest
    assert client.ruleset is after
    assert repr(client) == "<dezky.Client: ready, 2 flags at revision 2>"
    server.wait(lambda: server.requests[-1].get("dezky-digest") == after.digest)
    for request in server.requests:
        assert request["authorization"] == "Bearer dzk_test" and request["dezky-instance"] == client.instance


def test_handlers_are_called_by_name_until_removed(server, client, events):
    changes, errors = queue.Queue(), queue.Queue()
    remove = client.on("change", changes.put)
    client.on("error", errors.put)
    server.publish(snapshot(2, a="on"))
    assert changes.get(timeout=10).keys == ("a", "b")
    remove()
    remove()
    server.publish(snapshot(3, a="off"))
    events.get(timeout=10), events.get(timeout=10)
    assert changes.empty() and errors.empty()
    assert refusal(lambda: client.on("closed", print)).path == "/event"
    with pytest.raises(TypeError):
        client.on("ready", 7)


def test_a_refused_key_is_reported_once_and_the_client_recovers(server, subject):
    events = queue.Queue()
    with connect(server.url, key="dzk_test", on_event=events.put, max_backoff=0.2) as client:
        server.wait(lambda: server.streams)
        assert events.get(timeout=10).name == "ready"
        server.status = server.stream_status = 401
        server.end_streams()
        error = events.get(timeout=10)
        assert (error.name, error.code, error.fatal, error.server_code) == ("error", "key_refused", False, "some_reason")
        until(lambda: client.status == "refused")
        count = len(server.requests)
        server.wait(lambda: len(server.requests) > count + 4)
        assert events.empty() and client.is_enabled("b", subject)
        server.status = server.stream_status = None
        assert events.get(timeout=10) == ClientEvent("ready", 1)
        assert client.status == "ready"


def test_with_a_file_a_start_without_a_usable_server_does_not_wait(server, tmp_path, subject):
    file = tmp_path / "flags.json"
    file.write_text(canonical(snapshot(1, b="on")))
    began = time.monotonic()
    with connect("http://127.0.0.1:1", key="dzk_test", file=file) as client:
        assert client.status == "stale" and client.is_enabled("b", subject)
    server.status = 401
    with connect(server.url, key="dzk_test", file=file, max_backoff=0.2) as client:
        assert client.status == "refused" and client.is_enabled("b", subject)
        server.status = None
        until(lambda: client.status == "ready")
    assert time.monotonic() - began < 4
    server.status = 401
    assert refusal(lambda: connect(server.url, key="dzk_test", file=file, past_deadline="fail")).code == "key_refused"


def test_a_key_is_not_sent_over_plain_http_unless_allowed(subject):
    given = snapshot(1, a="on")
    for url in ("http://flags.example", "http://10.0.0.7:7070", "http://[2001:db8::1]"):
        error = refusal(lambda: connect(url, key="dzk_test", snapshot=given))
        assert (error.code, error.path) == ("insecure_url", "/url") and "dzk_test" not in str(error)
        with connect(url, key="dzk_test", snapshot=given, allow_http=True) as client:
            assert client.is_enabled("a", subject)
    for url in ("http://localhost:1", "http://127.1.2.3:1", "http://[::1]:1"):
        connect(url, key="dzk_test", snapshot=given).close()


def test_closing_sends_a_last_request(server):
    for tenant, path in ((None, "/flags/snapshot"), ("acme", "/flags/slice?tenant=acme")):
        client = connect(server.url, key="dzk_test", tenant=tenant, instance="portal-7")
        client.close()
        last = server.requests[-1]
        assert (last["path"], last["dezky-closing"], last["dezky-instance"]) == (path, "1", "portal-7")
        assert last["if-none-match"] == f'"{server.digest}"'


def test_subjects_are_resolved_cached_and_followed(server, client):
    acme = {"tenantId": "t1", "tenantSlug": "acme", "plan": "business", "partnerSlug": "nordic"}

    def subject_requests():
        return [request for request in server.requests if request["path"].startswith("/tenants/")]

    server.subjects["acme"] = acme
    for _ in range(10):
        subject = client.subject("acme")
        assert subject == Subject("t1", "acme", "business", partner_slug="nordic")
        assert client.is_enabled("b", subject)
    assert len(subject_requests()) == 1 and subject_requests()[0]["path"] == "/tenants/acme/subject"
    server.replace_subject({**acme, "plan": "free"})
    until(lambda: client.subject("acme").plan == "free")
    for slug, code in (("Not a slug", "invalid_slug"), ("", "invalid_slug"), ("nobody", "unknown_tenant")):
        error = refusal(lambda: client.subject(slug))
        assert (error.code, error.path) == (code, "/slug")
    with pytest.raises(DezkyError):
        client.subject(7)
    server.status = server.stream_status = 401
    server.end_streams()
    until(lambda: client.status == "refused")
    assert client.subject("acme").plan == "free"
    assert refusal(lambda: client.subject("umbrella")).code == "key_refused"
    client.close()
    assert client.subject("acme").plan == "free"


def test_a_handler_reads_subjects_from_memory(server, client):
    received = queue.Queue()
    server.subjects["acme"] = {"tenantId": "t1", "tenantSlug": "acme", "plan": "business"}
    client.subject("acme")
    client.on("change", lambda event: received.put((client.subject("acme").plan, refusal(lambda: client.subject("umbrella")).code)))
    server.publish(snapshot(2, a="on"))
    assert received.get(timeout=10) == ("business", "unreachable")


def test_exceptions_of_handlers_do_not_stop_the_client(server, client, events, monkeypatch):
    raised = queue.Queue()
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: raised.put(unraisable.exc_value))

    def fail(event):
        raise RuntimeError(event.name)

    client.on("change", fail)
    server.publish(snapshot(2, a="on"))
    assert str(raised.get(timeout=10)) == "change"
    server.publish(snapshot(3, a="off"))
    assert str(raised.get(timeout=10)) == "change" and client.status == "ready"


def test_a_key_function_is_called_for_each_request(server):
    keys = iter(["dzk_1", "dzk_2", "dzk_3", "dzk_4", "dzk_5"])
    failures = []

    def key():
        if not failures:
            failures.append(1)
            raise RuntimeError("the vault is sealed")
        return next(keys)

    events = queue.Queue()
    with connect(server.url, key=key, on_event=events.put):
        assert events.get(timeout=10).code == "unreachable"
        server.wait(lambda: len(server.requests) >= 3)
        received = {request["authorization"] for request in server.requests[:3]}
    assert received == {"Bearer dzk_1", "Bearer dzk_2", "Bearer dzk_3"}


def test_a_failed_start_reports_its_cause(server):
    server.status = 403
    assert refusal(lambda: connect(server.url, key="dzk_test")).code == "key_refused"
    server.status = 500
    began = time.monotonic()
    timeout = refusal(lambda: connect(server.url, key="dzk_test", deadline=0.3))
    assert time.monotonic() - began < 1
    assert (timeout.code, timeout.path) == ("deadline", "") and timeout.__cause__.code == "unexpected_status"
    timeout = refusal(lambda: connect("http://127.0.0.1:1", key="dzk_test", deadline=0.3, past_deadline="file"))
    assert timeout.code == "deadline" and timeout.__cause__ is None or timeout.__cause__.code == "unreachable"
    until(lambda: client_threads() == 0)


def test_past_the_deadline_the_client_starts_anyway(server, tmp_path, subject):
    server.status = 503
    events = queue.Queue()
    options = {"key": "dzk_test", "deadline": 0.2, "on_event": events.put, "max_backoff": 0.2}
    with connect(server.url, past_deadline="off", **options) as client:
        assert [events.get(timeout=10).name for _ in range(2)] == ["error", "stale"]
        assert client.status == "stale" and not client.is_enabled("b", subject) and client.ruleset.keys == ()
        server.status = None
        assert events.get(timeout=10).name == "ready"
        assert events.get(timeout=10).keys == ("a", "b")
    server.status = 503
    file = tmp_path / "flags.json"
    file.write_text(canonical(snapshot(1, b="on")))
    hour_ago = time.time() - 3600
    os.utime(file, (hour_ago, hour_ago))
    with connect(server.url, file=file, past_deadline="file", **options) as client:
        assert [events.get(timeout=10).name for _ in range(2)] == ["error", "ready"]
        assert 3600 <= events.get(timeout=10).age < 3610
        assert client.status == "stale" and client.is_enabled("b", subject)
        server.status = None
        until(lambda: client.status == "ready")
    assert json.loads(file.read_text())["history"] == "history-1"


def test_with_a_snapshot_connect_does_not_wait(server, subject):
    with connect("http://127.0.0.1:1", key="dzk_test", snapshot=snapshot(7, a="on"), stale_after=0.2) as client:
        assert client.is_enabled("a", subject) and client.ruleset.revision == 7
        until(lambda: client.status == "stale")


@pytest.mark.parametrize(
    "path, options",
    [
        ("/url", {"url": "flags.example"}),
        ("/url", {"url": 7}),
        ("/key", {"key": None}),
        ("/key", {"key": ""}),
        ("/key", {"key": "a b"}),
        ("/key", {"key": "\ud800"}),
        ("/tenant", {"tenant": "Not a slug"}),
        ("/snapshot", {"snapshot": "{}"}),
        ("/file", {"file": 7}),
        ("/deadline", {"deadline": -1}),
        ("/deadline", {"deadline": "5"}),
        ("/deadline", {"deadline": True}),
        ("/deadline", {"deadline": float("nan")}),
        ("/stale_after", {"stale_after": 0}),
        ("/stale_after", {"stale_after": 1e300}),
        ("/max_backoff", {"max_backoff": 0.0}),
        ("/past_deadline", {"past_deadline": "explode"}),
        ("/instance", {"instance": "a/b"}),
        ("/allow_http", {"allow_http": "yes"}),
    ],
)
def test_malformed_options_are_named(path, options):
    options = {"url": "http://127.0.0.1:1", "key": "dzk_test", **options}
    error = refusal(lambda: connect(options.pop("url"), **options))
    assert (error.code, error.path) == ("invalid_option", path) and error.message


def test_every_problem_of_a_malformed_snapshot_is_reported():
    error = refusal(lambda: connect("http://127.0.0.1:1", key="k", snapshot={"format": 1, "revision": -1}))
    assert [each["path"] for each in error.__cause__.errors] == ["/environment", "/flags", "/revision"] or error.__cause__
    with pytest.raises(DezkyError):
        connect("http://127.0.0.1:1", key="k", snapshot={"format": {1}})


def test_closing_ends_threads_and_streams(server, subject):
    client = connect(server.url, key="dzk_test")
    server.wait(lambda: server.streams)
    client.close()
    client.close()
    until(lambda: client_threads() == 0)
    server.wait(lambda: not server.streams)
    assert client.status == "closed" and client.is_enabled("b", subject)


def test_a_client_without_references_is_closed(server):
    client = connect(server.url, key="dzk_test")
    reference = weakref.ref(client)
    del client
    gc.collect()
    assert reference() is None
    until(lambda: client_threads() == 0)


def test_closing_waits_for_a_running_handler(server):
    entered, done = threading.Event(), []

    def slow(event):
        entered.set()
        time.sleep(0.3)
        done.append(event.name)

    client = connect(server.url, key="dzk_test")
    client.on("change", slow)
    server.wait(lambda: server.streams)
    server.publish(snapshot(2, a="on"))
    assert entered.wait(10)
    client.close()
    assert done == ["change"]


def test_a_handler_may_close_and_read(server, subject):
    received = queue.Queue()
    client = connect(server.url, key="dzk_test")

    def close(event):
        received.put(client.ruleset.revision)
        client.close()

    client.on("change", close)
    server.wait(lambda: server.streams)
    server.publish(snapshot(2, a="on"))
    assert received.get(timeout=10) == 2
    until(lambda: client.status == "closed" and client_threads() == 0)


def test_threads_read_while_rules_are_replaced(server, client, subject):
    done, wrong = threading.Event(), []

    def read():
        while not done.is_set():
            rules = client.ruleset
            flags = rules.for_tenant(subject).all()
            if len(set(flags.values())) > 1 or rules.revision < 1:
                wrong.append(flags)

    server.publish(snapshot(2, **{f"flag_{number}": "on" for number in range(50)}))
    until(lambda: client.ruleset.revision == 2)
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for revision in range(3, 30):
        state = "on" if revision % 2 else "off"
        server.publish(snapshot(revision, **{f"flag_{number}": state for number in range(50)}))
        until(lambda: client.ruleset.revision == revision)
    until(lambda: client.ruleset.revision == 29)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_other_threads_run_during_connect(server):
    server.status = 500
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(1)
            time.sleep(0.005)

    ticker = threading.Thread(target=tick)
    ticker.start()
    refusal(lambda: connect(server.url, key="dzk_test", deadline=0.5))
    done.set()
    ticker.join()
    assert len(ticks) > 30


def test_reading_the_ruleset_of_a_client_is_fast(client):
    def cost(read, rounds=20_000):
        best = float("inf")
        for _ in range(5):
            began = time.perf_counter()
            for _ in range(rounds):
                read()
            best = min(best, (time.perf_counter() - began) / rounds)
        return best

    assert cost(lambda: client.ruleset) < 2e-6


def test_everything_is_exported():
    assert {"connect", "Client", "ClientEvent"} <= set(dezky.__all__)
