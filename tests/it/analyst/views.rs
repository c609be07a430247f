//! The views of `schema.sql`: the numbers of the reports, no id of anybody, and nothing else to see.

use jiff::ToSpan;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use passerby::store::engine::Engine;
use serde_json::{Value, json};

use super::{put_site, rows, traffic};
use crate::support::{connect, engine_settings};

#[tokio::test]
async fn the_days_have_the_numbers_of_the_reports() {
    let traffic = traffic().await;
    let days = traffic
        .ask(
            "SELECT toString(day), visitors, visits, pageviews, events FROM report_days \
             WHERE site = 'demo.example' ORDER BY day",
        )
        .await
        .unwrap();
    // Forty, but for a day that has just begun.
    assert!((39..=40).contains(&days.len()), "{} days", days.len());
    for day in &days {
        let date = day[0].as_str().unwrap();
        let by_event = json!({
            "date_range": [date, date], "metrics": ["visitors", "visits", "pageviews", "events"],
            "dimensions": ["time:day"],
        });
        assert_eq!(&traffic.report(&by_event).await[0], day, "{date}");
    }
}

#[tokio::test]
async fn the_visits_of_days_are_those_of_a_report_by_day() {
    let traffic = traffic().await;
    let days = traffic.ask(
        "SELECT toString(day), toUInt64(round(100 * visits_bounced / visits_ended)), \
         toUInt64(round(visits_seconds / visits_ended)) \
         FROM report_days WHERE site = 'demo.example' AND day < today() - 1 ORDER BY day DESC LIMIT 30",
    );
    let days = days.await.unwrap();
    let query = json!({
        "date_range": [days.last().unwrap()[0], days[0][0]], "metrics": ["bounce_rate", "visit_duration"],
        "dimensions": ["time:day"], "order_by": [["time:day", "desc"]],
    });
    let mut reported = traffic.report(&query).await;
    // The last visits of a range go on beyond it; in a report they end with it.
    let last = reported.remove(0);
    assert_eq!(last[0], days[0][0]);
    assert_eq!(reported, days[1..]);
}

#[tokio::test]
async fn the_hours_have_the_numbers_of_the_reports() {
    let traffic = traffic().await;
    let hours = traffic
        .ask(
            "SELECT formatDateTime(hour, '%Y-%m-%d %H:00:00', 'Europe/Berlin'), visitors, visits, pageviews, events \
             FROM report_hours WHERE site = 'demo.example' \
             AND toDate(hour, 'Europe/Berlin') = toDate(now(), 'Europe/Berlin') - 3 ORDER BY hour",
        )
        .await
        .unwrap();
    let date = &hours[0][0].as_str().unwrap()[..10];
    let query = json!({
        "date_range": [date, date], "metrics": ["visitors", "visits", "pageviews", "events"],
        "dimensions": ["time:hour"], "order_by": [["time:hour", "asc"]],
    });
    assert_eq!(traffic.report(&query).await, hours);
}

#[tokio::test]
async fn the_visits_that_were_under_way_in_a_range_are_those_of_a_report() {
    let traffic = traffic().await;
    let (from, to) = ("2 11:30:00", "8 12:30:00");
    let moment = |days_and_time: &str| {
        let (days, time) = days_and_time.split_once(' ').unwrap();
        let date = TimeZone::UTC.to_datetime(traffic.now).date() - 10.days();
        format!("{}T{time}Z", date + days.parse::<i64>().unwrap().days())
    };
    let (from, to) = (moment(from), moment(to));
    let sql = format!(
        "SELECT uniqExact(visitor), count(), toUInt64(round(100 * countIf(bounced) / count())), \
         toUInt64(round(avg(duration))), round(sum(pageviews) / count(), 2) FROM report_visits \
         WHERE site = 'demo.example' AND started <= parseDateTimeBestEffort('{to}') \
         AND ended >= parseDateTimeBestEffort('{from}')"
    );
    let query = json!({
        "date_range": [from, to],
        "metrics": ["visitors", "visits", "bounce_rate", "visit_duration", "views_per_visit"],
    });
    assert_eq!(traffic.report(&query).await, traffic.ask(&sql).await.unwrap());
}

#[tokio::test]
async fn a_visitor_has_another_number_in_each_query_and_never_the_stored_one() {
    let traffic = traffic().await;
    for view in ["report_events", "report_visits"] {
        let sql = format!("SELECT DISTINCT visitor, visit FROM {view} WHERE visit IS NOT NULL");
        let (once, again) = (traffic.ask(&sql).await.unwrap(), traffic.ask(&sql).await.unwrap());
        assert!(once.len() > 1000 && once.len() == again.len(), "{view}: {}", once.len());
        let stored = "SELECT arrayJoin([visitor_id, session_id]) FROM events";
        let stored = rows(&traffic.engine.writer(), stored).await.unwrap().concat();
        let numbers: std::collections::HashSet<u64> =
            again.iter().chain([&stored]).flatten().map(|id| id.as_u64().unwrap()).collect();
        for number in once.iter().flatten() {
            assert!(!numbers.contains(&number.as_u64().unwrap()), "{view} shows {number} again");
        }
    }
}

#[tokio::test]
async fn who_chooses_the_id_of_a_query_gets_other_numbers_the_next_time_and_within_it_the_same() {
    let traffic = traffic().await;
    // Both views know each other's numbers within a query, and nobody is lost on the way.
    let both = "SELECT count() = (SELECT count() FROM report_visits) FROM report_visits \
                WHERE visit IN (SELECT visit FROM report_events)";
    assert_eq!(traffic.ask(both).await.unwrap(), [[1]]);
    let sql = "SELECT max(visitor), max(visit) FROM report_events";
    let analyst = traffic.engine.analyst();
    let client = clickhouse::Client::default()
        .with_url(&analyst.url)
        .with_user(&analyst.user)
        .with_password(&analyst.password)
        .with_database(&analyst.database);
    let named = async || {
        let query = client.query(sql).with_setting("query_id", "chosen");
        query.fetch_one::<(Option<u64>, Option<u64>)>().await.unwrap()
    };
    let once = named().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let again = named().await;
    assert!(once.0 != again.0 && once.1 != again.1, "{once:?} {again:?}");
}

#[tokio::test]
async fn the_analyst_sees_the_views_and_nothing_else() {
    let traffic = traffic().await;
    let tables =
        traffic.ask("SELECT name FROM system.tables WHERE database = 'passerby' ORDER BY 1");
    let views = ["report_days", "report_events", "report_hours", "report_sites", "report_visits"];
    assert_eq!(tables.await.unwrap().concat(), views);
    for view in views {
        assert!(!traffic.ask(&format!("SELECT * FROM {view} LIMIT 1")).await.unwrap().is_empty());
    }
    for denied in [
        "SELECT count() FROM events",
        "SELECT visitor_id FROM events",
        "SELECT count() FROM sites",
        "SELECT hash FROM tokens",
        "SELECT visitor_id FROM report_events",
        "SELECT k0 FROM pseudonym_key",
        "SHOW CREATE VIEW pseudonym_key",
        "SELECT throwIf(count() = 0) FROM system.tables WHERE name = 'pseudonym_key'",
        "SELECT count() FROM merge('passerby', '^events$')",
        "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
        "SELECT * FROM file('/etc/passwd', CSV, 'a String')",
        "SELECT * FROM remote('127.0.0.1', passerby.events)",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.query_log",
        "SELECT * FROM system.users",
        "DROP VIEW report_sites",
        "ALTER TABLE report_events MODIFY QUERY SELECT 1",
        "CREATE VIEW x AS SELECT * FROM events",
        "INSERT INTO events (site_id) VALUES (1)",
        "KILL QUERY WHERE 1",
        "SET max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
    ] {
        let answer = traffic.ask(denied).await;
        assert!(answer.is_err(), "the analyst may: {denied}: {answer:?}");
    }
}

#[tokio::test]
async fn neither_a_removed_site_nor_what_a_site_keeps_no_longer_is_shown() {
    let traffic = traffic().await;
    let sites = traffic
        .ask("SELECT site, timezone, toUnixTimestamp(kept_from) FROM report_sites ORDER BY site");
    let midnight = |zone: &str, days: i64| {
        let zone = TimeZone::get(zone).unwrap();
        let oldest = zone.to_datetime(traffic.now).date() - days.days();
        zone.to_timestamp(oldest.to_datetime(Time::midnight())).unwrap().as_second()
    };
    let expected = json!([
        ["demo.example", "Europe/Berlin", 0],
        ["kept.example", "Asia/Kolkata", midnight("Asia/Kolkata", 2)],
        ["long.example", "America/New_York", midnight("America/New_York", 249)],
    ]);
    assert_eq!(json!(sites.await.unwrap()), expected);
    // The oldest day, because a day that has just begun may have no event yet.
    let oldest = |zone: &str, days: i64| {
        let today = TimeZone::get(zone).unwrap().to_datetime(traffic.now).date();
        (today - days.days()).to_string()
    };
    let days = json!([
        ["demo.example", oldest("Europe/Berlin", 39)],
        ["kept.example", oldest("Asia/Kolkata", 2)],
        ["long.example", oldest("America/New_York", 9)],
    ]);
    for view in ["report_events", "report_visits", "report_days"] {
        let sql =
            format!("SELECT site, toString(min(day)) FROM {view} GROUP BY site ORDER BY site");
        assert_eq!(json!(traffic.ask(&sql).await.unwrap()), days, "{view}");
    }
}

#[tokio::test]
async fn a_view_reads_only_the_days_that_it_is_asked_for() {
    let traffic = traffic().await;
    let writer = traffic.engine.writer();
    let parts = "SELECT count() FROM system.parts WHERE database = 'passerby' AND table = 'events' AND active";
    let parts = rows(&writer, parts).await.unwrap()[0][0].as_u64().unwrap();
    let hour = "BETWEEN toStartOfDay(now('UTC')) - INTERVAL 5 DAY AND toStartOfDay(now('UTC')) - INTERVAL 119 HOUR";
    for (view, moment) in
        [("report_events", "timestamp"), ("report_hours", "hour"), ("report_visits", "started")]
    {
        let site = traffic.site.id.0;
        let sql = format!(
            "EXPLAIN ESTIMATE SELECT * FROM {view} WHERE site_id = {site} AND {moment} {hour}"
        );
        let estimate = rows(&writer, &sql).await.unwrap();
        let of_events = estimate.iter().find(|row| row[1] == "events").unwrap();
        // An hour touches one day's parts of forty, or two days'.
        let read = of_events[2].as_u64().unwrap();
        assert!(read * 4 <= parts, "{view} reads {read} of {parts} parts");
    }
}

#[tokio::test]
async fn an_analyst_of_one_site_sees_no_row_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = engine_settings(directory.path());
    settings.analyst.sites = vec!["mine.example".to_owned()];
    let engine = Engine::start(settings).unwrap();
    let store = connect(&engine.writer(), &engine.reader()).await;
    let catalog = passerby::store::catalog::Catalog::open(
        directory.path().join("catalog.json"),
        passerby::site::policy::Policies::default(),
    );
    for domain in ["mine.example", "other.example"] {
        let site = put_site(&catalog, &store, domain, "Etc/UTC", None).await;
        let amount = passerby::demo::Amount { days: 2, events: 200, seed: 3 };
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        passerby::demo::load(&store, &site, amount, now, |_| {}).await.unwrap();
    }
    for view in ["report_sites", "report_events", "report_visits", "report_hours", "report_days"] {
        let sql = format!("SELECT DISTINCT site FROM {view} ORDER BY site");
        let shown = rows(&engine.analyst(), &sql).await.unwrap().concat();
        assert_eq!(shown, ["mine.example"], "{view}");
        let all = rows(&engine.writer(), &sql).await.unwrap().concat();
        assert_eq!(all, ["mine.example", "other.example"], "{view}");
    }
    engine.stop().await;
}

#[tokio::test]
async fn the_analysts_password_lasts_and_can_be_chosen() {
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("analyst.password");
    let start = || Engine::start(engine_settings(directory.path())).unwrap();
    let first = start();
    let password = first.analyst().password;
    assert_eq!(std::fs::read_to_string(&kept).unwrap().trim(), password);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&kept).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    first.stop().await;
    let again = start();
    assert_eq!(again.analyst().password, password);
    again.stop().await;
    let text = std::fs::read_to_string(directory.path().join("users.xml")).unwrap();
    assert!(!text.contains(&password), "users.xml holds a password");
}

#[tokio::test]
async fn what_an_analyst_reads_has_labels_for_no_blank_and_null_for_nobody() {
    let traffic = traffic().await;
    let direct = "SELECT count() FROM report_visits WHERE site = 'demo.example' AND source = ''";
    assert!(traffic.value(direct).await.as_u64() > Some(100));
    let depth = "SELECT max(scroll_depth) FROM report_events";
    assert!(traffic.value(depth).await.as_u64() <= Some(100));
    let told: Value =
        traffic.value("SELECT countIf(scroll_depth IS NULL) FROM report_events").await;
    assert!(told.as_u64() > Some(100));
}
