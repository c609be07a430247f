//! The oracle: knows every event that was ever sent, and what became of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

/// What the sender of an event was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// 202: it has to be counted.
    Acknowledged,
    /// 503: it is not counted, but for a disk that kept it although it said that it did not.
    Refused,
    /// The connection broke before there was an answer: it may be counted, and once at most.
    Unknown,
}

/// Remembers every event.
#[derive(Default)]
pub(crate) struct Oracle {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    minted: u64,
    /// Of which nobody knows yet what became of them.
    under_way: HashSet<u64>,
    acknowledged: HashSet<u64>,
    refused: u64,
    unknown: u64,
}

impl Oracle {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A new event.
    pub(crate) fn mint(&self) -> u64 {
        let mut state = self.state();
        state.minted += 1;
        let event = state.minted;
        state.under_way.insert(event);
        event
    }

    /// Its path tells events apart.
    pub(crate) fn path(event: u64) -> String {
        format!("/event/{event}")
    }

    /// The event of a path, if it is one that this oracle has minted.
    pub(crate) fn event_of(&self, path: &str) -> Option<u64> {
        let event = path.strip_prefix("/event/")?.parse().ok()?;
        (1..=self.state().minted).contains(&event).then_some(event)
    }

    pub(crate) fn learn(&self, event: u64, fate: Fate) {
        let mut state = self.state();
        state.under_way.remove(&event);
        match fate {
            Fate::Acknowledged => drop(state.acknowledged.insert(event)),
            Fate::Refused => state.refused += 1,
            Fate::Unknown => state.unknown += 1,
        }
    }

    /// The events of which nobody knows what became of them, and the number of the next one.
    pub(crate) fn under_way(&self) -> (HashSet<u64>, u64) {
        let state = self.state();
        (state.under_way.clone(), state.minted + 1)
    }

    /// The events that have to be counted.
    pub(crate) fn acknowledged(&self) -> HashSet<u64> {
        self.state().acknowledged.clone()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.state().refused
    }

    /// Finds nothing missing, nothing spurious and nothing twice among what was counted, by path.
    pub(crate) fn compare(&self, place: &str, counted: &HashMap<String, u64>, said: &str) {
        self.compare_but(place, counted, said, &HashSet::new());
    }

    /// The same, where some may be counted twice.
    pub(crate) fn compare_but(
        &self,
        place: &str,
        counted: &HashMap<String, u64>,
        said: &str,
        may_be_twice: &HashSet<u64>,
    ) {
        let event = |path: &String| self.event_of(path);
        let spurious: Vec<_> = counted.keys().filter(|path| event(path).is_none()).collect();
        let most = |path: &String| {
            let may_be = event(path).is_some_and(|event| may_be_twice.contains(&event));
            if may_be { 2 } else { 1 }
        };
        let is_once = |path: &String, count: u64| (1..=most(path)).contains(&count);
        let twice: Vec<_> =
            counted.iter().filter(|(path, count)| !is_once(path, **count)).collect();
        let there: HashSet<u64> = counted.keys().filter_map(event).collect();
        let acknowledged = self.acknowledged();
        let missing: Vec<_> = acknowledged.difference(&there).collect();
        assert!(
            missing.is_empty() && spurious.is_empty() && twice.is_empty(),
            "in {place}: missing {} {:?}, spurious {spurious:?}, counted twice {twice:?}\n{}\n{said}",
            missing.len(),
            missing.iter().take(20).collect::<Vec<_>>(),
            self.summary(),
        );
        assert!(!acknowledged.is_empty(), "nothing was acknowledged, so nothing is proved");
    }

    /// For a test's last words.
    pub(crate) fn summary(&self) -> String {
        let state = self.state();
        let (minted, acknowledged) = (state.minted, state.acknowledged.len());
        let (refused, unknown) = (state.refused, state.unknown);
        format!(
            "{minted} sent, {acknowledged} acknowledged, {refused} refused, {unknown} without an answer"
        )
    }
}
