//! What people are told who ask why a call was refused: a sentence, and what to do about it.

use super::error::Code;
use super::station::Station;

/// A sentence and a hint, with `{name}` for the facts of the refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub sentence: &'static str,
    /// Empty where there is no obvious next step.
    pub hint: &'static str,
}

impl Explanation {
    /// Of a refusal with a code at a station.
    pub fn of(station: Station, code: Code) -> Self {
        let (sentence, hint) = match (station, code) {
            (_, Code::Internal | Code::RamInternal | Code::StsInternal) => {
                ("ecsim itself failed where it should have answered.", "the log says where; that is worth a report")
            }
            (Station::Transport, Code::BodyTooLarge) => (station.sentence(), "--max-body-size raises the limit"),
            (Station::Transport, Code::HeadersTooLarge) => (station.sentence(), "--max-header-size raises the limit"),
            (Station::Transport, Code::TooSlow) => {
                (station.sentence(), "--header-timeout and --body-timeout say how long a request may take to arrive")
            }
            (Station::Encoding, Code::InvalidParameter) => {
                ("The request has more parameters than a request may have.", "--max-params raises the limit")
            }
            (Station::Method, Code::ActionNotFound) => (
                station.sentence(),
                "send calls to the path /; the control API is under /_ecsim/, metadata under /latest/",
            ),
            (Station::Action, Code::NotEmulated) => {
                ("The vendor has this action, ecsim does not.", "GET /_ecsim/coverage lists the actions that it has")
            }
            (Station::Action, Code::InvalidVersion) => ("No product has the API version {version}.", ""),
            (Station::Action, Code::ActionNotFound) => ("{product} has no action {action}.", ""),
            (Station::CommonParameters, Code::SignatureIncomplete) => (
                "The header Authorization is not whole, or leaves unsigned what has to be signed.",
                "it is ALGORITHM Credential=…,SignedHeaders=…,Signature=…, and signs each x-acs-action, x-acs-version, \
                 x-acs-date and x-acs-content-sha256 that is sent",
            ),
            (Station::CommonParameters, Code::InvalidBearerToken) => {
                ("The call shows a bearer token, which ecsim does not take.", "sign with a key")
            }
            (Station::CommonParameters, Code::InvalidSignatureMethod) => {
                ("The call is signed as ACS4, which ecsim does not verify.", "sign as V1 or ACS3")
            }
            (Station::CommonParameters, _) => (
                "{parameter} is absent or empty, which every signed call has.",
                "sign the call; with --auth off nobody looks at signatures",
            ),
            (Station::Key, Code::AccessKeyInactive) => (
                "The key {access_key_id} is there, and inactive.",
                "UpdateAccessKey with Status=Active, or `status` of the key in the seed, makes it active",
            ),
            (Station::Key, _) => (
                "No key has the id {access_key_id} in this namespace.",
                "GET /_ecsim/credentials lists the keys; outside `default` their ids end in @NAMESPACE",
            ),
            (Station::Time, Code::TimestampFormat) => (
                "The time of the signature, {signed_at}, is not of the form YYYY-MM-DDThh:mm:ssZ.",
                "write UTC, to the second",
            ),
            (Station::Time, _) => (
                "The call was signed for {signed_at}. It is {world_time} in the world and {machine_time} by the machine's \
                 clock, and a signature may be {allowed_skew} off.",
                "sign with the time that it is; or move the world's with /_ecsim/clock, or widen --clock-skew",
            ),
            (Station::Signature, Code::InvalidSignatureMethod) => (
                "Signatures of the method {signature_method} are not verified.",
                "sign with HMAC-SHA1, or with ACS3-HMAC-SHA256",
            ),
            (Station::Signature, Code::InvalidParameter) => {
                ("SignatureVersion is not 1.0.", "send SignatureVersion=1.0")
            }
            (Station::Signature, _) => (
                station.sentence(),
                "compare string_to_sign with what the client has signed (canonical_request first, if it is there); where \
                 they are the same, the client has another secret",
            ),
            (Station::Nonce, _) => (
                "The key has used this nonce before: every call needs one of its own, a retry too.",
                "draw a new nonce for each attempt; with --auth lenient nobody looks at nonces",
            ),
            (Station::Token, _) => (
                "The key is a temporary one, and its SecurityToken {token_fault}.",
                "send key id, secret and token of one answer together, and get new ones before they expire",
            ),
            (Station::Fault, _) => (
                "{fault} has the call fail: a fault, or a limit, that somebody has set.",
                "GET /_ecsim/chaos/faults and /_ecsim/chaos/limits list them, DELETE takes them away",
            ),
            (Station::Permission, _) => (
                "{principal_type} {principal} may not do {action} on {resource}: {reason}.",
                "attach a policy that allows it, and none that denies it; with --ram soft the call passes and header \
                 x-ecsim-would-deny says what would be refused",
            ),
            (Station::Rules, Code::RoleInstanceNotFound | Code::InstanceNotFound | Code::MetadataInstanceNotFound) => (
                "The account has no such instance in the region of the call.",
                "GET /_ecsim/instances lists the instances with account and region",
            ),
            (Station::Rules, Code::RoleNotFound | Code::RamRoleNotFound | Code::AssumedRoleNotFound) => {
                ("The account has no such role.", "GET /_ecsim/roles lists the roles of all accounts")
            }
            (Station::Rules, Code::RoleNotForEcs) => {
                ("The role's trust policy does not let ECS assume it.", "let it trust the service ecs.aliyuncs.com")
            }
            (Station::Rules, Code::OtherRoleAttached) => (
                "The instance carries another role, which has to come off first.",
                "DetachInstanceRamRole takes it off",
            ),
            (Station::Rules, Code::OwnerAssumesRole) => (
                "The key is that of the account itself, which assumes no role.",
                "sign with the key of a user or of a session",
            ),
            _ => (station.sentence(), ""),
        };
        Self { sentence, hint }
    }

    /// The sentence with the facts in it.
    pub fn sentence(&self, facts: &[(&'static str, String)]) -> String {
        let mut text = String::new();
        let mut rest = self.sentence;
        while let Some((plain, place)) = rest.split_once('{')
            && let Some((name, behind)) = place.split_once('}')
        {
            text.push_str(plain);
            let fact = facts.iter().find(|(known, _)| *known == name);
            text.push_str(fact.map_or("(not told)", |(_, value)| value));
            rest = behind;
        }
        text + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_put_into_their_places_and_left_as_they_are() {
        let explanation = Explanation { sentence: "{a} is {b}, {c}.", hint: "" };
        let facts = [("b", "{a}".to_owned()), ("a", "x".to_owned())];
        assert_eq!(explanation.sentence(&facts), "x is {a}, (not told).");
    }

    #[test]
    fn every_refusal_has_a_sentence() {
        for station in Station::ALL {
            for code in Code::ALL {
                let Explanation { sentence, hint } = Explanation::of(*station, *code);
                assert!(sentence.ends_with('.') && !hint.ends_with('.'), "{} {code:?}", station.name());
                assert_eq!(sentence.matches('{').count(), sentence.matches('}').count());
            }
        }
    }
}
