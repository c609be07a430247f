//! What text may be stored: nothing that can not be seen or that turns the direction of what can.

/// Whether a character is one that must not be stored: controls, byte-order marks and marks of direction.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether there is nothing to be seen of a text.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || is_unseen(character))
}

/// Whether a character takes no place, or shows nothing in it. It may be stored, for it joins and divides what can be seen.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The text without harmful characters, and at most `bytes_max` bytes of it, cut between characters.
pub fn clean(text: &str, bytes_max: usize) -> String {
    cut(cleaned(text.to_owned()), bytes_max)
}

/// The text without harmful characters. Hardly any has one; then it is the text itself.
pub fn cleaned(mut text: String) -> String {
    if text.chars().any(is_harmful) {
        text.retain(|character| !is_harmful(character));
    }
    text
}

/// At most `bytes_max` bytes of the text, cut between characters.
pub fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_can_not_be_seen_is_left_out() {
        assert_eq!(clean("a\0b\u{202e}c\u{feff}\u{85}d\n", 100), "abcd");
        assert_eq!(clean("ää", 3), "ä");
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for text in ["", " \t", "\u{200b}", "\u{200d}\u{2060}\u{a0}", "\u{3164}"] {
            assert!(is_blank(text), "{text:?}");
        }
        assert!(!is_blank("\u{200b}a"));
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>(), bytes_max in 0usize..50) {
            let once = clean(&text, bytes_max);
            prop_assert!(once.len() <= bytes_max);
            prop_assert!(!once.chars().any(is_harmful));
            prop_assert_eq!(clean(&once, bytes_max), once);
        }
    }
}
