//! Calls: read from the bytes of a request, or put together and signed.

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use ecsim::gateway::registry::PRODUCTS;
use ecsim::settings::{AuthMode, Settings};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::{Map, Value};

use crate::by_the_book::{self, Hash, Pair};
use crate::worlds::{self, KEYS, NOW};

/// The head and the body of a request as it is on the wire; a body ends where the bytes end.
pub fn of_bytes(data: &[u8]) -> Option<(Parts, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(data).ok()? else { return None };
    let headers = request.headers.iter().map(|header| (header.name.as_bytes(), header.value));
    let head = head(request.method?, request.path?.as_bytes(), headers)?;
    Some((head, &data[length..]))
}

fn head<'h>(method: &str, target: &[u8], headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Option<Parts> {
    let mut head = Request::new(()).into_parts().0;
    head.method = Method::from_bytes(method.as_bytes()).ok()?;
    head.uri = Uri::try_from(target).ok()?;
    for (name, value) in headers {
        head.headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(head)
}

/// Some calls, one after the other in one world.
#[derive(Arbitrary, Debug)]
pub struct Session {
    auth: Auth,
    general_codes: bool,
    few_params: bool,
    calls: Vec<Call>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Auth {
    Strict,
    Lenient,
    Off,
}

impl Session {
    pub fn is_strict(&self) -> bool {
        matches!(self.auth, Auth::Strict)
    }

    pub fn settings(&self) -> Settings {
        let auth = match self.auth {
            Auth::Strict => AuthMode::Strict,
            Auth::Lenient => AuthMode::Lenient,
            Auth::Off => AuthMode::Off,
        };
        let mut settings = worlds::settings(auth);
        if self.general_codes {
            settings = worlds::with_general_codes(settings);
        }
        if self.few_params {
            settings.max_params = 10;
        }
        settings
    }

    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().take(6)
    }
}

/// One call.
#[derive(Arbitrary, Debug)]
pub struct Call {
    signature: Signature,
    post: bool,
    /// Any other method.
    method: Option<String>,
    action: Text<Action>,
    version: Option<String>,
    product: u8,
    params: Vec<(Text<Name>, ValueOf)>,
    place: Place,
    host: Option<Vec<u8>>,
    headers: Vec<(Text<Header>, Vec<u8>)>,
    /// Stands after the signed query, and is not signed.
    tail: Option<String>,
    /// Stands after the signed body.
    body_tail: Option<Vec<u8>>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Signature {
    None,
    V1 { key: u8, sha256: bool },
    Acs3 { key: u8, sm3: bool },
}

/// Where the parameters stand.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    Query,
    Form,
    Json,
    /// Every other one in the form.
    Both,
}

/// A text that is often one of those that mean something.
#[derive(Arbitrary, Debug)]
enum Text<K> {
    Known(K),
    Any(String),
}

/// Which of the known texts.
macro_rules! known {
    ($name:ident: $($text:literal)*) => {
        #[derive(Arbitrary, Debug)]
        struct $name(u8);

        impl Known for $name {
            fn text(&self) -> &'static str {
                const TEXTS: &[&str] = &[$($text),*];
                TEXTS[usize::from(self.0) % TEXTS.len()]
            }
        }
    };
}

trait Known {
    fn text(&self) -> &'static str;
}

known!(Action: "AttachInstanceRamRole" "DescribeInstanceAttribute" "DescribeInstanceRamRole" "DescribeInstanceStatus"
    "DescribeInstances" "DescribeRegions" "DescribeZones" "DetachInstanceRamRole" "DescribeEndpoints"
    "detachinstanceramrole" "RunInstances" "ModifyInstanceMetadataOptions" "CreateRole" "GetRole" "ListRoles" "UpdateRole"
    "DeleteRole" "CreateUser" "ListUsers" "DeleteUser" "CreateAccessKey" "UpdateAccessKey" "DeleteAccessKey"
    "ListAccessKeys" "CreatePolicy" "GetPolicy" "ListPolicies" "DeletePolicy" "CreatePolicyVersion"
    "SetDefaultPolicyVersion" "DeletePolicyVersion" "AttachPolicyToRole" "AttachPolicyToUser" "DetachPolicyFromRole"
    "DetachPolicyFromUser" "ListEntitiesForPolicy" "TagResources" "UntagResources" "ListTagResources" "AssumeRole"
    "GetCallerIdentity");

known!(Name: "RegionId" "InstanceIds" "RamRoleName" "Policy" "PageNumber" "PageSize" "MaxResults" "NextToken" "DryRun"
    "Tag.1.Key" "Tag.1.Value" "Tag.2.Key" "Tag.02.Key" "Tag.0.Key" "InstanceId" "InstanceId.1" "InstanceId.2" "ZoneId" "Format"
    "AcceptLanguage" "ResourceType" "InstanceChargeType" "SpotStrategy" "Id" "ServiceCode" "Type" "InstanceName"
    "Status" "InstanceNetworkType" "VpcId" "InstanceType" "InstanceTypeFamily" "PrivateIpAddresses" "EipAddresses"
    "SecurityGroupId" "LockReason" "Verbose" "Action" "Version" "SecurityToken" "SignatureType" "AccessKeyId" "RoleName"
    "UserName" "PolicyName" "PolicyType" "PolicyDocument" "AssumeRolePolicyDocument" "NewAssumeRolePolicyDocument"
    "NewDescription" "Description" "MaxSessionDuration" "UserAccessKeyId" "VersionId" "CascadingDelete" "SetAsDefault"
    "ResourceNames" "Tag" "TagKey.1" "All" "Marker" "MaxItems" "RoleArn" "RoleSessionName" "DurationSeconds" "HttpTokens");

known!(Word: "cn-hangzhou" "cn-beijing" "cn-hangzhou-k" "web-role" "WEB-ROLE" "batch-role" "fc-role" "nobody"
    "{}" r#"{"Version":"1","Statement":[]}"# "1" "0" "10" "100" "101" "4294967295" "true" "False" "JSON" "xml" "None"
    "Running" "Stopped" "classic" "vpc" "PostPaid" "PrePaid" "i-bp1ecsim0000000web01" "i-bp1ecsim0000batch001"
    r#"["172.16.0.10"]"# "*web*" "web*" "tier" "web" "ecs" "openAPI" "zh-CN" "" "BEARERTOKEN" "1000000000000001" "reader" "no-pass"
    "operator" "Custom" "System" "Active" "Inactive" "v1" "v2" "role" "policy" "job" "900" "AdministratorAccess" "p"
    "acs:ram::1000000000000001:role/operator" r#"["web-role","WEB-ROLE"]"# r#"[{"Key":"k","Value":"v"}]"# "required"
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ecs.aliyuncs.com"}}]}"#);

known!(Header: "accept" "user-agent" "x-acs-action" "x-acs-version" "x-acs-date" "x-acs-signature-nonce"
    "x-acs-content-sha256" "x-acs-security-token" "x-acs-bearer-token" "authorization" "content-type" "host");

known!(Instance: "i-bp1ecsim0000000web01" "i-bp1ecsim0000000web02" "i-bp1ecsim0000batch001" "i-0" "i-1" "i-nobody"
    "i-]]>&\0\r\n" "");

impl<K: Known> Text<K> {
    fn text(&self) -> &str {
        match self {
            Self::Known(known) => known.text(),
            Self::Any(text) => text,
        }
    }
}

#[derive(Arbitrary, Debug)]
enum ValueOf {
    Word(Word),
    Ids(Vec<Instance>),
    Number(u32),
    Any(String),
}

impl ValueOf {
    fn text(&self) -> String {
        match self {
            Self::Word(word) => word.text().to_owned(),
            Self::Ids(ids) => Value::from(ids.iter().map(Known::text).collect::<Vec<_>>()).to_string(),
            Self::Number(number) => number.to_string(),
            Self::Any(text) => text.clone(),
        }
    }
}

/// A call as it goes to the gateway.
#[derive(Debug)]
pub struct Sent {
    pub head: Parts,
    pub body: Vec<u8>,
    /// The key that it is signed with, by the book.
    pub key: Option<&'static str>,
}

/// Query, headers and body of a call that is being put together.
#[derive(Default)]
struct Draft {
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call {
    /// The call, if HTTP can carry it; `number` makes its nonce.
    pub fn send(&self, number: usize) -> Option<Sent> {
        let method = match &self.method {
            Some(method) => method,
            None if self.post => "POST",
            None => "GET",
        };
        let product = &PRODUCTS[usize::from(self.product) % PRODUCTS.len()];
        let version = self.version.as_deref().unwrap_or(product.version);
        let (action, nonce) = (self.action.text(), format!("nonce-{number}"));
        let mut params: BTreeMap<String, String> =
            self.params.iter().map(|(name, value)| (name.text().to_owned(), value.text())).collect();
        let mut set = |name: &str, value: &str| params.insert(name.to_owned(), value.to_owned());

        let mut draft = match self.signature {
            Signature::None => {
                set("Action", action);
                set("Version", version);
                self.place_params(&params)
            }
            Signature::V1 { key, sha256 } => {
                let (id, secret, token) = KEYS[usize::from(key) % KEYS.len()];
                let (name, hash) = if sha256 { ("HMAC-SHA256", Hash::Sha256) } else { ("HMAC-SHA1", Hash::Sha1) };
                for (name, value) in [
                    ("Action", action),
                    ("Version", version),
                    ("AccessKeyId", id),
                    ("SignatureMethod", name),
                    ("SignatureVersion", "1.0"),
                    ("SignatureNonce", &nonce),
                    ("Timestamp", NOW),
                ] {
                    set(name, value);
                }
                if let Some(token) = token {
                    set("SecurityToken", token);
                }
                let pairs: Vec<Pair> = params.clone().into_iter().collect();
                let text = by_the_book::v1_string_to_sign(method, &pairs);
                params.insert("Signature".to_owned(), by_the_book::v1_signature(hash, secret, &text));
                self.place_params(&params)
            }
            Signature::Acs3 { .. } => self.place_params(&params),
        };
        let target = |query: &str| if query.is_empty() { "/".to_owned() } else { format!("/?{query}") };
        draft.headers.push(("host".to_owned(), self.host.clone().unwrap_or_else(|| b"127.0.0.1:4580".to_vec())));
        if let Signature::Acs3 { key, sm3 } = self.signature {
            let (id, secret, token) = KEYS[usize::from(key) % KEYS.len()];
            let (algorithm, hash) = if sm3 { ("ACS3-HMAC-SM3", Hash::Sm3) } else { ("ACS3-HMAC-SHA256", Hash::Sha256) };
            let mut set = |name: &str, value: &str| draft.headers.push((name.to_owned(), value.as_bytes().to_vec()));
            set("x-acs-action", action);
            set("x-acs-version", version);
            set("x-acs-date", NOW);
            set("x-acs-signature-nonce", &nonce);
            set("x-acs-content-sha256", &by_the_book::hex(&hash.of(&draft.body)));
            if let Some(token) = token {
                set("x-acs-security-token", token);
            }
            let names = draft.headers.iter().map(|(name, _)| name.as_str());
            let signed_headers = names.collect::<Vec<_>>().join(";");
            let pairs: Vec<_> =
                draft.query.split('&').map(|piece| by_the_book::decode_piece(piece.as_bytes())).collect();
            let pairs: Vec<Pair> = pairs.into_iter().filter_map(Result::ok).flatten().collect();
            let query = by_the_book::acs3_query(&pairs);
            let canonical =
                by_the_book::acs3_request(hash, method, &query, &draft.headers, &signed_headers, &draft.body);
            let text = by_the_book::acs3_string_to_sign(algorithm, hash, &canonical);
            let signature = by_the_book::acs3_signature(hash, secret, &text);
            let value = format!("{algorithm} Credential={id},SignedHeaders={signed_headers},Signature={signature}");
            draft.headers.push(("authorization".to_owned(), value.into_bytes()));
        }
        let key = match self.signature {
            Signature::None => None,
            Signature::V1 { key, .. } | Signature::Acs3 { key, .. } => Some(KEYS[usize::from(key) % KEYS.len()].0),
        };
        let has_more = !self.headers.is_empty() || self.tail.is_some() || self.body_tail.is_some();
        draft.headers.extend(self.headers.iter().map(|(name, value)| (name.text().to_owned(), value.clone())));
        draft.query.push_str(self.tail.as_deref().unwrap_or_default());
        draft.body.extend_from_slice(self.body_tail.as_deref().unwrap_or_default());
        let headers = draft.headers.iter().map(|(name, value)| (name.as_bytes(), &**value));
        let head = head(method, target(&draft.query).as_bytes(), headers)?;
        Some(Sent { head, body: draft.body, key: key.filter(|_| !has_more) })
    }

    fn place_params(&self, params: &BTreeMap<String, String>) -> Draft {
        let pairs: Vec<Pair> = params.clone().into_iter().collect();
        let mut draft = Draft::default();
        let mut body = |kind: &str, text: String| {
            draft.headers.push(("content-type".to_owned(), kind.as_bytes().to_vec()));
            draft.body = text.into_bytes();
        };
        let form = "application/x-www-form-urlencoded";
        match self.place {
            Place::Query => draft.query = by_the_book::encode_pairs(&pairs),
            Place::Form => body(form, by_the_book::encode_pairs(&pairs)),
            Place::Json => {
                let members: Map<_, _> = pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
                body("application/json; charset=utf-8", Value::from(members).to_string());
            }
            Place::Both => {
                let (even, odd): (Vec<_>, Vec<_>) = pairs.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
                let encode = |pairs: Vec<(usize, Pair)>| {
                    by_the_book::encode_pairs(&pairs.into_iter().map(|(_, pair)| pair).collect::<Vec<_>>())
                };
                body(form, encode(odd));
                draft.query = encode(even);
            }
        }
        draft
    }
}
