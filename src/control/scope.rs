//! Which space an endpoint looks at.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::Control;
use crate::world::Space;

/// The space that a request is about.
#[derive(Debug)]
pub(super) struct Scope(pub(super) Arc<Space>);

impl FromRequestParts<Arc<Control>> for Scope {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, control: &Arc<Control>) -> Result<Self, Infallible> {
        Ok(Self(control.spaces.default_space()))
    }
}
