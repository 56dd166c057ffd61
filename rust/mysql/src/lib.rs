//! Client of MySQL (5.7 to 9.x) and MariaDB (10.4 to 12.x): connections, snapshot reading, and the
//! binary log as a stream.
//!
//! Everything blocks; a [`opendrs_net::Canceller`] ends it from another thread.

mod auth;
mod backlog;
mod block;
mod column;
mod connection;
mod cursor;
mod dump;
mod error;
mod handshake;
mod key;
mod options;
mod packet;
mod param;
mod puller;
mod query;
mod replica;
mod row;
mod rsa_oaep;
mod session;
mod snapshot;
mod spool;
mod stream;
mod survey;
mod tracker;

pub use connection::{Connection, Done, ServerInfo};
pub use error::{ErrorKind, MysqlError, Result};
pub use key::{KeyColumns, key_of_row};
pub use opendrs_binlog::Flavour;
pub use options::{ConnectionOptions, Secret};
pub use param::Param;
pub use query::{Rows, quote_name, quote_text};
pub use replica::SourceFacts;
pub use snapshot::{RowCursor, RowReader};
pub use stream::{LogOptions, LogStream, SpoolOptions, Stats, StreamHandle};
pub use survey::{LogSurvey, SurveyOptions, Surveyed, Until};
