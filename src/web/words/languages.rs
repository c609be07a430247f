//! The names of the languages that visitors' browsers ask for most.

use super::Lang;

/// The primary tag of a language, its name in English and in German.
type Named = (&'static str, &'static str, &'static str);

const NAMES: &[Named] = &[
    ("ar", "Arabic", "Arabisch"),
    ("bg", "Bulgarian", "Bulgarisch"),
    ("bn", "Bengali", "Bengalisch"),
    ("ca", "Catalan", "Katalanisch"),
    ("cs", "Czech", "Tschechisch"),
    ("da", "Danish", "Dänisch"),
    ("de", "German", "Deutsch"),
    ("el", "Greek", "Griechisch"),
    ("en", "English", "Englisch"),
    ("es", "Spanish", "Spanisch"),
    ("et", "Estonian", "Estnisch"),
    ("fa", "Persian", "Persisch"),
    ("fi", "Finnish", "Finnisch"),
    ("fr", "French", "Französisch"),
    ("he", "Hebrew", "Hebräisch"),
    ("hi", "Hindi", "Hindi"),
    ("hr", "Croatian", "Kroatisch"),
    ("hu", "Hungarian", "Ungarisch"),
    ("id", "Indonesian", "Indonesisch"),
    ("it", "Italian", "Italienisch"),
    ("ja", "Japanese", "Japanisch"),
    ("ko", "Korean", "Koreanisch"),
    ("lt", "Lithuanian", "Litauisch"),
    ("lv", "Latvian", "Lettisch"),
    ("ms", "Malay", "Malaiisch"),
    ("nb", "Norwegian", "Norwegisch"),
    ("nl", "Dutch", "Niederländisch"),
    ("no", "Norwegian", "Norwegisch"),
    ("pl", "Polish", "Polnisch"),
    ("pt", "Portuguese", "Portugiesisch"),
    ("ro", "Romanian", "Rumänisch"),
    ("ru", "Russian", "Russisch"),
    ("sk", "Slovak", "Slowakisch"),
    ("sl", "Slovenian", "Slowenisch"),
    ("sr", "Serbian", "Serbisch"),
    ("sv", "Swedish", "Schwedisch"),
    ("th", "Thai", "Thailändisch"),
    ("tr", "Turkish", "Türkisch"),
    ("uk", "Ukrainian", "Ukrainisch"),
    ("vi", "Vietnamese", "Vietnamesisch"),
    ("zh", "Chinese", "Chinesisch"),
];

/// What a language is called that has this tag, or this name in one of the languages; that, if it has no name here.
pub(in crate::web) fn name(lang: Lang, called: &str) -> &str {
    let known = NAMES.iter().find(|language| is_called(language, called));
    known.map_or(called, |language| name_in(lang, language))
}

/// The tags of the languages that have this name in one of the languages, or this tag; that, where there is none here.
pub(in crate::web) fn tags(called: &str) -> Vec<&str> {
    let tags: Vec<_> = tags_of(|language| is_called(language, called));
    if tags.is_empty() { vec![called] } else { tags }
}

/// The tags of the languages in whose name in that language this is a part, or whose tag it is, whatever its capitals.
pub(in crate::web) fn containing(lang: Lang, part: &str) -> Vec<&'static str> {
    let part = part.to_lowercase();
    tags_of(|language| language.0 == part || name_in(lang, language).to_lowercase().contains(&part))
}

fn tags_of(is_meant: impl Fn(&Named) -> bool) -> Vec<&'static str> {
    NAMES.iter().filter(|language| is_meant(language)).map(|(tag, ..)| *tag).collect()
}

fn is_called((tag, english, german): &Named, called: &str) -> bool {
    let is = |name: &str| name.to_lowercase() == called.to_lowercase();
    *tag == called || is(english) || is(german)
}

fn name_in(lang: Lang, (_, english, german): &Named) -> &'static str {
    match lang {
        Lang::English => english,
        Lang::German => german,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_without_a_name_goes_by_its_tag() {
        assert_eq!(name(Lang::German, "fr"), "Französisch");
        assert_eq!(name(Lang::English, "tlh"), "tlh");
        assert_eq!(tags("tlh"), ["tlh"]);
    }

    #[test]
    fn a_name_in_either_language_leads_back_to_the_tag() {
        for (tag, english, german) in NAMES {
            assert_eq!(tags(tag), [*tag]);
            assert!(tags(english).contains(tag) && tags(german).contains(tag), "{tag}");
        }
        assert_eq!(tags("deutsch"), ["de"]);
        assert_eq!(tags("Norwegian"), ["nb", "no"]);
        assert_eq!(name(Lang::English, "Deutsch"), "German");
    }

    #[test]
    fn languages_are_found_by_a_part_of_the_name_that_is_read_or_by_their_tag() {
        assert_eq!(containing(Lang::German, "TSCH"), ["cs", "de"]);
        assert_eq!(containing(Lang::English, "deutsch"), [""; 0]);
        assert_eq!(containing(Lang::English, "de"), ["de"]);
    }
}
