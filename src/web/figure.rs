//! A headline figure: a metric of the view, and how it has changed.

use serde_json::Value;

use super::ask::Asker;
use super::columns::less_is_better;
use super::format::number;
use super::words::{Lang, fill, names};
use crate::query::metric::{Metric, Unit};
use crate::report::is_in_points;

/// A metric at the head of the page.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) exact: String,
    pub(super) change: Option<Change>,
    /// The view whose chart shows it.
    pub(super) url: String,
    pub(super) is_current: bool,
    /// The page that explains it.
    pub(super) why: String,
    pub(super) why_label: String,
}

/// How much a metric has changed since the period before.
pub(super) struct Change {
    pub(super) text: String,
    /// `better`, `worse` or `same`.
    pub(super) mood: &'static str,
}

impl Figure {
    /// The metric at a place of a result.
    pub(super) fn of(
        asker: &Asker,
        metric: Metric,
        place: usize,
        result: &Value,
        shown: Metric,
    ) -> Self {
        let value = &result["metrics"][place];
        let view = asker.view.with_metric(metric);
        Self {
            label: names::metric(asker.lang, metric),
            value: asker.lang.figure(metric, value),
            exact: asker.lang.exact(metric, value),
            change: changed(asker.lang, metric, place, result),
            is_current: metric == shown,
            why: format!("{}/why{}", asker.home(), view.url()),
            why_label: fill(asker.words().why_of, &[names::metric(asker.lang, metric)]),
            url: view.url(),
        }
    }
}

/// How the metric at a place of a result has changed, in words and mood; nothing where that has no number.
pub(super) fn changed(lang: Lang, metric: Metric, place: usize, result: &Value) -> Option<Change> {
    let (now, compared) = (&result["metrics"][place], &result["comparison"]);
    let before = &compared["metrics"][place];
    // The query language calls it 100 % more, which is what twice as much is called, too.
    let is_new = !before.is_null() && number(before) == 0.0 && number(now) > 0.0;
    if is_new && !is_in_points(metric) {
        let text = lang.words().grown_from_nothing.to_owned();
        return Some(Change { text, mood: "same" });
    }
    change(lang, metric, &compared["change"][place])
}

/// More than so many percent are not told to the last digit where there is little room.
const MUCH_PERCENT: f64 = 999.0;

/// The same of a count, where there is little room.
pub(super) fn changed_briefly(
    lang: Lang,
    metric: Metric,
    place: usize,
    result: &Value,
) -> Option<Change> {
    let whole = changed(lang, metric, place, result)?;
    let text = match result["comparison"]["change"][place].as_f64() {
        Some(0.0) => lang.percent(0.0, 0),
        Some(change) if change > MUCH_PERCENT && whole.mood != "same" => {
            format!("> +{}", lang.percent(MUCH_PERCENT, 0))
        }
        _ => whole.text,
    };
    Some(Change { text, ..whole })
}

fn change(lang: Lang, metric: Metric, change: &Value) -> Option<Change> {
    let change = change.as_f64()?;
    let (sign, is_better) = match change {
        ..0.0 => ('\u{2212}', less_is_better(metric)),
        0.0 => {
            return Some(Change { text: lang.words().no_change.to_owned(), mood: "same" });
        }
        _ => ('+', !less_is_better(metric)),
    };
    let amount = match metric.spec().unit {
        Unit::Percent(decimals) if is_in_points(metric) => {
            let number = lang.decimal(change.abs(), usize::from(decimals.min(1)));
            format!("{number}\u{a0}{}", lang.words().points)
        }
        _ => lang.percent(change.abs(), 0),
    };
    Some(Change {
        text: format!("{sign}{amount}"),
        mood: if is_better { "better" } else { "worse" },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_better_or_worse_by_its_metric() {
        let told = |metric, by: Value| {
            change(Lang::English, metric, &by).map(|change| (change.text, change.mood))
        };
        assert_eq!(told(Metric::Visitors, json!(12)), Some(("+12%".to_owned(), "better")));
        assert_eq!(told(Metric::Visitors, json!(-3)), Some(("\u{2212}3%".to_owned(), "worse")));
        assert_eq!(told(Metric::BounceRate, json!(4)), Some(("+4\u{a0}pts".to_owned(), "worse")));
        assert_eq!(told(Metric::BounceRate, json!(-4)).unwrap().1, "better");
        assert_eq!(told(Metric::ScrollDepth, json!(25)), Some(("+25%".to_owned(), "better")));
        assert_eq!(told(Metric::Visitors, json!(0)), Some(("no change".to_owned(), "same")));
        assert_eq!(told(Metric::Visitors, Value::Null), None);
    }

    #[test]
    fn where_there_is_little_room_a_change_is_a_few_digits() {
        let told = |before: Value, now: Value, change: Value| {
            let compared = json!({ "metrics": [before], "change": [change] });
            let result = json!({ "metrics": [now], "comparison": compared });
            let change = changed_briefly(Lang::English, Metric::Visitors, 0, &result);
            change.map(|change| (change.text, change.mood))
        };
        for (before, now, change, text, mood) in [
            (json!(50), json!(56), json!(12), "+12%", "better"),
            (json!(20), json!(19), json!(-5), "\u{2212}5%", "worse"),
            (json!(0), json!(3), json!(100), "new", "same"),
            (json!(3), json!(3), json!(0), "0%", "same"),
            (json!(1), json!(500), json!(49_900), "> +999%", "better"),
        ] {
            assert_eq!(told(before, now, change), Some((text.to_owned(), mood)));
        }
        assert_eq!(told(Value::Null, json!(3), Value::Null), None);
    }

    #[test]
    fn what_has_come_from_nothing_is_new_and_has_not_doubled() {
        let told = |metric, before: Value, now: Value, change: Value| {
            let compared = json!({ "metrics": [before], "change": [change] });
            let result = json!({ "metrics": [now], "comparison": compared });
            changed(Lang::English, metric, 0, &result).map(|change| (change.text, change.mood))
        };
        let new = Some(("new".to_owned(), "same"));
        assert_eq!(told(Metric::Visitors, json!(0), json!(3), json!(100)), new);
        assert_eq!(told(Metric::Visitors, json!(3), json!(6), json!(100)).unwrap().0, "+100%");
        assert_eq!(told(Metric::Visitors, json!(0), json!(0), json!(0)).unwrap().0, "no change");
        let points = told(Metric::BounceRate, json!(0), json!(50), json!(50));
        assert_eq!(points.unwrap().0, "+50\u{a0}pts");
        assert_eq!(told(Metric::Visitors, Value::Null, json!(3), Value::Null), None);
    }
}
