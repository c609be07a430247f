//! Revenue: of which events, and in which currency, a report adds it up.
//!
//! A goal says in which currency the revenue of its event is reported. There are no exchange rates here:
//! what was paid in another currency is kept with the event, and is not part of the sum.

use serde_json::{Value, json};

use super::dimension::Dimension;
use super::filter::Filter;
use super::goals_asked_for;
use super::statement::{Sql, sql};
use crate::site::goal::{Goal, GoalKind};

/// What the revenue of a report's rows is.
#[derive(Clone, Debug, PartialEq)]
pub enum Revenue {
    /// All in one currency.
    In {
        /// ISO 4217 code.
        currency: String,
        /// The custom events that bring it.
        events: Vec<String>,
    },
    /// The report is by goal: each row is in the currency of its goal.
    ByGoal {
        /// The place of `event:goal` among the dimensions.
        dimension: usize,
        /// Goals that bring revenue, by name.
        goals: Vec<String>,
        /// Their currencies, in the same order.
        currencies: Vec<String>,
    },
    /// There is none to tell.
    Untold(Untold),
}

/// Why there is no revenue to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// The goals in question are in several currencies.
    NoSingleCurrency,
    /// None of the goals in question brings revenue.
    NoGoals,
}

impl Untold {
    /// The warning, as answers have it.
    pub fn to_wire(self) -> Value {
        let (code, warning) = match self {
            Self::NoSingleCurrency => (
                "no_single_revenue_currency",
                "The goals of this report are in several currencies, which cannot be added up. Filter by one \
                 goal, or break the report down by event:goal.",
            ),
            Self::NoGoals => (
                "no_revenue_goals_matching",
                "None of the goals of this report has a currency. Set up a goal for the event, with one.",
            ),
        };
        json!({ "code": code, "warning": warning })
    }
}

impl Revenue {
    /// The revenue of a report with these dimensions and filters on a site with these goals.
    pub(super) fn of(goals: &[Goal], dimensions: &[Dimension], filters: &[Filter]) -> Self {
        let asked_for = goals_asked_for(goals, filters);
        let paid: Vec<(&Goal, &str, &str)> = asked_for.iter().filter_map(paid).collect();
        let Some((_, _, currency)) = paid.first() else { return Self::Untold(Untold::NoGoals) };
        let by_goal =
            dimensions.iter().position(|dimension| matches!(dimension, Dimension::Goal(_)));
        if let Some(dimension) = by_goal {
            let goals = paid.iter().map(|(goal, ..)| goal.name.clone()).collect();
            let currencies = paid.iter().map(|(.., currency)| (*currency).to_owned()).collect();
            return Self::ByGoal { dimension, goals, currencies };
        }
        if paid.iter().any(|(.., other)| other != currency) {
            return Self::Untold(Untold::NoSingleCurrency);
        }
        let events = paid.iter().map(|(_, event, _)| (*event).to_owned()).collect();
        Self::In { currency: (*currency).to_owned(), events }
    }

    /// The currency of the row with these dimensions, if revenue of it can be told.
    pub fn currency(&self, row: &[Value]) -> Option<&str> {
        match self {
            Self::In { currency, .. } => Some(currency),
            Self::ByGoal { dimension, goals, currencies } => {
                let name = row.get(*dimension)?.as_str()?;
                goals.iter().position(|goal| goal == name).map(|place| currencies[place].as_str())
            }
            Self::Untold(_) => None,
        }
    }

    /// What a row of `events` adds to the revenue of its row of the report; NULL when nothing.
    pub(super) fn amount(&self) -> Sql {
        let goal = match self {
            Self::ByGoal { dimension, .. } => Sql::name("d", *dimension),
            Self::In { .. } | Self::Untold(_) => Sql::default(),
        };
        self.amount_of(&goal)
    }

    /// The same, where an expression has the name of the goal by which the report is broken down.
    pub(super) fn amount_of(&self, goal: &Sql) -> Sql {
        let counts = match self {
            Self::In { currency, events } => sql![
                "revenue_currency = ",
                Sql::text(currency),
                " AND has(",
                Sql::texts(events.clone()),
                ", name)"
            ],
            Self::ByGoal { goals, currencies, .. } => sql![
                "revenue_currency != '' AND revenue_currency = transform(",
                goal,
                ", ",
                Sql::texts(goals.clone()),
                ", ",
                Sql::texts(currencies.clone()),
                ", '')"
            ],
            Self::Untold(_) => "0".into(),
        };
        sql!["if(", counts, ", revenue_amount, NULL)"]
    }
}

/// A goal that brings revenue, its event, and its currency.
fn paid(goal: &Goal) -> Option<(&Goal, &str, &str)> {
    match (&goal.kind, &goal.currency) {
        (GoalKind::Event(event), Some(currency)) => Some((goal, event, currency)),
        (GoalKind::Event(_) | GoalKind::Page(_) | GoalKind::Scroll(..), _) => None,
    }
}
