//! Text inside JSON strings.
//!
//! Two sets of escapes: what RFC 8259 demands (section 7), and with `HTML` also what Gson escapes so that
//! JSON may stand in a page: `<`, `>`, `&`, `=`, `'`, U+2028 and U+2029 (Gson's `JsonWriter`).

/// Bytes that are looked at together.
const BLOCK: usize = 32;

const HEX: &[u8; 16] = b"0123456789abcdef";
/// Where U+2028 and U+2029 begin, and much else does.
const SEPARATOR: u8 = 0xe2;

/// Appends a JSON string with its quotes.
#[inline]
pub(crate) fn string<const HTML: bool>(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    escaped::<HTML>(text, out);
    out.push(b'"');
}

/// Appends a text, which is UTF-8, with escapes.
#[inline]
pub(crate) fn escaped<const HTML: bool>(text: &[u8], out: &mut Vec<u8>) {
    let (blocks, tail) = text.as_chunks::<BLOCK>();
    let plain = blocks.iter().all(plain::<HTML>)
        && match text.last_chunk() {
            // The end once more together with bytes that are known to be plain: cheaper than one by one.
            Some(last) => plain::<HTML>(last),
            None => !tail.iter().any(|byte| is_special::<HTML>(*byte)),
        };
    if plain {
        out.extend_from_slice(text);
    } else {
        rewritten::<HTML>(text, out);
    }
}

/// Whether a block can be copied as it is. Without a branch, so that it becomes vector instructions.
#[inline]
fn plain<const HTML: bool>(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0, |found, byte| found | u8::from(is_special::<HTML>(*byte))) == 0
}

/// Whether a byte may have to be escaped.
#[inline]
fn is_special<const HTML: bool>(byte: u8) -> bool {
    let demanded = (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    // `&` and `'` differ in the lowest bit only; `<`, `=` and `>` follow one another.
    let html = (byte & 0xfe == b'&') | (byte.wrapping_sub(b'<') < 3) | (byte == SEPARATOR);
    demanded | (HTML & html)
}

/// The same for a text in which something is to be escaped: in runs of what is not.
fn rewritten<const HTML: bool>(text: &[u8], out: &mut Vec<u8>) {
    let mut done = 0;
    for (index, block) in text.chunks(BLOCK).enumerate() {
        if <&[u8; BLOCK]>::try_from(block).is_ok_and(plain::<HTML>) {
            continue;
        }
        for (offset, byte) in block.iter().enumerate().filter(|(_, byte)| is_special::<HTML>(**byte)) {
            let at = index * BLOCK + offset;
            if *byte == SEPARATOR {
                // What is not U+2028 or U+2029 stays in the run.
                if let [_, 0x80, last @ (0xa8 | 0xa9), ..] = &text[at..] {
                    out.extend_from_slice(&text[done..at]);
                    out.extend_from_slice(if *last == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                    done = at + 3;
                }
                continue;
            }
            out.extend_from_slice(&text[done..at]);
            escape(*byte, out);
            done = at + 1;
        }
    }
    out.extend_from_slice(&text[done..]);
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<const HTML: bool>(text: &str) -> String {
        let mut out = Vec::new();
        string::<HTML>(text.as_bytes(), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn each_set_has_its_escapes() {
        let all = "a<b>c&d=e'f\"g\\h\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}\u{2028}\u{2029}\u{2030}é漢😀";
        assert_eq!(
            shown::<true>(all),
            "\"a\\u003cb\\u003ec\\u0026d\\u003de\\u0027f\\\"g\\\\h\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\\u2028\\u2029\u{2030}é漢😀\""
        );
        assert_eq!(
            shown::<false>(all),
            "\"a<b>c&d=e'f\\\"g\\\\h\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\u{2028}\u{2029}\u{2030}é漢😀\""
        );
    }

    /// One character at every place of texts of every length: no block and no end is overlooked.
    #[test]
    fn nothing_is_overlooked_at_any_place() {
        for special in ["\"", "\\", "<", ">", "&", "=", "'", "\0", "\u{2028}", "\u{2029}", "\u{2027}", "é"] {
            for length in 0..100 {
                for at in 0..=length {
                    let text = format!("{}{special}{}", "x".repeat(at), "y".repeat(length - at));
                    let read = |json: &str| serde_json::from_str::<String>(json).expect("a JSON string");
                    let (html, demanded) = (shown::<true>(&text), shown::<false>(&text));
                    assert_eq!((read(&html), read(&demanded)), (text.clone(), text));
                    assert!(!html.contains(['<', '>', '&', '=', '\'', '\u{2028}', '\u{2029}', '\0']));
                }
            }
        }
    }
}
