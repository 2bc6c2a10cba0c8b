//! What the inputs of several ECS actions read alike.

use std::ops::RangeInclusive;

use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{InstanceId, Region};

/// How many instance ids a role action takes (ecs-instance-ram-role.md 2.1; Describe: decision 10).
const ROLE_CALL: RangeInclusive<usize> = 1..=100;

/// The region that `RegionId` names; call it once all required parameters are known to be there.
///
/// # Errors
/// `MissingParameter`, `InvalidRegionId.NotFound`.
pub(super) fn region(params: &Params<'_>) -> Result<&'static Region, ApiError> {
    Region::find(params.required("RegionId")?).ok_or_else(|| Code::RegionNotFound.into())
}

/// `InstanceIds` of the three role actions (decisions 11 and 12); `None` if absent or empty.
///
/// # Errors
/// `InvalidInstanceIds.Malformed`.
pub(super) fn role_instance_ids(params: &Params<'_>) -> Result<Option<Vec<InstanceId>>, ApiError> {
    params.json_list("InstanceIds", ROLE_CALL).transpose().map_err(|_| Code::InstanceIdsMalformed.into())
}

/// The part of a list that begins after `start` rows and has at most `size`, and how many rows there
/// are in all; nothing else of the list is kept.
pub(super) fn window<T>(rows: impl Iterator<Item = T>, start: usize, size: u32) -> (Vec<T>, usize) {
    let (mut shown, mut total) = (Vec::new(), 0);
    for row in rows {
        if total >= start && shown.len() < size as usize {
            shown.push(row);
        }
        total += 1;
    }
    (shown, total)
}

/// How many rows stand before page `number` (from 1) of `size` rows.
pub(super) fn before_page(number: u32, size: u32) -> usize {
    (number as usize - 1).saturating_mul(size as usize)
}
