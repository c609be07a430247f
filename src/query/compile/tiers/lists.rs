//! Short lists that a row of `visit_days` has beside all that happened: how much a visit viewed and did on its day, by one
//! field of the events.
//!
//! Each value stands in a list once, so that a visitor who was there then alone is counted without being told from others.

use super::columns::HAPPENED;
use super::rows::kept_column;
use crate::query::dimension::Field;
use crate::query::statement::{Sql, sql};

/// Such a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// The column of `visit_days`.
    pub(super) name: &'static str,
    /// By which field it is.
    pub(super) field: Field,
}

impl List {
    /// The lists that there are.
    pub(super) const ALL: [Self; 2] = [
        Self { name: "by_page", field: Field::Page },
        Self { name: "by_name", field: Field::EventName },
    ];

    /// The list by this column of events.
    pub(super) fn of(column: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.value() == column)
    }

    /// The column of the values.
    pub(super) fn value(self) -> &'static str {
        kept_column(self.field)
    }

    /// What makes it, with its name, of events that are alike, `times` of them.
    pub(super) fn made(self) -> Sql {
        let numbers = sql![
            "sumMapIf([toString(",
            self.value(),
            ")], [if(name = 'pageview', times, 0)], [times], name != 'engagement')",
        ];
        // In the order of the values, which says nothing of the visit.
        sql!["arrayZip(untuple(", numbers, ")) AS ", self.name]
    }

    /// In which hours of the day each of its values happened, beside it, if that is kept: bits, the lowest one for the hour from midnight.
    pub(super) fn hours(self) -> Option<&'static str> {
        (self.field == Field::Page).then_some("hours_by_page")
    }

    /// What makes these, with their name, beside [`made`](Self::made) and the lists of what happened and of its hours. A function
    /// that collects them by value would take more memory for a day than all the rest.
    pub(super) fn hours_made(self) -> Option<Sql> {
        let element = |column: &str| {
            let place =
                HAPPENED.iter().position(|other| *other == column).map_or(0, |place| place + 1);
            Sql::name("what.", place)
        };
        Some(sql![
            "arrayMap(one -> arrayReduce('groupBitOr', arrayMap((what, hours) -> if(",
            element(self.value()),
            " = one.1 AND ",
            element("name"),
            " != 'engagement', hours, 0), happened, hours_happened)), ",
            self.name,
            ") AS ",
            self.hours()?,
        ])
    }

    /// The hours in which a value that meets the condition happened, as bits; `None` if they are not kept.
    pub(super) fn hours_of(self, met: &Sql) -> Option<Sql> {
        Some(sql![
            "arrayReduce('groupBitOr', arrayMap((",
            self.value(),
            ", hours) -> if(",
            met,
            ", hours, 0), ",
            self.column(self.value()),
            ", ",
            self.hours()?,
            "))",
        ])
    }

    /// What an element has: its value, and how much was viewed and done, by the names that these have of a visit's day.
    pub(super) fn columns(self) -> [(&'static str, Sql); 3] {
        [
            (self.value(), self.column(self.value())),
            ("day_views", self.column("views")),
            ("day_events", self.column("events")),
        ]
    }

    /// Whether it has a value that meets the condition.
    pub(super) fn has(self, met: &Sql) -> Sql {
        sql!["arrayExists(", self.value(), " -> ", met, ", ", self.column(self.value()), ")"]
    }

    /// How much was viewed by values that meet the condition.
    pub(super) fn views(self, met: &Sql) -> Sql {
        self.sum_of("views", met)
    }

    /// How much was done by values that meet the condition.
    pub(super) fn events(self, met: &Sql) -> Sql {
        self.sum_of("events", met)
    }

    fn sum_of(self, number: &'static str, met: &Sql) -> Sql {
        sql![
            "arraySum((",
            self.value(),
            ", number) -> if(",
            met,
            ", number, 0), ",
            self.column(self.value()),
            ", ",
            self.column(number),
            ")",
        ]
    }

    fn column(self, name: &'static str) -> Sql {
        sql![self.name, ".", name]
    }
}
