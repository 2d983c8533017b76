//! Message paths: `/odom.pose.pose.position.x`, and all that can be computed from them.
//!
//! One language for all panels, a superset of Foxglove's; its grammar stands in the README. Text becomes a syntax tree
//! ([`parse`] → [`Expr`]), the tree is compiled once against the topics' message definitions ([`Program`], or [`Column`] and
//! [`Select`] for one topic), and what is compiled reads messages ([`Column::each`]) and series ([`Program::points`]).
//!
//! Invariants: printing a tree and parsing it gives the same tree; a refusal says what, where and what would fit; nothing is
//! looked up per message; what a message does not hold is no value, never a wrong one.
//!
//! ```
//! use roadreel::decode::Schema;
//! use roadreel::path::{Column, parse};
//!
//! let schema = Schema::ros1("demo/Wheels", "float32[] speeds\nuint8 gear\nuint8 GEAR_REVERSE=2\n").unwrap();
//! let message = [2, 0, 0, 0, 0, 0, 64, 64, 0, 0, 128, 64, 2]; // speeds 3 and 4, gear 2
//!
//! let norm = Column::compile(&schema, &parse("sqrt(/wheels.speeds[0] ^ 2 + /wheels.speeds[1] ^ 2)").unwrap()).unwrap();
//! assert_eq!(norm.get(&message), Some(5.0));
//!
//! let reversing = Column::compile(&schema, &parse("/wheels{gear == GEAR_REVERSE}.speeds[:]").unwrap()).unwrap();
//! let items: Vec<String> = reversing.items(&message).iter().map(ToString::to_string).collect();
//! assert_eq!(items, ["3", "4"]);
//!
//! let error = Column::compile(&schema, &parse("/wheels.speed[0]").unwrap()).unwrap_err();
//! assert_eq!(error.to_string(), "there is no field “speed” in demo/Wheels (did you mean “.speeds”?)");
//! ```

mod ast;
mod column;
mod complete;
mod eval;
mod functions;
mod limits;
mod nearest;
mod parse;
mod place;
mod print;
mod program;
mod select;
mod stream;
mod transform;

pub use ast::*;
pub use column::{Column, ItemKind};
pub use complete::{Completion, Leaf, complete, leaves};
pub use eval::Item;
pub use functions::{FUNCTIONS, Function, Kind as FunctionKind, Param, Part, function};
pub use limits::may_hold;
pub use parse::{parse, parse_fields};
pub use program::{Input, Program, TopicSchema, Variables, bind};
pub use select::Select;
pub use stream::Progress;
pub use transform::{Point, Transform};

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

/// Why a path cannot be read or does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct PathError {
    pub what: String,
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What would fit in that place.
    pub nearest: Option<String>,
}

impl PathError {
    pub fn new(what: impl Into<String>, span: Range<usize>) -> PathError {
        PathError {
            what: what.into(),
            span,
            nearest: None,
        }
    }

    fn with_nearest(mut self, nearest: Option<String>) -> PathError {
        self.nearest = nearest;
        self
    }

    /// The text with what would fit in place of what does not.
    pub fn repaired(&self, text: &str) -> Option<String> {
        let (before, after) = (text.get(..self.span.start)?, text.get(self.span.end..)?);
        Some(format!("{before}{}{after}", self.nearest.as_deref()?))
    }
}

impl Display for PathError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.nearest.as_deref() {
            Some(nearest) if !nearest.is_empty() => write!(f, " (did you mean “{nearest}”?)"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for PathError {}

/// A topic as paths write it: in quotes where its name needs them.
pub fn topic_text(name: &str) -> String {
    Path {
        topic: Some(name.to_owned()),
        steps: Vec::new(),
        at: Spot::default(),
    }
    .to_string()
}
