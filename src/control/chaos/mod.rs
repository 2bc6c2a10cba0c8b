//! `/_ecsim/chaos`: what goes wrong on purpose, in a namespace.

pub(super) mod effects;
pub(super) mod faults;
pub(super) mod limits;
mod read;

use std::time::Duration;

use serde::Serializer;

use super::{Refusal, RefusalCode};
use crate::api::action::Product;
use crate::world::chaos::METADATA;
use crate::world::seed::Mistake;

/// The refusal of a body with mistakes, each with its place.
fn refused(code: RefusalCode, mistakes: &[Mistake], example: &str) -> Refusal {
    let hint = format!("nothing was changed; a body is such as {example}");
    Refusal::mistakes(code, mistakes, hint)
}

/// The names that services have here: in lower case those of the products, and that of the metadata service.
fn services(products: &[Product]) -> Vec<String> {
    products.iter().map(|product| product.name.to_lowercase()).chain([METADATA.to_owned()]).collect()
}

/// A product by the name of its service.
///
/// # Errors
/// What is wrong with the name.
fn product(products: &'static [Product], service: &str) -> Result<&'static Product, String> {
    let found = products.iter().find(|product| product.name.eq_ignore_ascii_case(service));
    found.ok_or_else(|| read::none_of("service", service, &services(products)))
}

/// The spelling of an action among those of some products.
///
/// # Errors
/// What is wrong with the name: no call of what is not emulated comes as far as here.
fn action(products: &[&'static Product], name: &str) -> Result<&'static str, String> {
    if let Some(entry) = products.iter().find_map(|product| product.entry(name)) {
        return Ok(entry.name);
    }
    if let Some(name) = products.iter().find_map(|product| product.vendor_name(name)) {
        return Err(format!("{name} is not emulated, so that no call of it comes so far"));
    }
    let known: Vec<_> =
        products.iter().flat_map(|product| product.actions).map(|entry| entry.name.to_owned()).collect();
    Err(read::none_of("action", name, &known))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A whole number as one, so that what was written `10` is not shown as `10.0`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn shortest<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.fract() == 0.0 { serializer.serialize_i64(*number as i64) } else { serializer.serialize_f64(*number) }
}
