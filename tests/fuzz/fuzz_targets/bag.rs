//! Bags, changed where it hurts: libFuzzer's own changes alone seldom get past the first record.
#![no_main]

#[path = "../../it/format/driver.rs"]
mod driver;
#[path = "../../it/format/exercise.rs"]
mod exercise;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| exercise::exercise(data.to_vec(), data.len() % 2 == 0, &mut exercise::Reached::default()));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 4 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut bytes = data[..size].to_vec();
    exercise::mutate(&mut bytes, &mut fastrand::Rng::with_seed(seed.into()));
    let size = bytes.len().min(max_size);
    data[..size].copy_from_slice(&bytes[..size]);
    size
});
