//! JSON as it is sent, read like the field's own collectors read it.
//!
//! A script that cuts a text within a sign beyond the first 65,536 leaves half of it, which JSON writes (`\ud83d`) and UTF-8
//! can not: it becomes the sign for what can not be shown, and costs neither the text nor the event. A mark of byte order
//! in front says nothing.

use serde::de::DeserializeOwned;

/// What a text in UTF-8 may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one value.
///
/// # Errors
/// When it is no JSON, or not of the type.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let bytes = unmarked(bytes);
    let read = serde_json::from_slice(bytes);
    // Hardly any has half a sign: it is looked for where nothing else helps.
    match read {
        Err(error) if !error.is_data() => match with_whole_signs(bytes) {
            Some(mended) => serde_json::from_slice(&mended),
            None => Err(error),
        },
        read => read,
    }
}

/// The bytes without a mark of byte order and blanks in front.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start()
}

/// The text with the sign for what can not be shown in the place of each half of one; `None` where there is none.
fn with_whole_signs(text: &[u8]) -> Option<Vec<u8>> {
    let mut mended = None;
    let mut at = 0;
    while at < text.len() {
        at += match (text[at], unit(&text[at..])) {
            (b'\\', Some(0xd800..=0xdbff)) if is_second_half(&text[at + 6..]) => 12,
            (b'\\', Some(0xd800..=0xdfff)) => {
                mended.get_or_insert_with(|| text.to_vec())[at..at + 6].copy_from_slice(b"\\ufffd");
                6
            }
            // What stands behind is no beginning: a backslash may.
            (b'\\', _) => 2,
            _ => 1,
        };
    }
    mended
}

fn is_second_half(text: &[u8]) -> bool {
    matches!(unit(text), Some(0xdc00..=0xdfff))
}

/// The number of the `\uXXXX` that the text begins with.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.get(..6)?.strip_prefix(b"\\u")?;
    let is_number = digits.iter().all(u8::is_ascii_hexdigit);
    is_number.then(|| u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn half_a_sign_is_shown_as_one_that_can_not_be_shown() {
        for (sent, expected) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\uDE00b""#, "\u{fffd}b"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
            (r#""\\ud83d\ud83d""#, "\\ud83d\u{fffd}"),
            (r#""\ud83d\\ude00""#, "\u{fffd}\\ude00"),
        ] {
            assert_eq!(read::<Value>(sent.as_bytes()).unwrap(), json!(expected), "{sent}");
        }
    }

    #[test]
    fn a_mark_of_byte_order_says_nothing() {
        assert_eq!(read::<Value>("\u{feff} {}".as_bytes()).unwrap(), json!({}));
    }

    #[test]
    fn what_is_broken_otherwise_stays_so() {
        for sent in [r#""\ud83""#, r#"{"a": "\ud83d"#, r#""\ud83d\x""#, "\\"] {
            assert!(read::<Value>(sent.as_bytes()).is_err(), "{sent}");
        }
    }

    proptest! {
        #[test]
        fn whatever_browsers_write_is_read(units in prop::collection::vec(prop_oneof![any::<u16>(), 0xd7ff..0xe001u16], 0..20)) {
            let sent: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let read: String = read(format!("\"{sent}\"").as_bytes()).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }
    }
}
