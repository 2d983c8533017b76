//! The runtime that waits for sockets, and the network side of all readers.

use std::sync::Arc;

use crate::source::{Cache, Net, Page, Policy, S3Address, SourceError, Traffic};

/// A running tokio runtime with HTTP connections. Cheap to clone; the last one dropped ends it without waiting
/// for the network.
#[derive(Clone)]
pub struct Io {
    runtime: Arc<Ending>,
    net: Net,
    flushing: Option<Arc<Flushing>>,
    /// The column that is a table's time, where the user has named one.
    time_column: Option<Arc<str>>,
}

struct Ending(Option<tokio::runtime::Runtime>);

struct Flushing(Cache);

impl Io {
    /// `headers` are sent with every request (`--header`).
    pub fn new(policy: Policy, headers: &[(String, String)]) -> Result<Io, SourceError> {
        Io::over(Net::new(policy, headers)?)
    }

    pub fn over(net: Net) -> Result<Io, SourceError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).max(2))
            .thread_name("roadreel-io")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|e| SourceError::Io {
            cause: e.to_string().into(),
            at: crate::source::Location::Path("threads".into()),
        })?;
        Ok(Io {
            runtime: Arc::new(Ending(Some(runtime))),
            net,
            flushing: None,
            time_column: None,
        })
    }

    /// Keeps what is fetched in `cache`; the last one dropped waits until that is written.
    pub fn cached(self, cache: Cache) -> Io {
        Io {
            net: self.net.cached(cache.clone()),
            flushing: Some(Arc::new(Flushing(cache))),
            ..self
        }
    }

    /// Takes this column for the time of tables that have it.
    pub fn with_time_column(self, column: Option<&str>) -> Io {
        Io {
            time_column: column.map(Into::into),
            ..self
        }
    }

    pub(super) fn time_column(&self) -> Option<&str> {
        self.time_column.as_deref()
    }

    /// Why the cache keeps nothing any more: one sentence.
    pub fn cache_trouble(&self) -> Option<Arc<str>> {
        self.flushing.as_ref()?.0.trouble()
    }

    pub fn net(&self) -> &Net {
        &self.net
    }

    pub fn traffic(&self) -> &Arc<Traffic> {
        self.net.traffic()
    }

    /// A page of what lies in S3 ([`Net::list`]); waits on the calling thread: for commands.
    pub fn list(&self, place: &S3Address, after: Option<&str>, by_folder: bool) -> Result<Page, SourceError> {
        self.block_on(self.net.list(place, after, by_folder))
    }

    pub(super) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
        self.handle().spawn(work)
    }

    pub(super) fn spawn_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> tokio::task::JoinHandle<T> {
        self.handle().spawn_blocking(work)
    }

    /// Waits on the calling thread: for commands only.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle().block_on(work)
    }

    fn handle(&self) -> &tokio::runtime::Handle {
        match &self.runtime.0 {
            Some(runtime) => runtime.handle(),
            None => unreachable!("the runtime is only taken when it is dropped"),
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        self.0.flush();
        if let Some(trouble) = self.0.trouble() {
            tracing::warn!("{trouble}");
        }
    }
}
