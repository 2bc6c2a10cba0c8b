//! What sub-commands use a running emulator's control API with.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderValue, Method};
use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use super::exchange::{Answer, Question};
use crate::config::{ControlArgs, WhereArgs};

/// How long an answer may take: a large seed is read within it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client of one emulator.
pub(super) struct Client<'a> {
    /// What mistakes are said to be in, where they are not in the emulator's own seeds.
    subject: &'static str,
    emulator: &'a WhereArgs,
    authorization: Option<HeaderValue>,
}

/// The one shape of control errors.
#[derive(Deserialize)]
struct Refused {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
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

/// One thing that is wrong with a seed, or with faults.
#[derive(Deserialize)]
struct Wrong {
    place: String,
    reason: String,
}

/// JSON of which a terminal does nothing but show it: DEL and what follows it to U+009F may be in it as they are.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut shown, char| {
        if char.is_control() && char != '\n' {
            // To a text that cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(char));
        } else {
            shown.push(char);
        }
        shown
    })
}

impl<'a> Client<'a> {
    /// `subject` is what mistakes are said to be in, such as `the seed`.
    ///
    /// # Errors
    /// The token cannot be sent.
    pub(super) fn new(args: &'a ControlArgs, subject: &'static str) -> Result<Self, Failure> {
        let bearer = args.admin_token.as_ref().map(|token| HeaderValue::try_from(token.bearer()));
        let authorization = bearer.transpose().map_err(|_| Failure::Usage {
            message: "--admin-token cannot be sent".to_owned(),
            hint: "it is one line of text".to_owned(),
        })?;
        Ok(Self { subject, emulator: &args.emulator, authorization })
    }

    /// What a control endpoint answers, printed for people, with every control character escaped: a client may have put them
    /// in. `path` is what follows `/_ecsim`.
    ///
    /// # Errors
    /// Those of [`Client::text`].
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<String>) -> Result<String, Failure> {
        let text = self.text(method, path, body).await?;
        let answer: Value = serde_json::from_str(&text).map_err(|_| self.foreign(path, "what is no JSON"))?;
        Ok(escaped(&format!("{answer:#}")))
    }

    /// What a control endpoint answers, as it is.
    ///
    /// # Errors
    /// Nobody answers, or not as an emulator; or what the emulator refuses, with its hint.
    pub(super) async fn text(&self, method: Method, path: &str, body: Option<String>) -> Result<String, Failure> {
        let url = self.endpoint(path);
        let (socket, authorization) = (self.emulator.socket(), self.authorization.clone());
        let question = Question { method, url: &url, socket, authorization, body };
        let Answer { status, is_ours, body } = question.ask(PATIENCE).await.map_err(Failure::Runtime)?;
        let foreign = || self.foreign(path, &status.to_string());
        if !is_ours {
            return Err(foreign());
        }
        if status.is_success() {
            return String::from_utf8(body.into()).map_err(|_| self.foreign(path, "what is no text"));
        }
        let Refused { error } = serde_json::from_slice(&body).map_err(|_| foreign())?;
        let Reason { code, message, hint, mistakes, misses } = error;
        if !misses.is_empty() {
            let lines: Vec<_> = misses.into_iter().map(|miss| miss.message).collect();
            return Err(Failure::Unmet { message: format!("not as expected\n{}", lines.join("\n")), hint });
        }
        if mistakes.is_empty() {
            return Err(Failure::Refused { message, hint });
        }
        let lines: Vec<_> = mistakes.iter().map(|Wrong { place, reason }| format!("{place}: {reason}")).collect();
        let subject = if code == "SeedsFailed" { "the seeds" } else { self.subject };
        Err(Failure::Seed { message: format!("{subject} cannot be used\n{}", lines.join("\n")), hint })
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}/_ecsim{path}", self.emulator.url())
    }

    fn foreign(&self, path: &str, what: &str) -> Failure {
        Failure::Runtime(format!("{} answers {what}, but not as an emulator", self.endpoint(path)))
    }
}
