//! Changed message definitions, and messages that are read with them.
#![no_main]

#[path = "../../it/fuzz/msgdef.rs"]
mod msgdef;
mod target;

target!(msgdef, msgdef::seeds());
