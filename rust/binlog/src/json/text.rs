use std::fmt::Write;

use super::document::{Container, Value};
use super::double;
use crate::decimal::Layout;
use crate::error::{Fault, Result};
use crate::table_map::column_types as t;
use crate::temporal::{JsonTemporal, json_text};

/// Deeper documents cannot be stored (MySQL, sql-common/json_syntax_check.h, `JSON_DOCUMENT_MAX_DEPTH`).
pub(super) const DEPTH_MAX: usize = 100;

/// Appends a value as the server's `CAST(... AS CHAR)` prints it.
///
/// bytes  length of the document: a sound one prints at most some ten times as long, but a damaged one
///        may point to the same part from many places, and that again and again
pub(crate) fn print(value: Value<'_>, bytes: usize, out: &mut String) -> Result<()> {
    let end = out.len().saturating_add(bytes.saturating_mul(32)).saturating_add(4096);
    nested(value, out, end, 1)
}

fn nested(value: Value<'_>, out: &mut String, end: usize, depth: usize) -> Result<()> {
    if out.len() > end {
        return Err(Fault::corrupt("a JSON document whose parts overlap"));
    }
    match value {
        Value::Array(container) => {
            deeper(depth)?;
            out.push('[');
            for index in 0..container.count {
                separate(out, index);
                nested(container.value(index)?, out, end, depth + 1)?;
            }
            out.push(']');
            Ok(())
        }
        Value::Object(container) => {
            deeper(depth)?;
            object(container, out, end, depth)
        }
        scalar => print_scalar(scalar, out),
    }
}

fn object(container: Container<'_>, out: &mut String, end: usize, depth: usize) -> Result<()> {
    out.push('{');
    for index in 0..container.count {
        separate(out, index);
        quote(utf8(container.key(index)?)?, out);
        out.push_str(": ");
        nested(container.value(index)?, out, end, depth + 1)?;
    }
    out.push('}');
    Ok(())
}

pub(super) fn deeper(depth: usize) -> Result<()> {
    if depth > DEPTH_MAX { Err(Fault::corrupt("a JSON document of more than 100 levels")) } else { Ok(()) }
}

pub(super) fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push_str(", ");
    }
}

pub(super) fn print_scalar(value: Value<'_>, out: &mut String) -> Result<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(number) => drop(write!(out, "{number}")),
        Value::Uint(number) => drop(write!(out, "{number}")),
        Value::Double(number) => double::print(number, out),
        Value::String(text) => quote(utf8(text)?, out),
        Value::Opaque(kind, bytes) => opaque(kind, bytes, out)?,
        Value::Array(_) | Value::Object(_) => return Err(Fault::corrupt("a JSON scalar that is a container")),
    }
    Ok(())
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| Fault::corrupt("JSON text that is not UTF-8"))
}

/// MySQL's json_dom.cc, `double_quote`.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        out.push_str(&rest[..at]);
        let special = rest.as_bytes()[at];
        match special {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            9 => out.push_str("\\t"),
            10 => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            13 => out.push_str("\\r"),
            other => drop(write!(out, "\\u{other:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

fn opaque(kind: u8, bytes: &[u8], out: &mut String) -> Result<()> {
    let temporal = match kind {
        t::NEWDECIMAL => {
            let [precision, scale, digits @ ..] = bytes else {
                return Err(Fault::corrupt("a JSON decimal without digits"));
            };
            let layout = Layout::new(*precision, *scale)?;
            if digits.len() != layout.bytes {
                return Err(Fault::corrupt("a JSON decimal with too few or too many digits"));
            }
            out.push_str(&layout.to_text(digits)?);
            return Ok(());
        }
        t::DATE | t::NEWDATE => JsonTemporal::Date,
        t::TIME | t::TIME2 => JsonTemporal::Time,
        t::DATETIME | t::DATETIME2 | t::TIMESTAMP | t::TIMESTAMP2 => JsonTemporal::Datetime,
        _ => {
            let _ = write!(out, "\"base64:type{kind}:");
            base64(bytes, out);
            out.push('"');
            return Ok(());
        }
    };
    out.push('"');
    out.push_str(&json_text(temporal, bytes)?);
    out.push('"');
    Ok(())
}

/// Base64 with padding; the server breaks the line behind every 76 characters (mysys/base64.cc),
/// and quoting makes `\n` of that.
fn base64(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (index, chunk) in bytes.chunks(3).enumerate() {
        if index > 0 && index % 19 == 0 {
            out.push_str("\\n");
        }
        let padded = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let bits = padded.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte));
        for digit in 0..4 {
            let used = digit <= chunk.len();
            out.push(if used { char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63]) } else { '=' });
        }
    }
}
