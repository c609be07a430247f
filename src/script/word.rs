//! The words that choose what a script does: in the name under which it is asked for, and in the
//! configuration. Each is one of the field's, or one of ours for what the field has no word for.

use serde::Deserialize;
use serde_json::{Value, json};

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    /// The fragment is part of the path.
    Hash,
    /// Clicks that lead to another host.
    OutboundLinks,
    /// Pages can be left out, by `data-include` and `data-exclude`.
    Exclusions,
    /// The tag is found by what it says.
    Compat,
    /// Pages of this very machine are counted.
    Local,
    /// The page reports its views itself.
    Manual,
    /// Clicks on files.
    FileDownloads,
    /// Properties of every event, by `event-…` attributes.
    PageviewProps,
    /// Elements whose class names an event.
    TaggedEvents,
    /// Events that are worth something; every script can.
    Revenue,
    /// Attention to pages; every script measures it.
    Pageleave,
    /// Forms that are sent.
    FormSubmissions,
    /// Pages that are not there.
    NotFound,
    /// `history.replaceState` makes a new view.
    ReplaceState,
}

/// An option of the script's `init`, and its value.
pub(super) struct InitOption {
    pub(super) key: &'static str,
    pub(super) value: Value,
}

impl Word {
    /// Every word, with how it is written.
    pub const ALL: [(&'static str, Self); 14] = [
        ("hash", Self::Hash),
        ("outbound-links", Self::OutboundLinks),
        ("exclusions", Self::Exclusions),
        ("compat", Self::Compat),
        ("local", Self::Local),
        ("manual", Self::Manual),
        ("file-downloads", Self::FileDownloads),
        ("pageview-props", Self::PageviewProps),
        ("tagged-events", Self::TaggedEvents),
        ("revenue", Self::Revenue),
        ("pageleave", Self::Pageleave),
        ("form-submissions", Self::FormSubmissions),
        ("404", Self::NotFound),
        ("replace-state", Self::ReplaceState),
    ];

    /// Reads a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(written, _)| *written == text).map(|&(_, word)| word)
    }

    /// Whether the core does it already.
    pub(super) fn is_of_the_core(self) -> bool {
        matches!(self, Self::Revenue | Self::Pageleave)
    }

    /// What it switches; `None` for what every build but the core does anyway.
    pub(super) fn option(self) -> Option<InitOption> {
        let (key, value) = match self {
            Self::Hash => ("hashBasedRouting", true),
            Self::OutboundLinks => ("outboundLinks", true),
            Self::Local => ("captureOnLocalhost", true),
            Self::Manual => ("autoCapturePageviews", false),
            Self::FileDownloads => ("fileDownloads", true),
            Self::FormSubmissions => ("formSubmissions", true),
            Self::NotFound => ("notFound", true),
            Self::ReplaceState => ("captureReplaceState", true),
            Self::Exclusions
            | Self::Compat
            | Self::PageviewProps
            | Self::TaggedEvents
            | Self::Revenue
            | Self::Pageleave => return None,
        };
        Some(InitOption { key, value: json!(value) })
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|&(written, _)| written).collect();
            serde::de::Error::custom(format!(
                "`{text}` is no feature of the script: {}",
                words.join(", ")
            ))
        })
    }
}
