//! ROS 1 bags, from bytes: what is read, what is warned about, and that nothing in a file can do harm.
#[path = "format/damage.rs"]
mod damage;
#[path = "format/driver.rs"]
pub mod driver;
#[path = "format/foreign.rs"]
mod foreign;
#[path = "format/lies.rs"]
mod lies;
#[path = "format/odd.rs"]
mod odd;
#[path = "format/raw.rs"]
mod raw;
#[path = "format/real.rs"]
mod real;
#[path = "format/seeds.rs"]
pub mod seeds;
#[path = "format/textlog.rs"]
mod textlog;
#[path = "format/written.rs"]
mod written;
