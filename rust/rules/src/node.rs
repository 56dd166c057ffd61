//! A condition as its author writes it.

use std::cmp::Ordering;

use serde::Deserialize;

use crate::text::Texts;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Op {
    /// Equal.
    #[serde(rename = "=")]
    Eq,
    /// Not equal.
    #[serde(rename = "<>")]
    Ne,
    /// Less.
    #[serde(rename = "<")]
    Lt,
    /// Less or equal.
    #[serde(rename = "<=")]
    Le,
    /// Greater.
    #[serde(rename = ">")]
    Gt,
    /// Greater or equal.
    #[serde(rename = ">=")]
    Ge,
}

impl Op {
    /// Whether an order of two values is what the comparison asks for.
    #[inline]
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

/// A constant, in the form that its column demands.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// Digits: compared exactly with whole numbers, years, bits and decimals, as a double with floats.
    Number(String),
    /// Compared as a double with everything that is a number.
    Double(f64),
    /// A date or date and time, possible or not: `[year, month, day, hour, minute, second, microsecond]`.
    When([u32; 7]),
    /// A duration in microseconds.
    Time(i64),
    /// Bytes, as hexadecimal digits.
    Bytes(String),
}

/// A part of a condition. Three-valued: a comparison with NULL is neither true nor false.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// All of them.
    And(Vec<Node>),
    /// One of them at least.
    Or(Vec<Node>),
    /// Just one of the two.
    Xor(Box<(Node, Node)>),
    /// Not it.
    Not(Box<Node>),
    /// The same for each row.
    Always(Option<bool>),
    /// The column is NULL.
    IsNull(String),
    /// Column, comparison, constant.
    Compare(String, Op, Scalar),
    /// The column is one of many constants.
    OneOf(String, Vec<Scalar>),
    /// The column modulo a number: column, divisor, comparison, constant. Whole numbers only.
    Modulo(String, i64, Op, i64),
    /// Two columns of the same kind.
    Columns(String, Op, String),
    /// A test of a text.
    Text(String, Texts),
}
