//! Tests of the provider through the OpenFeature SDK.
#![cfg(feature = "openfeature")]
#![allow(clippy::unwrap_used)]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dezky::OpenFeatureProvider;
use dezky::flags::{Ruleset, Snapshot};
use open_feature::{
    Client, EvaluationContext, EvaluationDetails, EvaluationErrorCode, EvaluationReason, EvaluationResult,
    FlagMetadataValue, OpenFeature,
};

/// A minimal executor. The futures here only wait for an uncontended lock.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

fn rules(revision: u64, state: &str) -> Ruleset {
    let text = format!(
        r#"{{ "format": 1, "revision": {revision}, "environment": "production", "flags": [
            {{ "key": "a_off", "state": "off" }},
            {{ "key": "b_on", "state": "on" }},
            {{ "key": "c_targeted", "state": "targeted", "scope": {{ "plans": ["business"] }} }},
            {{ "key": "d_elsewhere", "state": "targeted", "scope": {{ "plans": ["free"] }} }},
            {{ "key": "e_rollout", "state": "rollout", "pct": 100 }},
            {{ "key": "f_changing", "state": "{state}" }}
        ] }}"#
    );
    Ruleset::new(Snapshot::from_json(text.as_bytes()).unwrap())
}

fn tenant() -> EvaluationContext {
    EvaluationContext::default()
        .with_targeting_key("t1")
        .with_custom_field("tenantSlug", "acme")
        .with_custom_field("plan", "business")
        .with_custom_field("partnerSlug", "nordic")
}

/// OpenFeature's client over a provider. Each test has a domain of its own, because the API is
/// global.
fn client_of(provider: &OpenFeatureProvider, domain: &str) -> Client {
    block_on(async {
        let mut api = OpenFeature::singleton_mut().await;
        api.set_named_provider(domain, provider.clone()).await;
        api.create_named_client(domain)
    })
}

fn details(
    client: &Client,
    key: &str,
    context: &EvaluationContext,
) -> EvaluationResult<EvaluationDetails<bool>> {
    block_on(client.get_bool_details(key, Some(context), None))
}

#[test]
fn the_sdk_gets_values_reasons_and_metadata() {
    let client = client_of(&OpenFeatureProvider::new(rules(481, "off")), "values");
    let expected = [
        ("a_off", false, EvaluationReason::Disabled),
        ("b_on", true, EvaluationReason::Static),
        ("c_targeted", true, EvaluationReason::TargetingMatch),
        ("d_elsewhere", false, EvaluationReason::Default),
        ("e_rollout", true, EvaluationReason::Split),
    ];
    for (key, value, reason) in expected {
        let found = details(&client, key, &tenant()).unwrap();
        assert_eq!((found.value, found.reason), (value, Some(reason)), "{key}");
        assert_eq!(found.variant.as_deref(), Some(if value { "on" } else { "off" }));
        let metadata = found.flag_metadata.values;
        assert_eq!(metadata["version"], FlagMetadataValue::String("rev-481".to_owned()));
        assert_eq!(metadata["contextId"], FlagMetadataValue::String("t1".to_owned()));
    }
    let missed = details(&client, "d_elsewhere", &tenant()).unwrap().flag_metadata.values;
    assert_eq!(missed["missedAxis"], FlagMetadataValue::String("plans".to_owned()));
    let rollout = details(&client, "e_rollout", &tenant()).unwrap().flag_metadata.values;
    assert_eq!(rollout["pct"], FlagMetadataValue::Float(100.0));
}

#[test]
fn the_sdk_gets_an_error_for_each_invalid_request() {
    let client = client_of(&OpenFeatureProvider::new(rules(481, "off")), "errors");
    let empty = EvaluationContext::default();
    let malformed = tenant().with_custom_field("plan", "No plan");
    let number = tenant().with_custom_field("plan", 7_i64);
    let rejected = [
        ("no_such_flag", &tenant(), EvaluationErrorCode::FlagNotFound),
        ("b_on", &empty, EvaluationErrorCode::TargetingKeyMissing),
        ("b_on", &malformed, EvaluationErrorCode::InvalidContext),
        ("b_on", &number, EvaluationErrorCode::InvalidContext),
    ];
    for (key, context, code) in rejected {
        assert_eq!(details(&client, key, context).unwrap_err().code, code, "{key}");
    }
    let text = block_on(client.get_string_value("b_on", Some(&tenant()), None));
    assert_eq!(text.unwrap_err().code, EvaluationErrorCode::TypeMismatch);
}

#[test]
fn the_sdk_sees_a_replaced_ruleset() {
    let provider = OpenFeatureProvider::new(rules(481, "off"));
    let client = client_of(&provider, "replacements");
    assert!(!details(&client, "f_changing", &tenant()).unwrap().value);
    provider.replace(rules(482, "on"));
    assert!(details(&client, "f_changing", &tenant()).unwrap().value);
}
