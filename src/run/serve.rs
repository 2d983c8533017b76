//! A small HTTP server that answers as [`Sharing`] does: for scripts and pages that call the function by its address.
//!
//! Invariants: read-only; without a token only this machine may ask, and only under its own name (a web page that resolves a
//! name of its own to this machine is refused).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::share::{ShareAnswer, ShareEvent, Sharing};

const LARGEST_BODY: usize = 64 * 1024;
const MOST_CONNECTIONS: usize = 64;
const HEADERS: Duration = Duration::from_secs(30);
const NO_ROOM: Duration = Duration::from_millis(100);

/// Serves until the process ends; `listening` is told the address, whose port may have been 0.
///
/// # Errors
/// Where the address cannot be listened on.
pub fn serve(sharing: Sharing, address: SocketAddr, token: Option<String>, listening: impl FnOnce(SocketAddr)) -> std::io::Result<()> {
    let io = sharing.io.clone();
    let shared = Arc::new((sharing, token));
    io.block_on(async move {
        let listener = tokio::net::TcpListener::bind(address).await?;
        listening(listener.local_addr()?);
        let rooms = Arc::new(tokio::sync::Semaphore::new(MOST_CONNECTIONS));
        loop {
            // a connection that fails is no reason to stop; where there is no room for another, one may end soon
            let Ok((socket, _)) = listener.accept().await else {
                tokio::time::sleep(NO_ROOM).await;
                continue;
            };
            let Ok(room) = rooms.clone().acquire_owned().await else { continue };
            let shared = shared.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(respond(request, &shared.0, shared.1.as_deref()).await) }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .timer(hyper_util::rt::TokioTimer::new())
                    .header_read_timeout(HEADERS)
                    .serve_connection(hyper_util::rt::TokioIo::new(socket), service)
                    .await;
                drop(room);
            });
        }
    })
}

async fn respond(request: Request<Incoming>, sharing: &Sharing, token: Option<&str>) -> Response<Full<Bytes>> {
    let refuse = |status: u16, error: &str| {
        let body = serde_json::json!({ "error": error }).to_string();
        response(&ShareAnswer { status, body })
    };
    match token {
        Some(token) if !is_allowed(request.headers(), token) => {
            return refuse(401, "a token is wanted: Authorization: Bearer …");
        }
        None if !names_this_machine(request.headers()) => return refuse(403, "this server answers to localhost only"),
        _ => {}
    }
    let path = request.uri().path().to_owned();
    match *request.method() {
        // behind a gateway a stage's name stands before it
        Method::GET if path.trim_end_matches('/').ends_with("/get-url") => {
            let event = ShareEvent::of_query(request.uri().query().unwrap_or_default());
            response(&sharing.answer(&event).await)
        }
        Method::POST => {
            let Ok(body) = Limited::new(request.into_body(), LARGEST_BODY).collect().await else {
                return refuse(413, "the payload is too large");
            };
            let Ok(event) = serde_json::from_slice(&body.to_bytes()) else {
                return refuse(400, "the payload is not JSON");
            };
            let answer = sharing.answer(&ShareEvent::of_json(&event)).await;
            // whoever invokes the function itself gets what it returns
            match path.ends_with("/invocations") {
                true => response(&ShareAnswer {
                    status: 200,
                    body: answer.to_json(),
                }),
                false => response(&answer),
            }
        }
        Method::GET => refuse(404, "ask for /get-url?bucket=…&key=… or /get-url?record_id=…&scene_id=…"),
        _ => refuse(405, "GET /get-url, or POST a payload"),
    }
}

fn response(answer: &ShareAnswer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body.clone())));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // signed URLs belong in no cache
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `Authorization: Bearer …`, or `x-api-key: …` as API gateways have it.
fn is_allowed(headers: &HeaderMap, token: &str) -> bool {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, given) = value.as_bytes().split_at_checked(b"Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(given)
    });
    let key = headers.get("x-api-key").map(HeaderValue::as_bytes);
    [bearer, key].into_iter().flatten().any(|given| is_same(given, token.as_bytes()))
}

/// In a time that does not tell how much was right.
fn is_same(given: &[u8], wanted: &[u8]) -> bool {
    given.len() == wanted.len() && given.iter().zip(wanted).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}
