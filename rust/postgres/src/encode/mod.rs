//! Arrow arrays to what PostgreSQL reads: COPY in binary or text, and parameters.

pub(crate) mod binary;
pub(crate) mod field;
mod numeric;
mod policy;
mod table;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod text;

pub use policy::{ImpossibleDate, NulInText, Policies};
pub(crate) use table::RowFormat;
pub use table::{ColumnTarget, Encoder};
pub use target::Target;
