//! An OpenFeature provider that answers from a ruleset in memory or from a live client.

use std::fmt::Display;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, EvaluationError, EvaluationErrorCode, EvaluationReason,
    EvaluationResult, FlagMetadata, StructValue,
};

use crate::{Client, ClientStatus};
use dezky_core::flags::{Explanation, Reason, Ruleset, Subject};

/// A provider for the OpenFeature SDK.
///
/// The targeting key is the tenant's id. The fields `tenantSlug`, `plan`, `partnerSlug` and
/// `environment` of the evaluation context are the other parts of the subject. Clones share their
/// ruleset, so a clone that you keep can replace it.
///
/// ```
/// use dezky::OpenFeatureProvider;
/// use dezky::flags::{Ruleset, Snapshot};
/// use open_feature::{EvaluationContext, provider::FeatureProvider};
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut future = std::pin::pin!(future);
/// #     loop {
/// #         let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #         let polled = future.as_mut().poll(&mut context);
/// #         if let std::task::Poll::Ready(value) = polled { return value; }
/// #     }
/// # }
///
/// let rules = Ruleset::new(Snapshot::from_json(br#"{
///     "format": 1, "revision": 1, "environment": "production",
///     "flags": [{ "key": "jmap_native_v2", "state": "on" }]
/// }"#)?);
/// let provider = OpenFeatureProvider::new(rules);
/// let context = EvaluationContext::default()
///     .with_targeting_key("t1")
///     .with_custom_field("tenantSlug", "acme")
///     .with_custom_field("plan", "business");
/// assert!(block_on(provider.resolve_bool_value("jmap_native_v2", &context)).unwrap().value);
/// # Ok::<(), dezky::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OpenFeatureProvider {
    metadata: ProviderMetadata,
    rules: Arc<RwLock<RulesSource>>,
}

/// The source of a provider's rules.
#[derive(Debug)]
enum RulesSource {
    Fixed(Ruleset),
    Live(Arc<Client>),
}

impl OpenFeatureProvider {
    /// A provider that answers from this ruleset.
    pub fn new(rules: Ruleset) -> OpenFeatureProvider {
        OpenFeatureProvider::from_source(RulesSource::Fixed(rules))
    }

    /// A provider that answers from the current rules of a client. Its status is the client's
    /// status.
    ///
    /// ```no_run
    /// use dezky::{Client, ConnectOptions, OpenFeatureProvider};
    ///
    /// let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// let provider = OpenFeatureProvider::live(client);
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn live(client: impl Into<Arc<Client>>) -> OpenFeatureProvider {
        OpenFeatureProvider::from_source(RulesSource::Live(client.into()))
    }

    fn from_source(source: RulesSource) -> OpenFeatureProvider {
        OpenFeatureProvider { metadata: ProviderMetadata::new("dezky"), rules: Arc::new(RwLock::new(source)) }
    }

    /// Answers from this ruleset from now on, instead of the previous ruleset or client.
    pub fn replace(&self, rules: Ruleset) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = RulesSource::Fixed(rules);
    }

    fn rules(&self) -> Ruleset {
        match &*self.rules.read().unwrap_or_else(PoisonError::into_inner) {
            RulesSource::Fixed(rules) => rules.clone(),
            RulesSource::Live(client) => client.ruleset().clone(),
        }
    }

    /// Rejects a request for a value that is not boolean, because every flag is boolean.
    fn reject_type<T>(&self, key: &str) -> EvaluationResult<ResolutionDetails<T>> {
        match self.rules().keys().any(|each| each == key) {
            true => reject(EvaluationErrorCode::TypeMismatch, "every flag is a boolean"),
            false => reject(EvaluationErrorCode::FlagNotFound, format!("there is no flag {key}")),
        }
    }
}

#[async_trait]
impl FeatureProvider for OpenFeatureProvider {
    fn status(&self) -> ProviderStatus {
        match &*self.rules.read().unwrap_or_else(PoisonError::into_inner) {
            RulesSource::Fixed(_) => ProviderStatus::Ready,
            RulesSource::Live(client) => match client.status() {
                ClientStatus::Connecting => ProviderStatus::NotReady,
                ClientStatus::Ready => ProviderStatus::Ready,
                ClientStatus::Stale => ProviderStatus::STALE,
                ClientStatus::Refused | ClientStatus::Closed => ProviderStatus::Error,
            },
        }
    }

    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        let rules = self.rules();
        let explanation = rules.explain(key, &subject(context)?);
        if explanation.reason == Reason::UnknownFlag {
            return reject(EvaluationErrorCode::FlagNotFound, format!("there is no flag {key}"));
        }
        let tenant_id = context.targeting_key.as_deref().unwrap_or_default();
        Ok(ResolutionDetails {
            value: explanation.enabled,
            variant: Some((if explanation.enabled { "on" } else { "off" }).to_owned()),
            reason: Some(reason(explanation.reason)),
            flag_metadata: Some(metadata(&rules, &explanation, tenant_id)),
        })
    }

    async fn resolve_int_value(
        &self,
        key: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.reject_type(key)
    }

    async fn resolve_float_value(
        &self,
        key: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.reject_type(key)
    }

    async fn resolve_string_value(
        &self,
        key: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.reject_type(key)
    }

    async fn resolve_struct_value(
        &self,
        key: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.reject_type(key)
    }
}

fn reject<T>(code: EvaluationErrorCode, message: impl Display) -> EvaluationResult<T> {
    Err(EvaluationError { code, message: Some(message.to_string()) })
}

fn subject(context: &EvaluationContext) -> EvaluationResult<Subject<'_>> {
    let Some(tenant_id) = context.targeting_key.as_deref() else {
        return reject(EvaluationErrorCode::TargetingKeyMissing, "the targeting key must be the tenant's id");
    };
    let invalid = |error: crate::Error| EvaluationError {
        code: EvaluationErrorCode::InvalidContext,
        message: Some(error.to_string()),
    };
    let (slug, plan) = (required_field(context, "tenantSlug")?, required_field(context, "plan")?);
    let mut subject = Subject::new(tenant_id, slug, plan).map_err(invalid)?;
    if let Some(partner) = field(context, "partnerSlug")? {
        subject = subject.with_partner(partner).map_err(invalid)?;
    }
    if let Some(environment) = field(context, "environment")? {
        subject = subject.with_environment(environment).map_err(invalid)?;
    }
    Ok(subject)
}

fn required_field<'c>(context: &'c EvaluationContext, name: &str) -> EvaluationResult<&'c str> {
    match field(context, name)? {
        Some(text) => Ok(text),
        None => reject(EvaluationErrorCode::InvalidContext, format!("the context has no {name}")),
    }
}

fn field<'c>(context: &'c EvaluationContext, name: &str) -> EvaluationResult<Option<&'c str>> {
    match context.custom_fields.get(name) {
        None => Ok(None),
        Some(EvaluationContextFieldValue::String(text)) => Ok(Some(text)),
        Some(_) => reject(EvaluationErrorCode::InvalidContext, format!("{name} must be a string")),
    }
}

fn reason(reason: Reason) -> EvaluationReason {
    match reason {
        Reason::Off => EvaluationReason::Disabled,
        Reason::On => EvaluationReason::Static,
        Reason::Targeted => EvaluationReason::TargetingMatch,
        Reason::InRollout | Reason::OutOfRollout => EvaluationReason::Split,
        Reason::EmptyScope | Reason::OutOfScope | Reason::UnknownFlag => EvaluationReason::Default,
    }
}

fn metadata(rules: &Ruleset, explanation: &Explanation<'_>, tenant_id: &str) -> FlagMetadata {
    let mut metadata = FlagMetadata::default()
        .with_value("version", format!("rev-{}", rules.revision()))
        .with_value("flagSetId", rules.environment())
        .with_value("contextId", tenant_id);
    if let Some(axis) = explanation.axis {
        metadata.add_value("missedAxis", axis.as_str());
    }
    for (name, number) in [("bucket", explanation.position), ("pct", explanation.pct)] {
        if let Some(number) = number {
            metadata.add_value(name, f64::from(number.hundredths()) / 100.0);
        }
    }
    metadata
}
