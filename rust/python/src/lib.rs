//! `opendrs._core`: Python names and conversions for the crates beside this one. No logic here.
//!
//! Arrow batches cross by the PyCapsule interface (`__arrow_c_array__`), text by `str`, structured
//! values by JSON. Everything that may wait or work runs with the interpreter lock released.

mod arrow;
mod binlog;
mod kafka;
mod mysql;
mod postgres;
mod rules;

use pyo3::prelude::*;

/// The compiled part of OpenDRS.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<arrow::PyRecordBatch>()?;
    binlog::register(module)?;
    rules::register(module)?;
    mysql::register(module)?;
    kafka::register(module)?;
    postgres::register(module)?;
    Ok(())
}
