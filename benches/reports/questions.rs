//! What is asked: the queries of a site's page over the last twelve months, without a filter and with some.

use serde_json::{Value, json};

/// The year that is asked about.
const PERIOD: &str = "12mo";

/// One question.
pub(crate) struct Question {
    /// What it is, for people.
    pub(crate) name: String,
    /// Its line of the chart of growth, if it has one.
    pub(crate) line: Option<&'static str>,
    pub(crate) form: Form,
}

/// How a question is put.
pub(crate) enum Form {
    /// To the reporting API.
    Query(Value),
    /// To the dashboard.
    Page(String),
}

/// All of them: the page as a whole comes first, so that its cold answer is the first of a new collector.
pub(crate) fn questions() -> Vec<Question> {
    let page = |name: &str, filter: &str, line| Question {
        name: format!("the whole page, {name}"),
        line,
        form: Form::Page(format!("?period={PERIOD}{filter}")),
    };
    let mut all = vec![
        page("unfiltered", "", Some("the whole page")),
        page("one source", "&filter=is,visit:source,Google", Some("the whole page, one source")),
        page("one page", "&filter=is,event:page,/pricing", None),
    ];
    let filters =
        [("unfiltered", json!([])), ("one source", json!([["is", "visit:source", ["Google"]]]))];
    for (filtered, filters) in filters {
        let is_plain = filtered == "unfiltered";
        all.extend(of_page().into_iter().map(|(name, line, mut query)| {
            query["site_id"] = json!("demo.example");
            query["date_range"] = json!(PERIOD);
            let own = query["filters"].as_array().into_iter().flatten();
            query["filters"] =
                filters.as_array().into_iter().flatten().chain(own).cloned().collect();
            Question {
                name: format!("{name}, {filtered}"),
                line: line.filter(|_| is_plain),
                form: Form::Query(query),
            }
        }));
    }
    all
}

/// The queries of a site's page.
fn of_page() -> Vec<(&'static str, Option<&'static str>, Value)> {
    let list = |dimension: &str, second: &str| json!({"metrics": ["visitors", second], "dimensions": [dimension], "pagination": {"limit": 9}});
    let without = |mut query: Value, value: &str| {
        let dimension = query["dimensions"][0].clone();
        query["filters"] = json!([["is_not", dimension, [value]]]);
        query
    };
    let attention = json!({
        "metrics": ["visitors", "time_on_page", "scroll_depth"], "dimensions": ["event:page"], "pagination": {"limit": 9},
    });
    vec![
        (
            "headline figures",
            None,
            json!({"metrics": ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"]}),
        ),
        ("attention by page", None, attention),
        (
            "visitors by day",
            Some("visitors by day"),
            json!({"metrics": ["visitors"], "dimensions": ["time:day"]}),
        ),
        ("visitors by hour", None, json!({"metrics": ["visitors"], "dimensions": ["time:hour"]})),
        ("sources", Some("sources"), list("visit:source", "percentage")),
        ("pages", Some("pages"), list("event:page", "percentage")),
        (
            "bounces and durations by entry page",
            Some("bounces by entry page"),
            json!({"metrics": ["visitors", "bounce_rate", "visit_duration"], "dimensions": ["visit:entry_page"]}),
        ),
        (
            "map",
            None,
            json!({"metrics": ["visitors"], "dimensions": ["visit:country", "visit:country_name"], "pagination": {"limit": 300}}),
        ),
        ("cities", None, list("visit:city_name", "percentage")),
        ("browsers", None, list("visit:browser", "percentage")),
        ("campaigns", None, without(list("visit:utm_campaign", "percentage"), "(not set)")),
        ("events", None, without(list("event:name", "events"), "pageview")),
        (
            "goals",
            None,
            json!({"metrics": ["visitors", "conversion_rate", "total_revenue"], "dimensions": ["event:goal"]}),
        ),
    ]
}
