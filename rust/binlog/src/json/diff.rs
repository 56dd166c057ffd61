use super::document::{Document, Value};
use super::text::{deeper, print_scalar, quote, separate, utf8};
use crate::cursor::Cursor;
use crate::error::{ErrorKind, Fault, Result};

/// A document in memory, to be changed.
enum Node<'a> {
    Scalar(Value<'a>),
    Array(Vec<Node<'a>>),
    /// Members in the server's order: shorter keys first, then by bytes.
    Object(Vec<(Vec<u8>, Node<'a>)>),
}

/// One step of a path.
enum Leg {
    Member(Vec<u8>),
    Cell(usize),
}

const REPLACE: u8 = 0;
const INSERT: u8 = 1;
const REMOVE: u8 = 2;

/// Applies the diffs of a partial update to a document and appends the result's text.
///
/// diffs  operation, path with its length, and but for REMOVE a document with its length, repeated
///        (MySQL, sql-common/json_diff.h, `Json_diff::write_binary`)
pub(crate) fn apply(before: &[u8], diffs: &[u8], out: &mut String) -> Result<()> {
    let mut root = tree(before)?;
    let mut cursor = Cursor::new(diffs);
    while !cursor.is_empty() {
        let operation = cursor.u8()?;
        let path = path(cursor.lenenc_bytes()?)?;
        match operation {
            REPLACE => *seek(&mut root, &path)? = tree(cursor.lenenc_bytes()?)?,
            INSERT => {
                let value = tree(cursor.lenenc_bytes()?)?;
                let (last, parent) = path.split_last().ok_or_else(|| missing("an insert without a path"))?;
                insert(seek(&mut root, parent)?, last, value)?;
            }
            REMOVE => {
                let (last, parent) = path.split_last().ok_or_else(|| missing("a removal without a path"))?;
                remove(seek(&mut root, parent)?, last)?;
            }
            other => return Err(Fault::new(ErrorKind::Unsupported, format!("partial JSON update of kind {other}"))),
        }
    }
    print(&root, out, 1)
}

#[cold]
fn missing(what: &str) -> Fault {
    Fault::corrupt(format!("a partial JSON update does not fit the document before it: {what}"))
}

/// The document as a tree; damaged ones, whose parts overlap, would have more nodes than bytes.
fn tree(document: &[u8]) -> Result<Node<'_>> {
    node(Document::parse(document)?, &mut (document.len() + 1), 1)
}

fn node<'a>(value: Value<'a>, left: &mut usize, depth: usize) -> Result<Node<'a>> {
    *left = left.checked_sub(1).ok_or_else(|| Fault::corrupt("a JSON document whose parts overlap"))?;
    Ok(match value {
        Value::Array(container) => {
            deeper(depth)?;
            let mut elements = Vec::new();
            for index in 0..container.count {
                elements.push(node(container.value(index)?, left, depth + 1)?);
            }
            Node::Array(elements)
        }
        Value::Object(container) => {
            deeper(depth)?;
            let mut members = Vec::new();
            for index in 0..container.count {
                members.push((container.key(index)?.to_vec(), node(container.value(index)?, left, depth + 1)?));
            }
            Node::Object(members)
        }
        scalar => Node::Scalar(scalar),
    })
}

fn seek<'n, 'a>(root: &'n mut Node<'a>, path: &[Leg]) -> Result<&'n mut Node<'a>> {
    path.iter().try_fold(root, |node, leg| match (node, leg) {
        (Node::Array(elements), Leg::Cell(index)) => elements.get_mut(*index).ok_or_else(|| missing("no such element")),
        (Node::Object(members), Leg::Member(key)) => {
            let found = members.iter_mut().find(|member| member.0 == *key);
            found.map(|member| &mut member.1).ok_or_else(|| missing("no such member"))
        }
        // The server reads the cell 0 of what is no array as the thing itself.
        (node @ (Node::Scalar(_) | Node::Object(_)), Leg::Cell(0)) => Ok(node),
        _ => Err(missing("a path through a value of another kind")),
    })
}

fn insert<'a>(parent: &mut Node<'a>, leg: &Leg, value: Node<'a>) -> Result<()> {
    match (parent, leg) {
        (Node::Array(elements), Leg::Cell(index)) => {
            elements.insert((*index).min(elements.len()), value);
            Ok(())
        }
        (Node::Object(members), Leg::Member(key)) => {
            let order = |member: &(Vec<u8>, Node<'_>)| (member.0.len(), member.0.as_slice()).cmp(&(key.len(), key));
            match members.binary_search_by(order) {
                Ok(_) => Err(missing("the member exists already")),
                Err(at) => {
                    members.insert(at, (key.clone(), value));
                    Ok(())
                }
            }
        }
        _ => Err(missing("an insert into a value of another kind")),
    }
}

fn remove(parent: &mut Node<'_>, leg: &Leg) -> Result<()> {
    match (parent, leg) {
        (Node::Array(elements), Leg::Cell(index)) if *index < elements.len() => drop(elements.remove(*index)),
        (Node::Object(members), Leg::Member(key)) => match members.iter().position(|member| member.0 == *key) {
            Some(at) => drop(members.remove(at)),
            None => return Err(missing("no such member")),
        },
        _ => return Err(missing("no such element")),
    }
    Ok(())
}

fn print(node: &Node<'_>, out: &mut String, depth: usize) -> Result<()> {
    match node {
        Node::Scalar(value) => return print_scalar(*value, out),
        Node::Array(elements) => {
            deeper(depth)?;
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                separate(out, index);
                print(element, out, depth + 1)?;
            }
            out.push(']');
        }
        Node::Object(members) => {
            deeper(depth)?;
            out.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                separate(out, index);
                quote(utf8(key)?, out);
                out.push_str(": ");
                print(value, out, depth + 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// Reads a path as the server writes it: `$`, `.name`, `."any name"`, `[0]`.
fn path(text: &[u8]) -> Result<Vec<Leg>> {
    let bad = || Fault::corrupt(format!("the JSON path {:?}", String::from_utf8_lossy(text)));
    let mut rest = text.strip_prefix(b"$").ok_or_else(bad)?;
    let mut legs = Vec::new();
    while let Some((first, behind)) = rest.split_first() {
        match (first, behind) {
            (b'[', cell) => {
                let end = cell.iter().position(|byte| *byte == b']').ok_or_else(bad)?;
                let number = std::str::from_utf8(&cell[..end]).ok().and_then(|number| number.trim().parse().ok());
                legs.push(Leg::Cell(number.ok_or_else(bad)?));
                rest = &cell[end + 1..];
            }
            (b'.', [b'"', ..]) => {
                let mut texts = serde_json::Deserializer::from_slice(behind).into_iter::<String>();
                let key = texts.next().and_then(std::result::Result::ok).ok_or_else(bad)?;
                rest = behind.get(texts.byte_offset()..).unwrap_or_default();
                legs.push(Leg::Member(key.into_bytes()));
            }
            (b'.', name) => {
                let end = name.iter().position(|byte| matches!(byte, b'.' | b'[')).unwrap_or(name.len());
                legs.push(Leg::Member(name[..end].to_vec()));
                rest = &name[end..];
            }
            _ => return Err(bad()),
        }
    }
    Ok(legs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small object {"a": 1} and the pieces of a diff.
    const BEFORE: &[u8] = &[0, 1, 0, 12, 0, 11, 0, 1, 0, 5, 1, 0, b'a'];

    fn diff(operation: u8, path: &str, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![operation, path.len() as u8];
        bytes.extend(path.bytes());
        if operation != REMOVE {
            bytes.push(value.len() as u8);
            bytes.extend(value);
        }
        bytes
    }

    fn applied(diffs: &[Vec<u8>]) -> Result<String> {
        let mut out = String::new();
        apply(BEFORE, &diffs.concat(), &mut out).map(|()| out)
    }

    #[test]
    fn diffs_change_the_document() {
        assert_eq!(applied(&[]).unwrap(), "{\"a\": 1}");
        assert_eq!(applied(&[diff(REPLACE, "$.a", &[5, 7, 0])]).unwrap(), "{\"a\": 7}");
        assert_eq!(applied(&[diff(INSERT, "$.\"x y\"", &[4, 1])]).unwrap(), "{\"a\": 1, \"x y\": true}");
        assert_eq!(applied(&[diff(INSERT, "$.A", &[12, 1, b'z'])]).unwrap(), "{\"A\": \"z\", \"a\": 1}");
        assert_eq!(applied(&[diff(REMOVE, "$.a", &[])]).unwrap(), "{}");
        let array = [2, 1, 0, 7, 0, 5, 9, 0];
        let both = [diff(REPLACE, "$.a", &array), diff(INSERT, "$.a[0]", &[4, 0]), diff(INSERT, "$.a[9]", &[4, 2])];
        assert_eq!(applied(&both).unwrap(), "{\"a\": [null, 9, false]}");
    }

    /// An array of ten elements that are all the same array of ten, and so on: 10^12 nodes in 400 bytes.
    #[test]
    fn overlapping_parts_are_an_error() {
        let mut inner = vec![2u8, 0, 0, 4, 0];
        for _ in 0..12 {
            let (entries, size) = (4 + 10 * 3, 4 + 10 * 3 + inner.len() - 1);
            let mut outer = vec![2u8, 10, 0, size as u8, (size >> 8) as u8];
            (0..10).for_each(|_| outer.extend([2u8, entries as u8, (entries >> 8) as u8]));
            outer.extend(&inner[1..]);
            inner = outer;
        }
        let mut out = String::new();
        assert!(apply(&inner, &[], &mut out).is_err());
        assert!(super::super::print(Document::parse(&inner).unwrap(), inner.len(), &mut out).is_err());
        assert!(out.len() < 1 << 16);
    }

    #[test]
    fn diffs_that_do_not_fit_are_errors() {
        for bad in [
            diff(REPLACE, "$.b", &[4, 0]),
            diff(INSERT, "$.a", &[4, 0]),
            diff(REMOVE, "$[3]", &[]),
            diff(REMOVE, "$", &[]),
            diff(9, "$.a", &[4, 0]),
            diff(REPLACE, "a", &[4, 0]),
            vec![0, 200],
        ] {
            assert!(applied(&[bad]).is_err());
        }
    }
}
