//! Location, 2015-06-12: where clients ask for the endpoint of a product.

mod describe_endpoints;

use crate::api::action::{Entry, reads};

/// The actions that are emulated, by name.
pub(crate) static ACTIONS: &[Entry] = &[reads::<describe_endpoints::DescribeEndpoints>()];
