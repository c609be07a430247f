//! The beacon: what a page sends, decoded from any of the forms that the field's trackers use.
//!
//! [`decode`] turns a body (JSON as text, JSON, a form, a multipart form) or the parameters of a
//! pixel into fields, and the fields into a [`Beacon`], which is valid by construction: every limit
//! and every rule of the wire form holds for it, or there is a [`BeaconError`] that names the field.
//!
//! It does not decide whether a beacon counts (`judge`) or what it means (`enrich`), and it is not
//! the stored row (`event`).

pub mod decode;
mod fields;
pub mod goatcounter;
mod json;
mod props;
mod revenue;
pub mod umami;

pub use props::{PROPS_MAX, Props};
pub use revenue::Revenue;
pub(crate) use revenue::currency;

use crate::enrich::page::Page;
use crate::event::{ENGAGEMENT, PAGEVIEW};

/// The longest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 1_000_000;
/// The longest event name, in characters.
pub const NAME_CHARS_MAX: usize = 120;
/// The longest page URL, in bytes. Most of a long one is its query, of which hardly anything is kept.
pub const URL_BYTES_MAX: usize = 16_384;
/// The longest path of a page, decoded, in bytes; in hash mode the fragment is part of it.
pub const PATH_BYTES_MAX: usize = 2_000;
/// The longest referrer, in characters; what is longer is cut.
pub const REFERRER_CHARS_MAX: usize = 2_000;
/// The most sites that one beacon may be for.
pub const DOMAINS_MAX: usize = 100;

/// One valid beacon.
pub struct Beacon {
    /// What it reports.
    pub kind: Kind,
    /// The sites it is for, as domains: lower-case, without a leading `www.`; never empty.
    pub domains: Vec<String>,
    /// The page it comes from.
    pub page: Page,
    /// The query string of the page's URL, for its campaign tags; never stored.
    pub query: String,
    /// The referring URL, if the page told one.
    pub referrer: Option<String>,
    /// Custom properties.
    pub props: Props,
    /// What the event is worth.
    pub revenue: Option<Revenue>,
    /// What the page says of its visitor's consent; never stored.
    pub consent: Consent,
}

/// What a page says of its visitor's consent to being measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Nothing.
    #[default]
    NotTold,
    /// It was given.
    Given,
    /// It was refused.
    Refused,
}

/// What a beacon reports.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A page was viewed.
    Pageview,
    /// Attention to a page that was viewed before.
    Engagement {
        /// Milliseconds for which the page was visible and focused; 0 when not told; under 30 days.
        ms: u32,
        /// Deepest scroll, 0 to 100 percent, or `SCROLL_DEPTH_UNKNOWN`.
        scroll_depth: u8,
    },
    /// Something else happened.
    Custom {
        /// Its name, 1 to [`NAME_CHARS_MAX`] characters.
        name: String,
        /// Whether somebody did something: then the visit is no bounce.
        interactive: bool,
    },
}

impl Kind {
    /// The event's name as it is stored.
    pub fn name(&self) -> &str {
        match self {
            Self::Pageview => PAGEVIEW,
            Self::Engagement { .. } => ENGAGEMENT,
            Self::Custom { name, .. } => name,
        }
    }
}

/// A rule that a beacon breaks: the field, and what the rule is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct BeaconError {
    /// The field in the words of the answer's `errors` object.
    pub field: Field,
    /// What the rule is, for the developer of the page.
    pub rule: &'static str,
}

/// The fields that an error can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The request as a whole.
    Request,
    /// `n` or `name`.
    EventName,
    /// `u` or `url`.
    Url,
    /// `d` or `domain`.
    Domain,
    /// `m`, `meta`, `p` or `props`.
    Props,
    /// `h` or `hashMode`.
    HashMode,
}

impl Field {
    /// The key of the field in the answer's `errors` object.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::EventName => "event_name",
            Self::Url => "url",
            Self::Domain => "domain",
            Self::Props => "props",
            Self::HashMode => "hash_mode",
        }
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl BeaconError {
    pub(crate) fn new(field: Field, rule: &'static str) -> Self {
        Self { field, rule }
    }
}
