//! Which code a refusal of the gateway has: ECS keeps an older family for V1 calls (decision 22).

use super::request::Call;
use crate::api::error::{ApiError, Code};
use crate::settings::{GatewayCodes, Settings};

/// A family of codes for the same checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// protocol.md 11.1, recorded
    Ecs,
    /// protocol.md 11.2
    General,
}

/// What is wrong with a security token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    Malformed,
    Mismatch,
    Expired,
}

impl Family {
    pub(super) fn of(settings: &Settings, product: &str, call: &Call<'_>) -> Self {
        if product == "Ecs" && !call.is_in_headers() && settings.codes == GatewayCodes::Ecs {
            Self::Ecs
        } else {
            Self::General
        }
    }

    /// A common parameter is absent or empty.
    pub(super) fn missing(self, name: &'static str) -> ApiError {
        let general = match name {
            "AccessKeyId" => Code::MissingAccessKeyId,
            "Signature" => Code::MissingSignature,
            "SignatureMethod" => Code::MissingSignatureMethod,
            "SignatureVersion" => Code::MissingSignatureVersion,
            "SignatureNonce" => Code::MissingSignatureNonce,
            "Timestamp" => Code::MissingTimestamp,
            "SecurityToken" => Code::MissingSecurityToken,
            "Version" => Code::MissingVersion,
            other => return Code::MissingParameter.about(other),
        };
        let error = match self {
            Self::Ecs => Code::MissingParameter.about(name),
            Self::General => general.into(),
        };
        error.because([("parameter", name.to_owned())])
    }

    /// The signature's time is too far off.
    pub(super) fn out_of_time(self) -> ApiError {
        match self {
            Self::Ecs => Code::EcsIllegalTimestamp.into(),
            Self::General => Code::TimestampExpired.into(),
        }
    }

    /// A V1 signature is not ours. The text ends in the server's string to sign, with nothing
    /// after it: SDKs compare it with their own (protocol.md 10.3).
    pub(super) fn mismatch(self, string_to_sign: &str) -> ApiError {
        match self {
            Self::Ecs => Code::EcsSignatureMismatch.about(string_to_sign),
            Self::General => Code::SignatureMismatchV1.about(string_to_sign),
        }
    }

    /// The ECS names beside `Expired` are by analogy (protocol.md 11.1, inferred).
    pub(super) fn token(self, fault: TokenFault) -> ApiError {
        let (ecs, general) = match fault {
            TokenFault::Malformed => ("SecurityToken.Malformed", Code::TokenMalformed),
            TokenFault::Mismatch => ("SecurityToken.MismatchWithAccessKey", Code::TokenMismatch),
            TokenFault::Expired => ("SecurityToken.Expired", Code::TokenExpired),
        };
        match self {
            Self::Ecs => Code::InvalidParameter.about(ecs),
            Self::General => general.into(),
        }
    }
}
