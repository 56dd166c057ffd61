//! Sockets and TLS for the clients of databases.
//!
//! A connection begins in plain text ([`Stream::connect`]) and may become encrypted later
//! ([`Stream::upgrade`]), which is how both MySQL and PostgreSQL do it. Everything blocks; a
//! [`Canceller`] ends it from another thread. Errors say by their [`NetErrorKind`] what happened;
//! whether to try again is the caller's decision.
//!
//! ```no_run
//! # use opendrs_net::*;
//! # fn main() -> Result<(), NetError> {
//! let canceller = Canceller::new();
//! let endpoint = Endpoint::tcp("db.example", 3306);
//! let mut stream = Stream::connect(&endpoint, &ConnectOptions::default(), &canceller)?;
//! // ... the protocol's own words for "let us encrypt" ...
//! stream = stream.upgrade(&TlsOptions { mode: TlsMode::VerifyFull, ..TlsOptions::default() }, &endpoint)?;
//! stream.write_all(b"hello")?;
//! let mut buffer = ReadBuffer::new();
//! buffer.fill(&mut stream, 4)?;
//! # Ok(())
//! # }
//! ```

mod buffer;
mod cancel;
mod endpoint;
mod error;
mod stream;
mod tls;

pub use buffer::ReadBuffer;
pub use cancel::Canceller;
pub use endpoint::Endpoint;
pub use error::{NetError, NetErrorKind};
pub use stream::{ConnectOptions, Stream};
pub use tls::{TlsMode, TlsOptions};
