//! The names that an export gives to visitors, in place of their ids.
//!
//! A name is the second of the visitor's first visit and a number among those who came in that second:
//! `1767222000-1`. So the names of exports of different days do not meet when both are imported, and the
//! same events get the same names, whatever the ids are. Whoever has an export can find nobody by them.

use std::collections::HashMap;

use crate::event::{Event, VisitorId};
use crate::session;

/// A visitor whose name is known.
#[derive(Clone, Copy)]
pub(super) struct Visitor {
    name: Name,
    /// When the latest visit began, and when its last event happened.
    started: u32,
    last: u32,
}

/// The first second, and the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(u32, u32);

impl std::fmt::Display for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(second, number) = self;
        write!(formatter, "{second}-{number}")
    }
}

/// Everybody who has come so far; some thirty bytes each.
#[derive(Default)]
pub(super) struct Visitors {
    known: HashMap<VisitorId, Visitor>,
    /// The newest name.
    newest: Option<Name>,
}

impl Visitors {
    /// The name, if the visitor has been here before.
    pub(super) fn name(&self, id: VisitorId) -> Option<Name> {
        self.known.get(&id).map(|visitor| visitor.name)
    }

    /// Takes a visit into account; returns its visitor's name, and whether an import must be told that it
    /// is a new visit, because it would take it for the last one going on.
    pub(super) fn visit(&mut self, events: &[Event]) -> Option<(Name, bool)> {
        let (first, last) = (&events.first()?.happening, &events.last()?.happening);
        let (started, last) = (first.timestamp, last.timestamp);
        if let Some(visitor) = self.known.get_mut(&first.visitor_id) {
            let must_be_told = session::goes_on(visitor.started, visitor.last, started);
            *visitor = Visitor { started, last, ..*visitor };
            return Some((visitor.name, must_be_told));
        }
        let name = match self.newest {
            Some(Name(second, number)) if second == started => Name(second, number + 1),
            _ => Name(started, 1),
        };
        self.newest = Some(name);
        self.known.insert(first.visitor_id, Visitor { name, started, last });
        Some((name, false))
    }
}
