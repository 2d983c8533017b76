//! Changed bags, opened and read in every way.
#![no_main]

#[path = "../../it/fuzz/bag.rs"]
mod bag;
#[path = "../../it/format/driver.rs"]
#[allow(dead_code)]
mod driver;
#[path = "../../it/format/raw.rs"]
#[allow(dead_code)]
mod raw;
#[path = "../../it/format/seeds.rs"]
mod seeds;
mod target;

target!(bag, seeds::seeds());
