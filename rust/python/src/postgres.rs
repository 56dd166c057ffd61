//! Names for `opendrs_postgres`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use arrow_array::RecordBatch;
use opendrs_net::Canceller;
use opendrs_postgres as driver;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrow;

create_exception!(
    opendrs._core,
    PgError,
    PyException,
    "A failure of the PostgreSQL client.\n\n\
     kind        stable name: server, net, tls, interrupted, auth, protocol, value, conflict, usage\n\
     reason      finer name: of a net error (refused, timeout, closed...), of what is wrong with a value\n\
     sqlstate    the server's SQLSTATE\n\
     message     a sentence for people\n\
     detail, hint, where, schema, table, column, constraint\n\
     \x20           as the server says, or of the table that a value or a conflict is about\n\
     key         the key of the row, '(id)=(5)', of a value or a conflict\n\
     op          of a conflict: insert, update or delete\n\
     statement   of a conflict: the change as SQL, for people, if it is known which one it was\n\
     Whatever does not apply is None."
);

/// What an error says, by the names of the exception's attributes.
fn attributes(error: &driver::PgError) -> Vec<(&'static str, Option<&str>)> {
    let server = error.server();
    let (mut schema, mut table, mut column, mut constraint) = (None, None, None, None);
    let (mut key, mut op, mut statement) = (None, None, None);
    match error {
        driver::PgError::Server(said) => {
            schema = said.schema.as_deref();
            table = said.table.as_deref();
            column = said.column.as_deref();
            constraint = said.constraint.as_deref();
        }
        driver::PgError::Value(wrong) => {
            (schema, table, column) = (Some(&*wrong.schema), Some(&*wrong.table), Some(&*wrong.column));
            key = wrong.key.as_deref();
        }
        driver::PgError::Conflict(conflict) => {
            (schema, table) = (Some(&*conflict.schema), Some(&*conflict.table));
            constraint = conflict.constraint.as_deref();
            key = conflict.key.as_deref();
            (op, statement) = (Some(conflict.op), conflict.statement.as_deref());
        }
        _ => {}
    }
    vec![
        ("kind", Some(error.kind())),
        ("reason", error.reason()),
        ("sqlstate", server.map(|said| said.sqlstate.as_str())),
        ("detail", server.and_then(|said| said.detail.as_deref())),
        ("hint", server.and_then(|said| said.hint.as_deref())),
        ("where", server.and_then(|said| said.location.as_deref())),
        ("schema", schema),
        ("table", table),
        ("column", column),
        ("constraint", constraint),
        ("key", key),
        ("op", op),
        ("statement", statement),
    ]
}

/// The Python exception for an error of the client.
fn raise(error: &driver::PgError) -> PyErr {
    Python::attach(|py| {
        let text = error.to_string();
        let raised = PgError::new_err(text.clone());
        let value = raised.value(py);
        let set = || -> PyResult<()> {
            let message = error.server().map_or(&text, |said| &said.message);
            value.setattr("message", message)?;
            attributes(error).into_iter().try_for_each(|(name, field)| value.setattr(name, field))
        };
        match set() {
            Ok(()) => raised,
            Err(failure) => failure,
        }
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Slot = Arc<Mutex<Option<driver::Connection>>>;

/// Runs something on the connection, with the interpreter lock released.
fn with_connection<T: Send>(
    py: Python<'_>,
    slot: &Slot,
    run: impl FnOnce(&mut driver::Connection) -> driver::Result<T> + Send,
) -> PyResult<T> {
    let result = py.detach(|| match lock(slot).as_mut() {
        Some(connection) => run(connection),
        None => Err(driver::PgError::Usage("the connection is closed".to_owned())),
    });
    result.map_err(|e| raise(&e))
}

/// A session at a PostgreSQL server. One thread at a time uses it; `cancel` and `close` may come from
/// any.
#[pyclass(module = "opendrs._core", frozen)]
struct PgConnection {
    slot: Slot,
    handle: driver::CancelHandle,
}

#[pymethods]
impl PgConnection {
    /// Connects and logs in. `options_json` has the fields of `opendrs_postgres::ConnectOptions`.
    #[new]
    fn new(py: Python<'_>, options_json: &str) -> PyResult<Self> {
        let opened = py.detach(|| {
            let options = driver::ConnectOptions::from_json(options_json)?;
            driver::Connection::connect(&options, &Canceller::new())
        });
        let connection = opened.map_err(|e| raise(&e))?;
        let handle = connection.cancel_handle();
        Ok(Self { slot: Arc::new(Mutex::new(Some(connection))), handle })
    }

    /// The rows of a statement, every value as text; of several statements, those of the last. With
    /// parameters ($1...) it must be one statement, and the server infers their types.
    #[pyo3(signature = (sql, params=None))]
    fn query<'py>(
        &self,
        py: Python<'py>,
        sql: &str,
        params: Option<Vec<Option<String>>>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let found = with_connection(py, &self.slot, |connection| match params {
            None => Ok(connection.simple_query(sql)?.pop().unwrap_or_default()),
            Some(params) => {
                let params: Vec<Option<&str>> = params.iter().map(Option::as_deref).collect();
                connection.query(sql, &params)
            }
        })?;
        found.rows.into_iter().map(|row| PyTuple::new(py, row)).collect()
    }

    /// Runs one or more statements; the number of rows that the last one changed or found.
    fn execute(&self, py: Python<'_>, sql: &str) -> PyResult<u64> {
        let results = with_connection(py, &self.slot, |connection| connection.simple_query(sql))?;
        Ok(results.last().and_then(|rows| rows.affected).unwrap_or(0))
    }

    /// Begins a COPY into a table (`opendrs_postgres::TargetTable` as JSON). `format` is "auto",
    /// "binary" or "text".
    #[pyo3(signature = (target_json, format="auto"))]
    fn copy_in(&self, py: Python<'_>, target_json: &str, format: &str) -> PyResult<PgCopy> {
        let copy = with_connection(py, &self.slot, |connection| {
            let format = match format {
                "auto" => driver::CopyFormat::Auto,
                "binary" => driver::CopyFormat::Binary,
                "text" => driver::CopyFormat::Text,
                other => return Err(driver::PgError::Usage(format!("there is no COPY format {other}"))),
            };
            driver::CopyIn::begin(connection, &driver::TargetTable::from_json(target_json)?, format)
        })?;
        Ok(PgCopy { slot: self.slot.clone(), copy: Mutex::new(copy) })
    }

    /// What applies changes on this connection. Not within a transaction. `set_rows_min`: from how many
    /// rows of one table on they go by sets and not one by one; None: what was measured to be best.
    #[pyo3(signature = (set_rows_min=None))]
    fn applier(&self, py: Python<'_>, set_rows_min: Option<usize>) -> PyResult<PgApplier> {
        let mut applier = with_connection(py, &self.slot, driver::Applier::new)?;
        if let Some(rows) = set_rows_min {
            applier.set_rows_min(rows);
        }
        Ok(PgApplier { slot: self.slot.clone(), applier: Mutex::new(applier) })
    }

    /// A setting that the server reports by itself ("server_version", "server_encoding"...), or None.
    fn parameter(&self, py: Python<'_>, name: &str) -> PyResult<Option<String>> {
        with_connection(py, &self.slot, |connection| Ok(connection.parameter(name).map(str::to_owned)))
    }

    /// The notices since the last call: (severity, sqlstate, message).
    fn notices(&self, py: Python<'_>) -> PyResult<Vec<(String, String, String)>> {
        with_connection(py, &self.slot, |connection| {
            let notices = connection.take_notices().into_iter();
            Ok(notices.map(|notice| (notice.severity, notice.sqlstate, notice.message)).collect())
        })
    }

    /// Whether a transaction is open, failed or not.
    #[getter]
    fn in_transaction(&self, py: Python<'_>) -> bool {
        py.detach(|| {
            let guard = lock(&self.slot);
            guard.as_ref().is_some_and(|c| c.is_usable() && c.status() != driver::TransactionStatus::Idle)
        })
    }

    #[getter]
    fn is_encrypted(&self, py: Python<'_>) -> PyResult<bool> {
        with_connection(py, &self.slot, |connection| Ok(connection.is_encrypted()))
    }

    /// Asks the server to end the statement that another thread waits for (SQLSTATE 57014). The
    /// session stays.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.handle.cancel()).map_err(|e| raise(&e))
    }

    /// Ends the session; what another thread waits for fails with kind "interrupted".
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            let free = match self.slot.try_lock() {
                Ok(slot) => Some(slot),
                Err(TryLockError::Poisoned(slot)) => Some(slot.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
            let mut slot = free.unwrap_or_else(|| {
                self.handle.shut_down();
                lock(&self.slot)
            });
            if let Some(connection) = slot.take() {
                connection.close();
            }
        });
    }
}

/// A COPY under way. It ends with `finish` or `abort`, or with an error of `write`.
#[pyclass(module = "opendrs._core", frozen)]
struct PgCopy {
    slot: Slot,
    copy: Mutex<driver::CopyIn>,
}

#[pymethods]
impl PgCopy {
    /// Writes the rows of any object with `__arrow_c_array__`.
    fn write(&self, py: Python<'_>, batch: &Bound<'_, PyAny>) -> PyResult<()> {
        let batch = arrow::import(batch)?;
        with_connection(py, &self.slot, |connection| lock(&self.copy).write(connection, &batch))
    }

    /// Ends the COPY; the number of rows the server took.
    fn finish(&self, py: Python<'_>) -> PyResult<u64> {
        with_connection(py, &self.slot, |connection| lock(&self.copy).finish(connection))
    }

    /// Ends the COPY without effect. Does nothing if it has ended.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        with_connection(py, &self.slot, |connection| lock(&self.copy).abort(connection))
    }
}

/// Applies changes on a connection, within the transaction that the caller has opened there.
#[pyclass(module = "opendrs._core", frozen)]
struct PgApplier {
    slot: Slot,
    applier: Mutex<driver::Applier>,
}

#[pymethods]
impl PgApplier {
    /// Makes a table known under a number, or its new shape (`opendrs_postgres::TargetTable` as JSON).
    fn register(&self, py: Python<'_>, id: u32, target_json: &str) -> PyResult<()> {
        with_connection(py, &self.slot, |connection| {
            lock(&self.applier).register(connection, id, driver::TargetTable::from_json(target_json)?)
        })
    }

    /// Applies the changes of a window: (id, batch) a table, in mode "transactional" or "merged". The
    /// changes of the tables in `idempotent` may have been applied already. `on_conflict`: "stop" (a change that
    /// finds the target otherwise than it presupposes is an error), "ignore" (the target's rows stay) or "overwrite"
    /// (the source's row wins). After an error: ROLLBACK.
    ///
    /// Returns {"tables": {id: {"inserted": n, "updated": n, "deleted": n}}, "bytes": n, "resolved": [{"table": id,
    /// "seq": n, "txn": n, "part": n, "op": "insert", "resolved": "ignored", "reason": "...", "statement": "..."}]}.
    #[pyo3(signature = (tables, mode, idempotent, on_conflict="stop"))]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        tables: Vec<(u32, Bound<'py, PyAny>)>,
        mode: &str,
        idempotent: Vec<u32>,
        on_conflict: &str,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mode = match mode {
            "transactional" => driver::Mode::Transactional,
            "merged" => driver::Mode::Merged,
            other => return Err(raise(&driver::PgError::Usage(format!("there is no apply mode {other}")))),
        };
        let on_conflict = match on_conflict {
            "stop" => driver::OnConflict::Stop,
            "ignore" => driver::OnConflict::Ignore,
            "overwrite" => driver::OnConflict::Overwrite,
            other => return Err(raise(&driver::PgError::Usage(format!("conflicts cannot be answered by {other}")))),
        };
        let mut batches: Vec<(u32, RecordBatch)> = Vec::with_capacity(tables.len());
        for (id, batch) in &tables {
            batches.push((*id, arrow::import(batch)?));
        }
        let idempotent: HashSet<u32> = idempotent.into_iter().collect();
        let counts = with_connection(py, &self.slot, |connection| {
            lock(&self.applier).apply(connection, &batches, mode, &idempotent, on_conflict)
        })?;
        let by_table = PyDict::new(py);
        for (id, table) in &counts.tables {
            let shown = PyDict::new(py);
            shown.set_item("inserted", table.inserted)?;
            shown.set_item("updated", table.updated)?;
            shown.set_item("deleted", table.deleted)?;
            by_table.set_item(id, shown)?;
        }
        let result = PyDict::new(py);
        result.set_item("tables", by_table)?;
        result.set_item("bytes", counts.bytes)?;
        result.set_item("resolved", counts.resolved.iter().map(|one| told(py, one)).collect::<PyResult<Vec<_>>>()?)?;
        Ok(result)
    }

    /// Before a savepoint is set: forgets the one that an apply has left behind, if there is one.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        with_connection(py, &self.slot, |connection| lock(&self.applier).release(connection))
    }
}

/// What became of a conflict.
fn told<'py>(py: Python<'py>, one: &driver::Resolved) -> PyResult<Bound<'py, PyDict>> {
    let shown = PyDict::new(py);
    for (name, number) in [("table", one.table), ("seq", one.seq), ("txn", one.txn), ("part", one.part)] {
        shown.set_item(name, number)?;
    }
    for (name, text) in
        [("op", one.op), ("resolved", one.resolved), ("reason", &one.reason), ("statement", &one.statement)]
    {
        shown.set_item(name, text)?;
    }
    Ok(shown)
}

/// Adds the names of this file to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("PgError", module.py().get_type::<PgError>())?;
    module.add_class::<PgConnection>()?;
    module.add_class::<PgCopy>()?;
    module.add_class::<PgApplier>()
}
