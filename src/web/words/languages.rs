//! The names of the languages that visitors' browsers ask for most.

use super::Lang;

/// The primary tag, the name in English and in German.
const NAMES: &[(&str, &str, &str)] = &[
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

/// The name of a language; its tag, if it has none here.
pub(in crate::web) fn name(lang: Lang, tag: &str) -> String {
    let known = NAMES.iter().find(|(known, ..)| *known == tag);
    known
        .map_or(tag, |(_, english, german)| match lang {
            Lang::English => english,
            Lang::German => german,
        })
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_without_a_name_goes_by_its_tag() {
        assert_eq!(name(Lang::German, "fr"), "Französisch");
        assert_eq!(name(Lang::English, "tlh"), "tlh");
    }
}
