//! Custom properties: a short list of names and values, both text.

use serde_json::{Map, Number, Value};

use super::{BeaconError, Field, json};
use crate::enrich::scrub::scrubbed;
use crate::enrich::text::{cleaned, cut, is_blank};

/// The most properties that an event keeps; what comes after is left out.
pub const PROPS_MAX: usize = 30;
/// The longest name of a property, in bytes.
const KEY_BYTES_MAX: usize = 300;
/// The longest value of a property, in bytes.
const VALUE_BYTES_MAX: usize = 2_000;
/// Events that happen on a page which their reports are about: they get the page's path as a property.
const NAMES_WITH_PATH: [&str; 3] = ["404", "WP Form Completions", "Form: Submission"];

/// At most [`PROPS_MAX`] pairs, in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Props(Vec<(String, String)>);

impl Props {
    /// Reads properties from an object, or from a text that holds one; anything else is none. What may be
    /// personal in a name or a value is masked; of names that are one then, the first stays.
    ///
    /// Pairs that say nothing (null, blank) or cannot be shown (lists, objects) are left out.
    ///
    /// # Errors
    /// When a name is longer than 300 bytes or a value longer than 2,000.
    pub fn read(sent: Option<Value>) -> Result<Self, BeaconError> {
        let pairs =
            object(sent).into_iter().filter_map(|(key, value)| Some((shown(key)?, text(value)?)));
        Self::kept(pairs.take(PROPS_MAX).collect())
    }

    /// Adds the property `path` in front for the events that are about the page they happen on,
    /// unless the page sent its own.
    pub fn with_path(mut self, name: &str, pathname: &str) -> Self {
        if NAMES_WITH_PATH.contains(&name) && !self.0.iter().any(|(key, _)| key == "path") {
            self.0.insert(0, ("path".to_owned(), pathname.to_owned()));
            self.0.truncate(PROPS_MAX);
        }
        self
    }

    /// The pairs.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The pairs.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    fn kept(pairs: Vec<(String, String)>) -> Result<Self, BeaconError> {
        for (key, value) in &pairs {
            if key.len() > KEY_BYTES_MAX {
                return Err(BeaconError::new(Field::Props, "keys must not exceed 300 bytes"));
            }
            if value.len() > VALUE_BYTES_MAX {
                return Err(BeaconError::new(Field::Props, "values must not exceed 2000 bytes"));
            }
        }
        // A mask may be longer than what it masks.
        let masked = |text, bytes_max| cut(scrubbed(text), bytes_max);
        let mut kept = Vec::<(String, String)>::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = masked(key, KEY_BYTES_MAX);
            if kept.iter().all(|(known, _)| *known != key) {
                kept.push((key, masked(value, VALUE_BYTES_MAX)));
            }
        }
        Ok(Self(kept))
    }
}

fn object(sent: Option<Value>) -> Map<String, Value> {
    match sent {
        Some(Value::Object(object)) => object,
        Some(Value::String(text)) => json::read(text.as_bytes()).unwrap_or_default(),
        _ => Map::new(),
    }
}

fn shown(text: String) -> Option<String> {
    Some(cleaned(text)).filter(|text| !is_blank(text))
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(written(&number)),
        Value::String(text) => shown(text),
    }
}

/// A number as browsers write it: whole ones of up to 21 digits in full, as the numbers of orders and accounts are. What
/// has no place in 64 bits has about sixteen digits that are told apart, as in a browser.
fn written(number: &Number) -> String {
    let is_long = |number: &f64| (1e15..1e21).contains(&number.abs());
    match number.as_f64().filter(is_long) {
        Some(long) if number.is_f64() => long.to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(sent: Value, expected: &[(&str, &str)]) {
        let props =
            Props::read(Some(sent.clone())).unwrap_or_else(|error| panic!("{sent}: {error}"));
        let expected: Vec<_> =
            expected.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        assert_eq!(props.into_pairs(), expected, "{sent}");
    }

    #[test]
    fn what_can_not_be_seen_is_left_out_of_names_and_values() {
        check(
            json!({"pl\u{202e}an\0": "p\u{2066}ro\u{7}", "\u{202e}": 1, "b": "\u{feff}"}),
            &[("plan", "pro")],
        );
    }

    #[test]
    fn only_pairs_that_say_something_are_kept() {
        check(
            json!({"a": "x", "b": null, "c": "", "d": "  ", "e": false, "f": 0, "g": [1], "h": {"i": 1}, "": "j", "k": "\u{200b} \u{2060}"}),
            &[("a", "x"), ("e", "false"), ("f", "0")],
        );
    }

    #[test]
    fn a_text_that_holds_an_object_is_an_object() {
        check(json!(r#"{"plan": "pro", "seats": 2.5}"#), &[("plan", "pro"), ("seats", "2.5")]);
        check(json!(r#"{"cut": "a\ud83d"}"#), &[("cut", "a\u{fffd}")]);
        check(json!("[1]"), &[]);
        check(json!("{"), &[]);
        check(json!(7), &[]);
    }

    #[test]
    fn a_whole_number_is_written_in_full_as_browsers_do() {
        let sent = r#"{"a": 12345678901234567890, "b": 120000000000000000000, "c": -18446744073709552000, "d": 1e21, "e": 0.5, "f": 1234567890123456.5}"#;
        let expected = [
            ("a", "12345678901234567890"),
            ("b", "120000000000000000000"),
            ("c", "-18446744073709552000"),
            ("d", "1e+21"),
            ("e", "0.5"),
            ("f", "1234567890123456.5"),
        ];
        check(serde_json::from_str(sent).unwrap(), &expected);
    }

    #[test]
    fn thirty_are_kept_of_thirty_one() {
        let sent: Map<String, Value> = (0..31).map(|n| (format!("k{n}"), json!(n))).collect();
        assert_eq!(Props::read(Some(Value::Object(sent))).unwrap().into_pairs().len(), 30);
    }

    #[test]
    fn a_name_or_value_that_is_too_long_refuses_the_beacon() {
        assert!(Props::read(Some(json!({"k".repeat(300): "v".repeat(2000)}))).is_ok());
        for sent in [json!({"k".repeat(301): "v"}), json!({"k": "v".repeat(2001)})] {
            assert_eq!(Props::read(Some(sent)).unwrap_err().field, Field::Props);
        }
    }

    #[test]
    fn what_may_be_personal_in_a_name_is_masked() {
        check(
            json!({"anna@secret.test": "1", "ben@secret.test": "2", "seen by 84.12.33.99": 3, "plan": "pro"}),
            &[("[email]", "1"), ("seen by [ip]", "3"), ("plan", "pro")],
        );
        let long = Props::read(Some(json!({"a@b.co ".repeat(42): 1}))).unwrap().into_pairs();
        assert_eq!(long[0].0.len(), 300);
    }

    #[test]
    fn a_value_that_is_masked_is_no_longer_than_others() {
        let sent = json!({"k": "a@b.co ".repeat(285)});
        let pairs = Props::read(Some(sent)).unwrap().into_pairs();
        assert_eq!((pairs[0].1.len(), &pairs[0].1[..8]), (2_000, "[email] "));
    }

    #[test]
    fn events_about_a_page_get_its_path_in_front_unless_they_bring_one() {
        let own = Props::read(Some(json!({"path": "/own"}))).unwrap().with_path("404", "/gone");
        assert_eq!(own.into_pairs(), [("path".to_owned(), "/own".to_owned())]);
        let given = Props::read(Some(json!({"a": 1}))).unwrap().with_path("404", "/gone");
        assert_eq!(given.into_pairs()[0], ("path".to_owned(), "/gone".to_owned()));
        assert_eq!(Props::default().with_path("Signup", "/x"), Props::default());
    }
}
