//! The binary log decoder: what tests and the stream need of `opendrs_binlog`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use opendrs_binlog::{
    Config, Control, Decoder, Event, LogFile, Position, Restart, SchemaChange, Selection, TableOptions, Window,
};
use opendrs_columns::{TableName, TableSpec};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrow::PyRecordBatch;

pyo3::create_exception!(
    opendrs._core,
    DecodeError,
    pyo3::exceptions::PyException,
    "The log cannot be decoded. Attributes: kind, what, file, position, table (schema, name) or None."
);

/// Adds the names of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("DecodeError", module.py().get_type::<DecodeError>())?;
    module.add_class::<BinlogDecoder>()?;
    module.add_class::<BinlogPosition>()?;
    module.add_class::<PyWindow>()?;
    module.add_class::<PySchemaChange>()?;
    module.add_class::<PyHeartbeat>()?;
    module.add_function(wrap_pyfunction!(binlog_events, module)?)?;
    Ok(())
}

/// The Python exception for an error of the decoder.
pub fn decode_error(py: Python<'_>, error: &opendrs_binlog::DecodeError) -> PyErr {
    let exception = DecodeError::new_err(error.to_string());
    let value = exception.value(py);
    let table = error.table.as_ref().map(|table| (table.schema.clone(), table.table.clone()));
    // Setting attributes of an exception of our own does not fail.
    let _ = value.setattr("kind", error.kind.name());
    let _ = value.setattr("what", &error.what);
    let _ = value.setattr("file", &error.file);
    let _ = value.setattr("position", error.position);
    let _ = value.setattr("table", table);
    exception
}

/// An event as its Python object: Window, SchemaChange or Heartbeat.
pub fn event_to_python(py: Python<'_>, event: Event) -> PyResult<Py<PyAny>> {
    Ok(match event {
        Event::Window(window) => Py::new(py, PyWindow(window))?.into_any(),
        Event::SchemaChange(change) => Py::new(py, PySchemaChange(change))?.into_any(),
        Event::Heartbeat(beat) => {
            Py::new(py, PyHeartbeat { position: beat.position.to_json(), time_us: beat.time_us })?.into_any()
        }
    })
}

/// Row changes of whole transactions, or a part of one.
#[pyclass(name = "Window", module = "opendrs._core", frozen)]
pub struct PyWindow(pub Window);

#[pymethods]
impl PyWindow {
    /// (schema, table, batch) in the order in which the tables first occur.
    #[getter]
    fn tables(&self) -> Vec<(String, String, PyRecordBatch)> {
        let copy = |(name, batch): &(TableName, _)| {
            (name.schema.clone(), name.table.clone(), PyRecordBatch(arrow_array::RecordBatch::clone(batch)))
        };
        self.0.tables.iter().map(copy).collect()
    }

    /// JSON of the position behind the window; None if the transaction goes on.
    #[getter]
    fn position(&self) -> Option<String> {
        self.0.position.as_ref().map(Position::to_json)
    }

    #[getter]
    fn part(&self) -> bool {
        self.0.part
    }

    /// (seq, kind, savepoint): what happens to earlier parts before the change of that ordinal; kind is
    /// "savepoint", "rollback_to" or "rollback".
    #[getter]
    fn controls(&self) -> Vec<(u32, &'static str, Option<String>)> {
        let named = |(seq, control): &(u32, Control)| match control {
            Control::Savepoint(name) => (*seq, "savepoint", Some(name.clone())),
            Control::RollbackTo(name) => (*seq, "rollback_to", Some(name.clone())),
            Control::Rollback => (*seq, "rollback", None),
        };
        self.0.controls.iter().map(named).collect()
    }

    #[getter]
    fn transactions(&self) -> u32 {
        self.0.transactions
    }

    #[getter]
    fn changes(&self) -> u64 {
        self.0.changes
    }

    #[getter]
    fn ordinals(&self) -> u32 {
        self.0.ordinals
    }

    #[getter]
    fn nbytes(&self) -> u64 {
        self.0.bytes
    }

    #[getter]
    fn first_commit_us(&self) -> i64 {
        self.0.first_commit_us
    }

    #[getter]
    fn last_commit_us(&self) -> i64 {
        self.0.last_commit_us
    }

    /// Where each of the transactions that `txn` counts comes from: columns commit_us, gtid, file, pos.
    fn origins(&self) -> PyResult<PyRecordBatch> {
        self.0.origins.batch().map(PyRecordBatch).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// (schema, sequence, next value that is not cached, cycles) of MariaDB's sequences that moved.
    #[getter]
    fn sequences(&self) -> Vec<(String, String, i64, i64)> {
        let state = |s: &opendrs_binlog::SequenceState| {
            (s.name.schema.clone(), s.name.table.clone(), s.next_not_cached, s.cycles)
        };
        self.0.sequences.iter().map(state).collect()
    }
}

/// A statement that changes a schema.
#[pyclass(name = "SchemaChange", module = "opendrs._core", frozen)]
pub struct PySchemaChange(pub SchemaChange);

#[pymethods]
impl PySchemaChange {
    #[getter]
    fn database(&self) -> &str {
        &self.0.database
    }

    #[getter]
    fn sql(&self) -> &str {
        &self.0.sql
    }

    #[getter]
    fn sql_mode(&self) -> u64 {
        self.0.sql_mode
    }

    /// Collation ids: client, connection, server, default database.
    #[getter]
    fn collations(&self) -> (u16, u16, u16, u16) {
        let change = &self.0;
        (change.client_charset, change.connection_collation, change.server_collation, change.database_collation)
    }

    #[getter]
    fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    #[getter]
    fn thread_id(&self) -> u32 {
        self.0.thread_id
    }

    #[getter]
    fn server_version(&self) -> &str {
        &self.0.server_version
    }

    /// JSON of the position behind the statement; None inside a transaction.
    #[getter]
    fn position(&self) -> Option<String> {
        self.0.position.as_ref().map(Position::to_json)
    }

    #[getter]
    fn commit_us(&self) -> i64 {
        self.0.commit_us
    }

    #[getter]
    fn in_group(&self) -> bool {
        self.0.in_group
    }
}

/// The position moved, or the server shows that it lives.
#[pyclass(name = "Heartbeat", module = "opendrs._core", frozen)]
pub struct PyHeartbeat {
    #[pyo3(get)]
    position: String,
    #[pyo3(get)]
    time_us: i64,
}

/// A position of the binary log, read from its JSON form.
#[pyclass(name = "BinlogPosition", module = "opendrs._core", frozen, eq, from_py_object)]
#[derive(Clone, PartialEq)]
pub struct BinlogPosition(pub Position);

#[pymethods]
impl BinlogPosition {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        text.parse().map(Self).map_err(|error: opendrs_binlog::PositionError| PyValueError::new_err(error.to_string()))
    }

    fn __str__(&self) -> String {
        self.0.to_json()
    }

    #[getter]
    fn server(&self) -> &str {
        &self.0.server
    }

    /// Whether everything that another position has read, this one has too.
    fn covers(&self, other: &Self) -> bool {
        self.0.covers(&other.0)
    }

    /// File and position, where known.
    #[getter]
    fn file(&self) -> Option<(String, u64)> {
        self.0.file().map(|place| (place.file.clone(), place.pos))
    }

    /// Where to ask the server to begin: ("mysql-gtid", set), ("mysql-file", "file:pos") or
    /// ("mariadb-gtid", list).
    fn restart(&self) -> (&'static str, String) {
        match self.0.restart() {
            Restart::MysqlGtid(set) => ("mysql-gtid", set.to_string()),
            Restart::MysqlFile(place) => ("mysql-file", place.to_string()),
            Restart::MariadbGtid(list) => ("mariadb-gtid", list.to_string()),
        }
    }
}

/// Decodes one server's log from a position on.
#[pyclass(module = "opendrs._core", frozen)]
pub struct BinlogDecoder(Mutex<Decoder>);

impl BinlogDecoder {
    fn lock(&self) -> MutexGuard<'_, Decoder> {
        // A panic would leave a decoder that only answers with what it was told.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl BinlogDecoder {
    #[new]
    #[pyo3(signature = (position, *, part_bytes=None, spill_folder=None))]
    fn new(position: &str, part_bytes: Option<usize>, spill_folder: Option<std::path::PathBuf>) -> PyResult<Self> {
        let mut config = Config::default();
        config.part_bytes = part_bytes.unwrap_or(config.part_bytes);
        config.spill_folder = spill_folder.unwrap_or(config.spill_folder);
        Ok(Self(Mutex::new(Decoder::new(config, BinlogPosition::new(position)?.0))))
    }

    /// Which tables are decoded: JSON with "all", "databases", "tables" and "vouched".
    fn select(&self, selection: &str) -> PyResult<()> {
        let selection: Selection = serde_json::from_str(selection).map_err(|e| PyValueError::new_err(e.to_string()))?;
        self.lock().select(selection);
        Ok(())
    }

    /// Makes a table known, as the JSON form of its columns.
    #[pyo3(signature = (table, *, skip_through=None, transactional=true))]
    fn register(&self, py: Python<'_>, table: &str, skip_through: Option<&str>, transactional: bool) -> PyResult<()> {
        let malformed = |e: serde_json::Error| PyValueError::new_err(e.to_string());
        let known = TableOptions::of(&serde_json::from_str(table).map_err(malformed)?);
        let table = TableSpec::from_json(table).map_err(malformed)?;
        let skip_through = skip_through.map(BinlogPosition::new).transpose()?.map(|position| position.0);
        let options = TableOptions { skip_through, transactional, ..known };
        self.lock().register(table, options).map_err(|error| decode_error(py, &error))
    }

    fn register_sequence(&self, schema: String, table: String) {
        self.lock().register_sequence(TableName { schema, table });
    }

    fn forget(&self, schema: String, table: String) {
        self.lock().forget(&TableName { schema, table });
    }

    /// Decodes one whole event, header included.
    fn feed(&self, py: Python<'_>, event: &[u8]) -> PyResult<()> {
        let done = py.detach(|| self.lock().feed(event));
        done.map_err(|error| decode_error(py, &error))
    }

    fn must_take(&self) -> bool {
        self.lock().must_take()
    }

    fn at_boundary(&self) -> bool {
        self.lock().at_boundary()
    }

    fn buffered_bytes(&self) -> usize {
        self.lock().buffered_bytes()
    }

    fn position(&self) -> String {
        self.lock().position().to_json()
    }

    /// Cuts here: everything that is complete so far, or None.
    fn take(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let taken = py.detach(|| self.lock().take());
        match taken {
            Ok(event) => event.map(|event| event_to_python(py, event)).transpose(),
            Err(error) => Err(decode_error(py, &error)),
        }
    }

    /// Goes on behind a schema change.
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        let done = py.detach(|| self.lock().resume());
        done.map_err(|error| decode_error(py, &error))
    }
}

/// The events of a binary log file, as (offset, length).
#[pyfunction]
fn binlog_events<'py>(py: Python<'py>, file: &[u8]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    let begin = file.as_ptr() as usize;
    for event in LogFile::new(file).map_err(|error| decode_error(py, &error))? {
        let event = event.map_err(|error| decode_error(py, &error))?;
        list.append((event.as_ptr() as usize - begin, event.len()))?;
    }
    Ok(list)
}
