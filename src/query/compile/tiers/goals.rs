//! Numbers of days by goal.
//!
//! A goal is kept by what meets it and not by its name, which may be changed, and may be made when days have been closed.
//! So what a day has of goals has a version of its own, beside the name of the set of goals that was counted: of
//! any other set the day tells nothing until it is counted for that.

use sha2::{Digest, Sha256};

use super::super::conditions::tests_scrolling;
use super::super::events;
use crate::query::Query;
use crate::query::filter::{Filter, Subject};
use crate::site::goal::{Goal, GoalKind};

/// What the numbers of a goal are kept under.
pub(super) fn key(goal: &Goal) -> String {
    let currency = goal.currency.as_deref().unwrap_or_default();
    match &goal.kind {
        GoalKind::Event(name) => format!("event {currency} {name}"),
        GoalKind::Page(path) => format!("page {currency} {path}"),
        GoalKind::Scroll(path, threshold) => format!("scroll {threshold} {currency} {path}"),
    }
}

/// The goals, called by their keys.
pub(super) fn by_key(goals: &[Goal]) -> Vec<Goal> {
    goals.iter().map(|goal| Goal { name: key(goal), ..goal.clone() }).collect()
}

/// Tells sets of goals apart: what is counted of one and the same is the same. Never 0.
pub fn set_of(goals: &[Goal]) -> u64 {
    let mut keys: Vec<String> = goals.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let digest = keys.iter().fold(Sha256::new(), |digest, key| {
        digest.chain_update(key.len().to_be_bytes()).chain_update(key)
    });
    digest.finalize().first_chunk().copied().map_or(1, u64::from_be_bytes).max(1)
}

/// The goal that the filter asks for, if it is one, which is met by events. Of two a visitor may have met both.
pub(super) fn asked_for(filter: &Filter) -> Option<&Goal> {
    let Filter::Test(test) = filter else { return None };
    match &test.subject {
        Subject::Goal(goals) if goals.len() == 1 && !tests_scrolling(filter) => goals.first(),
        Subject::Goal(_) | Subject::Field(_) | Subject::Property(_) => None,
    }
}

/// The goals of which a query that is by goal counts: those of its rows, or else the one that it asks for.
pub(super) fn counted(query: &Query) -> Vec<&Goal> {
    let of_rows: Vec<&Goal> = events::goals(query).collect();
    match of_rows.is_empty() {
        true => query.filters.iter().filter_map(asked_for).collect(),
        false => of_rows,
    }
}

/// Whether the numbers of these goals are those of a report by them with these filters: each is a row of its own, and the
/// filters ask for nothing but goals.
pub(super) fn are_told(goals: &[Goal], filters: &[Filter]) -> bool {
    let mut keys: Vec<String> = goals.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let asks_for_goals = |filter: &Filter| match filter {
        Filter::Test(test) => matches!(test.subject, Subject::Goal(_)) && !tests_scrolling(filter),
        Filter::All(_) | Filter::Any(_) | Filter::Not(_) | Filter::Done(..) => false,
    };
    keys.len() == goals.len() && filters.iter().all(asks_for_goals)
}
