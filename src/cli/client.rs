//! What sub-commands use a running emulator's control API with.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use crate::config::ControlArgs;

/// How long an answer may take: a large seed is read within it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client of one emulator.
pub(super) struct Client {
    /// What mistakes are said to be in.
    subject: &'static str,
    http: reqwest::Client,
    url: String,
    authorization: Option<HeaderValue>,
}

/// The one shape of control errors.
#[derive(Deserialize)]
struct Refused {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
    hint: String,
    #[serde(default)]
    mistakes: Vec<Wrong>,
    #[serde(default)]
    misses: Vec<Miss>,
}

/// An expectation that is not met.
#[derive(Deserialize)]
struct Miss {
    message: String,
}

/// One thing that is wrong with a seed.
#[derive(Deserialize)]
struct Wrong {
    place: String,
    reason: String,
}

impl Client {
    /// `subject` is what mistakes are said to be in, such as `the seed`.
    ///
    /// # Errors
    /// The token cannot be sent, or there is no client to be had.
    pub(super) fn new(args: &ControlArgs, subject: &'static str) -> Result<Self, Failure> {
        let bearer = args.admin_token.as_ref().map(|token| HeaderValue::try_from(token.bearer()));
        let authorization = bearer.transpose().map_err(|_| Failure::Usage {
            message: "--admin-token cannot be sent".to_owned(),
            hint: "it is one line of text".to_owned(),
        })?;
        let http = http(args.emulator.socket(), PATIENCE).map_err(Failure::Runtime)?;
        Ok(Self { subject, http, url: args.emulator.url(), authorization })
    }

    /// What a control endpoint answers, printed for people; `path` is what follows `/_ecsim`.
    ///
    /// # Errors
    /// Those of [`Client::text`].
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<String>) -> Result<String, Failure> {
        let text = self.text(method, path, body).await?;
        let answer: Value = serde_json::from_str(&text).map_err(|_| self.foreign(path, "what is no JSON"))?;
        Ok(format!("{answer:#}"))
    }

    /// What a control endpoint answers, as it is.
    ///
    /// # Errors
    /// Nobody answers, or not as an emulator; or what the emulator refuses, with its hint.
    pub(super) async fn text(&self, method: Method, path: &str, body: Option<String>) -> Result<String, Failure> {
        let url = self.endpoint(path);
        let mut request = self.http.request(method, &url);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let unreached = |error: reqwest::Error| Failure::Runtime(format!("no answer from {url}: {}", chain(&error)));
        let answer = request.send().await.map_err(unreached)?;
        let (status, is_ours) = (answer.status(), answer.headers().contains_key("x-ecsim"));
        let text = answer.text().await.map_err(unreached)?;
        let foreign = || self.foreign(path, &status.to_string());
        if !is_ours {
            return Err(foreign());
        }
        if status.is_success() {
            return Ok(text);
        }
        let Refused { error } = serde_json::from_str(&text).map_err(|_| foreign())?;
        let Reason { message, hint, mistakes, misses } = error;
        if !misses.is_empty() {
            let lines: Vec<_> = misses.into_iter().map(|miss| miss.message).collect();
            return Err(Failure::Unmet { message: format!("not as expected\n{}", lines.join("\n")), hint });
        }
        if mistakes.is_empty() {
            return Err(Failure::Refused { message, hint });
        }
        let lines: Vec<_> = mistakes.iter().map(|Wrong { place, reason }| format!("{place}: {reason}")).collect();
        Err(Failure::Seed { message: format!("{} cannot be used\n{}", self.subject, lines.join("\n")), hint })
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}/_ecsim{path}", self.url)
    }

    fn foreign(&self, path: &str, what: &str) -> Failure {
        Failure::Runtime(format!("{} answers {what}, but not as an emulator", self.endpoint(path)))
    }
}

/// A client that asks nobody else: a proxy would be asked in the emulator's place.
pub(super) fn http(unix: Option<&Path>, timeout: Duration) -> Result<reqwest::Client, String> {
    let mut client = reqwest::Client::builder().no_proxy().timeout(timeout);
    if let Some(path) = unix {
        client = client.unix_socket(path);
    }
    client.build().map_err(|error| chain(&error))
}

/// An error and what caused it, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
