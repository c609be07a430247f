//! The answer to a funnel: of each step, who reached it, and who did not go on to it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::comparison::{counterparts, key};
use super::{AskError, refuse_the_floored, when_it_began};
use crate::query::{Funnel, Known, Step, compile_funnel, is_of_all_time};
use crate::store::{Store, StoreError};

/// Answers a funnel in its wire form.
///
/// # Errors
/// As [`super::ask`].
pub async fn ask_funnel(store: &Store, known: Known<'_>, body: &Value) -> Result<Value, AskError> {
    refuse_the_floored(&known, "a funnel")?;
    let first_event = match is_of_all_time(body) {
        true => when_it_began(store, known.site).await?,
        false => None,
    };
    let funnel = Funnel::parse(body, &Known { first_event, ..known })?;
    let other = funnel.compared();
    let others = async {
        match &other {
            Some(other) => read(store, other).await,
            None => Ok(Vec::new()),
        }
    };
    let (rows, others) = tokio::try_join!(read(store, &funnel), others)?;
    let mut results: Vec<Value> = rows.iter().map(|row| row.to_wire(&funnel)).collect();
    if let Some(other) = &other {
        let others = paired(&rows, &funnel, others, other);
        for (result, row) in results.iter_mut().zip(others) {
            result["comparison"] = row.map(|row| row.to_wire(&funnel)).unwrap_or_default();
        }
    }
    Ok(json!({ "results": results, "meta": {}, "query": funnel.to_wire() }))
}

/// The visitors who reached each step, of one value of the dimension.
struct Row {
    dimensions: Vec<Value>,
    visitors: Vec<u64>,
}

async fn read(store: &Store, funnel: &Funnel) -> Result<Vec<Row>, StoreError> {
    let rows = store.select(&compile_funnel(funnel)).await?;
    let row = |mut dimensions: Vec<Value>| {
        let steps = dimensions.split_off(funnel.base().dimensions().len().min(dimensions.len()));
        let visitors = steps.iter().map(|number| number.as_u64().unwrap_or(0)).collect();
        Row { dimensions, visitors }
    };
    Ok(rows.into_iter().map(row).collect())
}

/// The rows of the other period that belong to the rows, in their order; none where it has no such bucket of time.
fn paired(rows: &[Row], funnel: &Funnel, others: Vec<Row>, other: &Funnel) -> Vec<Option<Row>> {
    let counterparts = counterparts(funnel.base(), other.base());
    let mut known: HashMap<String, Row> =
        others.into_iter().map(|row| (key(&row.dimensions), row)).collect();
    let pair = |row: &Row| {
        let (dimensions, is_there) = counterparts.of(&row.dimensions);
        if !is_there {
            return None;
        }
        let there = known.remove(&key(&dimensions));
        Some(there.unwrap_or_else(|| Row { dimensions, visitors: vec![0; row.visitors.len()] }))
    };
    rows.iter().map(pair).collect()
}

impl Row {
    fn to_wire(&self, funnel: &Funnel) -> Value {
        let first = self.visitors.first().copied().unwrap_or(0);
        let befores = [None].into_iter().chain(self.visitors.iter().copied().map(Some));
        let steps = funnel.steps().iter().zip(&self.visitors).zip(befores);
        let steps: Vec<Value> =
            steps.map(|((step, visitors), before)| told(step, *visitors, first, before)).collect();
        json!({ "dimensions": self.dimensions, "steps": steps })
    }
}

/// A step: `before` it there were so many visitors, unless it is the first.
fn told(step: &Step, visitors: u64, first: u64, before: Option<u64>) -> Value {
    let lost = before.map(|before| before.saturating_sub(visitors));
    json!({
        "name": step.name(),
        "visitors": visitors,
        "conversion_rate": percent(visitors, first),
        "step_conversion_rate": before.map(|before| percent(visitors, before)),
        "drop_off": lost,
        "drop_off_rate": before.zip(lost).map(|(before, lost)| percent(lost, before)),
    })
}

/// Percent, to two decimals; of nothing, none.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    (part as f64 / whole as f64 * 10_000.0).round_ties_even() / 100.0
}
