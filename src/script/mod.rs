//! The page scripts as they are served: which build a name asks for, and what is written into it.
//!
//! The builds come from `beacon/` and are committed. A script that is served is one of them with the choices of its
//! name, its site and the operator in the place of a word; so the same script says the same under any
//! address, and a proxy may give it another. Nothing here is I/O: `http::script` serves it, and
//! `passerby tag` shows its address and integrity.

mod name;
mod word;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha384};

pub use name::{Build, Name};
pub use word::Word;

use crate::config::Script as Chosen;
use crate::hex;
use crate::site::policy::ConsentMode;

/// The word in a build that stands for the choices.
const PLACE: &str = "PASSERBY_CONFIG";
/// How much of a script's hash is in its name, in hexadecimal digits.
const HASH_DIGITS: usize = 16;

/// A script, ready to be served.
pub struct Script {
    text: String,
}

impl Script {
    /// The script that a name asks for, on a site that asks its visitors so.
    pub fn of(name: &Name, chosen: &Chosen, consent: ConsentMode) -> Self {
        let build = match (name.build, consent) {
            (Build::Whole, ConsentMode::Anonymous | ConsentMode::Required) => Build::Consent,
            (build, _) => build,
        };
        let mut choices = choices(name, chosen);
        if build == Build::Consent {
            // Whoever asks for this script by its name asks their visitors, whatever else is chosen.
            let mode = if consent == ConsentMode::Anonymous { "anonymous" } else { "required" };
            choices.insert("consent".to_owned(), json!(mode));
        }
        let choices = Value::Object(choices).to_string();
        Self { text: build.text().replacen(PLACE, &choices, 1) }
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The beginning of its hash, for its name and its `ETag`.
    pub fn hash(&self) -> String {
        let digest = Sha256::digest(self.text.as_bytes());
        hex::encode(&digest[..HASH_DIGITS / 2])
    }

    /// What a tag says in `integrity`, so that a browser runs this script and no other.
    pub fn integrity(&self) -> String {
        format!("sha384-{}", STANDARD.encode(Sha384::digest(self.text.as_bytes())))
    }
}

/// What the script is told, in the words of its `init`.
fn choices(name: &Name, chosen: &Chosen) -> Map<String, Value> {
    let mut choices = Map::new();
    if let Some(path) = chosen.event_paths.first() {
        choices.insert("endpoint".to_owned(), json!(path));
    }
    let mut write = |words: &[Word]| {
        for option in words.iter().filter_map(|word| word.option()) {
            choices.insert(option.key.to_owned(), option.value.clone());
        }
    };
    write(&name.words);
    if matches!(name.build, Build::Whole | Build::Consent | Build::Gtag) {
        let site = name.site.as_deref().and_then(|site| chosen.sites.get(site));
        write(site.and_then(|site| site.features.as_deref()).unwrap_or(&chosen.features));
        let of_site = |own: Option<&Vec<String>>, all: &Vec<String>| own.unwrap_or(all).clone();
        let searched = of_site(
            site.and_then(|site| site.search_parameters.as_ref()),
            &chosen.search_parameters,
        );
        let excluded = of_site(site.and_then(|site| site.exclude.as_ref()), &chosen.exclude);
        if !searched.is_empty() {
            choices.insert("searchParameters".to_owned(), json!(searched));
        }
        if !excluded.is_empty() {
            let excluded: Vec<String> = excluded.iter().map(|pattern| as_path(pattern)).collect();
            choices.insert("exclude".to_owned(), json!(excluded.join(",")));
        }
    }
    if let Some(site) = &name.site {
        choices.insert("domain".to_owned(), json!(site));
        choices.insert("wait".to_owned(), json!(true));
    }
    choices
}

/// A pattern of paths as the browser writes these: letters beyond ASCII are encoded. More stars than two are two.
fn as_path(pattern: &str) -> String {
    let mut written = utf8_percent_encode(pattern, CONTROLS).to_string();
    while written.contains("***") {
        written = written.replace("***", "**");
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, chosen: &Chosen) -> String {
        let name = Name::parse(name).unwrap_or_else(|| panic!("{name} is no name"));
        Script::of(&name, chosen, ConsentMode::NotAsked).into_text()
    }

    #[test]
    fn every_build_has_one_place_for_choices_or_needs_none() {
        for build in Build::ALL {
            let places = build.text().matches(PLACE).count();
            let expected = usize::from(!matches!(build, Build::Vitals | Build::Errors));
            assert_eq!(places, expected, "{build:?}");
        }
    }

    #[test]
    fn a_name_without_words_is_the_core_with_nothing_written_in() {
        let script = text("script.js", &Chosen::default());
        assert!(script.contains("={},"), "{script}");
        assert_eq!(script, text("plausible.js", &Chosen::default()));
    }

    #[test]
    fn words_are_choices_in_any_order() {
        let script = text("script.hash.404.outbound-links.js", &Chosen::default());
        for part in ["\"hashBasedRouting\":true", "\"notFound\":true", "\"outboundLinks\":true"] {
            assert!(script.contains(part), "{part}");
        }
        let other = text("script.outbound-links.hash.404.js", &Chosen::default());
        assert_eq!(script, other);
    }

    #[test]
    fn a_site_has_its_own_choices_or_those_of_all() {
        let chosen: Chosen = toml::from_str(
            "features = ['outbound-links']\nsearch_parameters = ['q']\nevent_paths = ['/lib/e']\n\
             [sites.'own.test']\nfeatures = ['404']\nexclude = ['/admin/***', '/über/x']",
        )
        .unwrap();
        let all = text("pa-all.test.js", &chosen);
        let expected = r#"{"endpoint":"/lib/e","outboundLinks":true,"searchParameters":["q"],"domain":"all.test","wait":true}"#;
        assert!(all.contains(expected), "{all}");
        let own = text("pa-own.test.js", &chosen);
        let expected = r#"{"endpoint":"/lib/e","notFound":true,"searchParameters":["q"],"exclude":"/admin/**,/%C3%BCber/x","domain":"own.test","wait":true}"#;
        assert!(own.contains(expected), "{own}");
    }

    #[test]
    fn the_script_of_a_site_that_asks_its_visitors_knows_of_it() {
        let text = |name: &str, consent| {
            Script::of(&Name::parse(name).unwrap(), &Chosen::default(), consent).into_text()
        };
        for name in ["passerby.js", "pa-a.test.js", "consent.js"] {
            let required = text(name, ConsentMode::Required);
            assert!(required.contains(r#""consent":"required""#), "{name}: {required}");
            let anonymous = text(name, ConsentMode::Anonymous);
            assert!(anonymous.contains(r#""consent":"anonymous""#), "{name}: {anonymous}");
        }
        assert!(!text("passerby.js", ConsentMode::NotAsked).contains("consent"));
        assert!(text("consent.js", ConsentMode::NotAsked).contains(r#""consent":"required""#));
    }

    #[test]
    fn the_hash_and_the_integrity_are_those_of_the_whole_text() {
        let name = Name::parse("script.js").unwrap();
        let of = |chosen: &Chosen| Script::of(&name, chosen, ConsentMode::NotAsked);
        let plain = of(&Chosen::default());
        let other = of(&Chosen { event_paths: vec!["/e".into()], ..Chosen::default() });
        assert_ne!(plain.hash(), other.hash());
        assert_ne!(plain.integrity(), other.integrity());
        assert_eq!(plain.hash().len(), HASH_DIGITS);
        assert_eq!(plain.integrity().len(), "sha384-".len() + 64);
    }
}
