//! The way from a fuzzer of `tests/it/fuzz` to a target of libFuzzer.

/// Defines the target: what is tried, how inputs are changed, and what to begin with. libFuzzer's own changes alone seldom get past
/// a bag's first record, so it makes only some of them. Now and then the target says what was reached so far.
#[macro_export]
macro_rules! target {
    ($module:ident, $seeds:expr) => {
        static REACHED: std::sync::Mutex<(u64, Option<$module::Reached>)> = std::sync::Mutex::new((0, None));
        static SEEDS: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(|| $seeds);

        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            let mut reached = REACHED.lock().expect("one thread");
            let (executions, reached) = &mut *reached;
            let reached = reached.get_or_insert_default();
            $module::exercise(data, reached);
            *executions += 1;
            if executions.is_multiple_of(50_000) {
                eprintln!("{executions} executions, {reached:?}");
            }
        });

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            let mut rng = fastrand::Rng::with_seed(seed.into());
            let mut bytes = data[..size].to_vec();
            match rng.u8(..8) {
                0 => bytes.clone_from(&SEEDS[rng.usize(..SEEDS.len())]),
                1 | 2 => return libfuzzer_sys::fuzzer_mutate(data, size, max_size),
                _ => $module::mutate(&mut bytes, &mut rng),
            }
            let size = bytes.len().min(max_size);
            data[..size].copy_from_slice(&bytes[..size]);
            size
        });
    };
}
