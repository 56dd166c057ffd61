//! Names for `opendrs_rules`.

use std::sync::{Mutex, PoisonError};

use opendrs_columns::TableSpec;
use opendrs_rules as core;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrow::PyRecordBatch;

fn failed(error: &core::FilterError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Which changes of a table's rows are carried over. One thread at a time uses it.
#[pyclass(module = "opendrs._core", frozen)]
struct RowFilter {
    dml: core::Dml,
    filter: Option<Mutex<core::Filter>>,
}

#[pymethods]
impl RowFilter {
    /// `condition_json` as `opendrs_rules::Node`, or None: every row; `dml` are the letters of the kinds of changes.
    /// ValueError if the condition does not fit the table.
    #[new]
    fn new(table_json: &str, condition_json: Option<&str>, dml: &str) -> PyResult<Self> {
        let wrong = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let table = TableSpec::from_json(table_json).map_err(|error| wrong(&error))?;
        let filter = match condition_json {
            None => None,
            Some(text) => {
                let node = serde_json::from_str(text).map_err(|error| wrong(&error))?;
                Some(Mutex::new(core::Filter::new(node, &table).map_err(|error| failed(&error))?))
            }
        };
        Ok(Self { dml: core::Dml::new(dml), filter })
    }

    /// `(number of the test, text)`, each once: what only the server can say.
    fn undecided(&self, py: Python<'_>, batch: &PyRecordBatch) -> PyResult<Vec<(u32, String)>> {
        let Some(filter) = &self.filter else { return Ok(Vec::new()) };
        let found = py.detach(|| filter.lock().unwrap_or_else(PoisonError::into_inner).undecided(&batch.0));
        found.map_err(|error| failed(&error))
    }

    /// What the server says of it: true, false, or neither.
    fn teach(&self, number: u32, text: String, verdict: Option<bool>) {
        if let Some(filter) = &self.filter {
            filter.lock().unwrap_or_else(PoisonError::into_inner).teach(number, text, verdict);
        }
    }

    /// The changes of a window's batch that are carried over. An update of which only one image is wanted is an
    /// insertion or a deletion.
    fn changes(&self, py: Python<'_>, batch: &PyRecordBatch) -> PyResult<PyRecordBatch> {
        let kept = py.detach(|| {
            let wanted = self.dml.only(&batch.0)?;
            match &self.filter {
                None => Ok(wanted),
                Some(filter) => {
                    let kept = filter.lock().unwrap_or_else(PoisonError::into_inner).kept(&wanted)?;
                    core::keep(&wanted, kept)
                }
            }
        });
        kept.map(PyRecordBatch).map_err(|error| failed(&error))
    }

    /// For each row of any batch of the table, whether the condition is true.
    fn kept(&self, py: Python<'_>, batch: &PyRecordBatch) -> PyResult<Vec<bool>> {
        let Some(filter) = &self.filter else { return Ok(vec![true; batch.0.num_rows()]) };
        let kept = py.detach(|| filter.lock().unwrap_or_else(PoisonError::into_inner).kept(&batch.0));
        kept.map_err(|error| failed(&error))
    }
}

/// Gives batches of one table the columns that arrive. One thread at a time uses it.
#[pyclass(module = "opendrs._core", frozen)]
struct Reshape(Mutex<core::Reshape>);

#[pymethods]
impl Reshape {
    /// A list of `opendrs_rules::ReshapeColumn`.
    #[new]
    fn new(columns_json: &str) -> PyResult<Self> {
        let columns = serde_json::from_str(columns_json).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self(Mutex::new(core::Reshape::new(columns))))
    }

    /// A batch of a window, whose leading columns stay; or one of a snapshot, which has none.
    fn batch(&self, batch: &PyRecordBatch, leading: usize) -> PyResult<PyRecordBatch> {
        let shaped = self.0.lock().unwrap_or_else(PoisonError::into_inner).batch(&batch.0, leading);
        shaped.map(PyRecordBatch).map_err(|error| failed(&error))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RowFilter>()?;
    module.add_class::<Reshape>()
}
