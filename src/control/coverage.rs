//! `/_ecsim/coverage`: what is emulated and what not, made from the dispatch tables.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::api::action::{Entry, Product};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Coverage {
    /// The version of this form.
    schema: u32,
    products: Vec<ProductCoverage>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ProductCoverage {
    product: &'static str,
    version: &'static str,
    emulated: Vec<ActionCoverage>,
    /// Actions that the vendor has besides.
    not_emulated: Vec<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ActionCoverage {
    action: &'static str,
    /// `read` or `write`
    access: &'static str,
}

impl Coverage {
    pub(crate) fn of(products: &'static [Product]) -> Self {
        let action = |entry: &Entry| ActionCoverage { action: entry.name, access: entry.access.name() };
        let product = |product: &Product| ProductCoverage {
            product: product.name,
            version: product.version,
            emulated: product.actions.iter().map(action).collect(),
            not_emulated: product.not_emulated().collect(),
        };
        Self { schema: 1, products: products.iter().map(product).collect() }
    }
}

/// The vendor's actions, and which of them are emulated
#[utoipa::path(get, path = "/_ecsim/coverage", responses((status = 200, body = Coverage)))]
pub(super) async fn coverage(State(control): State<Arc<Control>>) -> Json<Coverage> {
    Json(Coverage::of(control.products))
}
