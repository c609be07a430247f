//! What is wrong with the query that parameters came to, told of the parameters: whoever sent them knows neither the query
//! nor its pointers.

use super::{Asked, Kind, Parameters};
use crate::query::error::{Problem, QueryError};
use crate::query::metric::Metric;

/// The problems with a query that was translated, in the words of the parameters of its request.
pub fn in_its_words(error: QueryError, kind: Kind, parameters: &Parameters) -> QueryError {
    error.told_otherwise(|problem| told(problem, kind, parameters))
}

fn told(Problem { pointer, message }: Problem, kind: Kind, parameters: &Parameters) -> Problem {
    let part = pointer.split('/').nth(1).unwrap_or_default();
    let (pointer, message) = match part {
        "metrics" => (pointer, with_its_metrics(&message)),
        "dimensions" if kind == Kind::Timeseries => (
            "#/interval".into(),
            message.replace("Invalid dimension \"time:", "Invalid interval \""),
        ),
        "dimensions" | "order_by" => ("#/property".into(), with_its_properties(&message)),
        "filters" => ("#/filters".into(), with_its_properties(&message)),
        "date_range" => {
            let rule = message.rsplit_once(": ").map_or("", |(_, rule)| rule);
            let date = Asked::value(parameters, "date").unwrap_or_default();
            ("#/date".into(), format!("Invalid date {date:?}: {rule}"))
        }
        "include" => ("#/compare".into(), message),
        "pagination" => ("#/page".into(), message),
        _ => (pointer, message),
    };
    Problem { pointer, message }
}

/// This dialect has one name for both rates of conversion.
fn with_its_metrics(message: &str) -> String {
    let named = |metric: Metric| format!("Invalid metric {:?}", metric.spec().name);
    message.replacen(&named(Metric::GroupConversionRate), &named(Metric::ConversionRate), 1)
}

fn with_its_properties(message: &str) -> String {
    message.replacen("Invalid dimension", "Invalid property", 1)
}
