//! What is asked of recorded requests, and in what one differs from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::world::journal::{Parameter, Record};

/// Members that a request has to have; those that are left out are not looked at.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct Members {
    /// In any case.
    pub(super) action: Option<String>,
    /// Such as `Ecs`, in any case; `imds` is the metadata service.
    pub(super) product: Option<String>,
    /// The whole code; `OK` is success.
    pub(super) code: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) access_key_id: Option<String>,
    pub(super) path: Option<String>,
    /// An instance that the call names in `InstanceId`, `InstanceId.N` or `InstanceIds`, or that asks for its metadata.
    pub(super) instance_id: Option<String>,
    /// By name: a text is the value as it was sent, any other JSON what the value reads as, `null` that it was not there.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Object>)]
    pub(super) parameters: BTreeMap<String, Value>,
}

/// A member in which a request differs from what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Difference {
    /// Such as `action` or `parameters.RamRoleName`.
    pub(super) member: String,
    /// `null`: that it is not there.
    pub(super) wanted: Option<String>,
    /// `null`: it is not there.
    pub(super) seen: Option<String>,
    /// Whether nobody can know: of what the request had there, not all is kept.
    #[serde(skip)]
    pub(super) is_unknown: bool,
}

impl Members {
    /// Every member in which a record differs, in the order of the members.
    pub(super) fn differences(&self, record: &Record) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut differ = |is_equal: Option<bool>, member: &str, wanted: Option<String>, seen: Option<String>| {
            if is_equal != Some(true) {
                let is_unknown = is_equal.is_none();
                differences.push(Difference { member: member.to_owned(), wanted, seen, is_unknown });
            }
        };
        let texts = [
            ("action", &self.action, record.action(), true),
            ("product", &self.product, record.product, true),
            ("code", &self.code, Some(record.code()), false),
            ("access_key_id", &self.access_key_id, record.access_key_id(), false),
            ("path", &self.path, Some(record.path()), false),
        ];
        for (member, wanted, seen, in_any_case) in texts {
            let Some(wanted) = wanted else { continue };
            let is_equal = |seen: &str| seen == wanted || (in_any_case && seen.eq_ignore_ascii_case(wanted));
            differ(Some(seen.is_some_and(is_equal)), member, Some(wanted.clone()), seen.map(str::to_owned));
        }
        if let Some(status) = self.status {
            differ(Some(record.status == status), "status", Some(status.to_string()), Some(record.status.to_string()));
        }
        if let Some(id) = &self.instance_id {
            let named = instances(record);
            let seen = (!named.is_empty()).then(|| named.join(", "));
            let is_cut = |parameter: Parameter<'_>| parameter.name.starts_with("InstanceId") && parameter.is_cut();
            let is_whole = record.parameters_left_out == 0 && !record.parameters().any(is_cut);
            let is_named = named.contains(id);
            differ((is_named || is_whole).then_some(is_named), "instance_id", Some(id.clone()), seen);
        }
        for (name, wanted) in &self.parameters {
            let seen = record.parameter(name);
            let text = match wanted {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            // One that is not kept may have been any.
            let left_out = Some(record.parameters_left_out).filter(|count| seen.is_none() && *count > 0);
            let left_out = left_out.map(|count| format!("one of {count} that are not kept, or absent"));
            let is_equal = if left_out.is_some() { None } else { is(seen, wanted) };
            differ(is_equal, &format!("parameters.{name}"), text, seen.map(written).or(left_out));
        }
        differences
    }
}

/// Whether a parameter is what is wanted of it, if that can be known.
fn is(seen: Option<Parameter<'_>>, wanted: &Value) -> Option<bool> {
    match (seen, wanted) {
        (seen, Value::Null) => Some(seen.is_none()),
        (None, _) => Some(false),
        (Some(seen), Value::String(text)) => Some(seen.was(text)),
        (Some(seen), _) if seen.is_cut() => None,
        (Some(seen), wanted) => Some(serde_json::from_str::<Value>(seen.value).is_ok_and(|seen| seen == *wanted)),
    }
}

/// A value, or how much of it there is.
fn written(parameter: Parameter<'_>) -> String {
    let Parameter { value, bytes, .. } = parameter;
    if parameter.is_cut() { format!("{value}… ({bytes} bytes)") } else { value.to_owned() }
}

/// The ids of instances that a request names.
fn instances(record: &Record) -> Vec<String> {
    let mut ids: Vec<String> = record.instance().into_iter().map(str::to_owned).collect();
    for Parameter { name, value, .. } in record.parameters() {
        match name {
            // What a client has put between quotes, of either kind; of a list that is cut, those that are whole.
            "InstanceIds" => ids.extend(value.split(['"', '\'']).skip(1).step_by(2).map(str::to_owned)),
            _ if name == "InstanceId" || name.starts_with("InstanceId.") => ids.push(value.to_owned()),
            _ => {}
        }
    }
    ids
}
