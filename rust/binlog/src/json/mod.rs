//! MySQL's binary JSON and the diffs that partial updates log (MySQL, sql-common/json_binary.h,
//! sql-common/json_diff.h).

mod diff;
mod document;
mod double;
mod text;

pub(crate) use diff::apply;
pub(crate) use document::Document;
pub(crate) use text::print;
