//! The languages of the dashboard: which one a viewer reads, and all its words.
//!
//! [`catalogue`] has the sentences, [`names`] what metrics and dimensions are called,
//! [`countries`], [`languages`] and [`values`] what their values are, [`trouble`] what is wrong with a form. A word that one
//! language lacks does not compile. Numbers and dates are `format`'s matter.

mod catalogue;
pub(super) mod countries;
pub(super) mod languages;
pub(super) mod names;
mod trouble;
pub(super) mod values;

use axum::http::{HeaderMap, header};

pub(super) use self::catalogue::Words;

/// A language of the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lang {
    #[default]
    English,
    German,
}

impl Lang {
    /// Every language, in the order of the switch.
    pub(super) const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag, in the URL and in pages.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its own name for itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The language of a tag, whatever its region.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The first language of `Accept-Language` that there is; English without any.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let value = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let mut wanted: Vec<_> = value.unwrap_or_default().split(',').map(weighed).collect();
        // A stable sort: of two that are liked alike, the first one is meant.
        wanted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let liked = wanted.into_iter().filter(|(_, weight)| *weight > 0.0);
        liked.filter_map(|(tag, _)| Self::of_tag(tag)).next().unwrap_or_default()
    }

    /// All its words.
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &catalogue::ENGLISH,
            Self::German => &catalogue::GERMAN,
        }
    }
}

/// `de;q=0.7` as a tag and how much it is liked.
fn weighed(item: &str) -> (&str, f32) {
    let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
    (tag.trim(), weight.unwrap_or(1.0))
}

/// The word or sentence for one of what is counted, or the one for every other number.
pub(super) fn counted(number: u64, one: &'static str, several: &'static str) -> &'static str {
    if number == 1 { one } else { several }
}

/// A sentence with what belongs in its gaps, `{}` each, in their order.
pub(super) fn fill(sentence: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut text = String::with_capacity(sentence.len() + 16);
    for (place, part) in sentence.split("{}").enumerate() {
        if place > 0 {
            text.push_str(values.next().copied().unwrap_or_default());
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_viewer_reads_the_language_that_the_browser_likes_best_of_those_there_are() {
        let accepted = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
            Lang::accepted(&headers)
        };
        for (value, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Lang::German),
            ("fr, en;q=0.3, de;q=0.7", Lang::German),
            ("en-GB,de;q=0.5", Lang::English),
            ("de;q=0, fr", Lang::English),
            ("", Lang::English),
        ] {
            assert_eq!(accepted(value), expected, "{value}");
        }
        assert_eq!(Lang::accepted(&HeaderMap::new()), Lang::English);
    }

    #[test]
    fn one_is_counted_in_the_singular_and_none_is_not() {
        let words = Lang::English.words();
        let said = [0, 1, 2].map(|number| counted(number, words.visitor, words.visitors));
        assert_eq!(said, ["visitors", "visitor", "visitors"]);
    }

    #[test]
    fn a_sentence_is_filled_in_order() {
        assert_eq!(fill("{} of {}", &["3", "7"]), "3 of 7");
        assert_eq!(fill("{}!", &["{}"]), "{}!");
    }
}
