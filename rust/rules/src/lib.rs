//! Rows and columns of a batch that a selection wants.
//!
//! Which rows a condition keeps is what the source's server would say. A condition comes as JSON from whoever has parsed it ([`Node`]), for whom every part of it has one meaning on the
//! server and here. What only the server can decide (texts under a collation that is not plain) is asked of it by the
//! caller, once a value: [`Filter::undecided`] and [`Filter::teach`].

mod evaluate;
mod keep;
mod node;
mod number;
mod reshape;
mod text;
mod when;

pub use evaluate::Filter;
pub use keep::{Dml, keep};
pub use node::{Node, Op, Scalar};
pub use reshape::{Reshape, ReshapeColumn};
pub use text::{Local, Test, Texts};

/// Why a condition cannot be evaluated: a mistake of the caller, or a batch that is not of the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The condition makes no sense.
    #[error("the condition cannot be used: {0}")]
    Condition(String),
    /// The batch does not have what the condition names.
    #[error("the batch does not fit the condition: {0}")]
    Batch(String),
    /// Nobody has said what a text means.
    #[error("nobody has decided about a text of column {0}")]
    Undecided(String),
}

/// What most functions here return.
pub type Result<T> = std::result::Result<T, FilterError>;
