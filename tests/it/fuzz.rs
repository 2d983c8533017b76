//! Changed bags and definitions: none may panic, and none may make us allocate more than its bytes justify.
//!
//! Runs for a moment on inputs that are the same every time; `ROADREEL_FUZZ_SECS=600` makes it a fuzzer. `tests/fuzz` holds the same
//! as targets of cargo-fuzz, which follows coverage. An input that fails is written to `tests/fuzz/failures`, from where it is read
//! again ever after.

#[path = "fuzz/bag.rs"]
mod bag;
#[path = "fuzz/msgdef.rs"]
pub mod msgdef;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::format::{driver, seeds};

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// Notes the largest allocation of each thread.
struct Watching;

#[global_allocator]
static ALLOCATOR: Watching = Watching;

// SAFETY: everything is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size);
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe { System.dealloc(ptr, layout) }
    }
}

fn note(size: usize) {
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

const FAILURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/failures");

/// No seed has more than 170 kB; what they hold is far below this, and what they can claim far above.
const MOST_BYTES: usize = 64 << 20;

/// Changes seeds and tries what becomes of them, for as long as is wanted; what they reached.
fn run<Reached: Debug + Default>(
    name: &str,
    seeds: &[Vec<u8>],
    mutate: fn(&mut Vec<u8>, &mut Rng),
    exercise: fn(&[u8], &mut Reached),
) -> Reached {
    let secs = std::env::var("ROADREEL_FUZZ_SECS").ok().and_then(|secs| secs.parse().ok());
    let end = Instant::now() + Duration::from_secs_f64(secs.unwrap_or(1.0));
    let mut rng = if secs.is_some() { Rng::new() } else { Rng::with_seed(1) };
    let (mut reached, mut executions) = (Reached::default(), 0u64);
    LARGEST.set(0);
    // On a busy machine the time alone might pass before much was reached.
    while Instant::now() < end || executions < 500 {
        let mut input = seeds[rng.usize(..seeds.len())].clone();
        mutate(&mut input, &mut rng);
        let failed = catch_unwind(AssertUnwindSafe(|| exercise(&input, &mut reached))).is_err();
        if failed || LARGEST.get() > MOST_BYTES {
            let file = Path::new(FAILURES).join(format!("{name}-{:016x}", fastrand::u64(..)));
            std::fs::create_dir_all(FAILURES).unwrap();
            std::fs::write(&file, input).unwrap();
            panic!(
                "{}: panicked: {failed}; largest allocation: {} bytes",
                file.display(),
                LARGEST.get()
            );
        }
        executions += 1;
    }
    println!(
        "{name}: {executions} executions, {reached:?}; largest allocation {} bytes",
        LARGEST.get()
    );
    reached
}

#[test]
fn fuzz_bag() {
    let reached = run("bag", &seeds::seeds(), bag::mutate, bag::exercise);
    assert!(reached.indexed > 0 && reached.recovered > 0 && reached.lz4_chunks > 0 && reached.bz2_chunks > 0);
}

#[test]
fn fuzz_msgdef() {
    let reached = run("msgdef", &msgdef::seeds(), msgdef::mutate, msgdef::exercise);
    assert!(reached.refused > 0 && reached.compiled > 0 && reached.read > 0 && reached.forms > 0);
}

#[test]
fn inputs_that_failed_once_are_read() {
    for file in std::fs::read_dir(FAILURES).into_iter().flatten().flatten() {
        let input = std::fs::read(file.path()).unwrap();
        match file.file_name().to_string_lossy().split('-').next() {
            Some("bag") => bag::exercise(&input, &mut bag::Reached::default()),
            Some("msgdef") => msgdef::exercise(&input, &mut msgdef::Reached::default()),
            _ => panic!("{}: of which fuzzer?", file.path().display()),
        }
    }
}
