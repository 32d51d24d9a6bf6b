//! The declaration of an HTTP operation. The router, the guard, the metrics and the OpenAPI
//! document all derive from these declarations.

use std::future::Future;
use std::pin::Pin;

use axum::http::{Method, StatusCode};
use dezky_core::access::Action;
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};

use super::authorize::Bound;
use super::call::Call;
use super::problem::Problem;
use super::query::Parameter;
use super::reply::Reply;

/// One row of the route table.
pub struct Endpoint {
    /// The HTTP method of the request.
    pub method: Method,
    /// The path, with a `{name}` for each variable part.
    pub path: &'static str,
    /// The action that the authorization rules decide on.
    pub action: Action,
    /// The resource that the action is bound to.
    pub bound: Bound,
    /// The handler, with its parameters and responses.
    pub operation: Operation,
}

/// A handler, with everything that clients need to know about it.
#[derive(Clone, Copy)]
pub struct Operation {
    /// One sentence for the OpenAPI document.
    pub summary: &'static str,
    /// The accepted query parameters.
    pub query: &'static [Parameter],
    /// The request body, if the operation takes one.
    pub body: Option<Body>,
    /// The status of a successful response.
    pub success: StatusCode,
    /// The media type of a successful response.
    pub media: &'static str,
    /// The JSON Schema of a successful response.
    pub returns: fn(&mut SchemaGenerator) -> Option<Schema>,
    /// The header that names the version to change.
    pub precondition: Precondition,
    /// The way in which the caller authenticates.
    pub credential: CredentialPlace,
    /// The format of error responses.
    pub refusals: RefusalFormat,
    /// The responses that appear in the log.
    pub logged: Logged,
    /// The function that answers the request.
    pub(crate) handler: Handler,
}

/// The header that names the version to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// The request names no version.
    None,
    /// The request must send `If-Match`.
    IfMatch,
}

/// The way in which a caller authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialPlace {
    /// A token or a machine key in a header.
    Header,
    /// The sealed `token` of a link's query.
    Link,
}

/// The format of error responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalFormat {
    /// Problem documents (RFC 9457).
    Problem,
    /// The error documents of OFREP evaluations.
    Ofrep,
}

/// The responses that appear in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// Every response is logged.
    All,
    /// Only refusals are logged; the metrics count the frequent successes.
    Refusals,
}

/// The request body of an operation.
#[derive(Clone, Copy)]
pub struct Body {
    /// The members that the body can have.
    pub members: &'static [&'static str],
    /// The members that the body must have.
    pub required: &'static [&'static str],
    /// The rules by which the body is read.
    pub form: BodyForm,
    /// The schema that describes the members.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// The rules by which a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// A complete JSON document.
    Whole,
    /// A merge patch (RFC 7396): `null` removes a member.
    MergePatch,
    /// An evaluation context: members that are not declared are ignored.
    Context,
}

/// An endpoint with its index in the route table, which is also its index in the metrics.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    /// The index in the route table.
    pub index: usize,
    /// The row of the route table.
    pub endpoint: &'static Endpoint,
}

/// The function that answers a request.
pub(crate) type Handler = fn(Call) -> ReplyFuture<'static>;

/// A boxed future that resolves to the reply.
pub(crate) type ReplyFuture<'a> = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>>;

/// Declares a GET endpoint.
pub(crate) const fn get(path: &'static str, action: Action, bound: Bound, operation: Operation) -> Endpoint {
    Endpoint { method: Method::GET, path, action, bound, operation }
}

/// Declares a POST endpoint.
pub(crate) const fn post(path: &'static str, action: Action, bound: Bound, operation: Operation) -> Endpoint {
    Endpoint { method: Method::POST, path, action, bound, operation }
}

/// Declares a PATCH endpoint.
pub(crate) const fn patch(
    path: &'static str,
    action: Action,
    bound: Bound,
    operation: Operation,
) -> Endpoint {
    Endpoint { method: Method::PATCH, path, action, bound, operation }
}

/// Declares a DELETE endpoint.
pub(crate) const fn delete(
    path: &'static str,
    action: Action,
    bound: Bound,
    operation: Operation,
) -> Endpoint {
    Endpoint { method: Method::DELETE, path, action, bound, operation }
}

impl Operation {
    /// Creates an operation that takes nothing and returns 200 without a described body.
    pub(crate) const fn new(handler: Handler) -> Operation {
        Operation {
            summary: "",
            query: &[],
            body: None,
            success: StatusCode::OK,
            media: "application/json",
            returns: |_| None,
            precondition: Precondition::None,
            credential: CredentialPlace::Header,
            refusals: RefusalFormat::Problem,
            logged: Logged::All,
            handler,
        }
    }

    /// Sets the summary for the OpenAPI document.
    pub(crate) const fn summary(self, summary: &'static str) -> Operation {
        Operation { summary, ..self }
    }

    /// Sets the accepted query parameters.
    pub(crate) const fn query(self, query: &'static [Parameter]) -> Operation {
        Operation { query, ..self }
    }

    /// Sets the request body.
    pub(crate) const fn body(self, body: Body) -> Operation {
        Operation { body: Some(body), ..self }
    }

    /// Sets the type of the response body.
    pub(crate) const fn returns<T: JsonSchema>(self) -> Operation {
        Operation { returns: |generator| Some(generator.subschema_for::<T>()), ..self }
    }

    /// Sets the schema of the response body.
    pub(crate) const fn returns_schema(
        self,
        returns: fn(&mut SchemaGenerator) -> Option<Schema>,
    ) -> Operation {
        Operation { returns, ..self }
    }

    /// Declares that success is 201 with `Location`.
    pub(crate) const fn creates(self) -> Operation {
        Operation { success: StatusCode::CREATED, ..self }
    }

    /// Declares that the response is an event stream.
    pub(crate) const fn streams_events(self) -> Operation {
        Operation { media: "text/event-stream", ..self }
    }

    /// Declares that the response is NDJSON: one JSON document of the returned type per line.
    pub(crate) const fn streams_lines(self) -> Operation {
        Operation { media: "application/x-ndjson", ..self }
    }

    /// Keeps successful responses out of the log.
    pub(crate) const fn log_refusals_only(self) -> Operation {
        Operation { logged: Logged::Refusals, ..self }
    }

    /// Requires `If-Match` with the version to change.
    pub(crate) const fn if_match(self) -> Operation {
        Operation { precondition: Precondition::IfMatch, ..self }
    }

    /// Sets the way in which the caller authenticates.
    pub(crate) const fn credential(self, credential: CredentialPlace) -> Operation {
        Operation { credential, ..self }
    }

    /// Sets the format of error responses.
    pub(crate) const fn refusals(self, refusals: RefusalFormat) -> Operation {
        Operation { refusals, ..self }
    }
}

impl Body {
    /// Describes a complete document with these members of a type.
    pub(crate) const fn whole<T: JsonSchema>(
        members: &'static [&'static str],
        required: &'static [&'static str],
    ) -> Body {
        Body { members, required, form: BodyForm::Whole, schema: T::json_schema }
    }

    /// Describes a merge patch of these members of a type.
    pub(crate) const fn patch<T: JsonSchema>(members: &'static [&'static str]) -> Body {
        Body { members, required: &[], form: BodyForm::MergePatch, schema: T::json_schema }
    }
}
