//! The domain that a site is known by, as it is registered and as everything that names a site is read.
//!
//! Browsers tell an internationalised domain encoded (`xn--mller-kva.example`), people write it in its letters, and it may be
//! written from its root, with a dot at its end: all of them are one. What is kept is what people read.

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

/// The longest domain, in bytes (RFC 1035).
const DOMAIN_BYTES_MAX: usize = 253;
/// What is longer than this, in bytes, is no host, and is not decoded.
const DECODED_BYTES_MAX: usize = 1_000;

/// A host as it is kept: in small letters, decoded, without a dot at its end and a leading `www.`.
pub fn bare_host(host: &str) -> String {
    let small = host.to_lowercase();
    let mut host = in_its_letters(&small).unwrap_or(small);
    if host.ends_with('.') {
        host.pop();
    }
    if host.starts_with("www.") {
        host.drain(.."www.".len());
    }
    host
}

/// A domain as sites are registered under it.
pub fn bare_domain(domain: &str) -> String {
    let (host, rest) = host_and_rest(domain.trim());
    bare_host(host) + &rest.to_lowercase()
}

/// The same, if a site can have it: a host name, which a path may follow (`example.com/shop` is a site of its own, as in
/// the field).
pub fn domain_of_a_site(domain: &str) -> Option<String> {
    let bare = bare_domain(domain);
    let (host, rest) = host_and_rest(&bare);
    let in_a_domain =
        |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | ':');
    // Some languages write words with signs that are no letters.
    let has_letters = in_its_letters(host).is_some();
    let is_of_language = |character: char| has_letters && !character.is_ascii();
    let is_valid = !bare.is_empty()
        && bare.len() <= DOMAIN_BYTES_MAX
        && host.chars().all(|character| in_a_domain(character) || is_of_language(character))
        && rest.chars().all(|character| in_a_domain(character) || character == '/')
        && !bare.starts_with(['.', '-', '/', ':'])
        && !bare.contains("//");
    is_valid.then_some(bare)
}

/// The host of a domain, without the port or the path that may follow.
pub fn host_of(domain: &str) -> &str {
    host_and_rest(domain).0
}

/// What stands before the port or the path of a domain, and these.
fn host_and_rest(domain: &str) -> (&str, &str) {
    domain.split_at(domain.find(['/', ':']).unwrap_or(domain.len()))
}

/// The host decoded, in the one form of those that Unicode takes for the same; `None` where it has nothing of that, or is no
/// such host.
fn in_its_letters(host: &str) -> Option<String> {
    // Hardly any has: nothing is looked up for the others.
    if host.len() > DECODED_BYTES_MAX || (host.is_ascii() && !host.contains("xn--")) {
        return None;
    }
    let (decoded, is_right) =
        Uts46::new().to_unicode(host.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    // Of Cherokee the one form is in capitals.
    is_right.ok().map(|()| decoded.to_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_domain_is_one_however_it_is_written() {
        for (domain, forms) in [
            (
                "müller.test",
                [
                    "müller.test",
                    "MÜLLER.test",
                    "www.müller.test",
                    "xn--mller-kva.test",
                    "WWW.XN--MLLER-KVA.TEST.",
                    "mu\u{308}ller.test",
                ],
            ),
            (
                "example.com",
                [
                    "example.com",
                    "Example.com",
                    "www.example.com.",
                    " example.com ",
                    "example.com.",
                    "example。com",
                ],
            ),
            (
                "हिन्दी.test/Preis:8".to_lowercase().as_str(),
                [
                    "हिन्दी.test/preis:8",
                    "xn--j2bd4cyah0f.test/preis:8",
                    "www.xn--j2bd4cyah0f.test/Preis:8",
                    "www.हिन्दी.test./preis:8",
                    "हिन्दी.TEST/preis:8",
                    "XN--J2BD4CYAH0F.test./preis:8",
                ],
            ),
        ] {
            for form in forms {
                assert_eq!(bare_domain(form), domain, "{form}");
                assert_eq!(domain_of_a_site(form).as_deref(), Some(domain), "{form}");
            }
        }
    }

    #[test]
    fn every_host_is_in_small_letters() {
        for host in ["\u{13a0}\u{13a1}.test", "\u{ab70}\u{ab71}.test"] {
            assert_eq!(bare_host(host), "\u{ab70}\u{ab71}.test");
        }
    }

    #[test]
    fn what_can_not_be_decoded_stays_as_it_is() {
        for host in ["xn--.test", "xn--zzzzzzz99999.test", "a／b.ü", "[2001:db8::1]", "a_b.test"]
        {
            assert_eq!(bare_host(host), host);
        }
    }

    #[test]
    fn a_domain_has_no_sign_that_could_end_something() {
        for domain in ["ü'.test", "ü test", "ü\u{3000}test", "ü<.test", "ü.test/<", "ü.test/'"]
        {
            assert_eq!(domain_of_a_site(domain), None, "{domain}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_read_as_itself(host in "(xn--)?[a-zA-Z0-9äÖßİΣ字ा\u{13a0}.-]{0,20}|[\\PC]{0,20}") {
            let once = bare_host(&host);
            // One `www.` and one dot are taken off, of more than one others stay.
            prop_assume!(!once.starts_with("www.") && !once.ends_with('.'));
            prop_assert_eq!(&once.to_lowercase(), &once);
            prop_assert_eq!(bare_host(&once), once);
        }
    }
}
