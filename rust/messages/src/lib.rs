//! Arrow batches to Kafka messages: what a consumer reads is made here, and nothing else. No sockets, no
//! producer: [`Encoder`] makes [`Messages`] of a window or of rows of a snapshot, which are written portion by
//! portion into memory that is used again.
//!
//! | format | module |
//! |---|---|
//! | `json`, `json_c` | `json` |
//! | `canal-json` | `canal` |
//! | `debezium-json` | `debezium` |
//! | `avro` | `avro` |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod avro;
mod canal;
mod debezium;
mod encoder;
mod error;
mod escape;
mod facts;
mod java;
mod json;
mod key;
mod kinds;
mod messages;
mod murmur;
mod names;
mod options;
mod order;
mod record;
mod statement;
mod table;
mod text;

pub use avro::{RECORD_FINGERPRINT, RECORD_SCHEMA};
pub use encoder::Encoder;
pub use error::{MessageError, Result, RowName, RowValueError, ValueProblem};
pub use facts::Facts;
pub use messages::{Message, Messages, Portion};
pub use murmur::{murmur2, partition};
pub use options::{Format, Options, PartitionPolicy, Source, TableFormat};
pub use statement::{Statement, StatementMessage};
