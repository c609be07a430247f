//! Queries of both dialects, funnels and journeys: what is understood is SQL whose text has none of the
//! values, and says the same when it is asked again as it was understood.
//!
//! The first byte says what is asked; the rest is JSON or, for the older dialect, a query string.

#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use passerby::query::{
    Closed, Dialect, Funnel, Journey, Known, Query, QueryError, Statement, compile, compile_funnel,
    compile_journey, several, total_rows, v1,
};
use passerby::site::goal::{Goal, GoalKind};
use passerby::site::segment::Segment;
use passerby::site::{Site, SiteId};
use serde_json::{Value, json};

/// What stands in no text of ours.
const MARK: &str = "§";

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let goal = |name: &str, kind, currency: Option<&str>| Goal {
        name: name.to_owned(),
        kind,
        currency: currency.map(str::to_owned),
    };
    let segment = json!([["is", "visit:source", ["§Google"]]]);
    let zone = TimeZone::get("Europe/Berlin").expect("a time zone");
    let mut site = Site::new(SiteId(7), "example.com", zone);
    site.goals = vec![
        goal("Signup", GoalKind::Event("§Signup".to_owned()), None),
        goal("Buy", GoalKind::Event("§Buy".to_owned()), Some("EUR")),
        goal("Visit /a**", GoalKind::Page("/§a**".to_owned()), None),
        goal("Read", GoalKind::Scroll("/§b".to_owned(), 50), None),
    ];
    site.segments = vec![Segment {
        id: 7,
        name: "Searchers".to_owned(),
        filters: segment.as_array().cloned().unwrap_or_default(),
    }];
    site
});

fn known(dialect: Dialect) -> Known<'static> {
    let now = Timestamp::from_second(1_750_000_000).expect("a moment");
    let first_event = Timestamp::from_second(1_700_000_000).ok();
    Known { first_event, dialect, ..Known::new(&SITE, now) }
}

/// What is wrong is said of something, and in words.
fn told<T>(read: Result<T, QueryError>) -> Option<T> {
    let error = match read {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    assert!(!error.problems().is_empty());
    for problem in error.problems() {
        assert!(problem.pointer.starts_with('#') && !problem.message.is_empty(), "{error}");
    }
    None
}

fn check_statement(statement: &Statement) {
    let text = statement.text();
    assert!(!text.contains(MARK), "a value is in the text: {text}");
    // What is not ASCII is a name of a country, which is looked up by its code.
    assert!(text.is_ascii() || text.contains("transform("), "{text}");
    let mut depth = 0_i64;
    // Outside of quotes.
    for part in text.split('\'').step_by(2) {
        depth += part.matches('(').count() as i64 - part.matches(')').count() as i64;
        assert!(depth >= 0, "{text}");
    }
    assert_eq!(depth, 0, "{text}");
    for (name, value) in statement.params() {
        let place = format!("{{{name}:{}}}", value.type_name());
        assert!(text.contains(&place), "{place} is not in {text}");
    }
    let places = text.matches(":String}").count()
        + text.matches(":Array(String)}").count()
        + text.matches(":UInt64}").count();
    assert!(places >= statement.params().len());
}

fn statements(query: &Query) -> Vec<Statement> {
    let compared = query.compared();
    let filled = query.to_fill();
    let all = [Some(query), compared.as_ref(), Some(&filled)];
    let closed = Closed::none();
    let both = |query| [compile(query, &closed), total_rows(query, &closed)];
    all.into_iter().flatten().flat_map(both).collect()
}

fn check_query(value: &Value, dialect: Dialect) {
    let known = known(dialect);
    let Some(query) = told(Query::parse(value, &known)) else { return };
    let first = statements(&query);
    first.iter().for_each(check_statement);
    let wire = query.to_wire();
    let again = told(Query::parse(&wire, &known));
    let again = again.unwrap_or_else(|| panic!("its echo is not understood: {wire}"));
    assert!(statements(&again) == first, "its echo means something else: {wire}");
    assert_eq!(again.to_wire(), wire);
}

/// The value with a mark in every text that is compared with something, and in names of properties.
fn marked(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.split_once("event:props:") {
            Some((before, name)) => json!(format!("{before}event:props:{MARK}{name}")),
            None => value.clone(),
        },
        Value::Array(entries) => match entries.as_slice() {
            [operator, subject, Value::Array(values), rest @ ..] if operator.is_string() => {
                let mark = |value: &Value| match value {
                    Value::String(text) => json!(format!("{MARK}{text}")),
                    other => marked(other),
                };
                let values = json!(values.iter().map(mark).collect::<Vec<_>>());
                let head = [operator.clone(), marked(subject), values];
                json!(head.iter().chain(rest).cloned().collect::<Vec<_>>())
            }
            entries => json!(entries.iter().map(marked).collect::<Vec<_>>()),
        },
        Value::Object(parts) => {
            Value::Object(parts.iter().map(|(key, part)| (key.clone(), marked(part))).collect())
        }
        other => other.clone(),
    }
}

fn check_newer(value: &Value) {
    check_query(value, Dialect::V2);
    check_query(&marked(value), Dialect::V2);
}

fn check_older(kind: v1::Kind, text: &str) {
    let parameters: Vec<(String, String)> =
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let Some(value) = told(v1::translate(kind, &parameters, date(2025, 6, 15))) else { return };
    check_query(&value, Dialect::V1);
    check_query(&marked(&value), Dialect::V1);
}

fuzz_target!(|input: &[u8]| {
    let Some((&kind, rest)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    match kind {
        b'a' => return check_older(v1::Kind::Aggregate, &text),
        b't' => return check_older(v1::Kind::Timeseries, &text),
        b'b' => return check_older(v1::Kind::Breakdown, &text),
        _ => {}
    }
    let Ok(value) = serde_json::from_str::<Value>(&text) else { return };
    let known = known(Dialect::V2);
    match kind {
        b'f' => {
            for value in [&value, &marked(&value)] {
                if let Some(funnel) = told(Funnel::parse(value, &known)) {
                    check_statement(&compile_funnel(&funnel));
                }
            }
        }
        b'j' => {
            for value in [&value, &marked(&value)] {
                if let Some(journey) = told(Journey::parse(value, &known)) {
                    check_statement(&compile_journey(&journey));
                }
            }
        }
        b's' => {
            for (_, value) in told(several(&value)).unwrap_or_default() {
                check_newer(&value);
            }
        }
        _ => check_newer(&value),
    }
});
