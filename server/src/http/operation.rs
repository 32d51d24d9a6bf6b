//! What the server can be asked, declared: method, path, action, what it takes and gives, and who answers. The router, the guard and the
//! OpenAPI document are all made from these.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use dezky_core::access::Action;
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};

use super::authorize::Bound;
use super::call::Call;
use super::problem::Problem;
use super::query::Parameter;
use super::reply::Reply;

/// One thing that can be asked.
pub struct Operation {
    /// How.
    pub method: Method,
    /// Where, with `{names}` of parts that vary.
    pub path: &'static str,
    /// What it is to the authorization rules.
    pub action: Action,
    /// What the action is bound to.
    pub bound: Bound,
    /// What it does, for people.
    pub summary: &'static str,
    /// The parameters of its query.
    pub query: &'static [Parameter],
    /// The body that it takes.
    pub body: Option<Body>,
    /// The status of its success.
    pub success: StatusCode,
    /// The media type of what it answers.
    pub media: &'static str,
    /// What it answers then.
    pub answer: fn(&mut SchemaGenerator) -> Option<Schema>,
    /// What the write says of the version that it is for.
    pub precondition: Precondition,
    /// How the caller says who they are.
    pub credential: Credential,
    /// What its refusals look like.
    pub refusals: Refusals,
    /// Which of its answers the log has.
    pub logged: Logged,
    /// Who answers.
    pub handler: Handler,
}

/// Whether a write names the version that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// There is nothing to name.
    None,
    /// `If-Match` is needed.
    IfMatch,
}

/// How a caller says who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// In a header.
    Header,
    /// By a link that they were given: the query's `token`.
    Link,
}

/// What refusals look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusals {
    /// As everywhere here (RFC 9457).
    Problems,
    /// As OFREP has them, of an evaluation.
    Ofrep,
}

/// Which answers the log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// Each.
    All,
    /// Only refusals: there are so many of the others, and the metrics count them.
    Refusals,
}

/// A body that an operation takes.
#[derive(Clone, Copy)]
pub struct Body {
    /// The members that it may have.
    pub members: &'static [&'static str],
    /// Those that it must have.
    pub required: &'static [&'static str],
    /// Whether a `null` takes a member away, as in RFC 7396.
    pub form: BodyForm,
    /// The schema whose properties the members are.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// How a body is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// The whole.
    Whole,
    /// What changes (RFC 7396).
    MergePatch,
    /// The context of an evaluation, with anything else that its sender may add.
    Context,
}

/// Which operation a request is for: its place among all, and itself.
#[derive(Clone)]
pub struct Route {
    /// Its place.
    pub index: usize,
    /// Itself.
    pub operation: Arc<Operation>,
}

/// Who answers.
pub type Handler = Arc<dyn Fn(Call) -> Answering<'static> + Send + Sync>;

/// An answer under way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>>;

/// An operation that reads.
pub fn get<F, R>(path: &'static str, action: Action, handler: F) -> Operation
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    operation(Method::GET, path, action, handler)
}

/// An operation that makes something, or does something.
pub fn post<F, R>(path: &'static str, action: Action, handler: F) -> Operation
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    operation(Method::POST, path, action, handler)
}

/// An operation that changes something; it says which version of it.
pub fn patch<F, R>(path: &'static str, action: Action, handler: F) -> Operation
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    operation(Method::PATCH, path, action, handler).if_match()
}

/// An operation that ends something; it says which version of it.
pub fn delete<F, R>(path: &'static str, action: Action, handler: F) -> Operation
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    operation(Method::DELETE, path, action, handler).if_match()
}

fn operation<F, R>(method: Method, path: &'static str, action: Action, handler: F) -> Operation
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    Operation {
        method,
        path,
        action,
        bound: Bound::Nothing,
        summary: "",
        query: &[],
        body: None,
        success: StatusCode::OK,
        media: "application/json",
        answer: |_| None,
        precondition: Precondition::None,
        credential: Credential::Header,
        refusals: Refusals::Problems,
        logged: Logged::All,
        handler: Arc::new(move |call| Box::pin(handler(call))),
    }
}

impl Operation {
    /// What it does, for people.
    pub fn says(self, summary: &'static str) -> Operation {
        Operation { summary, ..self }
    }

    /// What its action is bound to.
    pub fn bound_to(self, bound: Bound) -> Operation {
        Operation { bound, ..self }
    }

    /// The parameters of its query.
    pub fn asks(self, query: &'static [Parameter]) -> Operation {
        Operation { query, ..self }
    }

    /// The body that it takes.
    pub fn takes(self, body: Body) -> Operation {
        Operation { body: Some(body), ..self }
    }

    /// What it answers.
    pub fn gives<T: JsonSchema>(self) -> Operation {
        Operation { answer: |generator| Some(generator.subschema_for::<T>()), ..self }
    }

    /// That it makes something, which 201 and `Location` say.
    pub fn creates(self) -> Operation {
        Operation { success: StatusCode::CREATED, ..self }
    }

    /// That it answers with events, as long as the reader stays.
    pub fn streams(self) -> Operation {
        Operation { media: "text/event-stream", ..self }
    }

    /// That it answers with lines of JSON, each of the type that it gives, as they are made.
    pub fn lines(self) -> Operation {
        Operation { media: "application/x-ndjson", ..self }
    }

    /// That the log has its refusals alone.
    pub fn quietly(self) -> Operation {
        Operation { logged: Logged::Refusals, ..self }
    }

    /// That it says which version it is for.
    pub fn if_match(self) -> Operation {
        Operation { precondition: Precondition::IfMatch, ..self }
    }
}

impl Body {
    /// A whole document, of these members of a type.
    pub const fn whole<T: JsonSchema>(
        members: &'static [&'static str],
        required: &'static [&'static str],
    ) -> Body {
        Body { members, required, form: BodyForm::Whole, schema: T::json_schema }
    }

    /// A change of these members of a type.
    pub const fn patch<T: JsonSchema>(members: &'static [&'static str]) -> Body {
        Body { members, required: &[], form: BodyForm::MergePatch, schema: T::json_schema }
    }
}
