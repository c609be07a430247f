//! The reference of the reporting API, written from the registries: `docs/api.md` is this text, and an
//! integration test holds the two together.

use super::dimension::{DIRECT_OR_NONE, Field, Home, NO_PROPERTY, NOT_SET};
use super::interval::Interval;
use super::measure::Statistic;
use super::metric::{Formula, Metric, Unit};
use super::paths::REFERENCE;

/// What comes before the tables.
const ASKING: &str = r##"# The reporting API

One question, one answer: `POST /api/v2/query` with a JSON object, and a token that may read the site's reports
(`passerby token create --scope stats --site example.com`).

```sh
curl http://127.0.0.1:8000/api/v2/query -H "Authorization: Bearer $token" -d '{
  "site_id": "example.com",
  "metrics": ["visitors", "bounce_rate"],
  "date_range": "30d",
  "dimensions": ["visit:source"],
  "filters": [["is_not", "visit:country", ["DE"]]],
  "pagination": { "limit": 10 }
}'
```

```json
{
  "results": [{ "metrics": [1970, 47], "dimensions": ["Google"] }],
  "meta": {},
  "query": { "site_id": "example.com", "metrics": ["visitors", "bounce_rate"], "…": "…" }
}
```

`results` has a row for each combination of the dimensions' values, and exactly one row without dimensions. The
numbers of a row are in the order of `metrics`, its values in the order of `dimensions`. `query` is the question as it
was understood, with its dates; asked again as it stands, it has the same answer. `passerby query` asks the same
questions and prints the answer as a table. The JSON schema is at `/api/docs/query/schema.json`;
those of the other questions below are at `/api/docs/{queries,funnel,journey}/schema.json`, and that of every route is `/openapi.json`.

## The parts of a question

| Key | | |
|---|---|---|
| `site_id` | required | The domain of the site. |
| `metrics` | required | What is counted: one or more of the metrics below. |
| `date_range` | required | Of what time; see below. |
| `dimensions` | | What it is broken down by. |
| `filters` | | Which events and visits count; all entries must hold. |
| `order_by` | | `[["visitors", "desc"], ["visit:source", "asc"]]`; by default time, then the first metric from the greatest. |
| `include` | | `time_labels`: every bucket of the period in `meta.time_labels`; `total_rows`: the number of rows without pagination in `meta.total_rows`; `zero_fill`: a row for every bucket of the period, also where nothing happened, and with further dimensions for each of their values that occur (100000 rows at most); `comparisons`: see below. |
| `pagination` | | `limit` (1 to 10000, which is the default) and `offset`. |

A token that is told no small numbers (`least_visitors`) may ask less, and is answered with rounded numbers and a row `(other)`:
[sharing.md](sharing.md).

### Several questions

`{ "site_id": "example.com", "queries": { "today": { "metrics": ["visitors"], "date_range": "day" }, … } }`, with 1 to 25
queries by names of your own and without a `site_id`, is answered with `{ "results": { "today": …, … } }`: for each
what it is answered alone, or `{ "error": "…" }` with pointers that begin at that query.

### date_range

In the site's time zone; both ends are within.

| Form | |
|---|---|
| `"day"` | Today. |
| `"24h"` | The 24 hours until now. |
| `"7d"`, `"30d"`, `"<n>d"` | So many whole days, ending yesterday: 1 to 5000. |
| `"month"`, `"year"` | The current month or year, through its end. |
| `"12mo"`, `"<n>mo"` | So many months with the current one, through its end: 1 to 100. |
| `"all"` | From the first event to today; for who is told no small numbers, from the first day that is told. |
| `["2024-01-01", "2024-01-31"]` | These days. |
| `["2024-01-01T12:00:00+01:00", "2024-01-01T13:00:00+01:00"]` | Exactly this time. |

### filters

`[operator, dimension, [value, …]]`: one of the values is enough. For all but patterns a fourth element
`{ "case_sensitive": false }` may follow.

| Operator | Holds when the dimension |
|---|---|
| `is`, `is_not` | is one of the values, or none |
| `contains`, `contains_not` | contains one of them, or none |
| `starts_with`, `starts_with_not`, `ends_with`, `ends_with_not` | begins or ends with one of them, or with none |
| `matches`, `matches_not` | has a match of one of these regular expressions (RE2), or none |
| `matches_wildcard`, `matches_wildcard_not` | is wholly matched by one of these patterns, or none: `*` is anything, `\|` is or, and `\\|` a bar |
| `is_set`, `is_not_set` | is there and no blank, or not: `["is_set", "visit:utm_source"]`, without values |

Filters nest: `["and", [filter, …]]`, `["or", [filter, …]]`, `["not", filter]`; and `["has_done", filter]` and
`["has_not_done", filter]` hold for the visits in which such an event happened, or none did. A blank is found by the
name that reports give it. Codes of countries may be in either case, and `""` or `(not set)` is none.
`["is", "segment", [7]]` stands for the filters that the site saved as segment 7 (`passerby segment`); of several segments one is
enough.

### comparisons

`"include": { "comparisons": { "mode": "previous_period" } }` sets each row beside the same row of another time:
`previous_period`, `year_over_year`, or `custom` with a `date_range` of two ends; `"match_day_of_week": true` moves it to
begin on the same day of the week. A period that goes on, such as `"day"` or `"month"`, is compared with the whole of the
other one, though only part of it is over. The dashboard compares with as much of the other one, which is asked for by
`custom`. Each row then has `comparison: { dimensions, metrics, change }`, the change in
percent, and of rates in points; null where the site does not keep all of the other period any more.

A bucket of time is compared with the one at the same place of the other period: the third week with the third, the second month
with the second, though the period may cut the first or the last of them elsewhere (`match_day_of_week` cuts weeks alike); and what is
shorter than a day with the one that is as far on the clock from where the period begins, so that a change of the clock moves no
hour. Where the other period has no bucket at the place (it has a week fewer, or its clock left out that hour), all of `metrics` and
`change` are null, and so is the time among the `dimensions`. Hours of the day and days of the week are compared with the same ones.

"##;

/// What is to be said of the metrics that are about numbers.
const OF_NUMBERS: &str = "
What is counted of a property is counted of the events that have a number as that property, whole or with decimals;
other values are left out, and without any number it is null. It is not by entry or exit page. Medians and other
quantiles are exact, and interpolated between two numbers.
";

/// What comes after the tables.
const ANSWERS: &str = r##"## Goals and revenue

A site sets goals up by `passerby goal` or over HTTP (docs/sites.md): a custom event, the view of a page, or a page
scrolled so far down. `event:goal` is their names; one event counts for each goal that it meets. Under `is` every goal
must be one of the site's; under `contains` there may be none. Scrolling is no event: a goal of it has no `events`.

A goal of an event may have a currency. Only then is the amount kept that such an event brings, in the currency in
which it was paid; there are no exchange rates here, so `total_revenue` and `average_revenue` leave out what was paid in
a currency that is not the goal's. An amount is `{"value": 67.066, "currency": "USD", "short": "$67.1", "long": "$67.07"}`.
By `event:goal` each row is in the currency of its goal. Otherwise the goals in question (those of a filter on
`event:goal`, else all) must be in one: where they are in several, or none has one, the metrics are null, and
`meta.metric_warnings` says `no_single_revenue_currency` or `no_revenue_goals_matching`.

## The form of an answer

JSON, unless the parameter `format` (`POST /api/v2/query?format=csv`) or, without it, the header `Accept` asks for
another one. `passerby query … --format csv` prints the same.

| `format` | Media type | |
|---|---|---|
| `json` | `application/json` | As above. |
| `csv` | `text/csv; charset=utf-8` | RFC 4180, with a header. An apostrophe stands before text that a spreadsheet would compute: what begins with `=`, `+`, `-`, `@` or a control character. |
| `ndjson` | `application/x-ndjson` | A JSON object a row, by the names of the columns. |
| `parquet` | `application/vnd.apache.parquet` | Text, 64-bit whole numbers and doubles. |

Columns have the names of the query: dimensions, then metrics. A comparison adds `comparison.<time>`,
`comparison.<metric>` and `change.<metric>`; an amount of money is a number, with `<metric>_currency` behind it. Another
`format` is 400; a header that takes none of them, 406.

Every report has a strong `ETag`, and `Cache-Control: private, no-cache`: keep it, but ask whether it still holds. With
`If-None-Match` the answer is 304 without a body as long as it does, to a posted query, too. That a period is over does
not mean that its report stays: an import brings older events, and an erasure takes some away.

## When there is no answer

`{ "error": "…" }`, with status 400 when the question is wrong: a line for each thing that is, with the JSON pointer to
it, what was found there, and the rule: `#/metrics/1: Invalid metric "baa"`; of the older dialect with the name of the parameter. 415 means that
the body is compressed; 401 means that the token is missing or does
not open the site, whether or not there is such a site; 422 that the question needs more time or memory than one may
use; 503 that the database does not answer at the moment.

## The older dialect

`GET /api/v1/stats/…?site_id=example.com&period=30d&metrics=visitors,bounce_rate`, with the same token and the same
numbers, for clients that ask so already.

| Route | Answer |
|---|---|
| `realtime/visitors` | A number: the visitors who did something in the last five minutes. |
| `aggregate` | `{"results": {"visitors": {"value": 3}}}`; with `compare=previous_period` also `comparison_value` and `change`. |
| `timeseries` | `{"results": [{"date": "2024-05-01", "visitors": 3}, …]}` with every bucket; `interval` is `day` (or `date`) or `month`. |
| `breakdown` | `{"results": [{"source": "Google", "visitors": 3}, …]}` by `property`; `limit` up to 1000 (default 100), `page` from 1. Without the rows of unknown places, campaigns, entry and exit pages. |

`period` is `day`, `7d`, `30d` (the default), `month`, `6mo`, `12mo` of `date` (default today), or `custom` with
`date=2024-01-01,2024-01-31`. `filters` is `visit:source==Google|Bing;event:page!=/blog/**`: `;` is and, `|` is or, `\|` a bar,
and `*` anything; but a goal is found by its name, stars and all, and by `==` alone. `with_imported` has no effect. `time_on_page` is not told beside `event:name` and `event:goal`.

## Where numbers differ

- A person is a new visitor every day of the site: the visitors of a month are the sum of its days', but for visits over
  midnight, and but for imported events: whom a file names by the same `visitor` ([events.md](events.md)) is one visitor over
  all its days, and counts once a month. On sites under the profile `cnil` these are new every day as well.
- What a visit has (bounce rate, duration, entry and exit page) is of the whole visit, though only part of it be within
  the period. By day and longer, and by day of the week, a visit counts where it was last active, by hour and what is
  shorter wherever it was under way.
- With page views or events among the metrics, visitors and visits are counted from these; without them, from visits. At
  the edges of a period or a bucket the two may differ by the visits that reach over it.
- Events of visitors who asked not to be recognised count as page views and events, and not as visitors or visits.
"##;

/// The whole text, as Markdown.
pub fn reference() -> String {
    [ASKING, &metrics(), &dimensions(), REFERENCE, ANSWERS].concat()
}

fn metrics() -> String {
    let mut text = String::from("## Metrics\n\n| Metric | Unit | | Example |\n|---|---|---|---|\n");
    for metric in Metric::ALL {
        let spec = metric.spec();
        let limits = match spec.formula {
            _ if *metric == Metric::ViewsPerVisit => " Not by dimensions.",
            Formula::Visits(_) => {
                " Not by event dimensions, save `event:page`, where it is by entry page."
            }
            Formula::Events(_) if spec.unit == Unit::Money => {
                " Null, with a warning in `meta.metric_warnings`, where no goal has a currency or several differ."
            }
            Formula::Events(_) => " Not by entry or exit page.",
            Formula::Engagement(_) => {
                " Needs `event:page` as a dimension or a filter. Null where nothing was told."
            }
            _ if *metric == Metric::ExitRate => " Only by `visit:exit_page`.",
            _ if needs_goal(*metric) => " Needs `event:goal` as a dimension or a filter.",
            Formula::Either { .. } | Formula::Share { .. } => "",
        };
        let (name, unit, doc) = (spec.name, unit(spec.unit), spec.doc.trim());
        text += &format!("| `{name}` | {unit} | {doc}{limits} | `{}` |\n", spec.example);
    }
    for statistic in Statistic::ALL {
        let (name, doc) = (statistic.name(), statistic.doc().trim());
        let unit = unit(Unit::Number);
        text += &format!("| `{name}:event:props:<name>` | {unit} | {doc} | `12.5` |\n");
    }
    text + OF_NUMBERS + "\n"
}

fn needs_goal(metric: Metric) -> bool {
    matches!(metric, Metric::ConversionRate | Metric::GroupConversionRate)
}

fn unit(unit: Unit) -> String {
    match unit {
        Unit::Count => "whole number".into(),
        Unit::Seconds => "seconds, whole".into(),
        Unit::Ratio => "two decimals".into(),
        Unit::Number => "number, six decimals at most".into(),
        Unit::Money => "`{value, currency, short, long}`".into(),
        Unit::Percent(0) => "percent, whole".into(),
        Unit::Percent(1) => "percent, one decimal".into(),
        Unit::Percent(decimals) => format!("percent, {decimals} decimals"),
    }
}

fn dimensions() -> String {
    let mut text = String::from(
        "## Dimensions\n\n| Dimension | | Of | A blank is | Example |\n|---|---|---|---|---|\n",
    );
    for field in Field::ALL {
        let spec = field.spec();
        let home = match spec.home {
            Home::Event(_) => "event",
            Home::Visit(_) | Home::Either(_) => "visit",
        };
        let blank = match (spec.number, spec.blank) {
            (true, _) => "`0`".to_owned(),
            (false, "") => String::new(),
            (false, blank) => format!("`{blank}`"),
        };
        let (name, doc, example) = (spec.name, spec.doc.trim(), spec.example);
        text += &format!("| `{name}` | {doc} | {home} | {blank} | `{example}` |\n");
    }
    text += &format!(
        "| `event:props:<name>` | A custom property. | event | `{NO_PROPERTY}` | `pro` |\n"
    );
    text += "| `event:props` | The names of the custom properties that the event has: a row for each. Not to filter by. | event | | `plan` |\n";
    text +=
        "| `event:goal` | The goals that the event meets: a row for each. | event | | `Signup` |\n";
    text += "| `time` | By hour up to 48 hours, by day up to 40 days, by week up to 52 weeks, else by month. | | | `2024-05-01` |\n";
    for interval in Interval::ALL {
        let (name, doc, example) = (interval.name(), interval.doc(), interval.example());
        text += &format!("| `{name}` | {doc} | | | `{example}` |\n");
    }
    text + &format!(
        "\nThe filters find blanks by `{DIRECT_OR_NONE}`, `{NOT_SET}` and `{NO_PROPERTY}`, as the table has them.\n\n"
    )
}
