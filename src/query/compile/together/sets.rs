//! Rows for several parts out of one reading: grouped by each part's dimensions, side by side.

use super::super::conditions::on_field;
use super::{NAMES, Part};
use crate::query::countries;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Comparison, Filter, Subject, Test};
use crate::query::statement::{Sql, sql};

/// What each part groups by: whether a row is wanted, where not every one is, and the part's dimensions.
pub(in crate::query::compile) struct Sets {
    /// Everything that anything is grouped by, without repetition.
    keys: Vec<Sql>,
    parts: Vec<Set>,
}

/// Which rows a part wants.
pub(in crate::query::compile) enum Wanted<'query> {
    /// Those that meet the condition.
    Rows(Sql),
    /// Those whose value of the part's only dimension, which is this column, meets the test: see [`told_by_value`].
    Values(Sql, Field, &'query Test),
}

/// What a part groups by, as places among the keys. Rows by one key take two thirds of the time of those by two.
struct Set {
    wanted: Option<IsWanted>,
    dimensions: Vec<Shown>,
}

/// What tells whether the rows that were grouped are wanted.
enum IsWanted {
    /// The key at this place.
    Key(usize),
    /// A condition on what else they are grouped by.
    Condition(Sql),
}

/// The test that is all that a part wants of rows, where their value of its only dimension tells it when they have been grouped. No value
/// that meets it is blank: a blank is grouped by its label, which may be a value as well.
pub(in crate::query::compile) fn told_by_value<'query>(
    filters: &[&'query Filter],
    dimensions: &[Dimension],
) -> Option<(Field, &'query Test)> {
    let [Filter::Test(test)] = filters else { return None };
    let Subject::Field(field) = test.subject else { return None };
    let (_, of_blanks) = test.values_and_blank();
    let leaves_out_blanks = test.comparison == Comparison::Is && test.negated && of_blanks;
    // Beside a second dimension that is made of the same column, ClickHouse 26.7 groups by one of them alone, and tells blanks for the other.
    (leaves_out_blanks && !field.spec().number && dimensions == [Dimension::Field(field)])
        .then_some((field, test))
}

/// How a dimension is shown, of the key that it is grouped by.
#[derive(Clone, Copy)]
struct Shown {
    key: usize,
    /// The key is the country's code, and the dimension its name.
    is_country_name: bool,
}

impl Sets {
    /// For each of the parts, in their order: which rows it wants, its dimensions, and what tells the value of one.
    pub(in crate::query::compile) fn of<'query, V: Fn(&Dimension) -> Sql>(
        parts: impl IntoIterator<Item = (Wanted<'query>, &'query [Dimension], V)>,
    ) -> Self {
        let mut keys = Keys::default();
        let parts = parts.into_iter().map(|(wanted, dimensions, value)| {
            let shown = dimensions.iter().map(|dimension| match (&wanted, dimension) {
                (Wanted::Values(column, ..), _) => {
                    Shown { key: keys.place(column.clone()), is_country_name: false }
                }
                (_, Dimension::Field(Field::CountryName)) => {
                    let code = value(&Dimension::Field(Field::Country));
                    Shown { key: keys.place(code), is_country_name: true }
                }
                (_, other) => Shown { key: keys.place(value(other)), is_country_name: false },
            });
            let dimensions = shown.collect();
            let wanted = match wanted {
                Wanted::Rows(all) if all == "1".into() => None,
                Wanted::Rows(those) => {
                    Some(IsWanted::Key(keys.place(sql!["toUInt8(", those, ")"])))
                }
                Wanted::Values(column, field, test) => {
                    let key = Sql::name("x", keys.place(column));
                    Some(IsWanted::Condition(on_field(key, field, test)))
                }
            };
            Set { wanted, dimensions }
        });
        let parts = parts.collect();
        Self { keys: keys.0, parts }
    }

    /// The keys by their names, and which of them a row is grouped by.
    pub(in crate::query::compile) fn values(&self) -> Vec<Sql> {
        let names = (0..self.keys.len()).map(|key| Sql::name("x", key));
        let grouped = match self.keys.is_empty() {
            true => "0 AS grouped".into(),
            false => sql!["grouping(", Sql::join(names.clone(), ", "), ") AS grouped"],
        };
        let keys = self.keys.iter().zip(names).map(|(key, name)| sql![key, " AS ", name]);
        keys.chain([grouped]).collect()
    }

    /// The condition on what was grouped that it is for the part at this place.
    pub(in crate::query::compile) fn is_of(&self, part: usize) -> Sql {
        let bits = self.parts.get(part).map_or(0, |set| self.bits(set));
        sql!["grouped = ", Sql::number(bits)]
    }

    /// ` GROUP BY` them.
    pub(in crate::query::compile) fn group(&self) -> Sql {
        if self.keys.is_empty() {
            return Sql::default();
        }
        let mut sets: Vec<Vec<usize>> = self.parts.iter().map(Set::keys).collect();
        sets.sort_unstable();
        sets.dedup();
        let sets = sets.into_iter().map(|set| {
            sql!["(", Sql::join(set.into_iter().map(|key| Sql::name("x", key)), ", "), ")"]
        });
        sql![" GROUP BY GROUPING SETS (", Sql::join(sets, ", "), ")"]
    }

    /// What was grouped, as rows that begin with [`NAMES`] and go on with the columns named.
    pub(in crate::query::compile) fn told(
        &self,
        parts: &[Part],
        grouped: Sql,
        columns: impl Iterator<Item = &'static str>,
    ) -> Sql {
        let marks = || parts.iter().zip(&self.parts);
        let of_set = marks().map(|(part, set)| {
            sql![
                "if(grouped = ",
                Sql::number(self.bits(set)),
                ", [",
                Sql::number(part.mark),
                "], [])"
            ]
        });
        let [of_part, ..] = NAMES;
        let is_wanted = marks().filter_map(|(part, set)| {
            let is_wanted = match set.wanted.as_ref()? {
                IsWanted::Key(key) => sql![Sql::name("x", *key), " = 1"],
                IsWanted::Condition(condition) => condition.clone(),
            };
            Some(sql![of_part, " = ", Sql::number(part.mark), ", ", is_wanted, ", "])
        });
        let dimensions = NAMES[1..].iter().enumerate().map(|(place, name)| {
            let each = marks().filter_map(|(part, set)| {
                let value = set.dimensions.get(place)?.value();
                Some(sql![of_part, " = ", Sql::number(part.mark), ", ", value, ", "])
            });
            sql!["multiIf(", Sql::join(each, ""), "0, '', '') AS ", *name]
        });
        let columns = columns.map(Sql::from);
        sql![
            "SELECT ",
            Sql::join([of_part.into()].into_iter().chain(dimensions).chain(columns), ", "),
            " FROM (SELECT *, toUInt8(arrayJoin(arrayConcat(",
            Sql::join(of_set, ", "),
            "))) AS ",
            of_part,
            " FROM (",
            grouped,
            ")) WHERE multiIf(",
            Sql::join(is_wanted, ""),
            "0, 1, 1)",
        ]
    }

    /// What `grouping` says of rows of the set: a bit for each key, the last one lowest, that is not in it.
    fn bits(&self, set: &Set) -> u64 {
        let of_set = set.keys();
        (0..self.keys.len()).fold(0, |bits, key| bits << 1 | u64::from(!of_set.contains(&key)))
    }
}

/// What rows are grouped by, without repetition.
#[derive(Default)]
struct Keys(Vec<Sql>);

impl Keys {
    /// The place of this one.
    fn place(&mut self, key: Sql) -> usize {
        match self.0.iter().position(|known| *known == key) {
            Some(place) => place,
            None => {
                self.0.push(key);
                self.0.len() - 1
            }
        }
    }
}

impl Shown {
    fn value(self) -> Sql {
        let key = Sql::name("x", self.key);
        if self.is_country_name { countries::name_of(&key) } else { key }
    }
}

impl Set {
    fn keys(&self) -> Vec<usize> {
        let of_dimensions = self.dimensions.iter().map(|shown| shown.key);
        let wanted = self.wanted.as_ref().and_then(|wanted| match wanted {
            IsWanted::Key(key) => Some(*key),
            IsWanted::Condition(_) => None,
        });
        let mut keys: Vec<usize> = wanted.into_iter().chain(of_dimensions).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
