//! A condition over the rows of a batch, column by column.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use arrow_buffer::i256;
use opendrs_columns::values::{Column, Values};
use opendrs_columns::{ColumnSpec, TableSpec};

use crate::node::{Node, Op, Scalar};
use crate::number::Bound;
use crate::text::{Texts, Verdicts};
use crate::when::{When, midnight, order_datetimes};
use crate::{FilterError, Result};

/// True, false, or neither.
type Truth = Option<bool>;

/// A condition on the rows of one table.
#[derive(Debug)]
pub struct Filter {
    node: Node,
    columns: Vec<ColumnSpec>,
    verdicts: Verdicts,
}

impl Filter {
    /// An error if the condition names what the table does not have, or compares what cannot be compared.
    pub fn new(node: Node, table: &TableSpec) -> Result<Self> {
        let filter = Self { node, columns: table.columns.clone(), verdicts: Verdicts::default() };
        // Everything that can be wrong with a condition shows on a batch without rows.
        let schema = table.schema(&[]);
        let arrays = schema.fields().iter().map(|field| arrow_array::new_empty_array(field.data_type())).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(0));
        let empty = RecordBatch::try_new_with_options(schema, arrays, &options)
            .map_err(|error| FilterError::Condition(error.to_string()))?;
        filter.truths(&empty)?;
        Ok(filter)
    }

    /// Texts of which somebody must say what the tests with these numbers say of them, each once. What was learned
    /// before may be forgotten.
    pub fn undecided(&mut self, batch: &RecordBatch) -> Result<Vec<(u32, String)>> {
        self.verdicts.shrink();
        let mut found = HashSet::new();
        self.look(&self.node, batch, &mut found)?;
        let mut found: Vec<(u32, String)> = found.into_iter().map(|(number, text)| (number, text.to_owned())).collect();
        found.sort_unstable();
        Ok(found)
    }

    fn look<'b>(&self, node: &Node, batch: &'b RecordBatch, found: &mut HashSet<(u32, &'b str)>) -> Result<()> {
        match node {
            Node::And(parts) | Node::Or(parts) => parts.iter().try_for_each(|part| self.look(part, batch, found)),
            Node::Xor(parts) => [&parts.0, &parts.1].into_iter().try_for_each(|part| self.look(part, batch, found)),
            Node::Not(part) => self.look(part, batch, found),
            Node::Text(name, texts) => {
                let column = self.column(batch, name)?;
                for row in (0..batch.num_rows()).filter(|row| !column.is_null(*row)) {
                    let text = text_of(&column, name, row)?;
                    if texts.decide(text).is_none() && self.verdicts.get(texts.number, text).is_none() {
                        found.insert((texts.number, text));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What the server has said of a text.
    pub fn teach(&mut self, number: u32, text: String, verdict: Truth) {
        self.verdicts.learn(number, text, verdict);
    }

    /// For each row, whether the condition is true. An error if a text is undecided.
    pub fn kept(&self, batch: &RecordBatch) -> Result<Vec<bool>> {
        Ok(self.truths(batch)?.into_iter().map(|truth| truth == Some(true)).collect())
    }

    fn truths(&self, batch: &RecordBatch) -> Result<Vec<Truth>> {
        self.evaluate(&self.node, batch)
    }

    fn evaluate(&self, node: &Node, batch: &RecordBatch) -> Result<Vec<Truth>> {
        let rows = batch.num_rows();
        match node {
            Node::And(parts) => self.fold(parts, batch, Some(true), and),
            Node::Or(parts) => self.fold(parts, batch, Some(false), or),
            Node::Xor(parts) => {
                let (left, right) = (self.evaluate(&parts.0, batch)?, self.evaluate(&parts.1, batch)?);
                Ok(left.into_iter().zip(right).map(|(left, right)| Some(left? != right?)).collect())
            }
            Node::Not(part) => Ok(self.evaluate(part, batch)?.into_iter().map(|truth| truth.map(|it| !it)).collect()),
            Node::Always(truth) => Ok(vec![*truth; rows]),
            Node::IsNull(name) => {
                let column = self.column(batch, name)?;
                Ok((0..rows).map(|row| Some(column.is_null(row))).collect())
            }
            Node::Compare(name, op, scalar) => self.compare(batch, name, *op, scalar),
            Node::OneOf(name, scalars) => self.one_of(batch, name, scalars),
            Node::Modulo(name, divisor, op, constant) => self.modulo(batch, name, *divisor, *op, *constant),
            Node::Columns(left, op, right) => self.columns(batch, left, *op, right),
            Node::Text(name, texts) => self.text(batch, name, texts),
        }
    }

    fn fold(
        &self,
        parts: &[Node],
        batch: &RecordBatch,
        first: Truth,
        join: fn(Truth, Truth) -> Truth,
    ) -> Result<Vec<Truth>> {
        let mut all = vec![first; batch.num_rows()];
        for part in parts {
            let truths = self.evaluate(part, batch)?;
            all.iter_mut().zip(truths).for_each(|(sum, truth)| *sum = join(*sum, truth));
        }
        Ok(all)
    }

    fn compare(&self, batch: &RecordBatch, name: &str, op: Op, scalar: &Scalar) -> Result<Vec<Truth>> {
        let column = self.column(batch, name)?;
        let order = orders(&column.values, scalar).ok_or_else(|| refused(name, scalar))?;
        Ok(each(batch, &column, |row| op.holds(order(row))))
    }

    fn one_of(&self, batch: &RecordBatch, name: &str, scalars: &[Scalar]) -> Result<Vec<Truth>> {
        let column = self.column(batch, name)?;
        // Whole numbers, which long lists are of, are looked up; the rest is compared one by one.
        if let Some(whole) = whole_numbers(&column.values, scalars) {
            return Ok(each(batch, &column, |row| {
                column.values.whole(row).is_some_and(|value| whole.contains(&value))
            }));
        }
        let orders: Vec<Orders<'_>> = scalars
            .iter()
            .map(|scalar| orders(&column.values, scalar).ok_or_else(|| refused(name, scalar)))
            .collect::<Result<_>>()?;
        Ok(each(batch, &column, |row| orders.iter().any(|order| order(row).is_eq())))
    }

    fn modulo(&self, batch: &RecordBatch, name: &str, divisor: i64, op: Op, constant: i64) -> Result<Vec<Truth>> {
        let column = self.column(batch, name)?;
        if divisor == 0 || !is_whole(&column.values) {
            return Err(FilterError::Condition(format!("column {name} modulo {divisor}")));
        }
        let truth = |row| {
            let rest = column.values.whole(row).unwrap_or_default() % i128::from(divisor);
            op.holds(rest.cmp(&i128::from(constant)))
        };
        Ok(each(batch, &column, truth))
    }

    fn columns(&self, batch: &RecordBatch, left: &str, op: Op, right: &str) -> Result<Vec<Truth>> {
        let (one, other) = (self.column(batch, left)?, self.column(batch, right)?);
        let order = pair_orders(&one.values, &other.values)
            .ok_or_else(|| FilterError::Condition(format!("columns {left} and {right} cannot be compared")))?;
        let truth = |row| (!one.is_null(row) && !other.is_null(row)).then(|| op.holds(order(row)));
        Ok((0..batch.num_rows()).map(truth).collect())
    }

    fn text(&self, batch: &RecordBatch, name: &str, texts: &Texts) -> Result<Vec<Truth>> {
        let column = self.column(batch, name)?;
        if !matches!(column.values, Values::Text(_)) {
            return Err(FilterError::Condition(format!("column {name} is no text")));
        }
        let decided = |row| {
            if column.is_null(row) {
                return Ok(None);
            }
            let text = text_of(&column, name, row)?;
            match texts.decide(text) {
                Some(truth) => Ok(Some(truth)),
                None => self.verdicts.get(texts.number, text).ok_or_else(|| FilterError::Undecided(name.to_owned())),
            }
        };
        (0..batch.num_rows()).map(decided).collect()
    }

    fn column<'b>(&self, batch: &'b RecordBatch, name: &str) -> Result<Column<'b>> {
        let spec = self.columns.iter().find(|column| column.name == name);
        let spec = spec.ok_or_else(|| FilterError::Condition(format!("there is no column {name}")))?;
        let array = batch.column_by_name(name);
        let array = array.ok_or_else(|| FilterError::Batch(format!("there is no column {name}")))?;
        let column = Column::new(array, &spec.logical);
        column.ok_or_else(|| FilterError::Batch(format!("column {name} is {}", array.data_type())))
    }
}

fn and(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(left: Truth, right: Truth) -> Truth {
    and(left.map(|it| !it), right.map(|it| !it)).map(|it| !it)
}

fn each(batch: &RecordBatch, column: &Column<'_>, truth: impl Fn(usize) -> bool) -> Vec<Truth> {
    (0..batch.num_rows()).map(|row| (!column.is_null(row)).then(|| truth(row))).collect()
}

/// Whole numbers, years, bits.
fn is_whole(values: &Values<'_>) -> bool {
    use Values::{Bits, I8, I16, I32, I64, U8, U16, U32, U64, Year};
    matches!(values, I8(_) | I16(_) | I32(_) | I64(_) | U8(_) | U16(_) | U32(_) | U64(_) | Year(_) | Bits(..))
}

fn refused(name: &str, scalar: &Scalar) -> FilterError {
    FilterError::Condition(format!("column {name} cannot be compared with {scalar:?}"))
}

fn text_of<'b>(column: &Column<'b>, name: &str, row: usize) -> Result<&'b str> {
    match &column.values {
        Values::Text(texts) => std::str::from_utf8(texts.get(row))
            .map_err(|_| FilterError::Batch(format!("column {name} holds what is no UTF-8"))),
        _ => Err(FilterError::Condition(format!("column {name} is no text"))),
    }
}

/// How the value of a row compares with a constant.
type Orders<'a> = Box<dyn Fn(usize) -> Ordering + 'a>;

/// None: they cannot be compared.
fn orders<'a>(values: &'a Values<'a>, scalar: &Scalar) -> Option<Orders<'a>> {
    match scalar {
        Scalar::Number(digits) => numbers(values, digits),
        Scalar::Double(double) => doubles(values, *double),
        Scalar::When(parts) => {
            let when = When::new(*parts)?;
            match values {
                Values::Date(days) => Some(Box::new(move |row| when.order_date(days[row]))),
                Values::Datetime(micros, _) | Values::Timestamp(micros, _) => {
                    Some(Box::new(move |row| when.order_datetime(micros[row])))
                }
                _ => None,
            }
        }
        Scalar::Time(constant) => {
            let constant = *constant;
            match values {
                Values::Time(micros, _) => Some(Box::new(move |row| micros[row].cmp(&constant))),
                _ => None,
            }
        }
        Scalar::Bytes(digits) => {
            let constant = unhex(digits)?;
            match values {
                Values::Bytes(bytes) => Some(Box::new(move |row| bytes.get(row).cmp(constant.as_slice()))),
                _ => None,
            }
        }
    }
}

fn numbers<'a>(values: &'a Values<'a>, digits: &str) -> Option<Orders<'a>> {
    match values {
        Values::Float32(_) | Values::Float64(_) => doubles(values, digits.parse().ok()?),
        Values::Decimal256(v, scale) => {
            let bound = Bound::new(digits, *scale)?;
            Some(Box::new(move |row| bound.order(v[row])))
        }
        Values::Decimal128(v, scale) => {
            let bound = Bound::new(digits, *scale)?.narrow();
            Some(Box::new(move |row| bound.order(v[row])))
        }
        _ if is_whole(values) => {
            let bound = Bound::new(digits, 0)?.narrow();
            Some(Box::new(move |row| bound.order(values.whole(row).unwrap_or_default())))
        }
        _ => None,
    }
}

/// As servers do it when one side is a double: both are.
fn doubles<'a>(values: &'a Values<'a>, constant: f64) -> Option<Orders<'a>> {
    let order = move |value: f64| value.partial_cmp(&constant).unwrap_or(Ordering::Less);
    match values {
        Values::Float32(v) => Some(Box::new(move |row| order(f64::from(v[row])))),
        Values::Float64(v) => Some(Box::new(move |row| order(v[row]))),
        _ if is_whole(values) => Some(Box::new(move |row| order(values.whole(row).unwrap_or_default() as f64))),
        _ => None,
    }
}

fn pair_orders<'a>(left: &'a Values<'a>, right: &'a Values<'a>) -> Option<Orders<'a>> {
    match (left, right) {
        (Values::Date(a), Values::Date(b)) => {
            Some(Box::new(move |row| order_datetimes(midnight(a[row]), midnight(b[row]))))
        }
        (Values::Datetime(a, _), Values::Datetime(b, _)) | (Values::Timestamp(a, _), Values::Timestamp(b, _)) => {
            Some(Box::new(move |row| order_datetimes(a[row], b[row])))
        }
        (Values::Time(a, _), Values::Time(b, _)) => Some(Box::new(move |row| a[row].cmp(&b[row]))),
        (Values::Decimal128(a, x), Values::Decimal128(b, y)) if x == y => {
            Some(Box::new(move |row| a[row].cmp(&b[row])))
        }
        (Values::Decimal256(a, x), Values::Decimal256(b, y)) if x == y => {
            Some(Box::new(move |row| a[row].cmp(&b[row])))
        }
        _ if is_whole(left) && is_whole(right) => Some(Box::new(move |row| left.whole(row).cmp(&right.whole(row)))),
        _ => None,
    }
}

/// The constants as what whole numbers are looked up in; None if the column or a constant is something else.
fn whole_numbers(values: &Values<'_>, scalars: &[Scalar]) -> Option<HashSet<i128>> {
    if !is_whole(values) {
        return None;
    }
    let mut found = HashSet::new();
    for scalar in scalars {
        let Scalar::Number(digits) = scalar else { return None };
        // One that lies between two values is equal to none.
        found.extend(Bound::new(digits, 0)?.whole().and_then(i256::to_i128));
    }
    Some(found)
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let bytes = digits.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    bytes.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests;
