//! Every test of the program, through its public boundaries, in one binary.
mod data;
