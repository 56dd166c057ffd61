//! Names for `opendrs_kafka`.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opendrs_kafka::{ErrorKind, Message, Producer};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

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

/// A producer with settings of librdkafka's. `library`: a shared object that is librdkafka, or depends on it. Nothing
/// is connected yet.
#[pyclass(module = "opendrs._core", frozen)]
pub(crate) struct KafkaProducer(Mutex<Option<Producer>>);

impl KafkaProducer {
    fn lock(&self) -> MutexGuard<'_, Option<Producer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something on the producer, with the interpreter lock released.
    pub(crate) fn run<T: Send, E: Send>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&mut Producer) -> Result<T, E> + Send,
    ) -> PyResult<Result<T, E>> {
        py.detach(|| self.lock().as_mut().map(run))
            .ok_or_else(|| exception(ErrorKind::Misuse.name(), 0, "the producer is closed", None, None, None))
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
    fn new(py: Python<'_>, library: PathBuf, settings: Vec<(String, String)>) -> PyResult<Self> {
        let made = py.detach(|| Producer::new(&library, &settings)).map_err(|error| raise(&error))?;
        Ok(Self(Mutex::new(Some(made))))
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
    #[pyo3(signature = (topic, partition, key, value, patience_s))]
    fn send(
        &self,
        py: Python<'_>,
        topic: u32,
        partition: i32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        patience_s: f64,
    ) -> PyResult<()> {
        let message = Message { topic, partition, key, value };
        self.call(py, |producer| producer.send([message], Duration::from_secs_f64(patience_s)))
    }

    /// (syslog level, line) of librdkafka's log since the last call.
    fn take_log(&self, py: Python<'_>) -> PyResult<Vec<(i32, String)>> {
        self.call(py, |producer| Ok(producer.take_log()))
    }

    /// Drops what is on its way, and ends.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }
}

/// Adds the names of this file to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("KafkaError", module.py().get_type::<KafkaError>())?;
    module.add_class::<KafkaProducer>()
}
