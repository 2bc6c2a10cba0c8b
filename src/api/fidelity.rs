//! What the emulator does where the sources leave it open, and where it knowingly differs.
//!
//! `docs/fidelity.md` is made from this table, the error table and the action tables.

use super::error::Evidence;

/// A rule that acts somewhere, and how well it is known.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub rule: &'static str,
    pub evidence: Evidence,
    pub source: &'static str,
    /// The file that acts on it, below `src/`.
    pub place: &'static str,
    /// The test that shows it.
    pub test: &'static str,
}

/// A known difference from the real service.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    pub difference: &'static str,
    pub why: &'static str,
    pub test: &'static str,
}

pub static RULES: &[Rule] = &[];
pub static DIFFERENCES: &[Difference] = &[];
