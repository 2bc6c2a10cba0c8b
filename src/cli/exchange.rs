//! One request to a running emulator, and its answer.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// What is asked of the control API. Nobody but the emulator is asked: no proxy, and not whom an answer leads to.
pub(super) struct Question<'a> {
    pub(super) method: Method,
    /// `http://HOST[:PORT]/PATH`
    pub(super) url: &'a str,
    /// By this socket, and not by the host of the URL.
    pub(super) socket: Option<&'a Path>,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: Option<String>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Whether it is marked as an emulator's.
    pub(super) is_ours: bool,
    pub(super) body: Bytes,
}

impl Question<'_> {
    /// The answer, if it is there within `patience`.
    ///
    /// # Errors
    /// On one line, that there is none and why.
    pub(super) async fn ask(self, patience: Duration) -> Result<Answer, String> {
        let url = self.url;
        let answer = match timeout(patience, self.exchange()).await {
            Ok(answer) => answer.map_err(|error| chain(&*error)),
            Err(_) => Err(format!("nothing came within {patience:?}")),
        };
        answer.map_err(|reason| format!("no answer from {url}: {reason}"))
    }

    async fn exchange(self) -> Result<Answer, Box<dyn Error>> {
        let url: Uri = self.url.parse()?;
        let (Some("http"), Some(host)) = (url.scheme_str(), url.host()) else {
            return Err("the URL does not begin with http:// and a host".into());
        };
        let port = url.port_u16();
        let named = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder().method(self.method).uri(path).header(HOST, named);
        if let Some(authorization) = self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(self.body.unwrap_or_default()))?;
        if let Some(socket) = self.socket {
            return over(UnixStream::connect(socket).await?, request).await;
        }
        // An IPv6 address has brackets in a URL alone.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        over(TcpStream::connect((host, port.unwrap_or(80))).await?, request).await
    }
}

async fn over<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Box<dyn Error>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What it fails by, the sender is told.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let is_ours = head.headers.contains_key("x-ecsim");
    Ok(Answer { status: head.status, is_ours, body: body.collect().await?.to_bytes() })
}

/// An error and what caused it, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
