//! One stop of a way through a site: a page, a custom event, or a goal.
//!
//! The view holds a list of them (`step=page,/pricing`): all of it is a funnel, the first is where a journey
//! begins.

use serde_json::{Value, json};

use super::words::Words;

/// What a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Page,
    Event,
    Goal,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Page, Self::Event, Self::Goal];

    /// Each by its name, as a form offers them.
    pub(super) fn choices(words: &Words) -> Vec<(&'static str, &'static str)> {
        Self::ALL.map(|kind| (kind.name(), kind.label(words))).to_vec()
    }

    /// Its name in the URL and in questions.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Event => "event",
            Self::Goal => "goal",
        }
    }

    pub(super) fn label(self, words: &Words) -> &'static str {
        match self {
            Self::Page => words.stop_page,
            Self::Event => words.stop_event,
            Self::Goal => words.stop_goal,
        }
    }
}

/// A page that is viewed, an event that happens, or a goal that is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) kind: Kind,
    /// The path of the page (`*` is any characters), or the name.
    pub(super) value: String,
}

impl Stop {
    /// Reads `page,/pricing`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once(',')?;
        Self::of(kind, value)
    }

    /// Reads the two fields of the form; a stop without a value is none.
    pub(super) fn of(kind: &str, value: &str) -> Option<Self> {
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind)?;
        let value = value.trim();
        (!value.is_empty()).then(|| Self { kind, value: value.to_owned() })
    }

    /// What an answer of a journey, or a step of a funnel, says.
    pub(super) fn of_answer(stop: &Value) -> Option<Self> {
        let value = |kind: Kind| Some((kind.name(), stop[kind.name()].as_str()?));
        let (kind, value) = Kind::ALL.into_iter().find_map(value)?;
        Self::of(kind, value)
    }

    pub(super) fn text(&self) -> String {
        format!("{},{}", self.kind.name(), self.value)
    }

    /// In the words of a question.
    pub(super) fn to_query(&self) -> Value {
        json!({ self.kind.name(): self.value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_its_text_whatever_its_value() {
        for text in ["page,/a,b", "event,Sign up", "goal,Visit /pricing"] {
            let stop = Stop::read(text).unwrap();
            assert_eq!(stop.text(), text);
            assert_eq!(Stop::of_answer(&stop.to_query()), Some(stop));
        }
        for text in ["", "page", "page, ", "place,Berlin"] {
            assert_eq!(Stop::read(text), None, "{text}");
        }
    }
}
