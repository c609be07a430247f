//! An answer as rows and columns.

use serde_json::{Value, json};

use crate::query::dimension::Field;
use crate::query::measure::Measure;
use crate::query::metric::Unit;

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
    /// A table with these columns and rows; a row that is too short is filled up with nulls. The first so many columns are
    /// of dimensions, whatever they are called: a property may have the name of a metric.
    pub fn new(dimensions: usize, names: Vec<String>, mut rows: Vec<Vec<Value>>) -> Self {
        rows.iter_mut().for_each(|row| row.resize(names.len(), Value::Null));
        let column = |(index, name): (usize, String)| {
            let values = rows.iter().map(|row| &row[index]);
            let kind = match index < dimensions {
                true => kind_of_dimension(&name, values),
                false => kind(&name, values),
            };
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
        let rows = results.iter().map(row).collect();
        Some(Self::new_with_amounts(dimensions.len(), columns, rows))
    }

    /// As [`Self::new`], with each amount of money as a number, and its currency in the next column.
    pub fn new_with_amounts(
        dimensions: usize,
        mut names: Vec<String>,
        mut rows: Vec<Vec<Value>>,
    ) -> Self {
        let of_money = (dimensions..names.len()).filter(|index| is_of_money(&names[*index]));
        for index in of_money.rev().collect::<Vec<_>>() {
            names.insert(index + 1, format!("{}_currency", names[index]));
            for row in &mut rows {
                let mut amount = row[index].take();
                row[index] = amount["value"].take();
                row.insert(index + 1, amount["currency"].take());
            }
        }
        Self::new(dimensions, names, rows)
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

fn names(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// The unit of a column of numbers, or of those that they are compared with.
fn unit(name: &str) -> Option<Unit> {
    let name = name.strip_prefix("comparison.").unwrap_or(name);
    Measure::named(name).map(|measure| measure.unit())
}

fn is_of_money(name: &str) -> bool {
    unit(name) == Some(Unit::Money)
}

/// By its name, where that is known, so that it hangs on the values only where it must.
fn kind<'a>(name: &str, values: impl Iterator<Item = &'a Value>) -> Kind {
    if name.starts_with("change.") {
        return Kind::Decimal;
    }
    if let Some(unit) = unit(name) {
        return match unit {
            Unit::Count | Unit::Seconds | Unit::Percent(0) => Kind::Whole,
            Unit::Percent(_) | Unit::Ratio | Unit::Number | Unit::Money => Kind::Decimal,
        };
    }
    kind_of_dimension(name.strip_prefix("comparison.").unwrap_or(name), values)
}

/// The same of a column that is known to be of a dimension.
fn kind_of_dimension<'a>(name: &str, mut values: impl Iterator<Item = &'a Value>) -> Kind {
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
    fn an_amount_is_a_number_with_its_currency_beside_it() {
        let amount =
            json!({ "value": 12.5, "currency": "EUR", "short": "€12.5", "long": "€12.50" });
        let answer = json!({
            "results": [
                { "dimensions": ["a"], "metrics": [1, amount, 2] },
                { "dimensions": ["b"], "metrics": [1, null, 2] },
            ],
            "query": { "dimensions": ["event:goal"], "metrics": ["visitors", "total_revenue", "visits"] },
        });
        let table = Table::of_answer(&answer).unwrap();
        let names: Vec<_> = table.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names[2..4], ["total_revenue", "total_revenue_currency"]);
        assert_eq!(json!(table.rows()), json!([["a", 1, 12.5, "EUR", 2], ["b", 1, null, null, 2]]));
        assert_eq!(table.columns()[2].kind, Kind::Decimal);
    }

    #[test]
    fn a_column_of_a_dimension_is_none_of_a_metric_that_is_called_so() {
        let names = ["total_revenue", "change.plan", "visitors"].map(str::to_owned).to_vec();
        let rows = vec![vec![json!("high"), json!("x"), json!(3)]];
        let table = Table::new_with_amounts(2, names.clone(), rows.clone());
        let told: Vec<_> = table.columns().iter().map(|column| column.name.clone()).collect();
        assert_eq!((told, table.rows()), (names, rows.as_slice()));
        let kinds: Vec<Kind> = table.columns().iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [Kind::Text, Kind::Text, Kind::Whole]);
    }

    #[test]
    fn an_answer_of_another_shape_is_no_table() {
        for answer in [json!(7), json!({"results": {}}), json!({"results": [], "query": {}})] {
            assert_eq!(Table::of_answer(&answer), None, "{answer}");
        }
    }
}
