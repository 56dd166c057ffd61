use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use crate::encode::Target;
use crate::encode::field::Field;
use crate::error::ValueProblem;

/// The values of some columns, row by row, as bytes that are equal exactly if the target takes the
/// values for equal.
pub(crate) struct Keys {
    data: Vec<u8>,
    /// Where each row's bytes end.
    ends: Vec<usize>,
    hashes: Vec<u64>,
    has_null: Vec<bool>,
}

impl Keys {
    /// Reads the columns of all rows. An error is that of (column, row).
    pub fn new(
        fields: &[Field<'_>],
        columns: &[usize],
        rows: usize,
        hasher: &DefaultHashBuilder,
    ) -> Result<Self, (usize, usize, ValueProblem)> {
        let mut keys = Self {
            data: Vec::with_capacity(rows * columns.len() * 12),
            ends: Vec::with_capacity(rows),
            hashes: Vec::with_capacity(rows),
            has_null: Vec::new(),
        };
        for row in 0..rows {
            let begin = keys.data.len();
            let mut null = false;
            for &column in columns {
                let start = keys.data.len();
                write_comparable(&fields[column], row, &mut keys.data).map_err(|p| (column, row, p))?;
                null |= keys.data[start..start + 4] == [0xff; 4];
            }
            keys.ends.push(keys.data.len());
            keys.hashes.push(hasher.hash_one(&keys.data[begin..]));
            if null && keys.has_null.is_empty() {
                keys.has_null = vec![false; rows];
            }
            if null {
                keys.has_null[row] = true;
            }
        }
        Ok(keys)
    }

    #[inline]
    pub fn bytes(&self, row: usize) -> &[u8] {
        let begin = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.data[begin..self.ends[row]]
    }

    #[inline]
    pub fn hash(&self, row: usize) -> u64 {
        self.hashes[row]
    }

    /// Whether one of the values is NULL: such a key is equal to none.
    #[inline]
    pub fn has_null(&self, row: usize) -> bool {
        self.has_null.get(row).copied().unwrap_or(false)
    }
}

/// The field in binary or text, in the one of its forms that stands for all equal ones.
fn write_comparable(field: &Field<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    let start = out.len();
    if field.target.is_none() || !field.has_binary {
        out.extend_from_slice(&[0xff; 4]);
        if !field.is_null(row) && field.write_text(row, out)? {
            let length = (out.len() - start - 4) as i32;
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        return Ok(());
    }
    field.write_binary(row, out)?;
    match field.target {
        // bpchar compares without trailing blanks.
        Some(Target::Bpchar) if out[start..start + 4] != [0xff; 4] => {
            while out.len() > start + 4 && out.last() == Some(&b' ') {
                out.pop();
            }
            let length = (out.len() - start - 4) as i32;
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        // Minus zero equals zero.
        Some(Target::Float4 | Target::Float8)
            if out[start + 4..].first() == Some(&0x80) && out[start + 5..].iter().all(|byte| *byte == 0) =>
        {
            out[start + 4] = 0;
        }
        _ => {}
    }
    Ok(())
}
