//! Names for `opendrs_mysql`: connections, snapshot readers, the log stream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;
use opendrs_binlog::{Position, Selection, TableOptions};
use opendrs_columns::{TableName, TableSpec};
use opendrs_mysql as driver;
use opendrs_net::Canceller;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::arrow::{self, PyRecordBatch};
use crate::binlog::{decode_error, event_to_python};

create_exception!(
    opendrs._core,
    MysqlError,
    PyException,
    "A failure of the MySQL client.\n\n\
     kind      stable name: access_denied, server, net.refused, net.timeout, interrupted, tls, ...\n\
     code      the server's error code, 0 if it raised none\n\
     sqlstate  the server's SQLSTATE, or an empty text\n\
     message   a sentence for people"
);

/// The Python exception for an error of the client, or of the decoder behind it.
fn raise(error: &driver::MysqlError) -> PyErr {
    Python::attach(|py| {
        if let Some(decode) = error.decode_error() {
            return decode_error(py, decode);
        }
        let raised = MysqlError::new_err(error.to_string());
        let value = raised.value(py);
        let set = || -> PyResult<()> {
            value.setattr("kind", error.kind().name())?;
            value.setattr("code", error.code())?;
            value.setattr("sqlstate", error.sqlstate())?;
            value.setattr("message", error.message())
        };
        match set() {
            Ok(()) => raised,
            Err(failure) => failure,
        }
    })
}

fn misuse(message: impl Into<String>) -> PyErr {
    raise(&driver::MysqlError::new(driver::ErrorKind::Misuse, message))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn table_spec(text: &str) -> PyResult<TableSpec> {
    TableSpec::from_json(text).map_err(|e| misuse(format!("not a table description: {e}")))
}

type Slot = Arc<Mutex<Option<driver::Connection>>>;

fn with_connection<T>(
    slot: &Slot,
    run: impl FnOnce(&mut driver::Connection) -> driver::Result<T>,
) -> driver::Result<T> {
    match lock(slot).as_mut() {
        Some(connection) => run(connection),
        None => Err(driver::MysqlError::new(driver::ErrorKind::Misuse, "the connection is closed")),
    }
}

/// A session at a MySQL or MariaDB server. One thread at a time uses it; `cancel` and `close` may
/// come from any.
#[pyclass(module = "opendrs._core", frozen)]
struct MysqlConnection {
    slot: Slot,
    canceller: Canceller,
    info: driver::ServerInfo,
}

#[pymethods]
impl MysqlConnection {
    /// Connects and logs in. `options_json` has the fields of `opendrs_mysql::ConnectionOptions`.
    #[new]
    fn new(py: Python<'_>, options_json: &str) -> PyResult<Self> {
        let canceller = Canceller::new();
        let opened = py.detach(|| {
            let options = driver::ConnectionOptions::from_json(options_json)?;
            driver::Connection::open(&options, &canceller)
        });
        let connection = opened.map_err(|e| raise(&e))?;
        let info = connection.info().clone();
        Ok(Self { slot: Arc::new(Mutex::new(Some(connection))), canceller, info })
    }

    /// "mysql" or "mariadb".
    #[getter]
    fn flavour(&self) -> &'static str {
        self.info.flavour.name()
    }

    #[getter]
    fn version(&self) -> &str {
        &self.info.version
    }

    /// The numbers the version begins with: (10, 11, 19).
    #[getter]
    fn version_numbers(&self) -> (u32, u32, u32) {
        self.info.version_numbers()
    }

    /// The server's number for this connection.
    #[getter]
    fn connection_id(&self) -> u32 {
        self.info.connection_id
    }

    /// TLS version and cipher, or None without encryption.
    #[getter]
    fn cipher(&self) -> Option<&str> {
        self.info.cipher.as_deref()
    }

    #[getter]
    fn auth_plugin(&self) -> &str {
        &self.info.auth_plugin
    }

    /// Rows of a statement as dictionaries; text as `str`, binary columns as `bytes`.
    fn query<'py>(&self, py: Python<'py>, sql: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let found = py.detach(|| with_connection(&self.slot, |c| c.query(sql))).map_err(|e| raise(&e))?;
        let names: Vec<_> = found.columns.iter().map(|name| PyString::intern(py, name)).collect();
        let mut out = Vec::with_capacity(found.rows.len());
        for row in &found.rows {
            let shown = PyDict::new(py);
            for ((name, is_bytes), value) in names.iter().zip(&found.is_bytes).zip(row) {
                match value.as_deref().map(|bytes| (bytes, std::str::from_utf8(bytes))) {
                    None => shown.set_item(name, py.None())?,
                    Some((_, Ok(text))) if !is_bytes => shown.set_item(name, text)?,
                    Some((bytes, _)) => shown.set_item(name, PyBytes::new(py, bytes))?,
                }
            }
            out.push(shown);
        }
        Ok(out)
    }

    /// Runs a statement that returns no rows; the number of rows it changed.
    fn execute(&self, py: Python<'_>, sql: &str) -> PyResult<u64> {
        py.detach(|| with_connection(&self.slot, |c| c.execute(sql))).map(|done| done.affected).map_err(|e| raise(&e))
    }

    fn ping(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| with_connection(&self.slot, driver::Connection::ping)).map_err(|e| raise(&e))
    }

    /// Runs a SELECT whose columns are those of the table described, in order and by name.
    /// `params_json` is a list of parameters (`[{"int": 5}, {"text": "a"}]`). Until the reader has
    /// come to its end, the connection does nothing else.
    fn read(&self, py: Python<'_>, sql: &str, params_json: &str, table_json: &str) -> PyResult<MysqlReader> {
        let table = table_spec(table_json)?;
        let params: Vec<driver::Param> =
            serde_json::from_str(params_json).map_err(|e| misuse(format!("not a list of parameters: {e}")))?;
        let started = py
            .detach(|| with_connection(&self.slot, |c| driver::RowCursor::start(c, sql, &params, &table)))
            .map_err(|e| raise(&e))?;
        Ok(MysqlReader { slot: self.slot.clone(), cursor: Mutex::new(started) })
    }

    /// Ends whatever the connection waits for, from any thread: that call raises "interrupted", and
    /// the connection is of no more use.
    fn cancel(&self) {
        self.canceller.cancel();
    }

    /// Ends the connection. Waits for a call under way in another thread; `cancel` does not.
    fn close(&self, py: Python<'_>) {
        py.detach(|| lock(&self.slot).take());
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyAny>) {
        self.close(py);
    }
}

/// Rows of one SELECT, as record batches.
#[pyclass(module = "opendrs._core", frozen)]
struct MysqlReader {
    slot: Slot,
    cursor: Mutex<driver::RowCursor>,
}

#[pymethods]
impl MysqlReader {
    /// The next rows, at most `rows_max` and about `bytes_max` bytes (one row at least); None at
    /// the end.
    fn next_batch(&self, py: Python<'_>, rows_max: usize, bytes_max: usize) -> PyResult<Option<PyRecordBatch>> {
        let batch = py.detach(|| {
            let mut cursor = lock(&self.cursor);
            with_connection(&self.slot, |c| cursor.next_batch(c, rows_max, bytes_max))
        });
        batch.map(|batch| batch.map(PyRecordBatch)).map_err(|e| raise(&e))
    }

    /// The key of the last row handed over, as a list of parameters in JSON; None before the first.
    fn last_key(&self) -> Option<String> {
        lock(&self.cursor).last_key().and_then(|key| serde_json::to_string(key).ok())
    }

    /// Rows handed over so far.
    #[getter]
    fn rows(&self) -> u64 {
        lock(&self.cursor).rows()
    }

    /// Gives up what was not read; the connection is of no more use then.
    fn abandon(&self, py: Python<'_>) {
        py.detach(|| {
            let mut cursor = lock(&self.cursor);
            if let Some(connection) = lock(&self.slot).as_mut() {
                cursor.abandon(connection);
            }
        });
    }
}

fn position(text: &str) -> PyResult<Position> {
    text.parse().map_err(|error: opendrs_binlog::PositionError| misuse(error.0))
}

/// The log of one server from a position on. A thread of its own pulls; `next` decodes. One thread
/// at a time uses it; `stop`, `stats` and `acknowledge` may come from any.
#[pyclass(module = "opendrs._core", frozen)]
struct MysqlLog {
    stream: Mutex<Option<driver::LogStream>>,
    handle: driver::StreamHandle,
}

impl MysqlLog {
    fn with_stream<T: Send>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&mut driver::LogStream) -> driver::Result<T> + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| match lock(&self.stream).as_mut() {
            Some(stream) => run(stream),
            None => Err(driver::MysqlError::new(driver::ErrorKind::Misuse, "the log stream was stopped")),
        });
        done.map_err(|e| raise(&e))
    }
}

#[pymethods]
impl MysqlLog {
    /// Connects, checks that the server has the log from the position on, and begins to pull.
    /// `options_json` has the fields of `opendrs_mysql::LogOptions`.
    #[new]
    fn new(py: Python<'_>, options_json: &str, start: &str) -> PyResult<Self> {
        let start = position(start)?;
        let opened = py.detach(|| driver::LogStream::open(&driver::LogOptions::from_json(options_json)?, &start));
        let stream = opened.map_err(|e| raise(&e))?;
        let handle = stream.handle_for_others();
        Ok(Self { stream: Mutex::new(Some(stream)), handle })
    }

    /// The next Window, SchemaChange or Heartbeat; None if none came within the time. After a
    /// SchemaChange `resume` must come first. Raises DecodeError for what the log says, MysqlError
    /// for all else; the stream is at its end then.
    fn next(&self, py: Python<'_>, timeout_s: f64) -> PyResult<Option<Py<PyAny>>> {
        let timeout = Duration::try_from_secs_f64(timeout_s.min(1e9)).map_err(|_| misuse("not a number of seconds"))?;
        let event = self.with_stream(py, |stream| stream.next(timeout))?;
        event.map(|event| event_to_python(py, event)).transpose()
    }

    /// Goes on behind a schema change.
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.with_stream(py, driver::LogStream::resume)
    }

    /// Which tables are decoded: JSON with "all", "databases", "tables" and "vouched".
    fn select(&self, py: Python<'_>, selection_json: &str) -> PyResult<()> {
        let selection: Selection =
            serde_json::from_str(selection_json).map_err(|e| misuse(format!("not a selection: {e}")))?;
        self.with_stream(py, |stream| {
            stream.select(selection);
            Ok(())
        })
    }

    /// Makes a table known, or replaces what is known of it. Rows of transactions that the position
    /// `skip_through` covers are dropped.
    #[pyo3(signature = (table_json, *, skip_through=None, transactional=true))]
    fn register(
        &self,
        py: Python<'_>,
        table_json: &str,
        skip_through: Option<&str>,
        transactional: bool,
    ) -> PyResult<()> {
        let table = table_spec(table_json)?;
        let skip_through = skip_through.map(position).transpose()?;
        let known = serde_json::from_str(table_json).map(|json| TableOptions::of(&json)).unwrap_or_default();
        self.with_stream(py, |stream| stream.register(table, TableOptions { skip_through, transactional, ..known }))
    }

    /// Makes a MariaDB sequence known: it is reported in `Window.sequences`.
    fn register_sequence(&self, py: Python<'_>, schema: String, table: String) -> PyResult<()> {
        self.with_stream(py, |stream| {
            stream.register_sequence(TableName { schema, table });
            Ok(())
        })
    }

    /// Forgets a table or sequence.
    fn forget(&self, py: Python<'_>, schema: String, table: String) -> PyResult<()> {
        self.with_stream(py, |stream| {
            stream.forget(&TableName { schema, table });
            Ok(())
        })
    }

    /// Has a window end exactly at a position; None: no longer.
    #[pyo3(signature = (position_text))]
    fn stop_at(&self, py: Python<'_>, position_text: Option<&str>) -> PyResult<()> {
        let stop = position_text.map(position).transpose()?;
        self.with_stream(py, |stream| {
            stream.stop_at(stop);
            Ok(())
        })
    }

    /// Lets go of spooled events before a position that is durable in the target.
    fn acknowledge(&self, py: Python<'_>, position_text: &str) -> PyResult<()> {
        let position = position(position_text)?;
        py.detach(|| self.handle.acknowledge(&position)).map_err(|e| raise(&e))
    }

    /// Where the log stands behind the last whole transaction that was decoded.
    fn position(&self, py: Python<'_>) -> PyResult<String> {
        self.with_stream(py, |stream| Ok(stream.position().to_json()))
    }

    /// Figures of the stream, as JSON: see `opendrs_mysql::Stats`.
    fn stats(&self) -> String {
        serde_json::to_string(&self.handle.stats()).unwrap_or_default()
    }

    /// Ends the stream; a `next` under way raises "interrupted".
    fn stop(&self, py: Python<'_>) {
        py.detach(|| {
            self.handle.stop();
            lock(&self.stream).take();
        });
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyAny>) {
        self.stop(py);
    }
}

/// Reads files of a server's log for their places: no row of them is looked at.
#[pyclass(module = "opendrs._core", frozen)]
struct MysqlSurvey {
    survey: Mutex<Option<driver::LogSurvey>>,
}

#[pymethods]
impl MysqlSurvey {
    /// Connects, and asks for the file. `options_json` has the fields of `opendrs_mysql::SurveyOptions`.
    #[new]
    fn new(py: Python<'_>, options_json: &str) -> PyResult<Self> {
        let opened =
            py.detach(|| driver::LogSurvey::open(driver::SurveyOptions::from_json(options_json)?, &Canceller::new()));
        Ok(Self { survey: Mutex::new(Some(opened.map_err(|e| raise(&e))?)) })
    }

    /// Reads on. `until_json` has the fields of `opendrs_mysql::Until`, the answer those of `Surveyed`.
    fn read(&self, py: Python<'_>, until_json: &str) -> PyResult<String> {
        let until: driver::Until =
            serde_json::from_str(until_json).map_err(|e| misuse(format!("not a place to stop at: {e}")))?;
        let found = py.detach(|| match lock(&self.survey).as_mut() {
            Some(survey) => survey.read(&until),
            None => Err(driver::MysqlError::new(driver::ErrorKind::Misuse, "the survey is closed")),
        });
        let found = found.map_err(|e| raise(&e))?;
        serde_json::to_string(&found).map_err(|e| misuse(e.to_string()))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| lock(&self.survey).take());
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyAny>) {
        self.close(py);
    }
}

/// The key of every row of a window's batch, each as a JSON list of parameters. The table describes the batch's columns
/// behind the leading ones, and its key.
#[pyfunction]
fn mysql_keys(py: Python<'_>, batch: &Bound<'_, PyAny>, table_json: &str) -> PyResult<Vec<String>> {
    let (batch, table) = (arrow::import(batch)?, table_spec(table_json)?);
    let text = |row: usize, batch: &RecordBatch, key: &driver::KeyColumns| {
        let key = driver::key_of_row(batch, row, key)?;
        serde_json::to_string(&key).map_err(|e| driver::MysqlError::new(driver::ErrorKind::Misuse, e.to_string()))
    };
    py.detach(|| {
        let leading = batch.num_columns().saturating_sub(table.columns.len());
        let rest: Vec<usize> = (leading..batch.num_columns()).collect();
        let batch =
            batch.project(&rest).map_err(|e| driver::MysqlError::new(driver::ErrorKind::Misuse, e.to_string()))?;
        let key = driver::KeyColumns::new(&table)?;
        (0..batch.num_rows()).map(|row| text(row, &batch, &key)).collect::<driver::Result<Vec<_>>>()
    })
    .map_err(|e: driver::MysqlError| raise(&e))
}

/// An identifier in backticks.
#[pyfunction]
fn mysql_quote_name(name: &str) -> String {
    driver::quote_name(name)
}

/// A text literal for sessions of `MysqlConnection`.
#[pyfunction]
fn mysql_quote_text(text: &str) -> String {
    driver::quote_text(text)
}

/// Adds the names to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("MysqlError", module.py().get_type::<MysqlError>())?;
    module.add_class::<MysqlConnection>()?;
    module.add_class::<MysqlReader>()?;
    module.add_class::<MysqlLog>()?;
    module.add_class::<MysqlSurvey>()?;
    module.add_function(wrap_pyfunction!(mysql_keys, module)?)?;
    module.add_function(wrap_pyfunction!(mysql_quote_name, module)?)?;
    module.add_function(wrap_pyfunction!(mysql_quote_text, module)?)
}
