//! When a part of a batch over instances fails, or the whole (decision 1).

use crate::api::action::Ctx;
use crate::api::error::ApiError;
use crate::world::{InstanceId, RoleName};

/// One instance of a batch: what was found of it, or why it fails. The answer has an entry for each, written from this.
#[derive(Debug)]
pub(super) struct Checked<T> {
    pub(super) id: InstanceId,
    pub(super) result: Result<T, Failure>,
}

impl<T> Checked<T> {
    /// Code and message of its entry; `done` is the message where it does not fail.
    pub(super) fn texts(&self, done: &'static str) -> (&str, &str) {
        match &self.result {
            Ok(_) => ("200", done),
            Err(Failure { error, .. }) => (error.wire(), &error.message),
        }
    }
}

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

/// Checks the listed instances one by one, in their order.
///
/// # Errors
/// Those of [`whole_call_error`].
pub(super) fn check<T>(
    ctx: &Ctx<'_>,
    ids: Vec<InstanceId>,
    one: impl Fn(&InstanceId) -> Result<T, Failure>,
) -> Result<Vec<Checked<T>>, ApiError> {
    let check = |(position, id)| {
        let result = injected(ctx, position, &id).and_then(|()| one(&id));
        Checked { id, result }
    };
    let checked: Vec<_> = ids.into_iter().enumerate().map(check).collect();
    whole_call_error(&checked)?;
    Ok(checked)
}

/// How many fail.
pub(super) fn fail_count<T>(checked: &[Checked<T>]) -> usize {
    checked.iter().filter(|one| one.result.is_err()).count()
}

/// What a fault with effect `partial` has one instance of the call fail with: the one that it names, or else the first.
///
/// # Errors
/// The fault's.
fn injected(ctx: &Ctx<'_>, position: usize, id: &InstanceId) -> Result<(), Failure> {
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
fn whole_call_error<T>(checked: &[Checked<T>]) -> Result<(), ApiError> {
    let mut failures = checked.iter().map(|one| one.result.as_ref().err().map(|failure| &failure.error));
    let Some(Some(first)) = failures.next() else { return Ok(()) };
    if failures.all(|error| error.is_some_and(|error| error.wire() == first.wire())) {
        Err(first.clone())
    } else {
        Ok(())
    }
}
