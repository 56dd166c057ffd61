//! Record batches across the border, by the Arrow PyCapsule interface
//! (<https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>): no buffer is
//! copied, and neither side needs to know the other's Arrow library.

use std::ffi::CStr;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, Int8Array, RecordBatch, StructArray, UInt8Array, UInt32Array};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
/// The kind of row (column `op`) that holds an update's before image; the after image is the next row.
const UPDATE_BEFORE: i8 = 2;
/// In the column `flags`: the change was made with `foreign_key_checks=0`.
const FOREIGN_KEYS_OFF: u8 = 4;

/// Rows of one table as Arrow arrays. Any library that speaks the PyCapsule interface reads it:
/// `pyarrow.record_batch(batch)`, `arro3.core.RecordBatch.from_arrow(batch)`.
#[pyclass(name = "RecordBatch", module = "opendrs._core", frozen)]
pub struct PyRecordBatch(pub RecordBatch);

#[pymethods]
impl PyRecordBatch {
    /// Takes over the batch of any object that has `__arrow_c_array__`.
    #[staticmethod]
    fn from_arrow(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        import(source).map(Self)
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    #[getter]
    fn num_columns(&self) -> usize {
        self.0.num_columns()
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.0.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Bytes of all buffers.
    #[getter]
    fn nbytes(&self) -> usize {
        self.0.get_array_memory_size()
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    /// A view of `length` rows from `offset` on; nothing is copied.
    fn slice(&self, offset: usize, length: usize) -> PyResult<Self> {
        if offset.checked_add(length).is_none_or(|end| end > self.0.num_rows()) {
            return Err(PyValueError::new_err("the slice ends behind the batch"));
        }
        Ok(Self(self.0.slice(offset, length)))
    }

    /// How many rows belong to changes whose ordinal in the window (column `seq`) is below `seq`.
    fn rows_below(&self, seq: u32) -> PyResult<usize> {
        let column = self.0.column_by_name("seq").map(|column| column.as_any());
        match column.and_then(|column| column.downcast_ref::<UInt32Array>()) {
            Some(ordinals) => Ok(ordinals.values().partition_point(|ordinal| *ordinal < seq)),
            None => Err(PyTypeError::new_err("the batch is not one of a window")),
        }
    }

    /// Whether an update in the batch changes the value of any of the columns.
    fn updates_change(&self, columns: Vec<String>) -> PyResult<bool> {
        let ops = self.0.column_by_name("op").and_then(|column| column.as_any().downcast_ref::<Int8Array>());
        let Some(ops) = ops else { return Err(PyTypeError::new_err("the batch is not one of a window")) };
        let befores: Vec<usize> = (0..ops.len()).filter(|row| ops.value(*row) == UPDATE_BEFORE).collect();
        for name in columns {
            let Some(column) = self.0.column_by_name(&name) else {
                return Err(PyValueError::new_err(format!("the batch has no column {name}")));
            };
            if befores.iter().any(|row| column.slice(*row, 1) != column.slice(row + 1, 1)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The batch of a window without the images that are not to be kept, one word a row. What is left of an update of
    /// which one image goes is an insertion or a deletion.
    fn keep(&self, kept: Vec<bool>) -> PyResult<Self> {
        let kept = opendrs_rules::keep(&self.0, kept);
        kept.map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Ordinals (column `seq`) of the changes that were made with `foreign_key_checks=0`, as ranges
    /// `(first, end)` that hold nothing else: no change of this batch, and none of another.
    fn unchecked(&self) -> PyResult<Vec<(u32, u32)>> {
        let flags = self.0.column_by_name("flags").and_then(|column| column.as_any().downcast_ref::<UInt8Array>());
        let ordinals = self.0.column_by_name("seq").and_then(|column| column.as_any().downcast_ref::<UInt32Array>());
        let (Some(flags), Some(ordinals)) = (flags, ordinals) else {
            return Err(PyTypeError::new_err("the batch is not one of a window"));
        };
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (flags, &ordinal) in flags.values().iter().zip(ordinals.values()) {
            match ranges.last_mut() {
                _ if flags & FOREIGN_KEYS_OFF == 0 => {}
                // Both images of an update have the same ordinal.
                Some(last) if ordinal <= last.1 => last.1 = ordinal + 1,
                _ => ranges.push((ordinal, ordinal + 1)),
            }
        }
        Ok(ranges)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface lets a producer answer with its own schema; the consumer casts.
        let _ = requested_schema;
        let data = StructArray::from(self.0.clone()).into_data();
        let (array, mut schema) = to_ffi(&data).map_err(|e| PyValueError::new_err(e.to_string()))?;
        // A bare array has no name or table metadata; the schema of the batch does.
        schema = FFI_ArrowSchema::try_from(self.0.schema().as_ref()).unwrap_or(schema);
        let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
        let array = PyCapsule::new_with_value(py, array, ARRAY)?;
        PyTuple::new(py, [schema, array])
    }
}

/// The batch of any object that speaks the PyCapsule interface.
pub fn import(source: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    if let Ok(own) = source.cast::<PyRecordBatch>() {
        return Ok(own.get().0.clone());
    }
    let pair = source
        .call_method0("__arrow_c_array__")
        .map_err(|_| PyTypeError::new_err("expected an object with __arrow_c_array__"))?;
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = pair.extract()?;
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: the capsules' names say what they hold, and the interface lets the consumer move the
    // array out as long as it leaves a released one behind, which `from_raw` does.
    let (schema, array) = unsafe { (schema.as_ref(), FFI_ArrowArray::from_raw(array.as_ptr())) };
    // SAFETY: the producer vouches that array and schema belong together.
    let data = unsafe { from_ffi(array, schema) }.map_err(|e| PyValueError::new_err(e.to_string()))?;
    let names = arrow_schema::Schema::try_from(schema).map_err(|e| PyValueError::new_err(e.to_string()))?;
    let (_, columns, nulls) = StructArray::from(data).into_parts();
    if nulls.is_some_and(|n| n.null_count() > 0) {
        return Err(PyValueError::new_err("a record batch has no null rows"));
    }
    RecordBatch::try_new(names.into(), columns).map_err(|e| PyValueError::new_err(e.to_string()))
}
