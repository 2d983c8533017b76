//! Lines of logs: rosgraph_msgs/Log, rcl_interfaces/Log, foxglove_msgs/Log, and plain strings.
//!
//! Invariant: levels of every kind come out on one scale; an unknown level is the nearest one below it.

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
    Foxglove(Binding<6>),
    Text(Binding<1>),
    /// Columns of a table.
    Row {
        text: Binding<1>,
        level: Option<(Binding<1>, Want)>,
        node: Option<Binding<1>>,
    },
}

/// How columns of a table of lines are called, the likeliest first.
const TEXTS: [&str; 4] = ["msg", "message", "text", "log"];
const LEVELS: [&str; 4] = ["level", "severity", "log_level", "loglevel"];
const NODES: [&str; 4] = ["name", "node", "logger", "source"];

impl LogShape {
    pub fn ros1(plan: &Plan) -> Option<LogShape> {
        binding(plan, ("header", Want::Header)).map(LogShape::Ros1)
    }

    pub fn rcl(plan: &Plan) -> Option<LogShape> {
        binding(plan, ("stamp", Want::Time)).map(LogShape::Rcl)
    }

    pub fn foxglove(plan: &Plan) -> Option<LogShape> {
        let wants = [
            ("timestamp", Want::Time),
            ("level", Want::Byte),
            ("message", Want::Text),
            ("name", Want::Text),
            ("file", Want::Text),
            ("line", Want::Scalar(Scalar::U32)),
        ];
        Binding::new(plan, plan.root, wants).map(LogShape::Foxglove)
    }

    pub fn text(plan: &Plan) -> Option<LogShape> {
        Binding::new(plan, plan.root, [("data", Want::Text)]).map(LogShape::Text)
    }

    /// A table with a column of lines and one of their levels.
    pub fn row(plan: &Plan) -> Option<LogShape> {
        let column = |name: &str, want: Want| Binding::new(plan, plan.root, [(name, want)]);
        let text = TEXTS.iter().find_map(|name| column(name, Want::Text))?;
        let kinds = [Scalar::I64, Scalar::I32, Scalar::U8, Scalar::I8, Scalar::F64].map(Want::Scalar);
        let level = LEVELS.iter().find_map(|name| {
            let kinds = kinds.into_iter().chain([Want::Text]);
            kinds.into_iter().find_map(|want| Some((column(name, want)?, want)))
        });
        let node = NODES.iter().find_map(|name| column(name, Want::Text));
        level.is_some().then_some(LogShape::Row { text, level, node })
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
            LogShape::Foxglove(binding) => return foxglove(plan, payload, binding),
            LogShape::Row { text, level, node } => return row(plan, payload, text, level.as_ref(), node.as_ref()),
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

fn foxglove(plan: &Plan, payload: &Bytes, binding: &Binding<6>) -> Result<LogLine, DecodeError> {
    let [stamp, level, text, name, file, line] = binding.locate(plan, &mut Reader::new(payload))?;
    let mut stamp = Reader::starting_at(payload, stamp);
    Ok(LogLine {
        stamp: Some(Time::from_sec_nsec(stamp.u32()?, stamp.u32()?)),
        level: match Reader::starting_at(payload, level).u8()? {
            0..2 => LogLevel::Debug,
            2 => LogLevel::Info,
            3 => LogLevel::Warn,
            4 => LogLevel::Error,
            5.. => LogLevel::Fatal,
        },
        node: text_at(payload, name)?,
        file: text_at(payload, file)?,
        line: Reader::starting_at(payload, line).u32()?,
        ..plain(text_at(payload, text)?)
    })
}

fn row(
    plan: &Plan,
    payload: &Bytes,
    text: &Binding<1>,
    level: Option<&(Binding<1>, Want)>,
    node: Option<&Binding<1>>,
) -> Result<LogLine, DecodeError> {
    let text_of = |column: &Binding<1>| {
        let [at] = column.locate(plan, &mut Reader::new(payload))?;
        text_at(payload, at)
    };
    let level = match level {
        None => LogLevel::Info,
        Some((column, Want::Text)) => named_level(&text_of(column)?),
        Some((column, want)) => {
            let [at] = column.locate(plan, &mut Reader::new(payload))?;
            let mut reader = Reader::starting_at(payload, at);
            let number = match want {
                Want::Scalar(Scalar::F64) => reader.f64()? as i64,
                Want::Scalar(Scalar::I64) => i64::from_le_bytes(reader.array()?),
                Want::Scalar(Scalar::I32) => i64::from(reader.i32()?),
                _ => i64::from(reader.u8()?),
            };
            // tens are ROS 2's levels and Python's, smaller numbers ROS 1's
            match u8::try_from(number).unwrap_or(0) {
                number if number % 10 == 0 && number >= 10 => rcl_level(number),
                number => ros1_level(number),
            }
        }
    };
    let node = match node {
        Some(node) => text_of(node)?,
        None => "".into(),
    };
    Ok(LogLine {
        level,
        node,
        ..plain(text_of(text)?)
    })
}

fn named_level(name: &str) -> LogLevel {
    match name.trim().to_ascii_lowercase().as_str() {
        "debug" | "trace" | "verbose" => LogLevel::Debug,
        "warn" | "warning" => LogLevel::Warn,
        "error" | "err" => LogLevel::Error,
        "fatal" | "critical" => LogLevel::Fatal,
        _ => LogLevel::Info,
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
