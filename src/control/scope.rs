//! Which space an endpoint is about.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::HeaderValue;
use http::request::Parts;
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::{self, Query};
use super::{Control, Refusal, RefusalCode};
use crate::world::{Namespace, NoSpace, NotOneNamespace, Space};

/// What says so, beside header `x-ecsim-namespace`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct InNamespace {
    /// The namespace, which is made of the seeds at its first use; without it, `default`. Header `x-ecsim-namespace` says the
    /// same.
    #[param(value_type = Option<String>)]
    pub(super) namespace: Option<String>,
}

/// The name of the space that a request is about; it need not exist.
#[derive(Debug)]
pub(super) struct Target(pub(super) Namespace);

impl FromRequestParts<Arc<Control>> for Target {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, _: &Arc<Control>) -> Result<Self, Refusal> {
        named(head, None).await.map(Self)
    }
}

/// The id of an instance in a path, `INSTANCE_ID[@NAMESPACE]`, and the name of the space that the request is about.
#[derive(Debug)]
pub(super) struct TargetInstance(pub(super) String, pub(super) Namespace);

impl FromRequestParts<Arc<Control>> for TargetInstance {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, control: &Arc<Control>) -> Result<Self, Refusal> {
        let extract::Named(text) = extract::Named::from_request_parts(head, control).await?;
        let (id, in_path) = Namespace::split(&text);
        // What is no name is part of the id, where it is more likely a mistake.
        match text.rsplit_once('@') {
            Some((_, name)) if in_path.is_none() => Err(none(name)),
            _ => Ok(Self(id.to_owned(), named(head, in_path).await?)),
        }
    }
}

/// The name of a space in the path.
#[derive(Debug)]
pub(super) struct TargetInPath(pub(super) Namespace);

impl FromRequestParts<Arc<Control>> for TargetInPath {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, control: &Arc<Control>) -> Result<Self, Refusal> {
        let extract::Named(text) = extract::Named::from_request_parts(head, control).await?;
        named(head, Some(parse(&text)?)).await.map(Self)
    }
}

/// That a request is about all spaces alike: it changes what belongs to none of them. Whoever names one means something else.
#[derive(Debug)]
pub(super) struct ForAll;

impl FromRequestParts<Arc<Control>> for ForAll {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, _: &Arc<Control>) -> Result<Self, Refusal> {
        match in_header(head)? {
            Some(name) if !name.is_default() => {
                let path = head.uri.path();
                let message = format!("{path} is for all namespaces, and the header names {name}");
                let hint = format!("leave out header {}", Namespace::HEADER);
                Err(Refusal::new(RefusalCode::InvalidNamespace, message, hint))
            }
            _ => Ok(Self),
        }
    }
}

/// The one name that path, query and header say, each of which may say none.
async fn named(head: &mut Parts, in_path: Option<Namespace>) -> Result<Namespace, Refusal> {
    let Query(asked) = Query::<InNamespace>::from_request_parts(head, &()).await?;
    let in_query = asked.namespace.as_deref().map(parse).transpose()?;
    let places = [("path", in_path), ("query", in_query), ("header", in_header(head)?)];
    let mut names = places.into_iter().filter_map(|(place, name)| Some((place, name?)));
    let Some((first, name)) = names.next() else { return Ok(Namespace::DEFAULT) };
    match names.find(|(_, other)| *other != name) {
        Some((place, other)) => Err(two(format!("the {first} names namespace {name}, the {place} {other}"))),
        None => Ok(name),
    }
}

fn in_header(head: &Parts) -> Result<Option<Namespace>, Refusal> {
    let in_headers = head.headers.get_all(Namespace::HEADER).iter().map(HeaderValue::as_bytes);
    Namespace::in_headers(in_headers).map_err(|not_one| match not_one {
        NotOneNamespace::None(text) => none(&text),
        NotOneNamespace::Several => two("two headers name two namespaces".to_owned()),
    })
}

fn two(message: String) -> Refusal {
    Refusal::new(RefusalCode::InvalidNamespace, message, "leave out one of them")
}

fn none(text: &str) -> Refusal {
    let hint = format!("a namespace is {}", Namespace::FORM);
    Refusal::new(RefusalCode::InvalidNamespace, format!("{text:?} is no namespace"), hint)
}

fn parse(name: &str) -> Result<Namespace, Refusal> {
    Namespace::parse(name).ok_or_else(|| none(name))
}

/// The space that a request is about, which may be made for it: so handlers have it last, when nothing that they take in is
/// refused any more. One that has a body or that can still refuse takes the [`Target`], and changes the space by
/// [`Spaces::change`](crate::world::Spaces::change), which makes none for what is refused.
#[derive(Debug)]
pub(super) struct Scope(pub(super) Arc<Space>);

impl FromRequest<Arc<Control>> for Scope {
    type Rejection = Refusal;

    async fn from_request(request: Request, control: &Arc<Control>) -> Result<Self, Refusal> {
        let (mut head, _) = request.into_parts();
        let Target(name) = Target::from_request_parts(&mut head, control).await?;
        Ok(Self(control.spaces.of(&name)?))
    }
}

impl From<NoSpace> for Refusal {
    fn from(none: NoSpace) -> Self {
        match none {
            NoSpace::TooMany(most) => {
                let message = format!("there are {most} namespaces already");
                let hint = "DELETE /_ecsim/namespaces/{name} makes room, and so does --max-namespaces";
                Self::new(RefusalCode::TooManyNamespaces, message, hint)
            }
            NoSpace::Seed(mistakes) => {
                let hint =
                    "the seeds are good for default and not for this namespace: take another name, or change them";
                Self::mistakes(RefusalCode::SeedsFailed, &mistakes, hint)
            }
        }
    }
}
