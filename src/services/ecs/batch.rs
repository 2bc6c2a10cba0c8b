//! When a part of a batch over instances fails, or the whole (decision 1).

use crate::api::action::Ctx;
use crate::api::error::ApiError;
use crate::world::{InstanceId, RoleName};

/// Why one instance of a batch fails.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: ApiError,
    /// The role that stays attached to the instance, if that is why it fails.
    pub(super) still_attached: Option<RoleName>,
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), still_attached: None }
    }
}

/// What a fault with effect `partial` has one instance of the call fail with: the one that it names, or else the first.
///
/// # Errors
/// The fault's.
pub(super) fn injected(ctx: &Ctx<'_>, position: usize, id: &InstanceId) -> Result<(), Failure> {
    match ctx.partial {
        Some(partial) if partial.instance.map_or(position == 0, |named| named == id) => {
            Err(ApiError::injected(partial.error).into())
        }
        _ => Ok(()),
    }
}

/// If every instance fails with the same code, that code is the answer to the call, and nothing
/// may change; so with one instance a failure is always call-level (ecs-instance-ram-role.md 5.4,
/// inferred from one recording and what clients look at).
///
/// # Errors
/// The common failure.
pub(super) fn whole_call_error<T>(checked: &[(InstanceId, Result<T, Failure>)]) -> Result<(), ApiError> {
    let mut failures = checked.iter().map(|(_, result)| result.as_ref().err().map(|failure| &failure.error));
    let Some(Some(first)) = failures.next() else { return Ok(()) };
    if failures.all(|error| error.is_some_and(|error| error.wire() == first.wire())) {
        Err(first.clone())
    } else {
        Ok(())
    }
}
