//! The parts of a query that are about its answer: order, extras, and which rows.

use serde_json::Value;

use super::{
    Breakdown, Include, LIMIT_MAX, Order, OrderKey, Page, each, entries, refuse_other_keys,
};
use crate::query::comparison::Comparison;
use crate::query::dimension::GOAL;
use crate::query::error::{Problems, child, shown, whole};
use crate::query::measure::Measure;

/// What is asked for or, when nothing is: time first, then the first metric from the greatest.
pub(super) fn order(
    value: Option<&Value>,
    metrics: &[Measure],
    dimensions: &[Breakdown],
    problems: &mut Problems,
) -> Option<Vec<Order>> {
    let asked = match value {
        None => &[] as &[Value],
        Some(value) => entries(value, "order_by", problems)?,
    };
    if asked.is_empty() {
        let time = dimensions.iter().position(Breakdown::is_time);
        let time = time.map(|index| Order { key: OrderKey::Dimension(index), descending: false });
        let key = match metrics {
            [Measure::Metric(metric)] if metric.is_sorted_by_visitors() => OrderKey::Visitors,
            _ => OrderKey::Metric(0),
        };
        return Some(time.into_iter().chain([Order { key, descending: true }]).collect());
    }
    each(asked, |index, entry| {
        order_entry(entry, &format!("#/order_by/{index}"), metrics, dimensions, problems)
    })
}

fn order_entry(
    entry: &Value,
    pointer: &str,
    metrics: &[Measure],
    dimensions: &[Breakdown],
    problems: &mut Problems,
) -> Option<Order> {
    let [Value::String(name), Value::String(direction)] =
        entry.as_array().map_or(&[] as &[Value], Vec::as_slice)
    else {
        let message = format!(
            "Invalid order_by {}: a metric or dimension and \"asc\" or \"desc\".",
            shown(entry)
        );
        return problems.note(pointer, message);
    };
    let descending = match direction.as_str() {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => problems.note(
            format!("{pointer}/1"),
            format!("Invalid direction {direction:?}: \"asc\" or \"desc\"."),
        ),
    };
    let metric =
        metrics.iter().position(|metric| metric.to_string() == *name).map(OrderKey::Metric);
    let wanted = Breakdown::named(name);
    let dimension = || {
        dimensions
            .iter()
            .position(|dimension| Some(dimension) == wanted.as_ref())
            .map(OrderKey::Dimension)
    };
    if name == GOAL {
        return problems.note(
            format!("{pointer}/0"),
            format!("Invalid order_by {name:?}: rows cannot be sorted by goal."),
        );
    }
    let key = metric.or_else(dimension).or_else(|| {
        let message = format!(
            "Invalid order_by {name:?}: it is neither a metric nor a dimension of this query."
        );
        problems.note(format!("{pointer}/0"), message)
    });
    Some(Order { key: key?, descending: descending? })
}

/// The keys of `include`.
const INCLUDE_KEYS: [&str; 5] =
    ["imports", "time_labels", "total_rows", "zero_fill", "comparisons"];

pub(super) fn include(value: Option<&Value>, problems: &mut Problems) -> Option<Include> {
    let mut include = Include::default();
    let Some(value) = value else { return Some(include) };
    let Some(parts) = value.as_object() else {
        return problems.note("#/include", format!("Invalid include {}: an object.", shown(value)));
    };
    refuse_other_keys(parts, &INCLUDE_KEYS, "#/include", "include", problems);
    for (key, value) in parts.iter().filter(|(key, _)| INCLUDE_KEYS.contains(&key.as_str())) {
        if key == "comparisons" {
            include.comparison = Comparison::parse(value, "#/include/comparisons", problems);
            continue;
        }
        let Some(wanted) = value.as_bool() else {
            problems.note::<()>(
                child("#/include", key),
                format!("Invalid {key} {}: true or false.", shown(value)),
            );
            continue;
        };
        match key.as_str() {
            "imports" => include.imports = wanted,
            "time_labels" => include.time_labels = wanted,
            "zero_fill" => include.zero_fill = wanted,
            _ => include.total_rows = wanted,
        }
    }
    Some(include)
}

pub(super) fn page(value: Option<&Value>, problems: &mut Problems) -> Option<Page> {
    let mut page = Page { limit: LIMIT_MAX, offset: 0 };
    let Some(value) = value else { return Some(page) };
    let Some(parts) = value.as_object() else {
        return problems
            .note("#/pagination", format!("Invalid pagination {}: an object.", shown(value)));
    };
    refuse_other_keys(parts, &["limit", "offset"], "#/pagination", "pagination", problems);
    if let Some(limit) = parts.get("limit") {
        let wanted = whole(limit).filter(|limit| (1..=LIMIT_MAX).contains(limit));
        let message =
            || format!("Invalid limit {}: a whole number from 1 to {LIMIT_MAX}.", shown(limit));
        page.limit = wanted.or_else(|| problems.note("#/pagination/limit", message()))?;
    }
    if let Some(offset) = parts.get("offset") {
        let message = || format!("Invalid offset {}: a whole number from 0.", shown(offset));
        page.offset = whole(offset).or_else(|| problems.note("#/pagination/offset", message()))?;
    }
    Some(page)
}
