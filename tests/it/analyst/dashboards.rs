//! The dashboards: every query of every panel runs as the analyst, and says what the reports say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use passerby::demo;
use serde_json::{Value, json};

use super::grafana::{ALL, Chosen, Dashboard};
use super::{Traffic, traffic};

/// The last `days` days, as Grafana has them: with an end in the middle of a day.
fn last(days: i64, traffic: &Traffic) -> Chosen {
    let from = traffic.now - SignedDuration::from_hours(24 * days);
    let values = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    let mut variables: BTreeMap<String, Vec<String>> = BTreeMap::from([
        ("site".into(), vec![traffic.site.id.0.to_string()]),
        ("timezone".into(), values(&[demo::TIMEZONE])),
        ("interval".into(), values(&["day"])),
    ]);
    for name in ["channel", "source", "country", "device", "goal"] {
        variables.insert(name.into(), values(&[ALL]));
    }
    Chosen {
        from_ms: from.as_millisecond(),
        to_ms: traffic.now.as_millisecond(),
        interval_s: 60,
        variables,
    }
}

/// The range in the words of a report.
fn date_range(chosen: &Chosen) -> Value {
    let moment = |ms: i64| Timestamp::from_second(ms.div_euclid(1000)).unwrap().to_string();
    json!([moment(chosen.from_ms), moment(chosen.to_ms)])
}

/// Numbers as numbers, whatever type a column has.
fn plain(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let number = |value: Value| value.as_f64().map_or(value, |number| json!(number));
    rows.into_iter().map(|row| row.into_iter().map(number).collect()).collect()
}

async fn panel(traffic: &Traffic, file: &str, title: &str, chosen: &Chosen) -> Vec<Vec<Value>> {
    let sql = chosen.expand(Dashboard::named(file).sql(title));
    plain(traffic.ask(&sql).await.unwrap_or_else(|error| panic!("{file}, {title}: {error}")))
}

async fn report(traffic: &Traffic, chosen: &Chosen, mut parts: Value) -> Vec<Vec<Value>> {
    parts["date_range"] = date_range(chosen);
    plain(traffic.report(&parts).await)
}

#[tokio::test]
async fn every_query_of_every_panel_runs_and_shows_something_or_nothing() {
    let traffic = traffic().await;
    let everything = last(30, traffic);
    let filtered = everything
        .clone()
        .with("channel", &["Organic Search", "Direct"])
        .with("source", &["Google", "Direct / None", "it's"])
        .with("country", &["DE", "(not set)"])
        .with("device", &["Desktop"])
        .with("interval", &["week"]);
    let no_site = everything.clone().with("site", &[""]);
    let long_ago = Chosen { from_ms: 0, to_ms: 86_400_000, ..everything.clone() };
    for dashboard in Dashboard::of_clickhouse() {
        for panel in dashboard.panels() {
            let about = format!("{}, {}", dashboard.file, panel["title"]);
            for target in panel["targets"].as_array().unwrap() {
                let sql = target["rawSql"].as_str().unwrap();
                for (chosen, shows) in
                    [(&everything, true), (&filtered, false), (&no_site, false), (&long_ago, false)]
                {
                    let sql = chosen.expand(sql);
                    let answer = traffic.ask(&sql).await;
                    let rows = answer.unwrap_or_else(|error| panic!("{about}: {error}: {sql}"));
                    assert!(!shows || !rows.is_empty(), "{about} shows nothing: {sql}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_variable_offers_what_can_be_chosen() {
    let traffic = traffic().await;
    let chosen = last(30, traffic);
    for dashboard in Dashboard::of_clickhouse() {
        for variable in dashboard.variables() {
            let name = variable["name"].as_str().unwrap();
            if variable["type"] == "query" {
                let sql = chosen.expand(variable["query"].as_str().unwrap());
                let options =
                    traffic.ask(&sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(!options.is_empty(), "{name}");
                // A value that is offered can be chosen.
                if variable["multi"] == json!(true) {
                    let picked = options[0][0].as_str().unwrap();
                    let chosen = chosen.clone().with(name, &[picked]);
                    let shown = traffic.ask(&chosen.expand(dashboard.sql_of_any_panel())).await;
                    assert!(!shown.unwrap().is_empty(), "{name}: {picked}");
                }
            }
        }
        let names = dashboard.variables().iter().map(|variable| variable["name"].as_str().unwrap());
        assert!(names.collect::<Vec<_>>().starts_with(&["datasource", "site", "timezone"]));
    }
    let sites = Dashboard::named("traffic.json");
    let sites = sites.variables()[1]["query"].as_str().unwrap();
    let offered = traffic.ask(sites).await.unwrap();
    assert!(offered.contains(&vec![json!(traffic.site.id.0), json!(demo::DOMAIN)]), "{offered:?}");
}

#[tokio::test]
async fn every_number_has_a_unit_and_time_comes_first_in_a_series() {
    let traffic = traffic().await;
    let chosen = last(30, traffic);
    for dashboard in Dashboard::of_clickhouse() {
        for panel in dashboard.panels() {
            let about = format!("{}, {}", dashboard.file, panel["title"]);
            let sql = chosen.expand(panel["targets"][0]["rawSql"].as_str().unwrap());
            let columns = traffic.ask(&format!("DESCRIBE TABLE ({sql})")).await.unwrap();
            let is_number = |column: &&Vec<Value>| {
                let kind = column[1].as_str().unwrap().trim_start_matches("Nullable(");
                kind.starts_with("UInt") || kind.starts_with("Int") || kind.starts_with("Float")
            };
            assert!(columns.iter().any(|column| is_number(&column)), "{about} has no number");
            match panel["type"].as_str().unwrap() {
                "table" => {
                    let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap();
                    let with_unit: BTreeSet<_> = overrides
                        .iter()
                        .map(|entry| &entry["matcher"]["options"])
                        .map(Value::to_string)
                        .collect();
                    for column in columns.iter().filter(is_number) {
                        assert!(with_unit.contains(&column[0].to_string()), "{about}: {column:?}");
                    }
                }
                "timeseries" => {
                    assert_eq!(columns[0][0], "time", "{about}");
                    assert!(columns[0][1].as_str().unwrap().starts_with("DateTime"), "{about}");
                }
                _ => assert_ne!(panel["fieldConfig"]["defaults"]["unit"], Value::Null, "{about}"),
            }
        }
    }
}

#[test]
fn every_dashboard_is_complete_and_fixes_no_data_source() {
    let mut uids = BTreeSet::new();
    for dashboard in Dashboard::all() {
        let (file, json) = (&dashboard.file, &dashboard.json);
        let uid = json["uid"].as_str().unwrap();
        assert_eq!(uid, format!("passerby-{}", file.trim_end_matches(".json")));
        assert!(json.get("id").is_none(), "{file}: an id belongs to one Grafana");
        uids.insert(uid.to_owned());
        let ids: BTreeSet<_> =
            dashboard.panels().iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        let titles: BTreeSet<_> =
            dashboard.panels().iter().map(|panel| panel["title"].to_string()).collect();
        assert_eq!((ids.len(), titles.len()), (dashboard.panels().len(), ids.len()), "{file}");
        for panel in dashboard.panels() {
            let about = format!("{file}, {}", panel["title"]);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            assert!(text(&panel["description"]).ends_with('.'), "{about}: no description");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(!text(&defaults["unit"]).is_empty(), "{about}: no unit");
            assert!(!text(&defaults["noValue"]).is_empty(), "{about}: nothing is said of nothing");
            assert!(
                panel["gridPos"]["x"].as_u64().unwrap() + panel["gridPos"]["w"].as_u64().unwrap()
                    <= 24
            );
        }
        let text = json.to_string();
        let chosen = text.matches(r#""uid":"${datasource}""#).count();
        assert_eq!(text.matches(r#""datasource":{"#).count(), chosen, "{file} fixes a data source");
        assert_eq!(dashboard.variables()[0]["type"], "datasource", "{file}");
    }
    let expected = ["acquisition", "audience", "collector", "content", "live", "traffic"];
    assert_eq!(uids, expected.map(|name| format!("passerby-{name}")).into());
}

#[tokio::test]
async fn the_headlines_are_the_numbers_of_the_reports() {
    let traffic = traffic().await;
    let metrics =
        ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"];
    let titles =
        ["Visitors", "Visits", "Page views", "Views per visit", "Bounce rate", "Visit duration"];
    for (days, variable, label, dimension) in [
        (30, "", "", ""),
        (7, "", "", ""),
        (1, "", "", ""),
        (30, "channel", "Organic Search", "visit:channel"),
        (14, "source", "Direct / None", "visit:source"),
        (30, "country", "DE", "visit:country"),
        (30, "device", "Mobile", "visit:device"),
    ] {
        let mut chosen = last(days, traffic);
        let mut parts = json!({ "metrics": metrics });
        if !variable.is_empty() {
            chosen = chosen.with(variable, &[label]);
            parts["filters"] = json!([["is", dimension, [label]]]);
        }
        let reported = report(traffic, &chosen, parts).await.remove(0);
        assert!(reported[0].as_f64() > Some(1.0), "{days} days, {label}: {reported:?}");
        for (title, expected) in titles.iter().zip(&reported) {
            let shown = panel(traffic, "traffic.json", title, &chosen).await;
            assert_eq!(&shown[0][0], expected, "{title}, {days} days, {label}");
        }
    }
}

#[tokio::test]
async fn the_charts_are_those_of_the_reports() {
    let traffic = traffic().await;
    let chosen = last(20, traffic);
    let label = |row: &Vec<Value>| row[0].as_str().unwrap()[..10].to_owned();
    let check = async |title: &str, metrics: Value| {
        let shown = panel(traffic, "traffic.json", title, &chosen).await;
        let parts = json!({
            "metrics": metrics, "dimensions": ["time:day"], "order_by": [["time:day", "asc"]],
        });
        let reported = report(traffic, &chosen, parts).await;
        // The day of today may have only just begun, and nothing have happened.
        assert!((20..=21).contains(&shown.len()), "{title}: {} days", shown.len());
        for (shown, reported) in shown.iter().zip(&reported) {
            assert_eq!(label(shown), label(reported), "{title}");
            assert_eq!(shown[1..], reported[1..], "{title}, {}", label(reported));
        }
    };
    // Beside a number of events, visitors are those with an event in the step.
    let shown = panel(traffic, "traffic.json", "Visitors and visits over time", &chosen).await;
    let parts = json!({
        "metrics": ["visitors", "visits", "pageviews"], "dimensions": ["time:day"],
        "order_by": [["time:day", "asc"]],
    });
    let reported = report(traffic, &chosen, parts).await;
    for (shown, reported) in shown.iter().zip(&reported) {
        assert_eq!((label(shown), &shown[1..]), (label(reported), &reported[1..3]));
    }
    check("Page views over time", json!(["pageviews"])).await;
    check("Bounce rate over time", json!(["bounce_rate"])).await;
    check("Visit duration over time", json!(["visit_duration"])).await;
}

/// The rows of a panel of the form (value, numbers …) against those of a report.
async fn check_table(
    file: &str,
    title: &str,
    dimension: &str,
    metrics: &[&str],
    columns: &[usize],
) {
    let traffic = traffic().await;
    let chosen = last(30, traffic);
    let shown = panel(traffic, file, title, &chosen).await;
    let parts = json!({
        "metrics": metrics, "dimensions": [dimension],
        "order_by": [[metrics[0], "desc"], [dimension, "asc"]],
    });
    let named = |row: &Vec<Value>| !matches!(row[0].as_str(), Some("" | "(not set)"));
    let reported: Vec<_> =
        report(traffic, &chosen, parts).await.into_iter().filter(named).take(90).collect();
    let shown: Vec<_> = shown
        .into_iter()
        .filter(named)
        .map(|row| columns.iter().map(|&column| row[column].clone()).collect::<Vec<_>>())
        .take(90)
        .collect();
    assert!(shown.len() > 1, "{title}: {shown:?}");
    assert_eq!(shown, reported, "{title}");
}

#[tokio::test]
async fn the_tables_are_those_of_the_reports() {
    let by_events = ["visitors", "visits", "pageviews"];
    for (title, dimension) in [("Channels", "visit:channel"), ("Sources", "visit:source")] {
        check_table("acquisition.json", title, dimension, &by_events[..2], &[0, 1, 2]).await;
    }
    let by_events = |file, title, dimension| {
        check_table(file, title, dimension, &["visitors", "pageviews"], &[0, 1, 3])
    };
    by_events("audience.json", "Countries", "visit:country").await;
    by_events("audience.json", "Browsers", "visit:browser").await;
    by_events("audience.json", "Operating systems", "visit:os").await;
    by_events("audience.json", "Devices", "visit:device").await;
    by_events("audience.json", "Languages", "visit:language").await;
    let attention = ["visitors", "pageviews", "time_on_page", "scroll_depth"];
    check_table("content.json", "Pages", "event:page", &attention, &[0, 1, 2, 3, 4]).await;
    let ends = ["visits", "visitors", "bounce_rate"];
    check_table("content.json", "Entry pages", "visit:entry_page", &ends, &[0, 2, 1, 3]).await;
    check_table("content.json", "Exit pages", "visit:exit_page", &ends, &[0, 2, 1, 3]).await;
}

#[tokio::test]
async fn conversions_are_the_visitors_of_the_event() {
    let traffic = traffic().await;
    let chosen = last(30, traffic).with("goal", &["Signup"]);
    let parts = json!({ "metrics": ["visitors"], "filters": [["is", "event:name", ["Signup"]]] });
    let converted = report(traffic, &chosen, parts).await[0][0].as_f64().unwrap();
    let visitors = report(traffic, &chosen, json!({ "metrics": ["visitors", "pageviews"] })).await;
    let shown = panel(traffic, "acquisition.json", "Conversions", &chosen).await;
    assert_eq!(shown[0][0], json!(converted));
    let rate = panel(traffic, "acquisition.json", "Conversion rate", &chosen).await;
    let expected = (10_000.0 * converted / visitors[0][0].as_f64().unwrap()).round() / 100.0;
    assert_eq!(rate[0][0], json!(expected));
}
