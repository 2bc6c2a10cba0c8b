//! What the fuzz targets share: readers and signers that are as plain as can be, to compare with.

pub mod answer;
pub mod by_the_book;
pub mod call;
pub mod leaves;
pub mod node;
pub mod policies;
pub mod seeds;
pub mod worlds;
