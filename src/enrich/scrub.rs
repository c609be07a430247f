//! What may be personal in paths, referrers, tags and properties is masked before it is stored.
//!
//! Addresses of e-mail, telephone numbers, accounts, tokens and the long random names of single persons' pages.
//! Pages put such things where they should not. Nobody can find all of them by their looks, and some things
//! only look so: `tests/data/scrub.tsv` says, case by case, what is masked and what is not. This is a scan of
//! words, without patterns, because it runs over each beacon.

use std::borrow::Cow;

use super::text::{clean, cut};

/// A text is looked at so many times, at most, because of its own masks.
const PASSES_MAX: usize = 5;
/// Words of random characters are as long, at least, when they have capitals, small letters and digits.
const TOKEN_CHARS_MIN: usize = 20;
/// Words of random characters are as long, at least, when they have two of these, or are hexadecimal.
const PLAIN_TOKEN_CHARS_MIN: usize = 24;
/// What is masked has as many digits (an address) or is as long a word (a card's or an account's number), at least, or
/// has a sign of addresses.
const MASKED_DIGITS_MIN: usize = 4;
const MASKED_WORD_BYTES_MIN: usize = 15;
/// What stands behind the last dot of a file's name, not of a host's.
const FILE_ENDINGS: [&str; 18] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "css", "js", "mjs", "html", "htm",
    "pdf", "php", "json", "woff", "mp4",
];

/// The text with masks in place of what may be personal.
pub fn scrub(text: &str) -> Cow<'_, str> {
    // Most texts have nothing of it: neither an @ nor a digit.
    if !text.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@' || byte == b'%')
        || is_plain(text)
    {
        return Cow::Borrowed(text);
    }
    let mut scrubbed = masked(text);
    if scrubbed == text {
        return Cow::Borrowed(text);
    }
    // What stands beside a mask may look like something now: an import of what was stored is to change nothing.
    for _ in 1..PASSES_MAX {
        let again = masked(&scrubbed);
        if again == scrubbed {
            break;
        }
        scrubbed = again;
    }
    Cow::Owned(scrubbed)
}

fn masked(text: &str) -> String {
    let without_addresses = ipv6_addresses(text);
    let without_phones = phones(&without_addresses);
    words(&without_phones)
}

/// Whether a text has too few digits for a number, too short words for a name of random characters, and nothing of
/// addresses: then no mask is for it.
fn is_plain(text: &str) -> bool {
    let (mut digits, mut word) = (0, 0);
    text.bytes().all(|byte| {
        digits += usize::from(byte.is_ascii_digit());
        word = if !byte.is_ascii() || is_of_word(byte.into()) { word + 1 } else { 0 };
        digits < MASKED_DIGITS_MIN && word < MASKED_WORD_BYTES_MIN && !b"@%:".contains(&byte)
    })
}

/// The text as it may be stored: masked, without what can not be seen, and at most `bytes_max` bytes of it.
///
/// What can not be seen goes first, so that it hides nothing from the masks. The cut comes last: half of an
/// address is known by no mask, and a mask may be longer than what it masks. What was cut is looked at again, for it may look
/// like an address only now.
pub fn storable(text: &str, bytes_max: usize) -> String {
    let whole = scrubbed(clean(text, usize::MAX));
    match whole.len() <= bytes_max {
        true => whole,
        false => cut(scrubbed(cut(whole, bytes_max)), bytes_max),
    }
}

/// The text with masks in place of what may be personal; mostly the text itself.
pub fn scrubbed(text: String) -> String {
    let masked = match scrub(&text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(masked),
    };
    masked.unwrap_or(text)
}

/// Whether a character is part of a word: everything else is between words, and stays.
fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._%+-@~".contains(character) || !character.is_ascii()
}

fn words(text: &str) -> String {
    let mut scrubbed = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, "");
    while !rest.is_empty() {
        let end = rest.find(|character| !is_of_word(character)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match mask(word, before) {
            Some(mask) => scrubbed.push_str(mask),
            None => scrubbed.push_str(&parts(word)),
        }
        before = if word.is_empty() { before } else { word };
        let between = after.find(is_of_word).unwrap_or(after.len());
        scrubbed.push_str(&after[..between]);
        rest = &after[between..];
    }
    scrubbed
}

/// The word with masks for those of its parts, between hyphens and the like, that need one: a readable name
/// may end in a random one. What has such parts and is random as a whole is one token.
fn parts(word: &str) -> Cow<'_, str> {
    let masked = |between: &[char], mask: fn(&str) -> Option<&'static str>| {
        word.split(between).any(|part| mask(part).is_some()).then(|| {
            let parts = word.split_inclusive(between).flat_map(|part| {
                let name = part.strip_suffix(between).unwrap_or(part);
                [mask(name).unwrap_or(name), &part[name.len()..]]
            });
            parts.collect::<String>()
        })
    };
    match masked(&['-', '_', '.', '~', '+'], mask_of_part) {
        Some(masked) => masked.into(),
        None if is_random(word) => "[token]".into(),
        None => {
            let random = |part: &str| is_random(part).then_some("[token]");
            masked(&['.', '+', '~', '%'], random).map_or(word.into(), Into::into)
        }
    }
}

/// The mask of a whole word, behind another.
fn mask(word: &str, before: &str) -> Option<&'static str> {
    if is_email(word) {
        Some("[email]")
    } else if word.starts_with("eyJ") && word.len() >= TOKEN_CHARS_MIN {
        Some("[token]")
    } else if is_uuid(word) {
        Some("[id]")
    } else if is_address(word, announces_address(before)) {
        Some("[ip]")
    } else {
        None
    }
}

fn mask_of_part(part: &str) -> Option<&'static str> {
    if part.len() >= PLAIN_TOKEN_CHARS_MIN && part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Some("[id]")
    } else if is_account(part) {
        Some("[account]")
    } else if is_card(part) {
        Some("[number]")
    } else {
        None
    }
}

/// `name@host.tld`, also when the @ is encoded.
fn is_email(word: &str) -> bool {
    let decoded;
    let word = if word.contains("%40") {
        decoded = word.replace("%40", "@");
        &decoded
    } else {
        word
    };
    word.match_indices('@').any(|(at, _)| {
        let name = &word[..at];
        !name.is_empty() && !ends_with_sign(name.as_bytes()) && begins_with_host(&word[at + 1..])
    })
}

/// Whether the bytes end with an encoded sign, of those that stand between words: a word or a number may begin behind it.
fn ends_with_sign(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [.., b'%', b'2', b'0'..=b'4' | b'6'..=b'9' | b'A' | b'C' | b'F' | b'a' | b'c' | b'f']
            | [.., b'%', b'3', b'A'..=b'F' | b'a'..=b'f']
    )
}

/// Whether the text begins with a host of addresses: what follows it in a word (`_2024`, `+berlin`, a closing quotation mark)
/// hides none.
fn begins_with_host(text: &str) -> bool {
    let is_of_host = |(at, character): (usize, char)| match character {
        // Beyond ASCII, encoded or not, is what hosts have and what follows them.
        '%' => matches!(text.as_bytes().get(at + 1), Some(b'8'..=b'9' | b'A'..=b'F' | b'a'..=b'f')),
        character => {
            character.is_ascii_alphanumeric() || ".-_".contains(character) || !character.is_ascii()
        }
    };
    let end = text.char_indices().find(|&place| !is_of_host(place));
    let host = text[..end.map_or(text.len(), |(end, _)| end)].trim_end_matches(['.', '-', '_']);
    let Some((first, rest)) = host.split_once('.') else { return false };
    let last = letters(rest.rsplit('.').next().unwrap_or(rest)).to_ascii_lowercase();
    !first.is_empty()
        && !is_version(first, rest)
        && !FILE_ENDINGS.contains(&last.as_str())
        && rest.split('.').any(is_domain)
}

/// Whether it begins as the number of a version: `5.0.0.beta.1`, `v2.x`.
fn is_version(first: &str, rest: &str) -> bool {
    let number = first.strip_prefix('v').unwrap_or(first);
    let next = rest.split(['.', '-']).next().unwrap_or(rest);
    !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (next == "x" || next.starts_with(|first: char| first.is_ascii_digit()))
}

/// Whether a part of a host is a domain. Of a word whose last part was masked it need not be the last.
fn is_domain(label: &str) -> bool {
    let end = label.find(|character: char| !character.is_alphabetic()).unwrap_or(label.len());
    let (name, after) = label.split_at(end);
    let goes_on = after.starts_with(|after: char| after.is_ascii() && !"-_%".contains(after));
    label.starts_with("xn--") || (name.chars().nth(1).is_some() && !goes_on)
}

/// The letters from A to Z that the text begins with.
fn letters(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_alphabetic());
    &text[..end.unwrap_or(text.len())]
}

/// Hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Four numbers up to 255 with dots between them. With few digits it is the number of a version, unless
/// what stands before it says that it is an address.
fn is_address(word: &str, is_announced: bool) -> bool {
    let word = word.strip_suffix('.').unwrap_or(word);
    let numbers = word.split('.');
    numbers.clone().count() == 4
        && numbers.clone().all(|number| number.len() <= 3 && number.parse::<u8>().is_ok())
        && (word.len() >= 11 || is_announced)
}

/// Whether a host is no name but an address of a network, however short: in brackets, with colons, or four numbers.
pub(super) fn is_address_of_host(host: &str) -> bool {
    host.starts_with('[') || host.contains(':') || is_address(host, true)
}

/// `ip`, `client_ip`, `remote-addr` and the like.
fn announces_address(word: &str) -> bool {
    let last = word.rsplit(|character: char| !character.is_ascii_alphanumeric()).next();
    last.is_some_and(|last| {
        ["ip", "ipv4", "addr", "address"].iter().any(|name| last.eq_ignore_ascii_case(name))
    })
}

/// Masks addresses of IPv6, also with encoded colons.
fn ipv6_addresses(text: &str) -> Cow<'_, str> {
    if !text.contains("::")
        && text.bytes().filter(|byte| *byte == b':').count() < 7
        && !text.contains("%3")
    {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut masked: Option<String> = None;
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        // Not within a word, nor behind a colon: `std::fade` is no address, nor are parts of one.
        let is_within =
            at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || b"_:%".contains(&bytes[at - 1]));
        if !bytes[at].is_ascii_hexdigit() || is_within {
            at += 1;
            continue;
        }
        match ipv6_length(&bytes[at..]) {
            0 => at += 1,
            length => {
                let masked = masked.get_or_insert_default();
                masked.push_str(&text[copied..at]);
                masked.push_str("[ip]");
                at += length;
                copied = at;
            }
        }
    }
    match masked {
        None => Cow::Borrowed(text),
        Some(masked) => Cow::Owned(masked + &text[copied..]),
    }
}

/// The length of the IPv6 address that the bytes begin with; 0 when it is none. What is routed begins with
/// four digits: so neither times nor names of programs are taken for addresses.
fn ipv6_length(bytes: &[u8]) -> usize {
    let (mut at, mut groups, mut gaps, mut has_letter) = (0, 0, 0, false);
    loop {
        let group = bytes[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if group > 4 || (groups == 0 && group != 4) {
            return 0;
        }
        has_letter |= bytes[at..at + group].iter().any(u8::is_ascii_alphabetic);
        groups += usize::from(group > 0);
        at += group;
        let Some(colon) = colon_length(&bytes[at..]) else { break };
        match colon_length(&bytes[at + colon..]) {
            Some(second) => {
                gaps += 1;
                at += colon + second;
            }
            // A colon at the end is of the sentence.
            None if !bytes.get(at + colon).is_some_and(u8::is_ascii_hexdigit) => break,
            None => at += colon,
        }
    }
    let is_whole = match gaps {
        0 => groups == 8,
        1 => (2..8).contains(&groups) && (groups > 2 || has_letter),
        _ => false,
    };
    let goes_on = bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if is_whole && !goes_on { at } else { 0 }
}

/// A colon, or an encoded one.
fn colon_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b':', ..] => Some(1),
        [b'%', b'3', b'A' | b'a', ..] => Some(3),
        _ => None,
    }
}

/// Whether the characters look drawn by lot: capitals, small letters and digits take turns all the time, as
/// in no word of a language.
fn is_random(word: &str) -> bool {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    if word.len() < TOKEN_CHARS_MIN
        || !word.bytes().all(|byte| class(byte).is_some() || b"-_~".contains(&byte))
    {
        return false;
    }
    let (mut counts, mut turns, mut last) = ([0usize; 3], 0, None);
    for class in word.bytes().filter_map(class) {
        counts[class] += 1;
        turns += usize::from(last.is_some_and(|last| last != class));
        last = Some(class);
    }
    let all: usize = counts.iter().sum();
    match counts {
        [0, ..] => false,
        [_, small, capital] if small * capital > 0 => {
            all >= TOKEN_CHARS_MIN && turns * 100 >= all * 25
        }
        _ => all >= PLAIN_TOKEN_CHARS_MIN && turns * 100 >= all * 28 && counts[0] * 100 >= all * 12,
    }
}

/// A card's number: 15 or 16 digits whose check digit is right.
fn is_card(part: &str) -> bool {
    let is_issued = matches!(part.bytes().next(), Some(b'3'..=b'6'));
    if !matches!(part.len(), 15 | 16)
        || !is_issued
        || !part.bytes().all(|byte| byte.is_ascii_digit())
    {
        return false;
    }
    let sum: u32 = part
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| match u32::from(byte - b'0') * (1 + at as u32 % 2) {
            digit @ 0..=9 => digit,
            more => more - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// An international bank account number whose check digits are right.
fn is_account(part: &str) -> bool {
    let bytes = part.as_bytes();
    let is_shaped = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_shaped
        && bytes[4..].iter().chain(&bytes[..4]).fold(0u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
        }) == 1
}

/// Masks what is written as a telephone number is: digits with spaces, dots, hyphens and brackets.
fn phones(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut masked: Option<String> = None;
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        let plus = encoded_plus(&bytes[at..]);
        let begins = plus > 0 || matches!(bytes[at], b'+' | b'(') || bytes[at].is_ascii_digit();
        // An encoded plus begins a number behind another one, too.
        let is_part = |before: u8| {
            b"-_.+%@".contains(&before)
                || before.is_ascii_alphabetic()
                || (before.is_ascii_digit() && plus == 0)
        };
        let is_within = at > 0 && is_part(bytes[at - 1]) && !ends_with_sign(&bytes[..at]);
        if !begins || is_within {
            at += 1;
            continue;
        }
        match phone_length(&bytes[at + plus..], plus > 0) {
            0 => {
                at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count().max(1);
            }
            length => {
                let masked = masked.get_or_insert_default();
                masked.push_str(&text[copied..at]);
                masked.push_str("[phone]");
                at += plus + length;
                copied = at;
            }
        }
    }
    match masked {
        None => Cow::Borrowed(text),
        Some(masked) => Cow::Owned(masked + &text[copied..]),
    }
}

/// The fewest digits of a telephone number.
const PHONE_DIGITS_MIN: usize = 8;
/// The most digits of a telephone number, and the most characters between two of them. Without bounds a text of
/// single digits would be read once for each of them.
const PHONE_DIGITS_MAX: usize = 16;
const PHONE_GAP_MAX: usize = 4;
/// So many of its groups may be the last one of a number in a run of more.
const PHONE_ENDS_MAX: usize = 3;

/// The length of a plus that is encoded, if the bytes begin with one.
fn encoded_plus(bytes: &[u8]) -> usize {
    if matches!(bytes, [b'%', b'2', b'B' | b'b', ..]) { 3 } else { 0 }
}

/// The length of the telephone number that the bytes begin with, behind a plus or not; 0 when it is none. Of more digits than one has,
/// those in front of a space may be one.
fn phone_length(bytes: &[u8], behind_plus: bool) -> usize {
    let (mut length, mut digits, mut ends) = (0, 0, Vec::new());
    let mut is_whole = true;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte.is_ascii_digit() {
            digits += 1;
            length = at + 1;
            if digits > PHONE_DIGITS_MAX {
                is_whole = false;
                break;
            }
        } else if !b"+ -.()".contains(&byte) || at - length >= PHONE_GAP_MAX {
            break;
        } else if byte == b' '
            && at == length
            && digits >= PHONE_DIGITS_MIN
            && ends.len() < PHONE_ENDS_MAX
        {
            ends.push(length);
        }
    }
    if is_whole && ends.last() != Some(&length) {
        ends.push(length);
    }
    let is_one = |end: &usize| {
        let is_part = !is_whole || *end < length;
        !goes_on(&bytes[*end..]) && is_phone(&bytes[..*end], behind_plus, is_part)
    };
    ends.into_iter().rev().find(is_one).unwrap_or(0)
}

/// Whether the word or the number before these bytes goes on with them. What is encoded ends it, unless it is of a word.
fn goes_on(bytes: &[u8]) -> bool {
    match bytes {
        [b'%', high @ b'2'..=b'3', low, ..] if low.is_ascii_hexdigit() => {
            *high == b'3' && low.is_ascii_digit()
        }
        [byte, ..] => byte.is_ascii_alphanumeric() || b"_@%".contains(byte),
        [] => false,
    }
}

/// Whether it is written as a telephone number is, or, as a part of a run of digits, can be nothing else.
fn is_phone(number: &[u8], behind_plus: bool, is_part: bool) -> bool {
    let mut digits = number.iter().filter(|byte| byte.is_ascii_digit());
    let count = digits.clone().count();
    if count < PHONE_DIGITS_MIN || number.iter().skip(1).any(|byte| *byte == b'+') {
        return false;
    }
    let first = [digits.next(), digits.next()].map(|digit| digit == Some(&b'0'));
    let has_plus = behind_plus || number.starts_with(b"+");
    let groups: Vec<usize> = number
        .split(|byte| !byte.is_ascii_digit())
        .map(<[u8]>::len)
        .filter(|length| *length > 0)
        .collect();
    let is_international = has_plus && (PHONE_DIGITS_MIN..=15).contains(&count);
    let is_long_distance = first == [true, true] && (11..=PHONE_DIGITS_MAX).contains(&count);
    // A day and an hour are no number.
    let is_day = groups.starts_with(&[2, 2, 4]);
    let is_national = first[0] && (9..=12).contains(&count) && !is_day && groups.len() <= 5;
    let is_american = !is_part && matches!(groups.as_slice(), [3, 3, 4] | [1, 3, 3, 4]);
    is_international || is_long_distance || is_national || is_american
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A case a line: what is sent, a tab, and what is stored.
    const CASES: &str = include_str!("../../tests/data/scrub.tsv");

    fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
        CASES
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_once('\t').unwrap())
    }

    #[test]
    fn every_case_is_masked_as_it_says() {
        let wrong: Vec<String> = cases()
            .filter(|(sent, stored)| scrub(sent) != *stored)
            .map(|(sent, stored)| format!("{sent}\n  is {}\n  not {stored}", scrub(sent)))
            .collect();
        assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn the_cases_are_as_many_as_the_promise_says_and_many_of_them_are_harmless() {
        let harmless = cases().filter(|(sent, stored)| sent == stored).count();
        let all = cases().count();
        assert!(all >= 300 && harmless >= 100, "{all} cases, {harmless} harmless");
        let promise = include_str!("../../PRIVACY.md");
        for said in [format!("with {all} cases in"), format!("of which {harmless} only look so")] {
            assert!(promise.contains(&said), "PRIVACY.md: {said}");
        }
    }

    #[test]
    fn no_case_that_is_masked_is_plain() {
        let plain: Vec<_> =
            cases().filter(|(sent, stored)| is_plain(sent) && sent != stored).collect();
        assert!(plain.is_empty(), "{plain:?}");
        assert!(is_plain("/articles/123") && !is_plain("/articles/1234"));
    }

    #[test]
    fn no_text_takes_long_whatever_could_be_a_number_in_it() {
        for hostile in ["1 ", "1", "(", "1(", "+1-", "0.", "2001:", "2001::", "1%3A", "a@1."] {
            // Read once for each of its digits, this would be hours.
            let text = format!("{} call 030 12345678", hostile.repeat(1_000_000 / hostile.len()));
            assert!(scrub(&text).ends_with(" call [phone]"), "{hostile}: the number is not masked");
        }
    }

    #[test]
    fn what_looks_like_an_address_where_it_was_cut_is_none() {
        let text = format!("/{}/max.mustermann@mail.example1", "x".repeat(1971));
        assert_eq!(scrub(&text), text);
        assert_eq!(storable(&text, text.len() - 1), format!("/{}/[email]", "x".repeat(1971)));
    }

    proptest! {
        #[test]
        fn scrubbing_twice_changes_nothing(
            text in "[a-zA-Z0-9@%+./ ()_-]{0,80}|([0-9a-f]{1,4}(:|::|%3A)){1,9}[0-9a-fg. -]{0,12}|([0-9]{1,5}[ +.)(-]|%2B|%2C|@|com\\.){0,20}"
        ) {
            let once = scrub(&text).into_owned();
            prop_assert_eq!(scrub(&once).into_owned(), once);
        }

        #[test]
        fn a_plain_text_would_be_masked_nowhere(
            text in "([a-zA-Z0-9ä.+_-]{0,16}[/ =&(.]?){0,6}|(ip|addr)[ =/][0-9.]{1,16}|eyJ[a-z0-9.]{0,20}"
        ) {
            prop_assert!(!is_plain(&text) || masked(&text) == text);
        }

        #[test]
        fn any_text_can_be_scrubbed(text: String) {
            let _ = scrub(&text);
        }
    }
}
