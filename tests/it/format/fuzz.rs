//! Mutations of valid bags: none may panic, and none may make the reader allocate more than its bytes justify.
//!
//! Runs for a moment; `ROADREEL_FUZZ_SECS=600` makes it a fuzzer. An input that fails is written to `tests/fuzz/failures`, from
//! where it is read again ever after.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use roadreel::format::rosbag1::writer::Compression;

use super::exercise::{Reached, exercise, mutate};
use super::{damage, odd, written};

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

/// The seeds have up to 170 kB; what they hold is far below this, and what they can claim far above.
const MOST_BYTES: usize = 64 << 20;

fn seeds() -> Vec<Vec<u8>> {
    let sample = damage::sample();
    let kinds = [(Compression::None, 2000), (Compression::Lz4, 2000), (Compression::Bz2, 20_000)];
    let mut seeds: Vec<_> = kinds
        .map(|(compression, threshold)| written::write(&sample, compression, threshold))
        .into();
    seeds.extend([false, true].map(odd::lz4_bag));
    for i in 0..seeds.len() {
        let mut open = seeds[i].clone();
        let at = open.windows(10).position(|w| w == b"index_pos=").unwrap() + 10;
        open[at..at + 8].fill(0);
        seeds.push(open);
    }
    seeds
}

#[test]
fn fuzz_bag() {
    let secs = std::env::var("ROADREEL_FUZZ_SECS")
        .ok()
        .and_then(|secs| secs.parse().ok())
        .unwrap_or(1.0);
    let end = Instant::now() + Duration::from_secs_f64(secs);
    let seeds = seeds();
    // A short run is the same every time, a long one never.
    let mut rng = if secs > 10.0 {
        fastrand::Rng::new()
    } else {
        fastrand::Rng::with_seed(1)
    };
    let mut reached = Reached::default();
    LARGEST.set(0);
    // On a busy machine the time alone might pass before much was reached.
    while Instant::now() < end || reached.executions < 100 {
        let mut bytes = seeds[rng.usize(..seeds.len())].clone();
        mutate(&mut bytes, &mut rng);
        let (cheap, input) = (rng.bool(), bytes.clone());
        let failed = catch_unwind(AssertUnwindSafe(|| exercise(bytes, cheap, &mut reached))).is_err();
        if failed || LARGEST.get() > MOST_BYTES {
            let name = format!("bag-{:016x}", fastrand::u64(..));
            std::fs::create_dir_all(FAILURES).unwrap();
            std::fs::write(Path::new(FAILURES).join(&name), input).unwrap();
            panic!("{name}: panicked: {failed}; largest allocation: {} bytes", LARGEST.get());
        }
    }
    println!("{reached:?}; largest allocation {} bytes", LARGEST.get());
    assert!(reached.indexed > 0 && reached.recovered > 0 && reached.lz4_chunks > 0 && reached.bz2_chunks > 0);
}

#[test]
fn inputs_that_failed_once_are_read() {
    for file in std::fs::read_dir(FAILURES).into_iter().flatten().flatten() {
        if file.file_name().to_string_lossy().starts_with("bag-") {
            for cheap in [false, true] {
                exercise(std::fs::read(file.path()).unwrap(), cheap, &mut Reached::default());
            }
        }
    }
}
