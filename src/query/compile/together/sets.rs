//! Rows for several parts out of one reading: grouped by each part's dimensions, side by side.

use super::{NAMES, Part};
use crate::query::statement::{Sql, sql};

/// What each part groups by: whether a row is wanted, where not every one is, and the part's dimensions.
pub(in crate::query::compile) struct Sets {
    /// Everything that anything is grouped by, without repetition.
    keys: Vec<Sql>,
    parts: Vec<Set>,
}

/// What a part groups by, as places among the keys.
struct Set {
    wanted: Option<usize>,
    dimensions: Vec<usize>,
}

impl Sets {
    /// For each of the parts, in their order: the condition on rows that it wants, and its dimensions.
    pub(in crate::query::compile) fn of(parts: impl IntoIterator<Item = (Sql, Vec<Sql>)>) -> Self {
        let mut keys: Vec<Sql> = Vec::new();
        let mut place = |key: Sql| match keys.iter().position(|known| *known == key) {
            Some(place) => place,
            None => {
                keys.push(key);
                keys.len() - 1
            }
        };
        let parts = parts.into_iter().map(|(wanted, dimensions)| Set {
            wanted: (wanted != "1".into()).then(|| place(sql!["toUInt8(", wanted, ")"])),
            dimensions: dimensions.into_iter().map(&mut place).collect(),
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
                let key = *set.dimensions.get(place)?;
                Some(sql![of_part, " = ", Sql::number(part.mark), ", ", Sql::name("x", key), ", "])
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

impl Set {
    fn keys(&self) -> Vec<usize> {
        let mut keys: Vec<usize> = self.wanted.iter().chain(&self.dimensions).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
