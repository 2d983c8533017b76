//! Readers of tables panic on some that are damaged: these panics become errors.
//!
//! Invariant: what becomes an error while footers are read is not printed, too.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::task::Poll;

use super::LakeError;

pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, LakeError>) -> Result<T, LakeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(crashed()))
}

fn crashed() -> LakeError {
    LakeError::Table("the table is damaged: its reader crashed on it".into())
}

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// As [`caught`], of a future; nothing is printed either.
pub(super) async fn caught_within<T>(work: impl Future<Output = T>) -> Result<T, LakeError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_QUIET.get() {
                before(panic);
            }
        }));
    });
    let mut work = std::pin::pin!(work);
    poll_fn(|context| {
        let _quiet = Quiet::begin();
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(crashed())),
        }
    })
    .await
}

/// Ends when it is dropped, which a panic does, too.
struct Quiet;

impl Quiet {
    fn begin() -> Quiet {
        IS_QUIET.set(true);
        Quiet
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        IS_QUIET.set(false);
    }
}
