"""Tests of the provider with the OpenFeature SDK."""

import asyncio
import queue

import pytest
from conftest import SNAPSHOT
from flag_server import FlagServer, until
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent
from openfeature.exception import ErrorCode, ProviderFatalError
from openfeature.flag_evaluation import Reason
from openfeature.provider import ProviderStatus

from dezky import DezkyError, connect
from dezky.openfeature import DezkyProvider

CONTEXT = EvaluationContext(
    "t1", {"tenantSlug": "acme", "plan": "business", "partnerSlug": "nordic", "userName": "ada"}
)
VERSION = {"version": "rev-481", "flagSetId": "production", "contextId": "t1"}

DETAILS = {
    "always": (True, Reason.STATIC, {}),
    "in_part": (False, Reason.SPLIT, {"bucket": 14.47, "pct": 4.31}),
    "jmap_native_v2": (True, Reason.SPLIT, {"bucket": 4.3, "pct": 25}),
    "never": (False, Reason.DISABLED, {}),
    "nobody": (False, Reason.DEFAULT, {}),
    "partners": (False, Reason.DEFAULT, {"missedAxis": "partnerSlugs"}),
    "plan": (True, Reason.TARGETING_MATCH, {}),
}


@pytest.fixture
def provider():
    provider = DezkyProvider(SNAPSHOT)
    api.set_provider_and_wait(provider)
    yield provider
    api.shutdown()


@pytest.fixture
def client(provider):
    return api.get_client()


@pytest.mark.parametrize("key", DETAILS)
def test_a_flag_is_resolved_with_its_reason(client, key):
    value, reason, metadata = DETAILS[key]
    for details in [
        client.get_boolean_details(key, not value, CONTEXT),
        asyncio.run(client.get_boolean_details_async(key, not value, CONTEXT)),
    ]:
        assert (details.value, details.reason, details.variant) == (value, reason, "on" if value else "off")
        assert (details.error_code, details.error_message) == (None, None)
        assert details.flag_metadata == {**VERSION, **metadata}
    assert client.get_boolean_value(key, not value, CONTEXT) is value


def refusal(details):
    assert details.reason == Reason.ERROR and details.error_message and details.variant is None
    return details.value, details.error_code


@pytest.mark.parametrize("default", [True, False])
def test_errors_return_the_default(client, default):
    resolve = lambda key, context=None: refusal(client.get_boolean_details(key, default, context))
    assert resolve("unheard_of", CONTEXT) == (default, ErrorCode.FLAG_NOT_FOUND)
    assert resolve("plan") == (default, ErrorCode.TARGETING_KEY_MISSING)
    assert resolve("plan", EvaluationContext("", CONTEXT.attributes)) == (default, ErrorCode.TARGETING_KEY_MISSING)
    for targeting_key, attributes in [
        ("t:1", CONTEXT.attributes),
        ("\ud800", CONTEXT.attributes),
        ("t1", {"tenantSlug": "acme"}),
        ("t1", {"tenantSlug": "acme", "plan": 7}),
        ("t1", {"tenantSlug": "acme", "plan": "business", "environment": "Not One"}),
    ]:
        assert resolve("plan", EvaluationContext(targeting_key, attributes)) == (default, ErrorCode.INVALID_CONTEXT)
    assert resolve(7, CONTEXT) == (default, ErrorCode.GENERAL)


def test_every_flag_is_boolean(client):
    for kind, default in [("string", "a"), ("integer", 1), ("float", 1.5), ("object", {"a": 1})]:
        details = getattr(client, f"get_{kind}_details")("plan", default, CONTEXT)
        later = asyncio.run(getattr(client, f"get_{kind}_details_async")("plan", default, CONTEXT))
        assert refusal(details) == refusal(later) == (default, ErrorCode.TYPE_MISMATCH)


def test_the_context_is_merged_by_the_sdk(client):
    api.set_evaluation_context(EvaluationContext("t1", {"tenantSlug": "acme"}))
    assert client.get_boolean_value("plan", False, EvaluationContext(attributes={"plan": "business"})) is True


def test_ready_is_emitted_once():
    received = queue.Queue()
    api.add_handler(ProviderEvent.PROVIDER_READY, received.put)
    # The SDK's initial no-op provider is ready too.
    assert received.get(timeout=10).provider_name == "No-op Provider"
    api.set_provider(DezkyProvider(SNAPSHOT))
    assert received.get(timeout=10).provider_name == "dezky" == api.get_provider_metadata().name
    assert api.get_client().get_provider_status() == ProviderStatus.READY
    with pytest.raises(queue.Empty):
        received.get(timeout=0.3)
    api.shutdown()


def test_a_replaced_snapshot_is_served_and_announced(provider, client):
    received = queue.Queue()
    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, received.put)
    flags = [{"key": "always", "state": "off"}, *SNAPSHOT["flags"][1:6], {"key": "zebra", "state": "on"}]
    later = {**SNAPSHOT, "revision": 482, "flags": flags}
    provider.replace(later)
    first = received.get(timeout=10)
    assert first.flags_changed == ["always", "plan", "zebra"]
    assert (first.provider_name, first.metadata) == ("dezky", {"version": "rev-482", "flagSetId": "production"})
    assert client.get_boolean_details("zebra", False, CONTEXT).flag_metadata["version"] == "rev-482"
    assert client.get_boolean_value("always", True, CONTEXT) is False
    # Later changes of the dict do not affect the provider.
    later["flags"] = flags[:-1]
    provider.replace(later)
    assert received.get(timeout=10).flags_changed == ["zebra"]
    provider.replace({**later, "environment": "staging"})
    assert received.get(timeout=10).flags_changed == sorted(flag["key"] for flag in later["flags"])
    with pytest.raises(DezkyError):
        provider.replace({**later, "format": 2})
    assert client.get_boolean_details("always", True, CONTEXT).flag_metadata["flagSetId"] == "staging"
    assert received.empty()


def test_replace_works_before_the_provider_is_registered():
    DezkyProvider(SNAPSHOT).replace({**SNAPSHOT, "revision": 482})


def events_of(provider):
    received = queue.Queue()
    for event in ProviderEvent:
        api.add_handler(event, lambda details, event=event: received.put((event, details)))
    while not received.empty():
        received.get()
    return received


@pytest.fixture
def server():
    server = FlagServer(SNAPSHOT)
    yield server
    server.end_streams()
    server.shutdown()
    server.server_close()


def test_a_client_is_served_and_its_events_are_emitted(server):
    with connect(server.url, key="dzk_test", stale_after=0.4, max_backoff=0.2) as live:
        server.wait(lambda: server.streams)
        provider = DezkyProvider(live)
        api.set_provider_and_wait(provider)
        received = events_of(provider)
        client = api.get_client()
        assert client.get_boolean_details("plan", False, CONTEXT).flag_metadata == VERSION
        server.publish({**SNAPSHOT, "revision": 482, "flags": SNAPSHOT["flags"][1:]})
        expected = ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
        event, details = received.get(timeout=10)
        while event != expected:
            event, details = received.get(timeout=10)
        assert details.flags_changed == ["always"] and details.metadata["version"] == "rev-482"
        assert client.get_boolean_details("always", False, CONTEXT).error_code == ErrorCode.FLAG_NOT_FOUND
        server.status = server.stream_status = 500
        server.end_streams()
        event, details = received.get(timeout=10)
        while event != ProviderEvent.PROVIDER_STALE:
            event, details = received.get(timeout=10)
        assert client.get_provider_status() == ProviderStatus.STALE
        assert client.get_boolean_value("plan", False, CONTEXT) is True
        server.status = server.stream_status = None
        while event != ProviderEvent.PROVIDER_READY:
            event, details = received.get(timeout=10)
        # The stream must be open before it can be ended.
        server.wait(lambda: server.streams)
        server.status = server.stream_status = 401
        server.end_streams()
        while event != ProviderEvent.PROVIDER_ERROR:
            event, details = received.get(timeout=10)
        assert details.error_code == ErrorCode.GENERAL and "key_refused" in details.message
        assert client.get_provider_status() == ProviderStatus.ERROR and live.status == "refused"
        assert client.get_boolean_value("plan", False, CONTEXT) is True
        server.status = server.stream_status = None
        while event != ProviderEvent.PROVIDER_READY:
            event, details = received.get(timeout=10)
        with pytest.raises(TypeError):
            provider.replace(SNAPSHOT)
        api.shutdown()
        live.close()
        with pytest.raises(ProviderFatalError):
            api.set_provider_and_wait(DezkyProvider(live))
        api.shutdown()


def test_a_provider_emits_nothing_after_shutdown(server):
    with connect(server.url, key="dzk_test") as live:
        server.wait(lambda: server.streams)
        api.set_provider_and_wait(DezkyProvider(live))
        received = queue.Queue()
        api.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, received.put)
        api.shutdown()
        server.publish({**SNAPSHOT, "revision": 482, "flags": []})
        until(lambda: live.ruleset.revision == 482)
        assert live.status == "ready"
        with pytest.raises(queue.Empty):
            received.get(timeout=0.2)
