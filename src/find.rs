//! When in recordings a condition over message paths holds: spans, in order, while the recordings are being read.
//!
//! Topics combine by sample and hold: a span begins with the message at which the condition becomes true and ends with the one at
//! which it becomes false, or where the recording ends. Before a topic's first message what is said of it is not known, which is not
//! true. Invariants: only the topics that are named are read, of them only the chunks that can matter and the bytes that lead to the
//! values; memory does not grow with the recording.
//!
//! ```no_run
//! use roadreel::find::{Bounds, Condition, Drive, Search, Step};
//! use roadreel::path::{Variables, parse};
//! # fn print(recording: roadreel::run::Recording) -> Result<(), Box<dyn std::error::Error>> {
//! let drive = Drive::of(recording);
//! let braking = parse("/vehicle/brake_report.pedal_input > 0.3 and /vehicle/steering_report.speed > 5")?;
//! let condition = Condition::compile(&braking, &drive.schemas(&braking.topics()), &Variables::new())?;
//! for step in Search::begin(&drive, &condition, Bounds::default()) {
//!     if let Step::Found(span) = step? {
//!         println!("{} to {}", span.start.nanos(), span.end.nanos());
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod condition;
mod drive;
mod reading;
mod search;
mod spans;

pub use condition::Condition;
pub use drive::{Drive, Kind, Place, places, tables, tables_among};
pub use reading::Reads;
pub use search::{Search, Step};
pub use spans::Bounds;
