//! An OpenFeature provider over a ruleset in process.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::{PoisonError, RwLock};

use crate::{Client, ClientStatus};
use async_trait::async_trait;
use dezky_core::flags::{Explanation, Reason, Ruleset, Subject};
use open_feature::provider::{FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, EvaluationError, EvaluationErrorCode, EvaluationReason,
    EvaluationResult, FlagMetadata, StructValue,
};

/// Answers OpenFeature's questions from a ruleset. Its clones share the ruleset, so one that is kept can replace it.
///
/// The targeting key is the tenant's id; `tenantSlug`, `plan`, `partnerSlug` and `environment` are fields of the context.
///
/// ```
/// use dezky::OpenFeatureProvider;
/// use dezky::flags::{Ruleset, Snapshot};
/// use open_feature::{EvaluationContext, provider::FeatureProvider};
/// let snapshot = |state| {
///     let flags = format!(r#"[{{ "key": "jmap_native_v2", "state": "{state}" }}]"#);
///     let text = format!(r#"{{ "format": 1, "revision": 1, "environment": "production", "flags": {flags} }}"#);
///     Snapshot::from_json(text.as_bytes()).map(Ruleset::new)
/// };
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut future = std::pin::pin!(future);
/// #     loop {
/// #         let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #         if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) { return value; }
/// #     }
/// # }
/// let provider = OpenFeatureProvider::new(snapshot("off")?);
/// let context = EvaluationContext::default()
///     .with_targeting_key("t1").with_custom_field("tenantSlug", "acme").with_custom_field("plan", "business");
/// assert!(!block_on(provider.resolve_bool_value("jmap_native_v2", &context)).unwrap().value);
/// provider.replace(snapshot("on")?);
/// assert!(block_on(provider.resolve_bool_value("jmap_native_v2", &context)).unwrap().value);
/// # Ok::<(), dezky::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OpenFeatureProvider {
    metadata: ProviderMetadata,
    rules: Arc<RwLock<Rules>>,
}

/// Where a provider's rules come from.
#[derive(Debug)]
enum Rules {
    Given(Ruleset),
    Live(Arc<Client>),
}

impl OpenFeatureProvider {
    /// A provider that answers from this ruleset.
    ///
    /// ```
    /// # use dezky::*;
    /// # use dezky::access::*;
    /// # use dezky::flags::*;
    /// # use dezky::json::*;
    /// # use dezky::model::*;
    /// # use dezky::names::*;
    /// # use dezky::world::*;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// let provider = OpenFeatureProvider::new(rules);
    /// # Ok::<(), dezky::Error>(())
    /// ```
    pub fn new(rules: Ruleset) -> OpenFeatureProvider {
        OpenFeatureProvider::over(Rules::Given(rules))
    }

    /// A provider that answers from what a client has at the moment of the question. Its status is the client's.
    ///
    /// ```no_run
    /// # use dezky::*;
    /// # use dezky::access::*;
    /// # use dezky::flags::*;
    /// # use dezky::json::*;
    /// # use dezky::model::*;
    /// # use dezky::names::*;
    /// # use dezky::world::*;
    /// let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// let provider = OpenFeatureProvider::live(client);
    /// # Ok::<(), ClientError>(())
    /// ```
    pub fn live(client: impl Into<Arc<Client>>) -> OpenFeatureProvider {
        OpenFeatureProvider::over(Rules::Live(client.into()))
    }

    fn over(rules: Rules) -> OpenFeatureProvider {
        OpenFeatureProvider { metadata: ProviderMetadata::new("dezky"), rules: Arc::new(RwLock::new(rules)) }
    }

    /// Answers from another ruleset from now on, and no more from a client if it did.
    ///
    /// ```
    /// # use dezky::*;
    /// # use dezky::access::*;
    /// # use dezky::flags::*;
    /// # use dezky::json::*;
    /// # use dezky::model::*;
    /// # use dezky::names::*;
    /// # use dezky::world::*;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// let provider = OpenFeatureProvider::new(rules.clone());
    /// provider.replace(rules);
    /// # Ok::<(), dezky::Error>(())
    /// ```
    pub fn replace(&self, rules: Ruleset) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Rules::Given(rules);
    }

    fn rules(&self) -> Ruleset {
        match &*self.rules.read().unwrap_or_else(PoisonError::into_inner) {
            Rules::Given(rules) => rules.clone(),
            Rules::Live(client) => client.ruleset().clone(),
        }
    }

    /// Every flag is boolean; asked for another type, a flag that exists is of the wrong one.
    fn no_other_type<T>(&self, key: &str) -> EvaluationResult<ResolutionDetails<T>> {
        match self.rules().keys().any(|known| known == key) {
            true => refuse(EvaluationErrorCode::TypeMismatch, "every flag is boolean"),
            false => refuse(EvaluationErrorCode::FlagNotFound, key),
        }
    }
}

#[async_trait]
impl FeatureProvider for OpenFeatureProvider {
    fn status(&self) -> ProviderStatus {
        match &*self.rules.read().unwrap_or_else(PoisonError::into_inner) {
            Rules::Given(_) => ProviderStatus::Ready,
            Rules::Live(client) => match client.status() {
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
            return refuse(EvaluationErrorCode::FlagNotFound, key);
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
        self.no_other_type(key)
    }

    async fn resolve_float_value(
        &self,
        key: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.no_other_type(key)
    }

    async fn resolve_string_value(
        &self,
        key: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.no_other_type(key)
    }

    async fn resolve_struct_value(
        &self,
        key: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.no_other_type(key)
    }
}

fn refuse<T>(code: EvaluationErrorCode, message: impl Display) -> EvaluationResult<T> {
    Err(EvaluationError { code, message: Some(message.to_string()) })
}

fn subject(context: &EvaluationContext) -> EvaluationResult<Subject<'_>> {
    let Some(tenant_id) = context.targeting_key.as_deref() else {
        return refuse(EvaluationErrorCode::TargetingKeyMissing, "the targeting key is the tenant's id");
    };
    let invalid = |error: crate::Error| EvaluationError {
        code: EvaluationErrorCode::InvalidContext,
        message: Some(error.to_string()),
    };
    let (slug, plan) = (needed(context, "tenantSlug")?, needed(context, "plan")?);
    let mut subject = Subject::new(tenant_id, slug, plan).map_err(invalid)?;
    if let Some(partner) = field(context, "partnerSlug")? {
        subject = subject.with_partner(partner).map_err(invalid)?;
    }
    if let Some(environment) = field(context, "environment")? {
        subject = subject.with_environment(environment).map_err(invalid)?;
    }
    Ok(subject)
}

fn needed<'c>(context: &'c EvaluationContext, name: &str) -> EvaluationResult<&'c str> {
    match field(context, name)? {
        Some(text) => Ok(text),
        None => refuse(EvaluationErrorCode::InvalidContext, format!("the context has no {name}")),
    }
}

fn field<'c>(context: &'c EvaluationContext, name: &str) -> EvaluationResult<Option<&'c str>> {
    match context.custom_fields.get(name) {
        None => Ok(None),
        Some(EvaluationContextFieldValue::String(text)) => Ok(Some(text)),
        Some(_) => refuse(EvaluationErrorCode::InvalidContext, format!("{name} is a text")),
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
