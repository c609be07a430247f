//! A statement for ClickHouse: program text and the values bound to it.
//!
//! [`Sql`] is text under construction. Its text can only be `'static`, that is: written by us; what
//! comes from outside enters as a [`Param`], and is sent to the server beside the text, never
//! in it. [`Statement`] is the finished form. Nothing here knows what a query means.

use jiff::Timestamp;
use serde::Serialize;

/// A value that travels beside the text. It is serialised as the database's parameters are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Param {
    /// One text, `{pN:String}`.
    Text(String),
    /// Any number of texts, `{pN:Array(String)}`.
    Texts(Vec<String>),
    /// A whole number that is not negative, `{pN:UInt64}`.
    Number(u64),
    /// Any number of such, `{pN:Array(UInt64)}`.
    Numbers(Vec<u64>),
}

impl Param {
    /// The database's name of the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "String",
            Self::Texts(_) => "Array(String)",
            Self::Number(_) => "UInt64",
            Self::Numbers(_) => "Array(UInt64)",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(&'static str),
    Param(Param),
    /// An alias that we number: `d0`, `d1`, …
    Name(&'static str, usize),
}

/// Text under construction: see [`sql!`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql(Vec<Piece>);

/// Strings its arguments together: `'static` text, other [`Sql`], and [`Param`]eters.
macro_rules! sql {
    ($($piece:expr),* $(,)?) => {{
        let mut sql = $crate::query::statement::Sql::default();
        $(sql.push($piece);)*
        sql
    }};
}
pub(crate) use sql;

impl Sql {
    /// A bound text.
    pub fn text(value: impl Into<String>) -> Self {
        Param::Text(value.into()).into()
    }

    /// A bound list of texts.
    pub fn texts(values: Vec<String>) -> Self {
        Param::Texts(values).into()
    }

    /// A bound number.
    pub fn number(value: impl Into<u64>) -> Self {
        Param::Number(value.into()).into()
    }

    /// A bound list of numbers.
    pub fn numbers(values: Vec<u64>) -> Self {
        Param::Numbers(values).into()
    }

    /// A bound moment, to the second; what lies before 1970 or after 2106 becomes the nearest
    /// moment that the column can hold.
    pub fn moment(moment: Timestamp) -> Self {
        let seconds = moment.as_second().clamp(0, i64::from(u32::MAX));
        sql!["toDateTime(", Self::number(seconds.unsigned_abs()), ", 'UTC')"]
    }

    /// An alias that we number.
    pub fn name(stem: &'static str, number: usize) -> Self {
        Self(vec![Piece::Name(stem, number)])
    }

    /// Appends.
    pub fn push(&mut self, more: impl Into<Self>) {
        self.0.extend(more.into().0);
    }

    /// The parts with `between` between them.
    pub fn join(parts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut joined = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                joined.push(between);
            }
            joined.push(part);
        }
        joined
    }

    /// The parts, all of which must hold; with none of them, what always holds.
    pub fn all(parts: Vec<Self>) -> Self {
        Self::connected(parts, " AND ", "1")
    }

    /// The parts, one of which must hold; with none of them, what never holds.
    pub fn any(parts: Vec<Self>) -> Self {
        Self::connected(parts, " OR ", "0")
    }

    fn connected(mut parts: Vec<Self>, word: &'static str, none: &'static str) -> Self {
        match parts.len() {
            0 => none.into(),
            1 => parts.remove(0),
            _ => sql!["(", Self::join(parts, word), ")"],
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self(vec![Piece::Text(text)])
    }
}

impl From<Param> for Sql {
    fn from(value: Param) -> Self {
        Self(vec![Piece::Param(value)])
    }
}

impl From<&Self> for Sql {
    fn from(sql: &Self) -> Self {
        sql.clone()
    }
}

/// A finished statement. What a query comes to reads, and changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    text: String,
    params: Vec<(String, Param)>,
}

impl Statement {
    /// The text, with `{pN:Type}` where a value is bound.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values by the names that the text has for them.
    pub fn params(&self) -> &[(String, Param)] {
        &self.params
    }
}

impl From<Sql> for Statement {
    /// Numbers the values in the order of the text; equal values share a number.
    fn from(sql: Sql) -> Self {
        let mut text = String::new();
        let mut params: Vec<(String, Param)> = Vec::new();
        for piece in sql.0 {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Name(stem, number) => text.push_str(&format!("{stem}{number}")),
                Piece::Param(value) => {
                    let type_name = value.type_name();
                    let index = params
                        .iter()
                        .position(|(_, known)| *known == value)
                        .unwrap_or(params.len());
                    if index == params.len() {
                        params.push((format!("p{index}"), value));
                    }
                    text.push_str(&format!("{{p{index}:{type_name}}}"));
                }
            }
        }
        Self { text, params }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_values_are_bound_once() {
        let sql = sql![
            "SELECT ",
            Sql::text("a"),
            ", ",
            Sql::number(1u32),
            ", ",
            Sql::text("a"),
            " AS ",
            Sql::name("d", 2)
        ];
        let statement = Statement::from(sql);
        assert_eq!(statement.text(), "SELECT {p0:String}, {p1:UInt64}, {p0:String} AS d2");
        assert_eq!(statement.params().len(), 2);
    }

    #[test]
    fn a_moment_that_the_column_cannot_hold_becomes_the_nearest_one() {
        let bound = |moment: &str| {
            Statement::from(Sql::moment(moment.parse().unwrap())).params()[0].1.clone()
        };
        assert_eq!(bound("1900-01-01T00:00:00Z"), Param::Number(0));
        assert_eq!(bound("2300-01-01T00:00:00Z"), Param::Number(u64::from(u32::MAX)));
    }

    proptest! {
        #[test]
        fn the_text_is_the_same_whatever_is_bound(value in ".*", values: Vec<String>) {
            let with = |value, values| Statement::from(sql![Sql::text(value), " IN ", Sql::texts(values)]);
            let (plain, other) = (with(String::new(), Vec::new()), with(value, values));
            prop_assert_eq!(plain.text(), other.text());
        }
    }
}
