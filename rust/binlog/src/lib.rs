//! Decoder of MySQL's and MariaDB's binary log: bytes in, Arrow record batches out.
//!
//! No sockets and no Python: whoever has the bytes (a dump connection, a file) hands over whole
//! events, and takes [`Event`]s. The log's grammar, the servers' differences and every column type
//! are handled here; what a statement means for a schema, and what becomes of the rows, is not.
//!
//! ```text
//! loop {
//!     decoder.feed(event)?;                        // one whole event, header included
//!     while decoder.must_take() || cut_now {       // a barrier, or as much as may be buffered
//!         match decoder.take()? {
//!             Some(Event::SchemaChange(change)) => { /* register, forget */ decoder.resume()?; }
//!             Some(event) => hand_over(event),
//!             None => break,
//!         }
//!     }
//! }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod charset;
mod column;
mod compressed;
mod config;
mod cursor;
mod decimal;
mod decoder;
mod dispatch;
mod error;
mod event;
mod file;
mod format;
mod fragments;
mod group;
mod gtid;
mod gtid_event;
mod gtid_set;
mod header;
mod held;
mod json;
mod maps;
mod origins;
mod payload;
mod position;
mod query;
mod query_event;
mod rows;
mod selection;
mod statements;
mod survey;
mod table_map;
mod tables;
mod temporal;
mod tracker;
mod verify;
mod window;
mod words;

pub use charset::TextDecoder;
pub use config::{Config, TableOptions};
pub use decoder::Decoder;
pub use error::{DecodeError, ErrorKind};
pub use event::{Control, Event, Heartbeat, SchemaChange, SequenceState, Window, leading_fields};
pub use file::LogFile;
pub use format::Flavour;
pub use gtid::{Gtid, MariadbGtid, SourceId, Tag};
pub use gtid_set::{GtidList, GtidSet};
pub use origins::Origins;
pub use position::{Coordinate, FilePosition, MariadbRestart, Position, PositionError, Restart, TransactionId};
pub use selection::Selection;
pub use survey::{FileBegin, Moment, Step, Survey};
pub use table_map::column_types;
