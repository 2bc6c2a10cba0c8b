//! Which product and which action a call is for.

use crate::api::action::{Entry, Product};
use crate::api::error::{ApiError, Code};
use crate::services::{ecs, location, ram, sts};

/// The products, told by their version (decision 26). The name lists are made by
/// `scripts/vendor-actions`; where there is none, no name is known but the emulated ones.
pub static PRODUCTS: &[Product] = &[
    Product {
        name: "Ecs",
        version: "2014-05-26",
        actions: ecs::ACTIONS,
        refusal: Code::ForbiddenRam,
        failure: Code::Internal,
        vendor_names: include_str!("vendor_actions/ecs.txt"),
    },
    Product {
        name: "Ram",
        version: "2015-05-01",
        actions: ram::ACTIONS,
        refusal: Code::NoPermission,
        failure: Code::RamInternal,
        vendor_names: include_str!("vendor_actions/ram.txt"),
    },
    Product {
        name: "Sts",
        version: "2015-04-01",
        actions: sts::ACTIONS,
        refusal: Code::StsNoPermission,
        failure: Code::StsInternal,
        vendor_names: include_str!("vendor_actions/sts.txt"),
    },
    Product {
        name: "Location",
        version: "2015-06-12",
        actions: location::ACTIONS,
        refusal: Code::ForbiddenRam,
        failure: Code::Internal,
        vendor_names: "",
    },
    Product {
        name: "Vpc",
        version: "2016-04-28",
        actions: &[],
        refusal: Code::ForbiddenRam,
        failure: Code::Internal,
        vendor_names: "",
    },
    Product {
        name: "BssOpenApi",
        version: "2017-12-14",
        actions: &[],
        refusal: Code::ForbiddenRam,
        failure: Code::Internal,
        vendor_names: "",
    },
];

/// The product of a version; `None` if the call names none.
///
/// # Errors
/// `InvalidVersion` for a version of no product.
pub(super) fn product(
    products: &'static [Product],
    version: Option<&str>,
) -> Result<Option<&'static Product>, ApiError> {
    let Some(version) = version else { return Ok(None) };
    let product = products.iter().find(|product| product.version == version).ok_or(Code::InvalidVersion)?;
    Ok(Some(product))
}

/// The action of a name, in any case (decision 27).
///
/// # Errors
/// `UnsupportedOperation.NotEmulated` for one that the vendor has (decision 18),
/// `InvalidAction.NotFound` for any other.
pub(super) fn entry(product: &'static Product, name: &str) -> Result<&'static Entry, ApiError> {
    product.entry(name).ok_or_else(|| match product.vendor_name(name) {
        Some(name) => Code::NotEmulated.about(name),
        None => Code::ActionNotFound.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_their_names_are_the_vendor_s() {
        for product in PRODUCTS {
            assert!(product.actions.is_sorted_by(|a, b| a.name < b.name), "{}", product.name);
            if !product.vendor_names.is_empty() {
                for entry in product.actions {
                    assert_eq!(product.vendor_name(entry.name), Some(entry.name));
                }
            }
        }
    }

    #[test]
    fn the_vendor_has_380_ecs_actions() {
        let ecs = &PRODUCTS[0];
        assert_eq!(ecs.not_emulated().count() + ecs.actions.len(), 380);
    }

    /// A file without a row would be an unused struct; this catches a file without its `mod` line.
    #[test]
    fn every_action_file_has_a_row() {
        for product in PRODUCTS.iter().filter(|product| !product.actions.is_empty()) {
            let folder = format!("{}/src/services/{}", env!("CARGO_MANIFEST_DIR"), product.name.to_lowercase());
            let mut files = Vec::new();
            for file in std::fs::read_dir(folder).expect("the product's folder") {
                let path = file.expect("a file").path();
                let text = std::fs::read_to_string(&path).expect("source");
                if text.contains("impl Action for ") {
                    files.push(path.file_stem().expect("a name").to_string_lossy().replace('_', ""));
                }
            }
            files.sort();
            let mut rows: Vec<_> = product.actions.iter().map(|entry| entry.name.to_lowercase()).collect();
            rows.sort();
            assert_eq!(files, rows, "{}", product.name);
        }
    }
}
