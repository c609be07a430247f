//! The names under which scripts are asked for.
//!
//! ```text
//! script.js, plausible.js, analytics.js    with words between the dots: script.hash.outbound-links.js
//! p.js                                     the core
//! passerby.js                              the whole script, with what the operator chose for it
//! pa-<domain>.js                           the same for one site; it waits for plausible.init()
//! consent.js                               passerby.js for visitors who are asked; so are the two above, where
//!                                          the operator chose so
//! gtag.js, vitals.js, errors.js            modules
//! <any of them, without .js>.<hash>.js     the very script that has this hash, for ever
//! ```

use super::Word;
use crate::site::domain::bare_domain;

/// What was built from `beacon/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Build {
    /// Views, attention and events.
    Core,
    /// The core, and what a page reports without code.
    Whole,
    /// The whole script for tags of other collectors, with their attributes.
    Legacy,
    /// The whole script for sites whose visitors are asked for consent.
    Consent,
    /// The whole script for pages that were written for Google Analytics.
    Gtag,
    /// How fast pages are.
    Vitals,
    /// Errors of the page's scripts.
    Errors,
}

impl Build {
    /// Every build.
    pub const ALL: [Self; 7] = [
        Self::Core,
        Self::Whole,
        Self::Legacy,
        Self::Consent,
        Self::Gtag,
        Self::Vitals,
        Self::Errors,
    ];

    /// Its text, before anything is written in.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Core => include_str!("../../beacon/dist/core.js"),
            Self::Whole => include_str!("../../beacon/dist/whole.js"),
            Self::Legacy => include_str!("../../beacon/dist/legacy.js"),
            Self::Consent => include_str!("../../beacon/dist/consent.js"),
            Self::Gtag => include_str!("../../beacon/dist/gtag.js"),
            Self::Vitals => include_str!("../../beacon/dist/vitals.js"),
            Self::Errors => include_str!("../../beacon/dist/errors.js"),
        }
    }
}

/// What a name asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The build.
    pub build: Build,
    /// What it shall do, each word once, in their own order.
    pub words: Vec<Word>,
    /// The domain of the site that it is for, in names that tell one.
    pub site: Option<String>,
    /// The hash that it must have, in names that pin one.
    pub hash: Option<String>,
}

impl Name {
    /// Reads a name; `None` when there is no such script.
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".js")?;
        let (stem, hash) = match stem.rsplit_once('.') {
            Some((stem, hash)) if is_hash(hash) => (stem, Some(hash.to_owned())),
            _ => (stem, None),
        };
        let plain = |build| Some(Self { build, words: Vec::new(), site: None, hash: hash.clone() });
        match stem {
            "p" => plain(Build::Core),
            "passerby" => plain(Build::Whole),
            "consent" => plain(Build::Consent),
            "gtag" => plain(Build::Gtag),
            "vitals" => plain(Build::Vitals),
            "errors" => plain(Build::Errors),
            _ => match stem.strip_prefix("pa-") {
                Some("") => None,
                Some(site) => Some(Self { site: Some(bare_domain(site)), ..plain(Build::Whole)? }),
                None => {
                    let words = words(stem)?;
                    let is_core = words.iter().all(|word| word.is_of_the_core());
                    let build = if is_core { Build::Core } else { Build::Legacy };
                    Some(Self { words, ..plain(build)? })
                }
            },
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == super::HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The words of a name that begins like those of the field; `None` if one is unheard of.
fn words(stem: &str) -> Option<Vec<Word>> {
    let mut parts = stem.split('.');
    if !["script", "plausible", "analytics"].contains(&parts.next()?) {
        return None;
    }
    let mut words = parts.map(Word::parse).collect::<Option<Vec<_>>>()?;
    words.sort_unstable();
    words.dedup();
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, build: Build, words: &[Word], site: Option<&str>, hash: Option<&str>) {
        let expected = Name {
            build,
            words: words.to_vec(),
            site: site.map(str::to_owned),
            hash: hash.map(str::to_owned),
        };
        assert_eq!(Name::parse(name), Some(expected), "{name}");
    }

    #[test]
    fn the_names_of_the_field_are_known_in_any_order_of_their_words() {
        for name in ["script.js", "plausible.js", "analytics.js", "p.js"] {
            check(name, Build::Core, &[], None, None);
        }
        check(
            "script.revenue.pageleave.js",
            Build::Core,
            &[Word::Revenue, Word::Pageleave],
            None,
            None,
        );
        for name in ["plausible.hash.local.js", "script.local.hash.js", "script.hash.local.hash.js"]
        {
            check(name, Build::Legacy, &[Word::Hash, Word::Local], None, None);
        }
    }

    #[test]
    fn a_site_may_have_a_script_of_its_own() {
        check("pa-example.com.js", Build::Whole, &[], Some("example.com"), None);
        check(
            "pa-example.com.0123456789abcdef.js",
            Build::Whole,
            &[],
            Some("example.com"),
            Some("0123456789abcdef"),
        );
        check("pa-xn--mller-kva.test.js", Build::Whole, &[], Some("müller.test"), None);
    }

    #[test]
    fn a_site_whose_visitors_are_asked_may_ask_for_its_script_by_name() {
        check("consent.js", Build::Consent, &[], None, None);
    }

    #[test]
    fn every_name_can_pin_a_hash() {
        let hash = Some("0123456789abcdef");
        check("vitals.0123456789abcdef.js", Build::Vitals, &[], None, hash);
        check("script.404.0123456789abcdef.js", Build::Legacy, &[Word::NotFound], None, hash);
    }

    #[test]
    fn other_names_are_unheard_of() {
        for name in [
            "script",
            "other.js",
            "script.unheard-of.js",
            "script.0123456789abcdeg.js",
            "p.hash.js",
            "pa-.js",
            "core.js",
            ".js",
            "",
        ] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
    }
}
