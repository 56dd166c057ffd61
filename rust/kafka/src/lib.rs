//! Producing to Kafka: a transactional (or plain) producer on librdkafka, with errors that callers can decide by.
//!
//! Topics are known by number, messages are handed over in batches, and their bytes are copied by librdkafka, whose
//! queue is bounded.

mod error;
mod library;
mod message;
mod producer;
mod transit;
mod watch;

pub use error::{ErrorKind, KafkaError, Result};
pub use message::Message;
pub use producer::Producer;
