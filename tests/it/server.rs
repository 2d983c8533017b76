//! An S3-like store on the loopback: counts, delays and breaks. Benches include this file with `#[path]`.
//!
//! Behaves as S3 does towards a presigned GET: Range → 206 with Content-Range, ETag, If-Match → 412, If-None-Match → 304, 416 past the end, HEAD →
//! 403, 403 with S3's XML once `X-Amz-Date` + `X-Amz-Expires` has passed (against [`Behaviour::now_secs`]). Faults are drawn
//! from a seed, so that a run repeats as far as its requests come in the same order.
//!
//! [`Server::before`] puts another store behind the same counters and faults.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};

/// How the store behaves. Probabilities are per request.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub rtt: Duration,
    /// Of each connection; 0 = no limit.
    pub megabits_per_sec: f64,
    /// Of all connections together; 0 = no limit.
    pub line_megabits_per_sec: f64,
    pub p503: f64,
    pub pshort: f64,
    pub pstall: f64,
    /// How long a stalled body sends nothing.
    pub stall: Duration,
    pub seed: u64,
    /// From this request on (counted from 1) the objects' ETags differ.
    pub change_after: Option<u64>,
    /// Requests with these numbers (from 1) fail so, whatever the probabilities say.
    pub scripted: BTreeMap<u64, Fault>,
    /// false: answers 200 with everything, whatever the Range.
    pub ranges: bool,
    pub etag: bool,
    /// The ETags are weak.
    pub weak: bool,
    /// Of every answer.
    pub cache_control: Option<&'static str>,
    pub require_signature: bool,
    /// Who asks may not list: what is missing is denied.
    pub denies_missing: bool,
    /// The clock that presigned URLs are checked against: Unix seconds.
    pub now_secs: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// SlowDown.
    Busy,
    /// The connection closes after this many bytes.
    CutAt(usize),
    /// Nothing comes for `stall` after this many bytes.
    StallAt(usize),
    /// 206 with another range than asked for.
    Shifted,
    /// 206 with no more than so many of the bytes.
    Less(u64),
    Status(u16, &'static str, &'static str),
    /// Status, region (`x-amz-bucket-region`) and body, as a store has sent them.
    Answer(u16, &'static str, &'static str),
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            rtt: Duration::ZERO,
            megabits_per_sec: 0.0,
            line_megabits_per_sec: 0.0,
            p503: 0.0,
            pshort: 0.0,
            pstall: 0.0,
            stall: Duration::from_secs(20),
            seed: 1,
            change_after: None,
            scripted: BTreeMap::new(),
            ranges: true,
            etag: true,
            weak: false,
            cache_control: None,
            require_signature: false,
            denies_missing: false,
            now_secs: 1_800_000_000,
        }
    }
}

/// What was asked so far.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub requests: u64,
    /// Body bytes handed to the connections.
    pub bytes: u64,
    pub connections: u64,
    pub max_parallel: u64,
    pub by_status: BTreeMap<u16, u64>,
    pub log: Vec<Asked>,
    parallel: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub query: Option<String>,
    pub if_match: Option<String>,
    pub request_payer: Option<String>,
    pub authorization: Option<String>,
    pub referer: Option<String>,
    pub api_key: Option<String>,
    /// Of a POST that this server answers itself.
    pub body: Bytes,
    pub status: u16,
}

/// A store that can stand in for this one's objects.
pub type Store = Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send>> + Send + Sync>;

enum Object {
    Bytes(Bytes),
    File(PathBuf),
}

/// What a function that is invoked answers: its errors are announced in a header.
#[derive(Clone)]
struct Function {
    status: u16,
    error: &'static str,
    body: Bytes,
}

impl Function {
    fn answer(self, behaviour: &Behaviour, running: Running) -> Response<Sending> {
        let mut response = Response::new(Sending::new(self.body, None, behaviour, running));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status");
        let name = if self.status == 200 {
            "x-amz-function-error"
        } else {
            "x-amzn-errortype"
        };
        if !self.error.is_empty() {
            response.headers_mut().insert(name, HeaderValue::from_static(self.error));
        }
        response
    }
}

/// Requests wait here while it is shut.
struct Gate {
    held: Mutex<Held>,
    /// Counts openings.
    opened: tokio::sync::watch::Sender<u64>,
}

#[derive(Default)]
struct Held {
    is_shut: bool,
    /// The range of each request that waits.
    requests: Vec<Range<u64>>,
    /// Called when one more waits.
    arrived: Option<Box<dyn Fn() + Send>>,
}

impl Gate {
    async fn pass(&self, asked: Option<&str>) {
        let mut opened = self.opened.subscribe();
        let before = *opened.borrow_and_update();
        {
            let mut held = self.held.lock().expect("the gate");
            if !held.is_shut {
                return;
            }
            held.requests
                .push(asked.and_then(|text| range(text, u64::MAX)).unwrap_or(0..u64::MAX));
            if let Some(arrived) = &held.arrived {
                arrived();
            }
        }
        let _ = opened.wait_for(|openings| *openings > before).await;
    }
}

struct Shared {
    gate: Gate,
    objects: Mutex<BTreeMap<String, Arc<Object>>>,
    functions: Mutex<BTreeMap<String, Function>>,
    behaviour: Mutex<Behaviour>,
    random: Mutex<fastrand::Rng>,
    stats: Mutex<Stats>,
    /// When what was sent on the line is through.
    line_free: Mutex<Option<tokio::time::Instant>>,
    store: Option<Store>,
}

/// Runs until it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    port: u16,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(behaviour: Behaviour) -> Server {
        Server::over(None, behaviour)
    }

    /// Another store answers; the faults and the counting are this one's.
    pub fn before(store: Store, behaviour: Behaviour) -> Server {
        Server::over(Some(store), behaviour)
    }

    fn over(store: Option<Store>, behaviour: Behaviour) -> Server {
        let shared = Arc::new(Shared {
            gate: Gate {
                held: Mutex::default(),
                opened: tokio::sync::watch::Sender::new(0),
            },
            objects: Mutex::default(),
            functions: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(behaviour.seed)),
            behaviour: Mutex::new(behaviour),
            stats: Mutex::default(),
            line_free: Mutex::default(),
            store,
        });
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        listener.set_nonblocking(true).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let served = shared.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = accept(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Server {
            shared,
            port,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Puts an object in memory under `/key`.
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.shared
            .objects
            .lock()
            .expect("objects")
            .insert(format!("/{key}"), Arc::new(Object::Bytes(bytes.into())));
    }

    /// Serves a file under `/key`; it is read per request.
    pub fn put_file(&self, key: &str, path: impl Into<PathBuf>) {
        self.shared
            .objects
            .lock()
            .expect("objects")
            .insert(format!("/{key}"), Arc::new(Object::File(path.into())));
    }

    /// A function under `/key` that answers so when it is invoked.
    pub fn put_answer(&self, key: &str, body: impl Into<Bytes>) {
        self.put_function(key, 200, "", body.into());
    }

    /// One that fails, or may not be invoked.
    pub fn put_refusal(&self, key: &str, status: u16, error: &'static str, body: &'static str) {
        self.put_function(key, status, error, body.into());
    }

    fn put_function(&self, key: &str, status: u16, error: &'static str, body: Bytes) {
        let function = Function { status, error, body };
        let mut functions = self.shared.functions.lock().expect("functions");
        functions.insert(format!("/{key}"), function);
    }

    /// The URL of `/key_and_query`.
    pub fn url(&self, key_and_query: &str) -> String {
        format!("http://127.0.0.1:{}/{key_and_query}", self.port)
    }

    /// A presigned URL that is valid at `now_secs` for `valid_secs` more.
    pub fn presigned(&self, key: &str, valid_secs: i64) -> String {
        let now = self.shared.behaviour.lock().expect("behaviour").now_secs;
        let made = jiff::Timestamp::from_second(now + valid_secs - 3600)
            .expect("a time")
            .strftime("%Y%m%dT%H%M%SZ");
        self.url(&format!(
            "{key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=SECRETKEYID&X-Amz-Date={made}&X-Amz-Expires=3600&X-Amz-Signature=SECRETSIGNATURE"
        ))
    }

    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.behaviour.lock().expect("behaviour"));
    }

    /// From now on requests wait until they are let through; `arrived` is called when one more does.
    pub fn shut(&self, arrived: impl Fn() + Send + 'static) {
        let mut held = self.shared.gate.held.lock().expect("the gate");
        held.is_shut = true;
        held.arrived = Some(Box::new(arrived));
    }

    /// What the requests that wait ask for.
    pub fn held(&self) -> Vec<Range<u64>> {
        self.shared.gate.held.lock().expect("the gate").requests.clone()
    }

    /// Lets those through that wait; later ones wait again.
    pub fn let_through(&self) {
        self.shared.gate.held.lock().expect("the gate").requests.clear();
        self.shared.gate.opened.send_modify(|openings| *openings += 1);
    }

    pub fn stats(&self) -> Stats {
        self.shared.stats.lock().expect("stats").clone()
    }

    pub fn reset_stats(&self) {
        let mut stats = self.shared.stats.lock().expect("stats");
        *stats = Stats {
            parallel: stats.parallel,
            ..Stats::default()
        };
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let shared = shared.clone();
        shared.stats.lock().expect("stats").connections += 1;
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| answer(request, shared.clone()));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(hyper_util::rt::TokioIo::new(socket), service)
                .await;
        });
    }
}

/// Counts a request as running until its body is gone.
struct Running(Arc<Shared>);

impl Running {
    fn new(shared: &Arc<Shared>) -> Running {
        let mut stats = shared.stats.lock().expect("stats");
        stats.parallel += 1;
        stats.max_parallel = stats.max_parallel.max(stats.parallel);
        Running(shared.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stats.lock().expect("stats").parallel -= 1;
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Sending>, Infallible> {
    let running = Running::new(&shared);
    let number = {
        let mut stats = shared.stats.lock().expect("stats");
        stats.requests += 1;
        stats.requests
    };
    let behaviour = shared.behaviour.lock().expect("behaviour").clone();
    let (draw, place) = {
        let mut random = shared.random.lock().expect("random");
        (random.f64(), random.f64())
    };
    let asked = request.headers().get("range").and_then(|v| v.to_str().ok());
    shared.gate.pass(asked).await;
    tokio::time::sleep(behaviour.rtt).await;
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let mut asked = Asked {
        method: request.method().to_string(),
        // a proxy is asked for a host
        path: match request.uri().authority() {
            Some(host) if request.method() == Method::CONNECT => host.to_string(),
            _ => request.uri().path().to_owned(),
        },
        range: header("range"),
        query: request.uri().query().map(str::to_owned),
        if_match: header("if-match"),
        request_payer: header("x-amz-request-payer"),
        authorization: header("authorization"),
        referer: header("referer"),
        api_key: header("x-api-key"),
        body: Bytes::new(),
        status: 0,
    };
    let response = match &shared.store {
        Some(_) if !behaviour.scripted.contains_key(&number) && draw < behaviour.p503 => busy(&behaviour, running),
        Some(store) if !behaviour.scripted.contains_key(&number) => {
            let (parts, body) = store(request).await.into_parts();
            let fault = drawn(&behaviour, draw, (place * body.len() as f64) as usize);
            Response::from_parts(parts, Sending::new(body, fault, &behaviour, running))
        }
        _ if request.method() == Method::POST => {
            let function = shared.functions.lock().expect("functions").get(request.uri().path()).cloned();
            asked.body = http_body_util::BodyExt::collect(request.into_body())
                .await
                .expect("a body")
                .to_bytes();
            match function {
                Some(function) => function.answer(&behaviour, running),
                None => refuse(404, "NoSuchKey", "The specified key does not exist.", &behaviour, running),
            }
        }
        _ => serve(&request, &shared, &behaviour, number, draw, place, running),
    };
    let status = response.status().as_u16();
    let mut stats = shared.stats.lock().expect("stats");
    *stats.by_status.entry(status).or_default() += 1;
    asked.status = status;
    stats.log.push(asked);
    Ok(response)
}

/// As S3 refuses.
fn refuse(status: u16, code: &str, message: &str, behaviour: &Behaviour, running: Running) -> Response<Sending> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>0</RequestId></Error>"
    );
    let mut response = Response::new(Sending::new(body, None, behaviour, running));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

fn busy(behaviour: &Behaviour, running: Running) -> Response<Sending> {
    refuse(503, "SlowDown", "Please reduce your request rate.", behaviour, running)
}

fn serve(
    request: &Request<Incoming>,
    shared: &Arc<Shared>,
    behaviour: &Behaviour,
    number: u64,
    draw: f64,
    place: f64,
    running: Running,
) -> Response<Sending> {
    let refuse = |status, code, message, running| refuse(status, code, message, behaviour, running);
    let scripted = behaviour.scripted.get(&number).copied();
    if let Some(Fault::Status(status, code, message)) = scripted {
        return refuse(status, code, message, running);
    }
    if let Some(Fault::Answer(status, region, body)) = scripted {
        let mut response = Response::new(Sending::new(body, None, behaviour, running));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        if !region.is_empty() {
            response
                .headers_mut()
                .insert("x-amz-bucket-region", HeaderValue::from_static(region));
        }
        return response;
    }
    let object = shared.objects.lock().expect("objects").get(request.uri().path()).cloned();
    let Some(object) = object else {
        if behaviour.denies_missing {
            return refuse(403, "AccessDenied", "Access Denied", running);
        }
        return refuse(404, "NoSuchKey", "The specified key does not exist.", running);
    };
    if request.method() != Method::GET {
        return refuse(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
            running,
        );
    }
    match expiry(request.uri().query().unwrap_or_default()) {
        Some(until) if behaviour.now_secs > until => return refuse(403, "AccessDenied", "Request has expired", running),
        None if behaviour.require_signature => return refuse(403, "AccessDenied", "Access Denied", running),
        _ => {}
    }
    if scripted == Some(Fault::Busy) || (scripted.is_none() && draw < behaviour.p503) {
        return busy(behaviour, running);
    }
    let size = object.len();
    let changed = behaviour.change_after.is_some_and(|n| number >= n);
    let etag = format!("{}\"{size:x}-{changed}\"", if behaviour.weak { "W/" } else { "" });
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    if behaviour.etag && header("if-match").is_some_and(|tag| tag != "*" && tag != etag) {
        return refuse(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            running,
        );
    }
    if behaviour.etag && header("if-none-match").is_some_and(|tag| tag == etag) {
        let mut response = Response::new(Sending::new(Bytes::new(), None, behaviour, running));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
            .headers_mut()
            .insert("etag", HeaderValue::from_str(&etag).expect("a header"));
        return response;
    }
    let asked = header("range").filter(|_| behaviour.ranges).map(|text| range(text, size));
    let (range, status) = match asked {
        Some(None) => return refuse(416, "InvalidRange", "The requested range is not satisfiable", running),
        Some(Some(range)) => match scripted {
            Some(Fault::Less(most)) => (range.start..range.end.min(range.start + most), 206),
            _ => (range, 206),
        },
        None => (0..size, 200),
    };
    let body = object.read(&range);
    let fault = scripted.or_else(|| drawn(behaviour, draw, (place * body.len() as f64) as usize));
    let length = body.len();
    let mut response = Response::new(Sending::new(body, fault, behaviour, running));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| headers.insert(name, HeaderValue::from_str(&value).expect("a header"));
    set("content-length", length.to_string());
    if let Some(said) = behaviour.cache_control {
        set("cache-control", said.into());
    }
    if behaviour.etag {
        set("etag", etag);
    }
    if status == 206 {
        let shift = u64::from(fault == Some(Fault::Shifted));
        set(
            "content-range",
            format!("bytes {}-{}/{size}", range.start + shift, range.end - 1 + shift),
        );
    }
    response
}

fn drawn(behaviour: &Behaviour, draw: f64, place: usize) -> Option<Fault> {
    let draw = draw - behaviour.p503;
    if draw < behaviour.pshort {
        Some(Fault::CutAt(place))
    } else if draw < behaviour.pshort + behaviour.pstall {
        Some(Fault::StallAt(place))
    } else {
        None
    }
}

/// Unix seconds at which a presigned URL runs out; None without a signature.
fn expiry(query: &str) -> Option<i64> {
    let get = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(k, _)| *k == name))
            .map(|(_, v)| v)
    };
    get("X-Amz-Signature")?;
    let made = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", get("X-Amz-Date")?).ok()?;
    let made = jiff::tz::TimeZone::UTC.to_timestamp(made).ok()?;
    Some(made.as_second() + get("X-Amz-Expires")?.parse::<i64>().ok()?)
}

/// `bytes=a-b`, `bytes=a-` or `bytes=-n`.
fn range(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) => first..size.min(last + 1),
        (Ok(first), Err(_)) => first..size,
        (Err(_), Ok(n)) => size.saturating_sub(n)..size,
        _ => return None,
    };
    (range.start < range.end).then_some(range)
}

impl Object {
    fn len(&self) -> u64 {
        match self {
            Object::Bytes(bytes) => bytes.len() as u64,
            Object::File(path) => std::fs::metadata(path).map_or(0, |m| m.len()),
        }
    }

    fn read(&self, range: &Range<u64>) -> Content {
        match self {
            Object::Bytes(bytes) => Content::Bytes(bytes.slice(range.start as usize..range.end as usize)),
            Object::File(path) => {
                use std::io::{Read, Seek};
                let mut file = std::fs::File::open(path).expect("the served file");
                file.seek(std::io::SeekFrom::Start(range.start)).expect("the served file");
                Content::File(file.take(range.end - range.start))
            }
        }
    }
}

/// What is still to be sent: a file's bytes are read when they are due, so that they do not count as the client's memory.
enum Content {
    Bytes(Bytes),
    File(std::io::Take<std::fs::File>),
}

impl<T: Into<Bytes>> From<T> for Content {
    fn from(bytes: T) -> Content {
        Content::Bytes(bytes.into())
    }
}

impl Content {
    fn len(&self) -> usize {
        match self {
            Content::Bytes(bytes) => bytes.len(),
            Content::File(file) => file.limit() as usize,
        }
    }

    fn split_to(&mut self, count: usize) -> Bytes {
        match self {
            Content::Bytes(bytes) => bytes.split_to(count),
            Content::File(file) => {
                let mut part = vec![0; count];
                std::io::Read::read_exact(file, &mut part).expect("the served file");
                part.into()
            }
        }
    }
}

/// A body that goes out in parts, may break off or pause, and counts.
struct Sending {
    rest: Content,
    sent: usize,
    fault: Option<Fault>,
    stall: Duration,
    nanos_per_byte: f64,
    line_nanos_per_byte: f64,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
    flushed: bool,
    running: Running,
}

impl Sending {
    fn new(rest: impl Into<Content>, fault: Option<Fault>, behaviour: &Behaviour, running: Running) -> Sending {
        let nanos = |megabits: f64| if megabits > 0.0 { 8e3 / megabits } else { 0.0 };
        Sending {
            rest: rest.into(),
            sent: 0,
            fault,
            stall: behaviour.stall,
            nanos_per_byte: nanos(behaviour.megabits_per_sec),
            line_nanos_per_byte: nanos(behaviour.line_megabits_per_sec),
            pause: None,
            flushed: false,
            running,
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let this = self.get_mut();
        if let Some(pause) = &mut this.pause {
            std::task::ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        let mut step = this.rest.len().min(64 * 1024);
        match this.fault {
            Some(Fault::CutAt(at)) => {
                step = step.min(at - this.sent);
                if step == 0 && !this.flushed {
                    // What was handed over before must reach the wire.
                    this.flushed = true;
                    this.pause = Some(Box::pin(tokio::time::sleep(Duration::from_millis(2))));
                    return Pin::new(this).poll_frame(context);
                }
                if step == 0 {
                    return Poll::Ready(Some(Err(std::io::Error::other("cut"))));
                }
            }
            Some(Fault::StallAt(at)) => {
                step = step.min(at - this.sent);
                if step == 0 {
                    this.fault = None;
                    this.pause = Some(Box::pin(tokio::time::sleep(this.stall)));
                    return Pin::new(this).poll_frame(context);
                }
            }
            _ => {}
        }
        if this.rest.len() == 0 {
            return Poll::Ready(None);
        }
        let part = this.rest.split_to(step);
        this.sent += step;
        this.running.0.stats.lock().expect("stats").bytes += step as u64;
        let takes = |nanos_per_byte: f64| Duration::from_nanos((step as f64 * nanos_per_byte) as u64);
        let now = tokio::time::Instant::now();
        let mut until = now + takes(this.nanos_per_byte);
        if this.line_nanos_per_byte > 0.0 {
            let mut free = this.running.0.line_free.lock().expect("the line");
            let next = free.unwrap_or(now).max(now) + takes(this.line_nanos_per_byte);
            until = until.max(*free.insert(next));
        }
        if until > now {
            this.pause = Some(Box::pin(tokio::time::sleep_until(until)));
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}
