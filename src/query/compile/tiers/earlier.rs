//! What a row of `visit_days` has of the earlier visits of its visitor on the day: a bit for each, and the same bits again of those that came
//! from the same source, entered by the same page, and so on.
//!
//! A visitor's id lives for a day, so that the visits of a closed day are known. What an id is made of, the address and the browser,
//! all visits of a visitor have alike, and there are no bits of it. Not every visitor is told by bits: not those who are there on two
//! days, had more visits than there are bits, or moved meanwhile, as a new place database may have it. These have their id in
//! the column `apart`.
//!
//! What it is for, see [`counted`](super::counted).

use super::super::visits;
use super::by::{kept_value, stored};
use super::lists::List;
use super::rows::{kept_column, kept_fields};
use crate::query::dimension::Field;
use crate::query::statement::{Sql, sql};

/// So many visits of a visitor's day are told by bits.
const VISITS_MAX: u64 = 16;

/// Whether all visits of a visitor's day have the same: an id is made of the address and the browser.
pub(super) fn is_of_visitor(field: Field) -> bool {
    matches!(
        stored(field),
        Field::Country
            | Field::Region
            | Field::RegionName
            | Field::City
            | Field::CityName
            | Field::Browser
            | Field::BrowserVersion
            | Field::Os
            | Field::OsVersion
            | Field::Device
    )
}

/// The fields by which earlier visits are told.
fn differing() -> impl Iterator<Item = Field> {
    kept_fields().filter(|field| !is_of_visitor(*field))
}

/// The column of `visit_days` with the earlier visits that have the field alike.
pub(super) fn column(field: Field) -> Sql {
    sql!["earlier_", kept_column(field)]
}

/// The columns of `visit_days` that tell of earlier visits.
pub(super) fn columns() -> Vec<Sql> {
    let of_fields = differing().map(column);
    let of_lists = List::ALL.into_iter().filter_map(List::earlier).map(Sql::from);
    ["earlier".into()].into_iter().chain(of_fields).chain(of_lists).collect()
}

/// What makes these, in their order, where nobody is told by them: beside the lists of the row.
pub(super) fn none() -> Vec<Sql> {
    let of_fields = differing().map(|_| "0".into());
    let of_lists = List::ALL.into_iter().filter(|list| list.earlier().is_some());
    let of_lists = of_lists.map(|list| sql!["arrayMap(one -> 0, ", list.name, ")"]);
    ["0".into()].into_iter().chain(of_fields).chain(of_lists).collect()
}

/// The same, where rows are joined to what [`of_visits`] finds.
pub(super) fn found() -> Vec<Sql> {
    let of_lists = List::ALL.into_iter().filter_map(|list| {
        let alike = sql!["earlier.", list.earlier()?];
        let place = sql!["indexOf(earlier.", visits::column(list.field), ", one.1)"];
        Some(sql!["arrayMap(one -> ", alike, "[", place, "], ", list.name, ")"])
    });
    let of_fields = differing().map(|field| sql!["earlier.", column(field)]);
    ["earlier.earlier".into()].into_iter().chain(of_fields).chain(of_lists).collect()
}

/// What [`of_visits`] looks at of a visit.
pub(super) fn fields() -> impl Iterator<Item = Field> {
    let lists = List::ALL.into_iter().filter(|list| list.earlier().is_some());
    kept_fields().chain(lists.map(|list| list.field))
}

/// The earlier visits of each visit, `visit`, of visitors who are among those (`several`) and are told by them. `visits` are all visits of
/// the days, with [`fields`].
pub(super) fn of_visits(visits: Sql, several: Sql) -> Sql {
    let lists = || List::ALL.into_iter().filter(|list| list.earlier().is_some());
    let of_fields = differing().map(|field| kept_value(field, visits::column(field)));
    let of_lists = lists().map(|list| visits::column(list.field));
    let stay = ["visit".into()].into_iter().chain(of_fields).chain(of_lists);
    // The first element is the visit, whose id begins with its first second.
    let element = |place: usize| Sql::name("stays.", place + 2);
    let bits = |alike: Sql, of: Sql| {
        sql![
            "toUInt16(arraySum((other, place) -> if(place < number AND ",
            alike,
            ", bitShiftLeft(toUInt16(1), place - 1), 0), ",
            of,
            ", places))"
        ]
    };
    let alike = differing().enumerate().map(|(place, field)| {
        let stays = element(place);
        sql![bits(sql!["other = ", &stays, "[number]"], stays), " AS ", column(field)]
    });
    let first_of_lists = differing().count();
    let of_lists = lists().enumerate().filter_map(|(place, list)| {
        let stays = element(first_of_lists + place);
        let values = visits::column(list.field);
        Some(sql![
            &stays,
            "[number] AS ",
            &values,
            ", arrayMap(value -> ",
            bits("has(other, value)".into(), stays),
            ", ",
            values,
            ") AS ",
            list.earlier()?
        ])
    });
    let of_visitor = kept_fields().filter(|field| is_of_visitor(*field));
    let moved = of_visitor.map(|field| {
        let column = visits::column(field);
        sql![" AND min(", &column, ") = max(", column, ")"]
    });
    sql![
        "SELECT 1 AS is_told, stays.1[number] AS visit, toUInt16(bitShiftLeft(toUInt32(1), number - 1) - 1) AS earlier, ",
        Sql::join(alike.chain(of_lists), ", "),
        " FROM (SELECT arraySort(stay -> stay.1, groupArray((",
        Sql::join(stay, ", "),
        "))) AS stays, arrayEnumerate(stays) AS places FROM (",
        visits,
        ") WHERE visitor IN (",
        several,
        ") GROUP BY visitor HAVING length(stays) <= ",
        Sql::number(VISITS_MAX),
        Sql::join(moved, ""),
        ") ARRAY JOIN places AS number"
    ]
}
