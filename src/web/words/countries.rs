//! The names of countries in the viewer's language. Reports and filters know their English names alone, so
//! that a link means the same to everybody.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Lang;
use crate::query::countries;

/// A line each: the code of a country, and its German name.
const GERMAN: &str = include_str!("../../enrich/data/countries_german.tsv");

/// The names of every country: in English, and in German.
static NAMES: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    let german: HashMap<_, _> = GERMAN.lines().filter_map(|line| line.split_once('\t')).collect();
    let names = countries::names();
    names.filter_map(|(code, english)| Some((english, *german.get(code)?))).collect()
});

/// The English name of every country by its code, in lower case.
static CODES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    countries::names().map(|(code, english)| (code.to_lowercase(), english)).collect()
});

/// What a country is called that has this name in English; that name, where there is no other.
pub(in crate::web) fn name(lang: Lang, english: &str) -> &str {
    let german = || NAMES.iter().find(|(known, _)| known == english).map(|(_, german)| *german);
    match lang {
        Lang::English => english,
        Lang::German => german().unwrap_or(english),
    }
}

/// The English name of a country that is called so in one of the languages, or by its code.
pub(in crate::web) fn english(name: &str) -> &str {
    let written = name.trim().to_lowercase();
    let known = NAMES.iter().find(|(english, german)| {
        german.to_lowercase() == written || english.to_lowercase() == written
    });
    let known = known.map(|(english, _)| english.as_str());
    known.or_else(|| CODES.get(&written).map(String::as_str)).unwrap_or(name)
}

/// The English names of the countries in whose name in that language this is a part, whatever its capitals;
/// none, where the English names themselves can be asked.
pub(in crate::web) fn containing(lang: Lang, part: &str) -> Vec<&'static str> {
    let part = part.to_lowercase();
    match lang {
        Lang::English => Vec::new(),
        Lang::German => NAMES
            .iter()
            .filter(|(_, german)| german.to_lowercase().contains(&part))
            .map(|(english, _)| english.as_str())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_country_has_a_german_name_of_its_own() {
        assert_eq!(NAMES.len(), countries::names().count());
        let names: HashSet<_> = NAMES.iter().map(|(_, german)| *german).collect();
        assert_eq!(names.len(), NAMES.len());
    }

    #[test]
    fn a_name_leads_back_to_the_english_one() {
        for (english_name, german) in NAMES.iter() {
            assert_eq!(name(Lang::German, english_name), *german);
            assert_eq!(name(Lang::English, english_name), english_name);
            assert_eq!(english(german), english_name);
            // No country is called in German as another one is in English.
            assert_eq!(english(english_name), english_name);
        }
        assert_eq!(name(Lang::German, "Germany"), "Deutschland");
        assert_eq!(name(Lang::German, "Côte d'Ivoire"), "Côte d’Ivoire");
        assert_eq!(english("deutschland"), "Germany");
        for unknown in ["T1", "", "Atlantis"] {
            assert_eq!((name(Lang::German, unknown), english(unknown)), (unknown, unknown));
        }
    }

    #[test]
    fn countries_are_found_by_a_part_of_their_name() {
        assert_eq!(containing(Lang::German, "REICH"), ["Austria", "France", "United Kingdom"]);
        assert_eq!(containing(Lang::English, "land"), [""; 0]);
    }
}
