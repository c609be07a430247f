//! What a row of `visit_days` has of the earlier visits of its visitor on the day: a bit for each, and the same bits again of those that came
//! from the same source, entered by the same page, and so on, and of those that came by any campaign.
//!
//! A visitor's id lives for a day, so that the visits of a closed day are known. What an id is made of, the address and the browser,
//! all visits of a visitor have alike, and there are no bits of it. Not every visitor is told by bits: not those who are there on two
//! days, had more visits than there are bits, or moved meanwhile, as a new place database may have it. These have their id in
//! the column `apart`, and every bit set; and so has what is of nobody.
//!
//! What it is for, see [`counted`](super::counted).

use super::super::visits;
use super::by::{EXCEPTIONS, kept_value, stored};
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

/// The column of all of them.
pub(super) const ALL: &str = "earlier";

/// All bits, of which some are left whatever is asked.
pub(super) const EVERY: &str = "65535";

/// The column of those that have the field alike.
pub(super) fn column(field: Field) -> Sql {
    sql!["earlier_", kept_column(field)]
}

/// The column of those that have the field set, of the fields that few have.
pub(super) fn column_of_set(field: Field) -> Sql {
    sql!["earlier_with_", kept_column(field)]
}

/// The columns of `visit_days` that tell of earlier visits.
pub(super) fn columns() -> Vec<Sql> {
    let of_sets = EXCEPTIONS.map(column_of_set);
    [ALL.into()].into_iter().chain(differing().map(column)).chain(of_sets).collect()
}

/// The earlier visits of each visit, `visit`, of visitors who are among those (`several`) and are told by them; and `is_told`, which is 1.
/// `visits` are all visits of the days, with all the fields that are kept.
pub(super) fn of_visits(visits: Sql, several: Sql) -> Sql {
    let stay = differing().map(|field| kept_value(field, visits::column(field)));
    // The first element is the visit, whose id begins with its first second.
    let stays: Vec<(Field, Sql)> = differing()
        .enumerate()
        .map(|(place, field)| (field, Sql::name("stays.", place + 2)))
        .collect();
    let bits = |wanted: Sql, of: &Sql| {
        sql![
            "toUInt16(arraySum((other, place) -> if(place < number AND ",
            wanted,
            ", bitShiftLeft(toUInt16(1), place - 1), 0), ",
            of,
            ", places))"
        ]
    };
    let alike = stays.iter().map(|(field, of)| {
        sql![bits(sql!["other = ", of, "[number]"], of), " AS ", column(*field)]
    });
    let set = stays.iter().filter(|(field, _)| EXCEPTIONS.contains(field));
    let set =
        set.map(|(field, of)| sql![bits("other != ''".into(), of), " AS ", column_of_set(*field)]);
    let of_visitor = kept_fields().filter(|field| is_of_visitor(*field));
    let moved = of_visitor.map(|field| {
        let column = visits::column(field);
        sql![" AND min(", &column, ") = max(", column, ")"]
    });
    sql![
        "SELECT 1 AS is_told, stays.1[number] AS visit, toUInt16(bitShiftLeft(toUInt32(1), number - 1) - 1) AS ",
        ALL,
        ", ",
        Sql::join(alike.chain(set), ", "),
        " FROM (SELECT arraySort(stay -> stay.1, groupArray((",
        Sql::join(["visit".into()].into_iter().chain(stay), ", "),
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
