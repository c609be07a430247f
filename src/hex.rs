//! Bytes as hexadecimal digits, two for each byte: small letters are written, and capitals read as well.

/// The digits of these bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    append(&mut text, bytes);
    text
}

/// Appends the digits of these bytes. Where the text has room for them they are written nowhere else, as a secret has to be.
pub(crate) fn append(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
}

/// The bytes of these digits; `None` where anything else is among them, or one is left over.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    decode_into(&mut bytes, text)?;
    Some(bytes)
}

/// Fills these bytes, without a copy of them anywhere else; `None` where the text is not just the digits that they take. They
/// may be filled in part then.
pub(crate) fn decode_into(bytes: &mut [u8], text: &str) -> Option<()> {
    if text.len() != 2 * bytes.len() {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits_and_is_read_from_them() {
        assert_eq!(encode(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all.clone()));
        assert_eq!(decode(&encode(&all).to_uppercase()), Some(all));
    }

    #[test]
    fn what_is_not_made_of_pairs_of_digits_is_not_read() {
        for text in ["0", "000", "0g", "+1", " 1", "1 ", "ä", "0x00"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode(""), Some(Vec::new()));
        assert_eq!(decode_into(&mut [0; 2], "00"), None);
        assert_eq!(decode_into(&mut [0; 2], "000000"), None);
    }
}
