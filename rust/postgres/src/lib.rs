//! PostgreSQL: our wire client, the encoder from Arrow, COPY, and the apply engine.
//!
//! Everything blocks. The client speaks protocol 3.0 and the part of it that PostgreSQL's relatives
//! understand too; sockets and TLS come from `opendrs-net`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod apply;
mod auth;
mod cancel;
mod channel_binding;
mod connection;
mod copy;
mod encode;
mod error;
mod options;
mod pipeline;
pub mod sql;
mod target_table;
mod transport;
mod wire;

pub use apply::{Applier, Counts, Mode, OnConflict, Resolved, TableCounts};
pub use cancel::CancelHandle;
pub use connection::{Connection, Rows, TransactionStatus};
pub use copy::{CopyFormat, CopyIn};
pub use encode::{ColumnTarget, Encoder, ImpossibleDate, NulInText, Policies, Target};
pub use error::{Conflict, PgError, Result, RowValueError, ServerError, ValueProblem};
pub use options::ConnectOptions;
pub use target_table::{TargetTable, Touched};
