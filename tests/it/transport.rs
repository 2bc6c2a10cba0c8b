//! Hostile and unusual input at the level of bytes; after each the emulator serves as before.

use std::time::{Duration, Instant};

use ecsim::http::Limits;
use ecsim::settings::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{self, Server};

/// Longer than anything here may take: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that carries bytes as they are.
pub(crate) struct Wire<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

/// An answer as it stood on the wire.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl RawAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Status and code of a refusal, in whichever format it came.
    pub(crate) fn code(&self) -> (u16, String) {
        (self.status, self.member("Code"))
    }

    pub(crate) fn message(&self) -> String {
        self.member("Message")
    }

    fn member(&self, name: &str) -> String {
        if self.body.starts_with('<') {
            let (_, rest) = self.body.split_once(&format!("<{name}>")).unwrap_or_default();
            let text = rest.split_once(&format!("</{name}>")).unwrap_or_default().0;
            return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        }
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body[name].as_str().unwrap_or_default().to_owned()
    }
}

impl Wire {
    pub(crate) async fn open(server: &Server) -> Self {
        Self::over(TcpStream::connect(server.authority()).await.expect("connects"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("sends");
    }

    /// The next answer, which has to come.
    pub(crate) async fn answer(&mut self) -> RawAnswer {
        self.next(true).await.expect("an answer")
    }

    /// Whether the server has closed and nothing is left to read.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }

    /// The next answer; `None` if the server closed instead. An answer to HEAD has no body.
    pub(crate) async fn next(&mut self, has_body: bool) -> Option<RawAnswer> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                assert!(self.read.is_empty(), "broke off: {:?}", String::from_utf8_lossy(&self.read));
                return None;
            }
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).expect("text");
        let mut lines = head.trim_end().split("\r\n");
        let first = lines.next().expect("a status line");
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = RawAnswer { status, headers, body: String::new() };
        if has_body && status != 100 {
            let length = answer.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
            while self.read.len() < length {
                assert!(self.more().await, "broke off inside a body");
            }
            answer.body = String::from_utf8(self.read.drain(..length).collect()).expect("text");
        }
        Some(answer)
    }

    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
        read.expect("the server neither answers nor closes").is_ok_and(|count| count > 0)
    }
}

const JSON: &str = "application/json;charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

async fn limited(set: impl FnOnce(&mut Limits)) -> Server {
    let mut limits = Limits::default();
    set(&mut limits);
    support::start_with(|builder| builder.limits(limits)).await
}

/// A new connection gets a normal call answered.
async fn serves(server: &Server) {
    assert_eq!(server.call("DescribeRegions").send().await.status, 200);
}

/// The head of a right call with `more` header lines, each with its line end.
fn head(server: &Server, method: &str, more: &str) -> String {
    let call = server.call("DescribeRegions");
    let call = if method == "POST" { call.post() } else { call };
    format!("{method} /?{} HTTP/1.1\r\nHost: ecs.example\r\n{more}\r\n", call.query())
}

async fn one(server: &Server, request: impl AsRef<[u8]>) -> RawAnswer {
    let mut wire = Wire::open(server).await;
    wire.send(request).await;
    wire.answer().await
}

/// A refusal of the gateway's own limits: in the envelope, and marked.
fn check_limit(answer: &RawAnswer, status: u16, code: &str, message: &str) {
    assert_eq!(answer.code(), (status, code.to_owned()), "{}", answer.body);
    assert_eq!(answer.message(), message);
    assert!(answer.header("x-acs-request-id").is_some_and(|id| answer.body.contains(id)), "{answer:?}");
}

#[tokio::test]
async fn an_absolute_target_is_a_normal_call() {
    let server = support::start().await;
    for host in ["http://ecs-cn-hangzhou.aliyuncs.com/", "http://ecs-cn-hangzhou.aliyuncs.com", "https://ecs.x:443/"] {
        let query = server.call("DescribeRegions").query();
        let answer = one(&server, format!("GET {host}?{query} HTTP/1.1\r\nHost: ecs.example\r\n\r\n")).await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.body);
    }
    let answer = one(&server, "GET http://ecs-a.aliyuncs.com:80/?Format=JSON HTTP/1.0\r\n\r\n").await;
    assert!(answer.body.contains("\"HostId\":\"ecs-a.aliyuncs.com\""), "{}", answer.body);
    serves(&server).await;
}

#[tokio::test]
async fn connect_is_refused_in_the_envelope() {
    let server = support::start().await;
    let answer = one(&server, "CONNECT ecs.aliyuncs.com:443 HTTP/1.1\r\nHost: ecs.aliyuncs.com:443\r\n\r\n").await;
    check_limit(&answer, 403, "UnsupportedHTTPMethod", "This http method is not supported.");
    assert!(answer.body.contains("<HostId>ecs.aliyuncs.com</HostId>"), "{}", answer.body);
    serves(&server).await;
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let server = limited(|limits| limits.max_body_size = 100).await;
    let text = "The request body is larger than 100 bytes.";
    for length in ["101", "1000000000000", "18446744073709551613"] {
        let announced = head(&server, "POST", &format!("Content-Length: {length}\r\n"));
        check_limit(&one(&server, announced).await, 413, "RequestEntityTooLarge", text);
    }
    // The library keeps the two largest numbers for itself.
    let largest = one(&server, head(&server, "POST", "Content-Length: 18446744073709551615\r\n")).await;
    assert_eq!((largest.status, largest.body.as_str()), (431, ""));
    let chunked = head(&server, "POST", "Transfer-Encoding: chunked\r\n");
    let half = "x".repeat(0x40);
    let answer = one(&server, format!("{chunked}40\r\n{half}\r\n40\r\n{half}\r\n0\r\n\r\n")).await;
    check_limit(&answer, 413, "RequestEntityTooLarge", text);
    assert_eq!(answer.header("content-type"), Some(JSON));
    let endless = one(&server, format!("{chunked}ffffffff\r\n{}", "x".repeat(200))).await;
    check_limit(&endless, 413, "RequestEntityTooLarge", text);
    let full = head(&server, "POST", "Content-Length: 100\r\n");
    assert_eq!(one(&server, format!("{full}{}", "x".repeat(100))).await.status, 200);
    let full = head(&server, "POST", "Transfer-Encoding: chunked\r\n");
    assert_eq!(one(&server, format!("{full}64\r\n{}\r\n0\r\n\r\n", "x".repeat(100))).await.status, 200);
    serves(&server).await;
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_still_gets_its_refusal() {
    let server = support::start().await;
    let large = "x".repeat(8 << 20);
    let body = format!("{}{large}", head(&server, "POST", &format!("Content-Length: {}\r\n", large.len())));
    let endless = format!("GET / HTTP/1.1\r\nHost: e\r\nX-Long: {large}\r\n\r\n");
    for _ in 0..10 {
        assert_eq!(one(&server, &body).await.code(), (413, "RequestEntityTooLarge".to_owned()));
        assert_eq!(one(&server, &endless).await.status, 431);
    }
    serves(&server).await;
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused_in_the_envelope() {
    let server = limited(|limits| limits.max_header_size = 2000).await;
    let text = "The request line and headers are larger than 2000 bytes.";
    let long = "x".repeat(2000);
    let answer = one(&server, head(&server, "GET", &format!("X-Long: {long}\r\n"))).await;
    check_limit(&answer, 431, "RequestHeaderFieldsTooLarge", text);
    assert_eq!(answer.header("content-type"), Some(JSON));
    let answer = one(&server, format!("GET /?Format=JSON&x={long} HTTP/1.1\r\nHost: e\r\n\r\n")).await;
    check_limit(&answer, 431, "RequestHeaderFieldsTooLarge", text);
    serves(&server).await;
}

#[tokio::test]
async fn the_header_limit_counts_to_the_byte() {
    let server = limited(|limits| limits.max_header_size = 1000).await;
    let request = |size: usize| {
        let bare = "GET /?Format=JSON HTTP/1.1\r\nhost: e\r\nx-pad: \r\n\r\n".len() - 2;
        format!("GET /?Format=JSON HTTP/1.1\r\nhost: e\r\nx-pad: {}\r\n\r\n", "x".repeat(size - bare))
    };
    assert_eq!(one(&server, request(1000)).await.status, 404);
    assert_eq!(one(&server, request(1001)).await.status, 431);
}

#[tokio::test]
async fn a_head_that_never_ends_gets_the_library_s_bare_431() {
    let server = support::start().await;
    let mut wire = Wire::open(&server).await;
    let endless = format!("GET / HTTP/1.1\r\nHost: e\r\nX-Long: {}", "x".repeat(256 << 10));
    wire.send(endless).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (431, ""));
    let many = format!("GET / HTTP/1.1\r\nHost: e\r\n{}\r\n", "X-A: b\r\n".repeat(200));
    let answer = one(&server, many).await;
    assert_eq!((answer.status, answer.body.as_str()), (431, ""));
    serves(&server).await;
}

const TOO_SLOW: &str = "The request did not arrive in time.";

#[tokio::test]
async fn a_head_that_stops_half_way_gets_a_408_and_an_idle_connection_ends_in_silence() {
    let server = limited(|limits| limits.header_timeout = Duration::from_millis(200)).await;
    for half in ["G", "GET / HTTP/1.1\r\n", "GET /?Format=JSON HTTP/1.1\r\nHost: e\r\nX-Ha"] {
        let mut wire = Wire::open(&server).await;
        wire.send(half).await;
        let answer = wire.answer().await;
        check_limit(&answer, 408, "RequestTimeout", TOO_SLOW);
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(wire.is_closed().await);
    }
    let mut silent = Wire::open(&server).await;
    assert!(silent.is_closed().await);
    let mut used = Wire::open(&server).await;
    used.send(head(&server, "GET", "")).await;
    assert_eq!(used.answer().await.status, 200);
    assert!(used.is_closed().await);
    serves(&server).await;
}

#[tokio::test]
async fn a_body_that_stops_half_way_gets_a_408_in_the_asked_format() {
    let server = limited(|limits| limits.body_timeout = Duration::from_millis(200)).await;
    for (framing, part) in [("Content-Length: 10", "abc"), ("Transfer-Encoding: chunked", "5\r\nabc")] {
        let request = format!("{}{part}", head(&server, "POST", &format!("{framing}\r\n")));
        let answer = one(&server, request).await;
        check_limit(&answer, 408, "RequestTimeout", TOO_SLOW);
        assert_eq!(answer.header("content-type"), Some(JSON));
    }
    serves(&server).await;
}

#[tokio::test]
async fn a_request_may_have_1000_parameters_repeats_included() {
    let server = support::start().await;
    let query = |count: usize| format!("Format=JSON{}", "&a=1".repeat(count - 1));
    let answer = one(&server, format!("GET /?{} HTTP/1.1\r\nHost: e\r\n\r\n", query(1001))).await;
    check_limit(&answer, 400, "InvalidParameter", "The request has 1001 parameters; 1000 are allowed.");
    let answer = one(&server, format!("GET /?{} HTTP/1.1\r\nHost: e\r\n\r\n", query(1000))).await;
    assert_eq!(answer.code(), (404, "InvalidAction.NotFound".to_owned()));
    let (head, body) = (query(600), query(500));
    let length = body.len();
    let request =
        format!("POST /?{head} HTTP/1.1\r\nHost: e\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n\r\n{body}");
    check_limit(
        &one(&server, request).await,
        400,
        "InvalidParameter",
        "The request has 1100 parameters; 1000 are allowed.",
    );
    serves(&server).await;
}

#[tokio::test]
async fn the_number_of_parameters_can_be_set() {
    let settings = Settings { max_params: 8, ..Settings::default() };
    let server = support::start_with(|builder| builder.settings(settings)).await;
    let answer = server.call("DescribeRegions").send().await;
    let text = "The request has 9 parameters; 8 are allowed.".to_owned();
    assert_eq!(answer.refusal(), (400, "InvalidParameter".to_owned(), text));
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it_unless_the_body_is_refused_anyway() {
    let server = limited(|limits| limits.max_body_size = 100).await;
    let mut wire = Wire::open(&server).await;
    wire.send(head(&server, "POST", &format!("Content-Type: {FORM}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n")))
        .await;
    assert_eq!(wire.answer().await.status, 100);
    wire.send("&&&").await;
    assert_eq!(wire.answer().await.status, 200);
    let refused = one(&server, head(&server, "POST", "Content-Length: 101\r\nExpect: 100-continue\r\n")).await;
    assert_eq!(refused.code(), (413, "RequestEntityTooLarge".to_owned()));
    serves(&server).await;
}

#[tokio::test]
async fn a_form_in_chunks_is_read_whole() {
    let server = support::start().await;
    let all = server.call("DescribeRegions").post().query();
    let start = format!("POST / HTTP/1.1\r\nHost: e\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut request = start.clone();
    for byte in all.chars() {
        request.extend(["1;ext=\"x\"\r\n", &byte.to_string(), "\r\n"]);
    }
    request.push_str("0\r\nX-Trailer: ignored\r\n\r\n");
    let mut wire = Wire::open(&server).await;
    wire.send(request).await;
    assert_eq!(wire.answer().await.status, 200);
    wire.send(head(&server, "GET", "")).await;
    assert_eq!(wire.answer().await.status, 200, "the connection is still in step");
    for bad in ["zz\r\n", "-1\r\n", "3\r\nabcdef\r\n0\r\n\r\n", "ffffffffffffffffff\r\n"] {
        let answer = one(&server, format!("{start}{bad}")).await;
        assert_eq!(answer.code(), (400, "RequestParameterMalformed".to_owned()), "{bad:?}");
    }
    serves(&server).await;
}

#[tokio::test]
async fn what_is_no_http_gets_the_library_s_bare_400_and_the_connection_closes() {
    let server = support::start().await;
    for garbage in [
        &b"garbage\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: e\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : e\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: e\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: e\r\n\r\n",
    ] {
        let mut wire = Wire::open(&server).await;
        wire.send(garbage).await;
        let text = String::from_utf8_lossy(garbage);
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{text:?}");
        assert!(wire.is_closed().await, "{text:?}");
    }
    serves(&server).await;
}

#[tokio::test]
async fn a_length_that_two_readers_could_read_differently_is_refused() {
    let server = support::start().await;
    for framing in [
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 4\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip\r\n",
    ] {
        let mut wire = Wire::open(&server).await;
        wire.send(head(&server, "POST", framing) + "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n").await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{framing:?}");
        assert!(wire.is_closed().await, "{framing:?}: what follows is never read");
    }
    serves(&server).await;
}

/// What RFC 9112 6.1 demands of a server that answers such a request at all.
#[tokio::test]
async fn chunks_win_over_a_length_and_the_connection_ends_with_the_answer() {
    let server = support::start().await;
    for framing in
        ["Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"]
    {
        let mut wire = Wire::open(&server).await;
        wire.send(head(&server, "POST", framing) + "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n").await;
        assert_eq!(wire.answer().await.status, 200, "{framing:?}");
        assert!(wire.next(true).await.is_none(), "{framing:?}: what follows is never read");
    }
    serves(&server).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let server = support::start().await;
    let mut requests = String::new();
    for action in ["A", "DescribeRegions", "C", "DescribeZones", "E"] {
        let query = server.call(action).param("RegionId", "cn-hangzhou").query();
        requests.extend(["GET /?", &query, " HTTP/1.1\r\nHost: ", action, ".example\r\n\r\n"]);
    }
    let mut wire = Wire::open(&server).await;
    wire.send(requests).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let answer = wire.answer().await;
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        let what = ["HostId", "Regions", "Zones"].into_iter().find(|name| body.get(name).is_some()).expect("a member");
        seen.push(body["HostId"].as_str().unwrap_or(what).to_owned());
    }
    assert_eq!(seen, ["A.example", "Regions", "C.example", "Zones", "E.example"]);
}

#[tokio::test]
async fn a_client_that_closes_its_half_still_gets_its_answer() {
    let server = support::start().await;
    let mut wire = Wire::open(&server).await;
    wire.send(head(&server, "GET", "")).await;
    wire.stream.shutdown().await.expect("shuts down");
    assert_eq!(wire.answer().await.status, 200);
    assert!(wire.is_closed().await);
    for half in ["GET / HT".to_owned(), head(&server, "POST", "Content-Length: 10\r\n") + "abc"] {
        let mut wire = Wire::open(&server).await;
        wire.send(&half).await;
        wire.stream.shutdown().await.expect("shuts down");
        let answer = wire.next(true).await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{answer:?}");
        assert!(wire.is_closed().await);
    }
    serves(&server).await;
}

#[tokio::test]
async fn a_client_that_closes_its_half_after_a_long_body_still_gets_its_answer() {
    let server = support::start().await;
    let body = "a=b&".repeat(20_000);
    let form = format!(
        "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
        body.len()
    );
    let call = head(&server, "POST", &form) + &body;
    for cut in (1..20).map(|part| call.len() * part / 20) {
        let mut wire = Wire::open(&server).await;
        wire.send(&call[..cut]).await;
        // So that the server has read that far before the rest comes together with the end.
        tokio::time::sleep(Duration::from_millis(10)).await;
        wire.send(&call[cut..]).await;
        wire.stream.shutdown().await.expect("shuts down");
        let answer = wire.answer().await;
        assert_eq!(answer.code(), (400, "InvalidParameter".to_owned()), "{}", answer.body);
        assert!(wire.is_closed().await);
    }
}

#[tokio::test]
async fn an_http_1_0_client_is_answered_and_the_connection_closes() {
    let server = support::start().await;
    let mut wire = Wire::open(&server).await;
    wire.send(format!("GET /?{} HTTP/1.0\r\n\r\n", server.call("DescribeRegions").query())).await;
    assert_eq!(wire.answer().await.status, 200);
    assert!(wire.is_closed().await);
}

#[tokio::test]
async fn two_thousand_connections_that_come_to_nothing_leave_nothing_behind() {
    let server = limited(|limits| limits.max_connections = 64).await;
    for number in 0..2000 {
        let mut wire = Wire::open(&server).await;
        match number % 4 {
            0 => wire.send("GET / HTTP/1.1\r\nHos").await,
            1 => wire.send(head(&server, "POST", "Content-Length: 10\r\n") + "abc").await,
            2 => wire.send(head(&server, "GET", "")).await,
            _ => {}
        }
    }
    serves(&server).await;
    assert!(server.emulator.stop(PATIENCE).await.drained, "every connection's permit came back");
}

#[tokio::test]
async fn at_the_cap_a_connection_waits_until_another_closes() {
    let server = limited(|limits| limits.max_connections = 2).await;
    let (mut first, mut second) = (Wire::open(&server).await, Wire::open(&server).await);
    for wire in [&mut first, &mut second] {
        wire.send(head(&server, "GET", "")).await;
        assert_eq!(wire.answer().await.status, 200);
    }
    let mut third = Wire::open(&server).await;
    third.send(head(&server, "GET", "")).await;
    for _ in 0..50 {
        for wire in [&mut first, &mut second] {
            wire.send(head(&server, "GET", "")).await;
            assert_eq!(wire.answer().await.status, 200);
        }
    }
    let waiting = third.stream.try_read(&mut [0; 1]).expect_err("a hundred calls later");
    assert_eq!(waiting.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert_eq!(third.answer().await.status, 200);
    second.send(head(&server, "GET", "")).await;
    assert_eq!(second.answer().await.status, 200);
}

/// Whether nobody listens at an address. A process that another test starts holds the socket too until its own program
/// begins, so that once is not enough.
pub(crate) async fn is_refused(authority: &str) -> bool {
    for _ in 0..100 {
        if TcpStream::connect(authority).await.is_err() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// A request whose head is being answered: the server has said that it waits for the body.
async fn in_flight(server: &Server) -> Wire {
    let mut wire = Wire::open(server).await;
    wire.send(head(server, "POST", "Content-Length: 3\r\nExpect: 100-continue\r\n")).await;
    assert_eq!(wire.answer().await.status, 100);
    wire
}

#[tokio::test]
async fn stopping_lets_a_request_in_flight_finish_and_closes_idle_connections_at_once() {
    let server = support::start().await;
    let authority = server.authority();
    let mut wire = in_flight(&server).await;
    let mut idle = Wire::open(&server).await;
    idle.send(head(&server, "GET", "")).await;
    assert_eq!(idle.answer().await.status, 200);
    let stopping = tokio::spawn(server.emulator.stop(PATIENCE));
    assert!(idle.is_closed().await);
    assert!(!stopping.is_finished());
    wire.send("abc").await;
    assert_eq!(wire.answer().await.status, 200);
    assert!(wire.is_closed().await);
    assert!(stopping.await.expect("no panic").drained, "all was done");
    assert!(is_refused(&authority).await, "nobody listens any more");
}

/// Many times over, so that no answer is one of luck.
#[tokio::test]
async fn while_a_request_is_in_flight_a_stopping_emulator_answers_new_connections_and_is_not_ready() {
    let server = support::start().await;
    let authority = server.authority();
    let mut wire = in_flight(&server).await;
    let calls: Vec<_> = (0..20).map(|_| head(&server, "GET", "")).collect();
    let mut idle = Wire::open(&server).await;
    idle.send(head(&server, "GET", "")).await;
    assert_eq!(idle.answer().await.status, 200);
    let stopping = tokio::spawn(server.emulator.stop(PATIENCE));
    assert!(idle.is_closed().await, "stopping has begun");
    for call in calls {
        let mut late = Wire::over(TcpStream::connect(&authority).await.expect("still listens"));
        late.send("GET /_ecsim/ready HTTP/1.1\r\nHost: e\r\n\r\n").await;
        let ready = late.answer().await;
        assert_eq!((ready.status, ready.body.as_str()), (503, DRAINING));
        assert!(late.is_closed().await, "one request a connection from now on");
        let mut late = Wire::over(TcpStream::connect(&authority).await.expect("still listens"));
        late.send(call).await;
        assert_eq!(late.answer().await.status, 200);
    }
    assert!(!stopping.is_finished());
    wire.send("abc").await;
    assert_eq!(wire.answer().await.status, 200);
    assert!(stopping.await.expect("no panic").drained, "all was done");
}

const DRAINING: &str = r#"{"schema":1,"status":"draining","reason":"the emulator is shutting down"}"#;

#[tokio::test]
async fn a_request_that_outlasts_the_patience_is_cut_off() {
    let server = support::start().await;
    let authority = server.authority();
    let mut wire = in_flight(&server).await;
    assert!(!server.emulator.stop(Duration::from_millis(100)).await.drained);
    assert!(is_refused(&authority).await, "nobody listens any more");
    assert!(wire.is_closed().await, "without an answer");
}

#[tokio::test]
async fn chunks_that_break_their_framing_are_refused() {
    let server = support::start().await;
    let mut wire = Wire::open(&server).await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    wire.send(format!("POST /?Format=JSON HTTP/1.1\r\nHost: e\r\n{form}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"))
        .await;
    let answer = wire.answer().await;
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!((answer.status, &body["Code"]), (400, &Value::from("RequestParameterMalformed")));
}

/// One place, two listeners: a listener that waits takes no place.
#[tokio::test]
async fn the_cap_counts_connections_not_listeners() {
    let limits = Limits { max_connections: 1, ..Limits::default() };
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let server = support::start_with(|builder| builder.limits(limits).listen(any).listen(any)).await;
    for address in server.emulator.addresses() {
        let mut wire = Wire::over(TcpStream::connect(address.to_string()).await.expect("connects"));
        wire.send("GET /_ecsim/health HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n").await;
        assert_eq!(wire.answer().await.status, 200);
        assert!(wire.is_closed().await);
    }
}

#[tokio::test]
async fn an_idle_emulator_stops_in_well_under_a_second() {
    let server = support::start().await;
    let mut wires = Vec::new();
    for _ in 0..10 {
        let mut wire = Wire::open(&server).await;
        wire.send(head(&server, "GET", "")).await;
        assert_eq!(wire.answer().await.status, 200);
        wires.push(wire);
    }
    wires.push(Wire::open(&server).await);
    let begun = Instant::now();
    assert!(server.emulator.stop(PATIENCE).await.drained);
    assert!(begun.elapsed() < Duration::from_millis(800), "{:?}", begun.elapsed());
    for mut wire in wires {
        assert!(wire.is_closed().await);
    }
}

async fn control(server: &Server, method: &str, path: &str) -> (u16, Value) {
    let answer = one(server, format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-ecsim"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(answer.header("x-acs-request-id"), None, "no envelope of the vendor's");
    (answer.status, serde_json::from_str(&answer.body).expect("JSON"))
}

#[tokio::test]
async fn health_names_the_version_and_the_running_services() {
    let server = support::start().await;
    let (status, mut body) = control(&server, "GET", "/_ecsim/health").await;
    assert!(body["uptime_ms"].is_u64(), "{body}");
    body["uptime_ms"] = json!(0);
    assert_eq!(status, 200);
    assert_eq!(body["status"], "ok");
    assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(body["services"]["ecs"], "running");
    assert_eq!(body["services"]["location"], "running");
    assert_eq!(body["services"]["imds"], "running");
    let members: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["status", "version", "services", "uptime_ms"]);
}

#[tokio::test]
async fn ready_says_so() {
    let server = support::start().await;
    assert_eq!(control(&server, "GET", "/_ecsim/ready").await, (200, json!({ "schema": 1, "status": "ready" })));
    let (status, body) = control(&server, "GET", "/_ecsim/ready?x=%zz").await;
    assert_eq!((status, body), (200, json!({ "schema": 1, "status": "ready" })), "a query is ignored");
}

#[tokio::test]
async fn coverage_lists_what_is_emulated_and_what_is_not() {
    let server = support::start().await;
    let (status, body) = control(&server, "GET", "/_ecsim/coverage").await;
    assert_eq!((status, &body["schema"]), (200, &json!(1)));
    let products = body["products"].as_array().expect("a list");
    let ecs = products.iter().find(|product| product["product"] == "Ecs").expect("Ecs");
    assert_eq!(ecs["version"], "2014-05-26");
    let emulated = ecs["emulated"].as_array().expect("a list");
    assert!(emulated.contains(&json!({ "action": "DetachInstanceRamRole", "access": "write" })), "{emulated:?}");
    assert!(emulated.contains(&json!({ "action": "DescribeRegions", "access": "read" })), "{emulated:?}");
    let others = ecs["not_emulated"].as_array().expect("a list");
    assert!(others.contains(&json!("RunInstances")) && !others.contains(&json!("DetachInstanceRamRole")));
    assert_eq!(emulated.len() + others.len(), 380);
    let names: Vec<_> = products.iter().map(|product| product["product"].as_str().expect("a name")).collect();
    assert_eq!(names, ["Ecs", "Ram", "Sts", "Location", "Vpc", "BssOpenApi"]);
}

#[tokio::test]
async fn an_unknown_control_path_is_a_404_that_lists_the_real_ones() {
    let server = support::start().await;
    for path in ["/_ecsim", "/_ecsim/", "/_ecsim/nope", "/_ecsim/health/", "/_ecsim/a/b/c"] {
        for method in ["GET", "POST", "DELETE"] {
            let (status, body) = control(&server, method, path).await;
            assert_eq!(status, 404, "{method} {path}");
            assert_eq!(body["error"]["code"], "NotFound");
            assert_eq!(body["error"]["message"], format!("no control endpoint {path}"));
            let hint = body["error"]["hint"].as_str().expect("a hint");
            for known in ["/_ecsim/coverage", "/_ecsim/health", "/_ecsim/ready"] {
                assert!(hint.contains(known), "{hint}");
            }
        }
    }
}

#[tokio::test]
async fn a_control_path_that_is_only_read_takes_no_post() {
    let server = support::start().await;
    for path in ["/_ecsim/coverage", "/_ecsim/health", "/_ecsim/ready"] {
        for method in ["POST", "PUT", "DELETE"] {
            let (status, body) = control(&server, method, path).await;
            let message = format!("{path} does not take {method}");
            let error = json!({ "code": "MethodNotAllowed", "message": message, "hint": "use GET" });
            assert_eq!((status, body), (405, json!({ "error": error })));
        }
    }
    serves(&server).await;
}
