//! The fields of the wire form, before anything about them is known but that they were sent.
//!
//! Each field has several names; the left-most that is present, and neither null nor false, wins.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// What was sent, by name, each at most once. Names that the wire form does not have are ignored.
///
/// It is a list of the few that are there: places for all of them would be two kilobytes, filled with nothing and
/// moved about for each beacon.
#[derive(Default)]
pub(super) struct Fields(Vec<(Key, Value)>);

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    N,
    Name,
    U,
    Url,
    D,
    Domain,
    R,
    Referrer,
    M,
    Meta,
    P,
    Props,
    I,
    Interactive,
    H,
    HashMode,
    #[serde(rename = "$")]
    Dollar,
    Revenue,
    Sd,
    E,
    C,
    Consent,
    #[serde(other)]
    Another,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Fields, A::Error> {
        let mut fields = Fields(Vec::with_capacity(8));
        while let Some(name) = object.next_key::<Key>()? {
            if name == Key::Another {
                object.next_value::<IgnoredAny>()?;
                continue;
            }
            if fields.0.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom("a name is there twice"));
            }
            fields.0.push((name, object.next_value()?));
        }
        Ok(fields)
    }
}

impl Fields {
    fn take(&mut self, name: Key) -> Value {
        let sent = self.0.iter_mut().find(|(known, _)| *known == name);
        sent.map(|(_, value)| value.take()).unwrap_or_default()
    }

    fn first(&mut self, names: &[Key]) -> Option<Value> {
        let mut candidates = names.iter().map(|name| self.take(*name));
        candidates.find(|value| !matches!(value, Value::Null | Value::Bool(false)))
    }

    fn says_no(&self, name: Key) -> bool {
        self.0.contains(&(name, Value::Bool(false)))
    }
}

/// The fields by what they are, each with the winning value.
pub(super) struct Chosen {
    pub(super) name: Option<Value>,
    pub(super) url: Option<Value>,
    pub(super) domain: Option<Value>,
    pub(super) referrer: Option<Value>,
    pub(super) props: Option<Value>,
    /// False if either of its names says so: a tracker that sends `i: false` means it.
    pub(super) interactive: bool,
    pub(super) hash_mode: Option<Value>,
    pub(super) revenue: Option<Value>,
    pub(super) scroll_depth: Option<Value>,
    pub(super) engagement_ms: Option<Value>,
    /// As it was sent, `false` too.
    pub(super) consent: Value,
}

impl Chosen {
    /// Nothing but that somebody did it.
    pub(super) fn of_a_person() -> Self {
        Self { interactive: true, ..Fields::default().into() }
    }
}

impl From<Fields> for Chosen {
    fn from(mut fields: Fields) -> Self {
        use Key::*;
        let is_no = fields.says_no(I) || fields.says_no(Interactive);
        let consent = [fields.take(C), fields.take(Consent)];
        Self {
            name: fields.first(&[N, Name]),
            url: fields.first(&[U, Url]),
            domain: fields.first(&[D, Domain]),
            referrer: fields.first(&[R, Referrer]),
            props: fields.first(&[M, Meta, P, Props]),
            interactive: !is_no,
            hash_mode: fields.first(&[H, HashMode]),
            revenue: fields.first(&[Revenue, Dollar]),
            scroll_depth: fields.first(&[Sd]),
            engagement_ms: fields.first(&[E]),
            consent: consent.into_iter().find(|value| !value.is_null()).unwrap_or_default(),
        }
    }
}
