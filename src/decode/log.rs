//! Lines of logs: rosgraph_msgs/Log, rcl_interfaces/Log, and plain strings.
//!
//! Invariant: levels of both generations come out on one scale; an unknown level is the nearest one below it.

use std::sync::Arc;

use bytes::Bytes;

use super::bind::{Binding, Want, text_at};
use super::geometry::header_at;
use super::plan::Plan;
use super::reader::Reader;
use super::{DecodeError, LogLevel, LogLine, Scalar};
use crate::time::Time;

#[derive(Debug)]
pub(super) enum LogShape {
    Ros1(Binding<7>),
    Rcl(Binding<7>),
    Text(Binding<1>),
}

impl LogShape {
    pub fn ros1(plan: &Plan) -> Option<LogShape> {
        binding(plan, ("header", Want::Header)).map(LogShape::Ros1)
    }

    pub fn rcl(plan: &Plan) -> Option<LogShape> {
        binding(plan, ("stamp", Want::Time)).map(LogShape::Rcl)
    }

    pub fn text(plan: &Plan) -> Option<LogShape> {
        Binding::new(plan, plan.root, [("data", Want::Text)]).map(LogShape::Text)
    }

    pub fn is_text(&self) -> bool {
        matches!(self, LogShape::Text(_))
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<LogLine, DecodeError> {
        let mut reader = Reader::new(payload);
        let (binding, is_rcl) = match self {
            LogShape::Text(binding) => {
                let [data] = binding.locate(plan, &mut reader)?;
                return Ok(plain(text_at(payload, data)?));
            }
            LogShape::Ros1(binding) => (binding, false),
            LogShape::Rcl(binding) => (binding, true),
        };
        let [start, level, name, text, file, function, line] = binding.locate(plan, &mut reader)?;
        let level = Reader::starting_at(payload, level).u8()?;
        let stamp = if is_rcl {
            let mut reader = Reader::starting_at(payload, start);
            Time::from_sec_nsec(reader.u32()?, reader.u32()?)
        } else {
            header_at(payload, start)?.stamp
        };
        Ok(LogLine {
            stamp: Some(stamp),
            level: if is_rcl { rcl_level(level) } else { ros1_level(level) },
            node: text_at(payload, name)?,
            file: text_at(payload, file)?,
            function: text_at(payload, function)?,
            line: Reader::starting_at(payload, line).u32()?,
            text: text_at(payload, text)?,
        })
    }
}

fn binding(plan: &Plan, start: (&str, Want)) -> Option<Binding<7>> {
    let wants = [
        start,
        ("level", Want::Byte),
        ("name", Want::Text),
        ("msg", Want::Text),
        ("file", Want::Text),
        ("function", Want::Text),
        ("line", Want::Scalar(Scalar::U32)),
    ];
    Binding::new(plan, plan.root, wants)
}

fn plain(text: Arc<str>) -> LogLine {
    LogLine {
        stamp: None,
        level: LogLevel::Info,
        node: "".into(),
        file: "".into(),
        function: "".into(),
        line: 0,
        text,
    }
}

/// rosgraph_msgs/Log: 1, 2, 4, 8, 16.
fn ros1_level(level: u8) -> LogLevel {
    match level {
        0..2 => LogLevel::Debug,
        2..4 => LogLevel::Info,
        4..8 => LogLevel::Warn,
        8..16 => LogLevel::Error,
        16.. => LogLevel::Fatal,
    }
}

/// rcl_interfaces/Log: 10, 20, 30, 40, 50.
fn rcl_level(level: u8) -> LogLevel {
    match level {
        0..20 => LogLevel::Debug,
        20..30 => LogLevel::Info,
        30..40 => LogLevel::Warn,
        40..50 => LogLevel::Error,
        50.. => LogLevel::Fatal,
    }
}
