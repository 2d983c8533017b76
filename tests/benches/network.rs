//! What working over a network costs, on the program's own demo drive and a store 40 ms away that gives each connection 4 MB/s:
//! beside one connection that restores topic after topic, as viewers in a browser do.
//!
//! `./x bench` writes the figures between the README's markers. Under `cargo test` everything runs once, on a short drive.

mod figures;
#[path = "../it/server.rs"]
mod server;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use roadreel::decode::Form;
use roadreel::format::{Checks, ChunkId, ConnectionSet, Container, Fetched};
use roadreel::run::{Executor, Io, Recording, mapped};
use roadreel::source::{Cache, CacheOptions, Location, Policy};
use roadreel::store::{Store, Want, What};
use roadreel::time::{Span, Time};
use server::{Behaviour, Server};

const MEGABITS: f64 = 32.0;
const PLAYED_FROM: f64 = 0.05;

fn network(rtt_millis: u64) -> Behaviour {
    Behaviour {
        rtt: Duration::from_millis(rtt_millis),
        megabits_per_sec: MEGABITS,
        ..Behaviour::default()
    }
}

fn main() {
    let is_wanted = figures::are_wanted();
    let (seconds, seeks, play_secs) = if is_wanted { (64.0, 20, 60.0) } else { (1.0, 2, 0.6) };
    let folder = tempfile::tempdir().expect("a folder");
    let path = figures::drive(folder.path(), seconds);

    let server = Server::start(network(40));
    server.put_file("drive.bag", &path);
    let bench = Bench {
        at: Location::parse(&server.url("drive.bag")).expect("a URL"),
        local: figures::recording(Location::Path(path.clone())),
        server,
    };
    let mut rows = vec![
        ("list the topics".to_owned(), bench.listing(), bench.peer(|peer| peer.open())),
        (
            "the first full picture, at 50 %".to_owned(),
            bench.first_picture(),
            bench.peer(Peer::first_picture),
        ),
    ];
    rows.push((
        format!("{seeks} random seeks, every topic restored"),
        bench.seeks(seeks),
        bench.peer(|peer| peer.seeks(seeks)),
    ));
    rows.push((
        "open it again".to_owned(),
        bench.reopening(folder.path()),
        bench.peer(|peer| peer.open()),
    ));
    let beginning_secs = f64::min(1.0, play_secs / 2.0);
    let [beginning, playing] = bench.playing(beginning_secs, play_secs);
    rows.push((
        format!("begin to play: the first {beginning_secs} s"),
        beginning,
        bench.peer(|peer| peer.playing(beginning_secs)),
    ));
    rows.push((
        format!("play on, up to {play_secs} s"),
        playing,
        bench.peer(|peer| peer.playing(play_secs)),
    ));
    let rates = rates(&path, is_wanted);
    let text = format!(
        "The demo drive of {seconds} s, {} MB; a store 40 ms away that gives each connection {} MB/s. Seconds; for playing, those in which it stood \
         still.\n\n{}\n\n{}",
        figures::megabytes(&path),
        MEGABITS / 8.0,
        table(&rows),
        rates
    );
    match is_wanted {
        true => figures::publish("network", &text),
        false => println!("{text}"),
    }
}

fn table(rows: &[(String, Cost, Cost)]) -> String {
    let mut text =
        "| work | requests | MB | seconds | one connection, topic by topic: requests | MB | seconds |\n|---|---:|---:|---:|---:|---:|---:|"
            .to_owned();
    for (what, ours, peers) in rows {
        let cost = |cost: &Cost| format!("{} | {:.1} | {:.2}", cost.requests, cost.bytes as f64 / 1e6, cost.secs);
        text.push_str(&format!("\n| {what} | {} | {} |", cost(ours), cost(peers)));
    }
    text
}

struct Cost {
    requests: u64,
    bytes: u64,
    secs: f64,
}

struct Bench {
    server: Server,
    at: Location,
    local: Recording,
}

/// A store and what runs its work.
struct Player {
    store: Store,
    executor: Executor,
}

impl Player {
    fn open(at: &Location, io: Io) -> Player {
        let mut store = Store::new(1 << 30);
        store.open(vec![at.clone()]);
        Player {
            store,
            executor: Executor::with(io, || ()),
        }
    }

    /// The newest message of every topic.
    fn demand(&mut self, now: Time, speed: f64) {
        let want = |topic: &roadreel::store::Topic| Want {
            topic: topic.id,
            what: What::Latest(topic.form.filter(|form| !form.accumulates()).unwrap_or(Form::Value)),
        };
        let wants: Vec<Want> = self.store.topics().iter().map(want).collect();
        self.store.demand(now, speed, &wants);
    }

    fn pass(&mut self, now: impl FnOnce(Span) -> Time, speed: f64) {
        let mut events = Vec::new();
        self.executor.drain(&mut events);
        events.into_iter().for_each(|event| self.store.apply(event));
        if let Some(span) = self.store.span() {
            self.demand(now(span), speed);
        }
        self.executor.submit(self.store.take_work());
    }

    /// Until everything at the playhead is there.
    fn show(&mut self, now: impl Fn(Span) -> Time) {
        loop {
            self.pass(&now, 0.0);
            if self.store.span().is_some() && !self.store.status().waiting_at_playhead {
                return;
            }
            self.executor.wait();
        }
    }
}

fn io() -> Io {
    Io::new(Policy::default(), &[]).expect("a runtime")
}

impl Bench {
    fn cost(&self, work: impl FnOnce() -> Option<f64>) -> Cost {
        // requests that were given up may still be running
        self.server.reset_stats();
        let begun = Instant::now();
        let told = work();
        let secs = told.unwrap_or_else(|| begun.elapsed().as_secs_f64());
        let stats = self.server.stats();
        Cost {
            requests: stats.requests,
            bytes: stats.bytes,
            secs,
        }
    }

    fn listing(&self) -> Cost {
        self.cost(|| {
            figures::recording(self.at.clone());
            None
        })
    }

    /// From nothing; nothing is read ahead, so that what counts is what is needed.
    fn first_picture(&self) -> Cost {
        self.cost(|| {
            let mut player = Player::open(&self.at, io());
            player.store.hold_ahead(true);
            player.show(|span| span.at_fraction(0.5));
            None
        })
    }

    fn seeks(&self, count: usize) -> Cost {
        let mut player = Player::open(&self.at, io());
        player.store.hold_ahead(true);
        player.show(|span| span.start);
        self.cost(|| {
            let mut random = fastrand::Rng::with_seed(1);
            for _ in 0..count {
                let place = random.f64();
                player.show(|span| span.at_fraction(place));
            }
            None
        })
    }

    fn reopening(&self, folder: &Path) -> Cost {
        let cached = || {
            let cache = Cache::new(CacheOptions {
                folder: Some(folder.join("kept")),
                disk_bytes: 1 << 30,
                memory_bytes: 16 << 20,
            });
            Recording::open(&io().cached(cache), self.at.clone(), |_, _| ()).expect("it opens")
        };
        cached();
        self.cost(|| {
            cached();
            None
        })
    }

    /// From near the drive's start on, in real time: until it moves on from the first picture, and how long it stood still after that.
    fn playing(&self, beginning_secs: f64, secs: f64) -> [Cost; 2] {
        let mut player = Player::open(&self.at, io());
        player.show(|span| span.at_fraction(PLAYED_FROM));
        let mut now = player.store.span().expect("it is open").at_fraction(PLAYED_FROM);
        // past the chunks of the first picture
        let begun = now.plus_nanos((beginning_secs * 1e9) as i64);
        let end = now.plus_nanos((secs * 1e9) as i64);
        let mut play_until = |end: Time| {
            let (mut last, mut still) = (Instant::now(), 0.0);
            while now < end {
                player.pass(|_| now, 1.0);
                std::thread::sleep(Duration::from_millis(8));
                let passed = last.elapsed();
                last = Instant::now();
                match player.store.status().buffering {
                    true => still += passed.as_secs_f64(),
                    false => now = now.plus_nanos(passed.as_nanos() as i64),
                }
            }
            Some(still)
        };
        [self.cost(|| play_until(begun)), self.cost(|| play_until(end))]
    }

    fn peer(&self, work: impl FnOnce(&mut Peer) -> Option<f64>) -> Cost {
        let mut peer = Peer::new(&self.at, &self.local);
        self.cost(|| work(&mut peer))
    }
}

/// One connection, one request after another, one topic after another; whatever was fetched is kept for good.
struct Peer {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    container: Arc<dyn Container>,
    chunks: HashMap<ChunkId, Bytes>,
}

impl Peer {
    fn new(at: &Location, local: &Recording) -> Peer {
        let Location::Url(url) = at else { panic!("a URL") };
        Peer {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
            url: url.to_string(),
            container: local.container.clone(),
            chunks: HashMap::new(),
        }
    }

    fn get(&self, range: Range<u64>) -> Bytes {
        let asked = self
            .client
            .get(&self.url)
            .header("range", format!("bytes={}-{}", range.start, range.end - 1));
        self.runtime
            .block_on(async { asked.send().await.expect("an answer").bytes().await.expect("a body") })
    }

    /// A look at the file, its header, its index.
    fn open(&mut self) -> Option<f64> {
        let catalog = self.container.catalog();
        let index = catalog.chunks.iter().map(|chunk| chunk.range.end).max().expect("chunks");
        self.get(0..1);
        self.get(13..4109);
        self.get(index..catalog.size);
        None
    }

    fn first_picture(&mut self) -> Option<f64> {
        self.open();
        self.restore(self.span().at_fraction(0.5));
        None
    }

    fn seeks(&mut self, count: usize) -> Option<f64> {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..count {
            self.restore(self.span().at_fraction(random.f64()));
        }
        None
    }

    fn span(&self) -> Span {
        self.container.catalog().span().expect("messages")
    }

    /// The newest message of each topic: back from chunk to chunk until there is one.
    fn restore(&mut self, t: Time) {
        let container = self.container.clone();
        let catalog = container.catalog();
        let mut topics: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (connection, id) in catalog.connections.iter().zip(0..) {
            topics.entry(&connection.topic).or_default().push(id);
        }
        for connections in topics.into_values() {
            let wanted = ConnectionSet::Only(connections.iter().copied().collect());
            let holds = |chunk: &roadreel::format::Chunk| chunk.counts.iter().any(|(id, n)| *n > 0 && connections.contains(id));
            let chunks = catalog.chunks.iter().zip(0..);
            let mut before: Vec<(Time, ChunkId)> = chunks
                .filter(|(chunk, _)| chunk.span.start <= t && holds(chunk))
                .map(|(chunk, id)| (chunk.span.end, id))
                .collect();
            before.sort_unstable_by_key(|(end, id)| std::cmp::Reverse((*end, *id)));
            for (_, id) in before {
                let range = catalog.chunks[id as usize].range.clone();
                let bytes = match self.chunks.get(&id) {
                    Some(bytes) => bytes.clone(),
                    None => {
                        let bytes = self.get(range.clone());
                        self.chunks.insert(id, bytes.clone());
                        bytes
                    }
                };
                let batch = container.messages(id, &Fetched::one(range.start, bytes), &wanted, Checks::Quick);
                if batch.messages.iter().any(|message| message.time <= t) {
                    break;
                }
            }
        }
    }

    /// The same span, streamed in one request; how much longer that takes than it lasts.
    fn playing(&mut self, secs: f64) -> Option<f64> {
        let begin = self.span().at_fraction(PLAYED_FROM);
        let span = Span::new(begin, begin.plus_nanos((secs * 1e9) as i64));
        let within = self.container.catalog().chunks.iter().filter(|chunk| chunk.span.overlaps(span));
        let range = within
            .map(|chunk| chunk.range.clone())
            .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
            .expect("chunks");
        let begun = Instant::now();
        self.get(range);
        Some((begun.elapsed().as_secs_f64() - secs).max(0.0))
    }
}

/// Reading the drive as fast as it goes, beside the same with fixed numbers of connections.
fn rates(path: &Path, is_wanted: bool) -> String {
    let numbers: &[usize] = if is_wanted { &[2, 4, 8, 12, 16] } else { &[16] };
    let head = numbers.iter().map(|n| format!(" {n} |")).collect::<String>();
    let mut text = format!(
        "MB/s of reading all of it (`check`) on other networks, beside fixed numbers of connections; the best is in bold.\n\n| network | adaptive |{head}\n|---|---:|{}",
        "---:|".repeat(numbers.len())
    );
    let each = format!("{} MB/s each", MEGABITS / 8.0);
    for (what, behaviour) in [
        (format!("5 ms, {each}"), network(5)),
        (format!("40 ms, {each}"), network(40)),
        (format!("200 ms, {each}"), network(200)),
        (
            "40 ms, 12 MB/s for all".to_owned(),
            Behaviour {
                line_megabits_per_sec: 96.0,
                ..network(40)
            },
        ),
    ] {
        let server = Server::start(behaviour);
        server.put_file("drive.bag", path);
        let at = Location::parse(&server.url("drive.bag")).expect("a URL");
        let adaptive = adaptive(&at);
        let fixed: Vec<f64> = numbers.iter().map(|n| fixed(&server, &at, path, *n)).collect();
        let best = fixed.iter().copied().fold(0.0, f64::max);
        let cells = fixed.iter().map(|rate| match *rate == best {
            true => format!(" **{rate:.1}** |"),
            false => format!(" {rate:.1} |"),
        });
        text.push_str(&format!("\n| {what} | {adaptive:.1} |{}", cells.collect::<String>()));
    }
    text
}

fn adaptive(at: &Location) -> f64 {
    let recording = figures::recording(at.clone());
    let size = recording.container.catalog().size;
    let begun = Instant::now();
    let count = mapped(&recording, ConnectionSet::All, Span::ALL, Checks::Quick, |_| ()).count();
    assert!(count > 0);
    size as f64 / begun.elapsed().as_secs_f64() / 1e6
}

/// So many connections, each asking for the next 4 MB when it has got the last; a part of the drive that takes a few seconds.
fn fixed(server: &Server, at: &Location, path: &Path, connections: usize) -> f64 {
    let Location::Url(url) = at else { panic!("a URL") };
    let size = std::fs::metadata(path).expect("the drive").len();
    let most = (connections as u64 * 12_000_000).min(96_000_000).min(size);
    let next = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    server.reset_stats();
    let begun = Instant::now();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let (client, url, next) = (client.clone(), url.clone(), next.clone());
            running.spawn(async move {
                loop {
                    let from = next.fetch_add(4 << 20, std::sync::atomic::Ordering::Relaxed);
                    if from >= most {
                        return;
                    }
                    let to = (from + (4 << 20)).min(most) - 1;
                    let asked = client.get(url.clone()).header("range", format!("bytes={from}-{to}"));
                    asked.send().await.expect("an answer").bytes().await.expect("a body");
                }
            });
        }
        while running.join_next().await.is_some() {}
    });
    server.stats().bytes as f64 / begun.elapsed().as_secs_f64() / 1e6
}
