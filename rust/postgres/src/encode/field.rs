use arrow_array::ArrayRef;
use opendrs_columns::Logical;
use opendrs_columns::values::{Column, Strings, Values};

use super::policy::{ImpossibleDate, Policies};
use super::target::Target;

/// The pairs of values and target that most columns are, so that the hot loop decides but once a
/// value.
pub(crate) enum Hot<'a> {
    Int4(&'a [i32]),
    Int8(&'a [i64]),
    Numeric(&'a [i128], u8),
    Date(&'a [i32]),
    Timestamp(&'a [i64]),
    /// Text without a NUL in the whole batch.
    Text(Strings<'a>),
    /// The same in every row.
    Constant(&'a Constant),
    Other,
}

/// A value that is in every row, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    /// With its length in front.
    binary: Vec<u8>,
    text: Vec<u8>,
}

impl Constant {
    /// `binary`: without length.
    pub fn new(binary: &[u8], text: &str) -> Self {
        let length = (binary.len() as i32).to_be_bytes();
        Self { binary: [&length, binary].concat(), text: text.as_bytes().to_vec() }
    }

    /// The field in binary: length, then bytes.
    pub fn binary(&self) -> &[u8] {
        &self.binary
    }

    /// The field as text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// One column of a batch, bound to the type it is written as.
pub(crate) struct Field<'a> {
    /// The values; None: `hot` holds the only one.
    pub column: Option<Column<'a>>,
    pub hot: Hot<'a>,
    /// The type of the target's column; None: not one of ours, so everything goes as text.
    pub target: Option<Target>,
    /// Whether a zero byte occurs in any of the texts.
    pub has_nul: bool,
    /// Whether the column is written in binary.
    pub has_binary: bool,
    /// Whether the target wants arrays of numbers as `[1,2]` (pgvector) and not as `{1,2}`.
    pub brackets: bool,
    pub policies: Policies,
}

impl<'a> Field<'a> {
    /// Reads `array` as `logical`. None if the array is not of the Arrow type that carries it.
    pub fn new(array: &'a ArrayRef, logical: &Logical, target: Option<Target>, policies: Policies) -> Option<Self> {
        let column = Column::new(array, logical)?;
        let has_nul = matches!(&column.values, Values::Text(texts) if memchr::memchr(0, texts.all()).is_some());
        let hot = hot(&column.values, target, has_nul);
        let column = Some(column);
        Some(Self { column, hot, target, has_nul, has_binary: true, brackets: false, policies })
    }

    /// A column that no batch has.
    pub fn constant(constant: &'a Constant, target: Option<Target>, policies: Policies) -> Self {
        let hot = Hot::Constant(constant);
        Self { column: None, hot, target, has_nul: false, has_binary: true, brackets: false, policies }
    }

    /// Whether the row's value is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.column.as_ref().is_some_and(|column| column.is_null(row))
    }

    /// Whether two values of the same column are the same, bit for bit, or both NULL.
    pub fn same(&self, row: usize, other: &Field<'_>, other_row: usize) -> bool {
        match (&self.column, &other.column) {
            (Some(own), Some(others)) => own.same(row, others, other_row),
            (own, others) => own.is_none() && others.is_none(),
        }
    }

    /// Whether a policy may write a value that is not NULL as NULL.
    pub fn may_become_null(&self) -> bool {
        self.policies.impossible_date == ImpossibleDate::Null
            && self.column.as_ref().is_some_and(|column| {
                matches!(column.values, Values::Date(_) | Values::Datetime(..) | Values::Timestamp(..))
            })
    }
}

fn hot<'a>(values: &Values<'a>, target: Option<Target>, has_nul: bool) -> Hot<'a> {
    match (values, target) {
        (Values::I32(v), Some(Target::Int4)) => Hot::Int4(v),
        (Values::I64(v), Some(Target::Int8)) => Hot::Int8(v),
        (Values::Decimal128(v, scale), Some(Target::Numeric)) => Hot::Numeric(v, *scale),
        (Values::Date(v), Some(Target::Date)) => Hot::Date(v),
        (Values::Datetime(v, _) | Values::Timestamp(v, _), Some(Target::Timestamp | Target::Timestamptz)) => {
            Hot::Timestamp(v)
        }
        (Values::Text(s), Some(Target::Text | Target::Varchar | Target::Bpchar | Target::Json)) if !has_nul => {
            Hot::Text(*s)
        }
        _ => Hot::Other,
    }
}
