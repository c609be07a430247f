//! The fields of the wire form, before anything about them is known but that they were sent.
//!
//! Each field has several names; the left-most that is present, and neither null nor false, wins.

use serde::Deserialize;
use serde_json::Value;

/// What was sent, by name. Names that the wire form does not have are ignored.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Fields {
    n: Value,
    name: Value,
    u: Value,
    url: Value,
    d: Value,
    domain: Value,
    r: Value,
    referrer: Value,
    m: Value,
    meta: Value,
    p: Value,
    props: Value,
    i: Value,
    interactive: Value,
    h: Value,
    #[serde(rename = "hashMode")]
    hash_mode: Value,
    #[serde(rename = "$")]
    dollar: Value,
    revenue: Value,
    sd: Value,
    e: Value,
    c: Value,
    consent: Value,
}

fn first(candidates: impl IntoIterator<Item = Value>) -> Option<Value> {
    candidates.into_iter().find(|value| !matches!(value, Value::Null | Value::Bool(false)))
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
    fn from(fields: Fields) -> Self {
        Self {
            name: first([fields.n, fields.name]),
            url: first([fields.u, fields.url]),
            domain: first([fields.d, fields.domain]),
            referrer: first([fields.r, fields.referrer]),
            props: first([fields.m, fields.meta, fields.p, fields.props]),
            interactive: ![&fields.i, &fields.interactive].contains(&&Value::Bool(false)),
            hash_mode: first([fields.h, fields.hash_mode]),
            revenue: first([fields.revenue, fields.dollar]),
            scroll_depth: first([fields.sd]),
            engagement_ms: first([fields.e]),
            consent: if fields.c.is_null() { fields.consent } else { fields.c },
        }
    }
}
