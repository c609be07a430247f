//! Rows for several parts out of one reading: grouped by each part's dimensions, side by side.

use super::{NAMES, Part};
use crate::query::countries;
use crate::query::dimension::{Dimension, Field};
use crate::query::statement::{Sql, sql};

/// What each part groups by: whether a row is wanted, where not every one is, and the part's dimensions.
pub(in crate::query::compile) struct Sets {
    /// Everything that anything is grouped by, without repetition.
    keys: Vec<Sql>,
    parts: Vec<Set>,
}

/// What a part groups by, as places among the keys. Rows by one key take two thirds of the time of those by two.
struct Set {
    wanted: Option<usize>,
    dimensions: Vec<Shown>,
}

/// How a dimension is shown, of the key that it is grouped by.
#[derive(Clone, Copy)]
struct Shown {
    key: usize,
    /// The key is the country's code, and the dimension its name.
    is_country_name: bool,
}

impl Sets {
    /// For each of the parts, in their order: the condition on rows that it wants, its dimensions, and what tells the value of one.
    pub(in crate::query::compile) fn of<'query, V: Fn(&Dimension) -> Sql>(
        parts: impl IntoIterator<Item = (Sql, &'query [Dimension], V)>,
    ) -> Self {
        let mut keys: Vec<Sql> = Vec::new();
        let mut place = |key: Sql| match keys.iter().position(|known| *known == key) {
            Some(place) => place,
            None => {
                keys.push(key);
                keys.len() - 1
            }
        };
        let mut shown = |dimension: &Dimension, value: &V| match dimension {
            Dimension::Field(Field::CountryName) => {
                let code = value(&Dimension::Field(Field::Country));
                Shown { key: place(code), is_country_name: true }
            }
            other => Shown { key: place(value(other)), is_country_name: false },
        };
        let mut sets = Vec::new();
        for (wanted, dimensions, value) in parts {
            let dimensions = dimensions.iter().map(|dimension| shown(dimension, &value)).collect();
            sets.push((wanted, dimensions));
        }
        let parts = sets.into_iter().map(|(wanted, dimensions)| Set {
            wanted: (wanted != "1".into()).then(|| place(sql!["toUInt8(", wanted, ")"])),
            dimensions,
        });
        let parts = parts.collect();
        Self { keys, parts }
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
            Some(sql![
                of_part,
                " = ",
                Sql::number(part.mark),
                ", ",
                Sql::name("x", set.wanted?),
                " = 1, "
            ])
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

impl Shown {
    fn value(self) -> Sql {
        let key = Sql::name("x", self.key);
        if self.is_country_name { countries::name_of(&key) } else { key }
    }
}

impl Set {
    fn keys(&self) -> Vec<usize> {
        let of_dimensions = self.dimensions.iter().map(|shown| shown.key);
        let mut keys: Vec<usize> = self.wanted.into_iter().chain(of_dimensions).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
