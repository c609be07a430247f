//! An answer as rows and columns.

use serde_json::{Value, json};

use crate::query::dimension::Field;
use crate::query::metric::{Metric, Unit};

/// What the values of a column are. A value may always be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Whole numbers.
    Whole,
    /// Numbers with decimals.
    Decimal,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name of a dimension or metric; `comparison.` and `change.` stand before the names of what is
    /// compared.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
}

/// Rows and columns. Every row has a value for each column: text, a number, or null.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table with these columns and rows; a row that is too short is filled up with nulls. An amount of
    /// money is a number, and its currency a column of its own behind it.
    pub fn new(names: Vec<String>, mut rows: Vec<Vec<Value>>) -> Self {
        rows.iter_mut().for_each(|row| row.resize(names.len(), Value::Null));
        let (names, rows) = without_money(names, rows);
        let column = |(index, name): (usize, String)| {
            let kind = kind(&name, rows.iter().map(|row| &row[index]));
            Column { name, kind }
        };
        Self { columns: names.into_iter().enumerate().map(column).collect(), rows }
    }

    /// The table that an answer to a query is: `results` with `dimensions` and `metrics`, in the order in
    /// which the `query` names them. `None` when it has another shape.
    pub fn of_answer(answer: &Value) -> Option<Self> {
        let query = answer.get("query")?;
        let (dimensions, metrics) =
            (names(query.get("dimensions")?)?, names(query.get("metrics")?)?);
        let results = answer.get("results")?.as_array()?;
        let is_compared = query.pointer("/include/comparisons").is_some_and(|with| !with.is_null());
        // Only a bucket of time is another in the row that it is compared with.
        let time = dimensions.iter().position(|name| name.starts_with("time"));
        let mut columns: Vec<String> = dimensions.iter().chain(&metrics).cloned().collect();
        if is_compared {
            let named = |before: &str, name: &String| format!("{before}.{name}");
            columns.extend(time.map(|time| named("comparison", &dimensions[time])));
            columns.extend(metrics.iter().map(|name| named("comparison", name)));
            columns.extend(metrics.iter().map(|name| named("change", name)));
        }
        let row = |result: &Value| {
            let part = |pointer: &str, index: usize| {
                result
                    .pointer(pointer)
                    .and_then(|part| part.get(index))
                    .cloned()
                    .unwrap_or_default()
            };
            let part = &part;
            let all = |pointer: &'static str, of: &[String]| {
                (0..of.len()).map(move |index| part(pointer, index)).collect::<Vec<_>>()
            };
            let mut row = [all("/dimensions", &dimensions), all("/metrics", &metrics)].concat();
            if is_compared {
                row.extend(time.map(|time| part("/comparison/dimensions", time)));
                row.extend(all("/comparison/metrics", &metrics));
                row.extend(all("/comparison/change", &metrics));
            }
            row
        };
        Some(Self::new(columns, results.iter().map(row).collect()))
    }

    /// The columns, from the left.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows, from the top.
    pub fn rows(&self) -> &[Vec<Value>] {
        &self.rows
    }
}

/// Amounts of money as numbers, with their currencies in columns behind them.
fn without_money(names: Vec<String>, rows: Vec<Vec<Value>>) -> (Vec<String>, Vec<Vec<Value>>) {
    let of_money: Vec<bool> = names.iter().map(|name| is_of_money(name)).collect();
    let row = |row: Vec<Value>| {
        let cells = row.into_iter().zip(&of_money).flat_map(|(cell, of_money)| match of_money {
            false => vec![cell],
            true => {
                ["value", "currency"].map(|key| cell.get(key).cloned().unwrap_or_default()).into()
            }
        });
        cells.collect()
    };
    let rows = rows.into_iter().map(row).collect();
    let names = names.into_iter().zip(&of_money).flat_map(|(name, of_money)| {
        let currency = of_money.then(|| format!("{name}.currency"));
        [Some(name), currency].into_iter().flatten()
    });
    (names.collect(), rows)
}

fn is_of_money(name: &str) -> bool {
    let name = name.strip_prefix("comparison.").unwrap_or(name);
    let metric = Metric::ALL.iter().find(|metric| metric.spec().name == name);
    metric.is_some_and(|metric| metric.spec().unit == Unit::Money)
}

fn names(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// By its name, where that is known, so that it hangs on the values only where it must.
fn kind<'a>(name: &str, mut values: impl Iterator<Item = &'a Value>) -> Kind {
    if name.starts_with("change.") {
        return Kind::Decimal;
    }
    let name = name.strip_prefix("comparison.").unwrap_or(name);
    if let Some(metric) = Metric::ALL.iter().find(|metric| metric.spec().name == name) {
        return match metric.spec().unit {
            Unit::Count | Unit::Seconds | Unit::Percent(0) => Kind::Whole,
            Unit::Percent(_) | Unit::Ratio | Unit::Money => Kind::Decimal,
        };
    }
    if let Some(field) = Field::ALL.iter().find(|field| field.spec().name == name) {
        return if field.spec().number { Kind::Whole } else { Kind::Text };
    }
    let is_whole = |value: &Value| value.is_i64() || value.is_u64();
    match values.find(|value| !value.is_null()) {
        Some(first)
            if is_whole(first) && values.all(|value| value.is_null() || is_whole(value)) =>
        {
            Kind::Whole
        }
        Some(Value::Number(_)) => Kind::Decimal,
        _ => Kind::Text,
    }
}

/// The text of a value; empty for none.
pub(super) fn text(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::Null => "".into(),
        Value::String(text) => text.into(),
        other => json!(other).to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_that_another_is_compared_with_stands_beside_it() {
        let answer = json!({
            "results": [{
                "dimensions": ["2024-05-02", "x"], "metrics": [3],
                "comparison": { "dimensions": ["2024-05-01", "x"], "metrics": [2], "change": [50] },
            }],
            "query": { "dimensions": ["time:day", "visit:source"], "metrics": ["visitors"],
                "include": { "comparisons": { "mode": "previous_period" } } },
        });
        let table = Table::of_answer(&answer).unwrap();
        let names: Vec<_> = table.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "time:day",
                "visit:source",
                "visitors",
                "comparison.time:day",
                "comparison.visitors",
                "change.visitors"
            ]
        );
        assert_eq!(json!(table.rows()), json!([["2024-05-02", "x", 3, "2024-05-01", 2, 50]]));
    }

    #[test]
    fn a_column_is_what_its_name_says_or_what_its_values_are() {
        let check = |name: &str, values: &[Value], expected| {
            assert_eq!(kind(name, values.iter()), expected, "{name} {values:?}");
        };
        check("visitors", &[], Kind::Whole);
        check("comparison.views_per_visit", &[json!(null)], Kind::Decimal);
        check("change.visitors", &[json!(3)], Kind::Decimal);
        check("visit:city", &[json!(3)], Kind::Whole);
        check("event:page", &[json!(null)], Kind::Text);
        check("unheard", &[json!(null), json!(1), json!(2)], Kind::Whole);
        check("unheard", &[json!(1), json!(2.5)], Kind::Decimal);
        check("unheard", &[json!("1")], Kind::Text);
        check("unheard", &[json!(null)], Kind::Text);
    }

    #[test]
    fn an_amount_of_money_is_a_number_beside_its_currency() {
        let names = ["total_revenue", "change.total_revenue"].map(str::to_owned).into();
        let money = json!({ "value": 12.5, "currency": "EUR", "short": "€12.5", "long": "€12.50" });
        let table = Table::new(names, vec![vec![money, json!(3)], vec![Value::Null, Value::Null]]);
        let names: Vec<_> = table.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["total_revenue", "total_revenue.currency", "change.total_revenue"]);
        assert_eq!(json!(table.rows()), json!([[12.5, "EUR", 3], [null, null, null]]));
    }

    #[test]
    fn an_answer_of_another_shape_is_no_table() {
        for answer in [json!(7), json!({"results": {}}), json!({"results": [], "query": {}})] {
            assert_eq!(Table::of_answer(&answer), None, "{answer}");
        }
    }
}
