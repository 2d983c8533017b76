//! The program: everything is in the library.

use std::process::ExitCode;

// Messages are decoded on one thread and dropped on another, megabytes at a time: the system's allocator keeps them per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    roadreel::cli::main()
}
