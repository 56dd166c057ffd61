//! Names for `opendrs_kafka` and `opendrs_messages`; and the two together, so that a message is made and handed over
//! without a step in Python.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opendrs_kafka::{ErrorKind, Message, Producer};
use opendrs_messages::{Encoder, Facts, MessageError, Messages, Portion, RECORD_SCHEMA, RowName, Statement};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::arrow;

create_exception!(
    opendrs._core,
    KafkaError,
    PyException,
    "A failure of the Kafka producer.\n\n\
     kind        stable name: fenced, unavailable, aborted, authentication, authorization, too_large,\n\
     \x20           unknown_topic, refused, value, misuse\n\
     code        librdkafka's number, 0 if the failure is not its own\n\
     message     a sentence for people\n\
     topic, key  of the message that it is about\n\
     table       that the message is of\n\
     Whatever does not apply is None."
);

/// The Python exception for an error of the producer.
pub(crate) fn raise(error: &opendrs_kafka::KafkaError) -> PyErr {
    let key = error.key.as_ref().map(|key| String::from_utf8_lossy(key).into_owned());
    exception(error.kind.name(), error.code, &error.message, error.topic.as_deref(), key.as_deref(), None)
}

pub(crate) fn exception(
    kind: &str,
    code: i32,
    message: &str,
    topic: Option<&str>,
    key: Option<&str>,
    table: Option<&str>,
) -> PyErr {
    Python::attach(|py| {
        let raised = KafkaError::new_err(message.to_owned());
        let value = raised.value(py);
        let set = || -> PyResult<()> {
            value.setattr("kind", kind)?;
            value.setattr("code", code)?;
            value.setattr("message", message)?;
            value.setattr("topic", topic)?;
            value.setattr("key", key)?;
            value.setattr("table", table)
        };
        match set() {
            Ok(()) => raised,
            Err(failure) => failure,
        }
    })
}

/// A producer with settings of librdkafka's. `library`: a shared object that is librdkafka, or depends on it.
/// `patience_s`: how long is waited for room while nothing is taken. Nothing is connected yet.
#[pyclass(module = "opendrs._core", frozen)]
pub(crate) struct KafkaProducer {
    producer: Mutex<Option<Producer>>,
    patience: Duration,
}

impl KafkaProducer {
    /// Runs something on the producer, with the interpreter lock released.
    pub(crate) fn run<T: Send, E: Send>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&mut Producer) -> Result<T, E> + Send,
    ) -> PyResult<Result<T, E>> {
        py.detach(|| lock(&self.producer).as_mut().map(run)).ok_or_else(|| misuse("the producer is closed"))
    }

    fn call<T: Send>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&mut Producer) -> opendrs_kafka::Result<T> + Send,
    ) -> PyResult<T> {
        self.run(py, run)?.map_err(|error| raise(&error))
    }
}

#[pymethods]
impl KafkaProducer {
    #[new]
    fn new(py: Python<'_>, library: PathBuf, settings: Vec<(String, String)>, patience_s: f64) -> PyResult<Self> {
        let made = py.detach(|| Producer::new(&library, &settings)).map_err(|error| raise(&error))?;
        Ok(Self { producer: Mutex::new(Some(made)), patience: Duration::from_secs_f64(patience_s) })
    }

    /// The number of a topic, for messages to it, and how many partitions it has.
    fn topic(&self, py: Python<'_>, name: &str, timeout_s: f64) -> PyResult<(u32, i32)> {
        self.call(py, |producer| producer.topic(name, Duration::from_secs_f64(timeout_s)))
    }

    /// Takes the transactional id: older producers that have it are fenced, and what they left open is aborted.
    fn init_transactions(&self, py: Python<'_>, timeout_s: f64) -> PyResult<()> {
        self.call(py, |producer| producer.init_transactions(Duration::from_secs_f64(timeout_s)))
    }

    fn begin(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, Producer::begin)
    }

    /// Waits until every message is taken, then commits. After kind "unavailable" the same call may be made again.
    fn commit(&self, py: Python<'_>, timeout_s: f64) -> PyResult<()> {
        self.call(py, |producer| producer.commit(Duration::from_secs_f64(timeout_s)))
    }

    fn abort(&self, py: Python<'_>, timeout_s: f64) -> PyResult<()> {
        self.call(py, |producer| producer.abort(Duration::from_secs_f64(timeout_s)))
    }

    /// Waits until every message is taken: for producers without transactions.
    fn flush(&self, py: Python<'_>, timeout_s: f64) -> PyResult<()> {
        self.call(py, |producer| producer.flush(Duration::from_secs_f64(timeout_s)))
    }

    /// Hands one message over. A value of None is a tombstone.
    fn send(
        &self,
        py: Python<'_>,
        topic: u32,
        partition: i32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> PyResult<()> {
        let message = Message { topic, partition, key, value };
        self.call(py, |producer| producer.send([message], self.patience))
    }

    /// (syslog level, line) of librdkafka's log since the last call.
    fn take_log(&self, py: Python<'_>) -> PyResult<Vec<(i32, String)>> {
        self.call(py, |producer| Ok(producer.take_log()))
    }

    /// Drops what is on its way, and ends.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.producer).take()));
    }
}

/// How much is encoded before it is handed over.
const PORTION_BYTES: usize = 1 << 20;
const PORTION_MESSAGES: usize = 1000;

/// Makes the messages of a job's tables, and hands them over to a producer.
#[pyclass(module = "opendrs._core", frozen)]
pub(crate) struct KafkaEncoder {
    encoder: Mutex<Encoder>,
    portion: Mutex<Portion>,
}

#[pymethods]
impl KafkaEncoder {
    /// `options_json` has the fields of `opendrs_messages::Options`.
    #[new]
    fn new(options_json: &str) -> PyResult<Self> {
        let options = serde_json::from_str(options_json).map_err(|error| misuse(&error.to_string()))?;
        let encoder = Encoder::new(options).map_err(|error| not_encoded(&error))?;
        Ok(Self { encoder: Mutex::new(encoder), portion: Mutex::default() })
    }

    /// Makes a table known under a number, or its new shape (`opendrs_messages::TableFormat` as JSON).
    fn register(&self, id: u32, table_json: &str) -> PyResult<()> {
        let table = serde_json::from_str(table_json).map_err(|error| misuse(&error.to_string()))?;
        lock(&self.encoder).register(id, &table).map_err(|error| not_encoded(&error))
    }

    /// Sends the changes of a window, (id, batch) a table, in the order of the log and without those whose ordinal is
    /// below `skip`. `origins` says where its transactions come from; ids of messages count from `first_id`. Of the
    /// first transaction, `begun` changes came in windows before this one.
    ///
    /// Returns the next free id, and how many messages and bytes there were.
    #[pyo3(signature = (producer, tables, origins, *, first_id, skip, begun=0))]
    #[allow(clippy::too_many_arguments, reason = "all but the first two have names in Python")]
    fn send_window(
        &self,
        py: Python<'_>,
        producer: &KafkaProducer,
        tables: Vec<(u32, Bound<'_, PyAny>)>,
        origins: &Bound<'_, PyAny>,
        first_id: u64,
        skip: u32,
        begun: u32,
    ) -> PyResult<(u64, u64, u64)> {
        let mut batches = Vec::with_capacity(tables.len());
        for (id, batch) in &tables {
            batches.push((*id, arrow::import(batch)?));
        }
        let origins = arrow::import(origins)?;
        let begin = |encoder: &Encoder| encoder.window(&batches, &origins, first_id, skip, begun);
        self.send(py, producer, begin)
    }

    /// Sends rows of a snapshot, which was taken at `place`: (microseconds since 1970, gtid, file, pos).
    #[pyo3(signature = (producer, table, batch, place, *, first_id))]
    fn send_rows(
        &self,
        py: Python<'_>,
        producer: &KafkaProducer,
        table: u32,
        batch: &Bound<'_, PyAny>,
        place: Place,
        first_id: u64,
    ) -> PyResult<(u64, u64, u64)> {
        let (batch, facts) = (arrow::import(batch)?, facts(&place));
        let begin = |encoder: &Encoder| encoder.rows(table, &batch, &facts, first_id);
        self.send(py, producer, begin)
    }

    /// Key and value of the message of a statement: (sql, kind, database, table), at a place as in `send_rows`.
    /// `snapshot`: it was made for one, and never ran.
    #[pyo3(signature = (statement, place, *, snapshot, id))]
    fn statement(
        &self,
        statement: (String, String, String, String),
        place: Place,
        snapshot: bool,
        id: u64,
    ) -> PyResult<(Option<Vec<u8>>, Vec<u8>)> {
        let (sql, kind, database, table) = &statement;
        let statement = Statement { facts: facts(&place), database, table, sql, kind, snapshot };
        let made = lock(&self.encoder).statement(&statement, id, now_ms()).map_err(|error| not_encoded(&error))?;
        Ok((made.key, made.value))
    }
}

impl KafkaEncoder {
    fn send(
        &self,
        py: Python<'_>,
        producer: &KafkaProducer,
        begin: impl FnOnce(&Encoder) -> opendrs_messages::Result<Messages> + Send,
    ) -> PyResult<(u64, u64, u64)> {
        let patience = producer.patience;
        let sent = producer.run(py, |producer| {
            let mut messages = begin(&lock(&self.encoder)).map_err(Failure::Encoding)?;
            let mut portion = lock(&self.portion);
            let (mut count, mut bytes, mut more) = (0, 0, true);
            while more {
                let filled = messages.fill(&mut portion, now_ms(), PORTION_BYTES, PORTION_MESSAGES);
                more = filled.map_err(Failure::Encoding)?;
                count += portion.messages().len() as u64;
                bytes += portion.bytes().len() as u64;
                let found = portion.messages().iter().map(|message| Message {
                    topic: message.topic,
                    partition: message.partition,
                    key: portion.key(message),
                    value: Some(portion.value(message)),
                });
                producer.send(found, patience).map_err(|error| {
                    let row = row_of(&error, &messages, &portion);
                    Failure::Sending(Box::new((error, row)))
                })?;
            }
            Ok((messages.next_id(), count, bytes))
        })?;
        sent.map_err(|failure: Failure| failure.raise())
    }
}

/// Microseconds since 1970, gtid, file, pos.
type Place = (i64, Option<String>, Option<String>, u64);

fn facts(place: &Place) -> Facts<'_> {
    Facts { moment_us: place.0, gtid: place.1.as_deref(), file: place.2.as_deref(), pos: place.3 }
}

enum Failure {
    Encoding(MessageError),
    /// With the row whose message was refused, if it is known.
    Sending(Box<(opendrs_kafka::KafkaError, Option<RowName>)>),
}

impl Failure {
    fn raise(&self) -> PyErr {
        match self {
            Self::Encoding(error) => not_encoded(error),
            Self::Sending(failed) => {
                let (error, Some(row)) = &**failed else { return raise(&failed.0) };
                let table = format!("{}.{}", row.schema, row.table);
                let (kind, key) = (error.kind.name(), row.key.as_deref());
                exception(kind, error.code, &error.message, error.topic.as_deref(), key, Some(&table))
            }
        }
    }
}

/// The row whose message was refused: the largest of those with its key.
fn row_of(error: &opendrs_kafka::KafkaError, messages: &Messages, portion: &Portion) -> Option<RowName> {
    let same = portion.messages().iter().filter(|message| portion.key(message) == error.key.as_deref());
    let largest = same.max_by_key(|message| portion.value(message).len())?;
    if error.kind == ErrorKind::TooLarge { messages.row_name(largest) } else { None }
}

fn not_encoded(error: &MessageError) -> PyErr {
    let (kind, row) = match error {
        MessageError::Value(value) => ("value", Some(&value.row)),
        MessageError::TooLarge(row) => ("too_large", Some(&**row)),
        MessageError::Usage(_) | MessageError::Batch(_) => (ErrorKind::Misuse.name(), None),
    };
    let table = row.map(|row| format!("{}.{}", row.schema, row.table));
    let key = row.and_then(|row| row.key.as_deref());
    exception(kind, 0, &error.to_string(), None, key, table.as_deref())
}

fn misuse(what: &str) -> PyErr {
    exception(ErrorKind::Misuse.name(), 0, what, None, None, None)
}

/// Milliseconds since 1970 UTC.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The partition of a key among so many, as Kafka's own producers choose it.
#[pyfunction]
fn kafka_partition(key: &[u8], partitions: i32) -> i32 {
    opendrs_messages::partition(key, partitions)
}

/// Adds the names of this file to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("KafkaError", module.py().get_type::<KafkaError>())?;
    module.add_class::<KafkaProducer>()?;
    module.add_class::<KafkaEncoder>()?;
    module.add("KAFKA_RECORD_SCHEMA", RECORD_SCHEMA)?;
    module.add_function(wrap_pyfunction!(kafka_partition, module)?)
}
