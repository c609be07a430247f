//! The visitor's objection: `Sec-GPC: 1` (Global Privacy Control) and `DNT: 1`.
//!
//! Exactly `1` counts, of several lines one suffices, and any other value says nothing.

use axum::http::{HeaderMap, HeaderName, header};
use serde::Deserialize;

static SEC_GPC: HeaderName = HeaderName::from_static("sec-gpc");

/// Whether a visitor objects to being recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nothing was said.
    None,
    /// The visitor objects.
    Objects,
}

/// What becomes of the views of a visitor who objects.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnObjection {
    /// The view is counted without recognising anybody: no visitor, no visit.
    #[default]
    Anonymous,
    /// The view is not counted.
    Drop,
    /// The view is counted like any other.
    Ignore,
}

impl OnObjection {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Drop => "drop",
            Self::Ignore => "ignore",
        }
    }
}

impl Signal {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let says_one =
            |name: &HeaderName| headers.get_all(name).iter().any(|value| value.as_bytes() == b"1");
        if says_one(&SEC_GPC) || says_one(&header::DNT) { Self::Objects } else { Self::None }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn signal(lines: &[(&'static str, &'static str)]) -> Signal {
        let mut headers = HeaderMap::new();
        for &(name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        Signal::of(&headers)
    }

    #[test]
    fn exactly_one_is_an_objection() {
        for name in ["sec-gpc", "dnt"] {
            assert_eq!(signal(&[(name, "1")]), Signal::Objects);
            assert_eq!(signal(&[(name, "0"), (name, "1")]), Signal::Objects);
            for value in ["0", "", "true", "1, 1", "01", "2"] {
                assert_eq!(signal(&[(name, value)]), Signal::None, "{name}: {value}");
            }
        }
        assert_eq!(signal(&[]), Signal::None);
    }
}
