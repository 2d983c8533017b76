//! ROS 1 bags, format 2.0.
//!
//! Follows <https://wiki.ros.org/Bags/Format/2.0>. Where the file has an index that fits, nothing but the index is read to open it;
//! otherwise the records are walked. Every length is checked against the bytes that are there before it is believed.

pub mod writer;
