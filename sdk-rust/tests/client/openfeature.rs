//! Tests of the OpenFeature provider over a live client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod server;
mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dezky::flags::{Ruleset, Snapshot};
use dezky::testing::Timing;
use dezky::{Client, OpenFeatureProvider};
use open_feature::provider::{FeatureProvider, ProviderStatus};
use open_feature::{EvaluationContext, FlagMetadataValue};

use crate::server::{Fault, Server, snapshot};
use crate::support::{millis, options, short_timing, until};

fn resolve(provider: &OpenFeatureProvider) -> (bool, String) {
    let context = EvaluationContext::default()
        .with_targeting_key("t1")
        .with_custom_field("tenantSlug", "acme")
        .with_custom_field("plan", "business");
    let mut future = pin!(provider.resolve_bool_value("a", &context));
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => panic!("the provider waits"),
        Poll::Ready(details) => {
            let details = details.unwrap();
            match &details.flag_metadata.unwrap().values["version"] {
                FlagMetadataValue::String(version) => (details.value, version.clone()),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn the_provider_has_the_rules_and_the_status_of_its_client() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (options, events) = options(&server.url());
    let options =
        options.stale_after(millis(400)).timing(Timing { poll_interval: millis(50), ..short_timing() });
    let client = Arc::new(Client::connect(options).unwrap());
    let provider = OpenFeatureProvider::live(client.clone());
    assert_eq!(resolve(&provider), (false, "rev-1".into()));
    assert_eq!(provider.status(), ProviderStatus::Ready);
    server.set(&snapshot(2, &[("a", "on")]));
    assert_eq!([events.next_name(), events.next_name()], ["ready", "change"]);
    assert_eq!(resolve(&provider), (true, "rev-2".into()));
    server.state().always = Some(Fault::Status(500, ""));
    until("stale", || provider.status() == ProviderStatus::STALE);
    server.state().always = Some(Fault::Status(401, ""));
    until("refused", || provider.status() == ProviderStatus::Error);
    assert_eq!(resolve(&provider), (true, "rev-2".into()));
    server.state().always = None;
    until("ready", || provider.status() == ProviderStatus::Ready);
    client.close();
    assert_eq!(provider.status(), ProviderStatus::Error);
    provider.replace(Ruleset::new(Snapshot::from_json(snapshot(3, &[("a", "off")]).as_bytes()).unwrap()));
    assert_eq!((resolve(&provider), provider.status()), ((false, "rev-3".into()), ProviderStatus::Ready));
}
