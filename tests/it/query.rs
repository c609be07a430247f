//! What the numbers of a report mean, on the real engine: events go in as rows, queries as JSON.
//!
//! The numbers in brackets are the points of report semantics that a test holds to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use passerby::event::{Attributes, Event, Happening, SCROLL_DEPTH_UNKNOWN, SessionId, VisitorId};
use passerby::query::Known;
use passerby::query::dimension::Field;
use passerby::query::goal::{Goal, GoalKind};
use passerby::report::{self, AskError};
use passerby::site::{Site, SiteId};
use passerby::store::Store;
use serde_json::{Value, json};

/// Sites of this file's tests; each test has one of its own, so that they share an engine.
static NEXT_SITE: AtomicU32 = AtomicU32::new(90_000);

/// A site, and what happened on it.
struct Story {
    store: Arc<Store>,
    site: Site,
    events: Vec<Event>,
    visits: u32,
    goals: Vec<Goal>,
}

impl Story {
    async fn new(zone: &str) -> Self {
        let site = Site {
            id: SiteId(NEXT_SITE.fetch_add(1, Ordering::SeqCst)),
            domain: "example.com".into(),
            timezone: TimeZone::get(zone).unwrap(),
            retention_days: None,
            public: false,
        };
        Self {
            store: crate::support::store().await,
            site,
            events: Vec::new(),
            visits: 0,
            goals: Vec::new(),
        }
    }

    /// A new visit of this visitor.
    fn visit(&mut self, visitor: u64) -> Visit<'_> {
        self.visits += 1;
        let session = (1_700_000_000 << 32) + u64::from(self.visits);
        let attributes = Arc::new(Attributes::default());
        Visit { visitor, session, seq: 0, hostname: "example.com".into(), attributes, story: self }
    }

    /// Somebody who asked not to be recognised.
    fn nobody(&mut self) -> Visit<'_> {
        Visit { session: 0, ..self.visit(0) }
    }

    /// Puts what has happened since the last time into the table.
    async fn told(&mut self) {
        let columns = Event::columns().collect::<Vec<_>>().join(", ");
        let mut rows = Vec::new();
        self.events.iter().for_each(|event| event.encode(&mut rows));
        self.store.insert_events(&columns, &rows).await.unwrap();
    }

    async fn ask(&self, parts: &Value) -> Result<Value, AskError> {
        let mut query = json!({
            "site_id": "example.com", "metrics": ["visitors"], "date_range": ["2024-05-01", "2024-05-31"],
        });
        for (key, value) in parts.as_object().unwrap() {
            query[key] = value.clone();
        }
        let now: Timestamp = "2024-06-15T12:00:00Z".parse().unwrap();
        let known = Known { goals: &self.goals, ..Known::new(&self.site, now) };
        report::ask_knowing(&self.store, known, &query).await
    }

    /// The rows, each as its dimensions and its metrics in one list.
    async fn rows(&self, parts: &Value) -> Value {
        let answer = self.ask(parts).await.unwrap_or_else(|error| panic!("{parts}: {error}"));
        let list = |row: &Value, key: &str| row[key].as_array().unwrap().clone();
        let row =
            |row: &Value| Value::Array([list(row, "dimensions"), list(row, "metrics")].concat());
        answer["results"].as_array().unwrap().iter().map(row).collect()
    }

    async fn check(&self, parts: Value, expected: Value) {
        assert_eq!(self.rows(&parts).await, expected, "{parts}");
    }
}

/// A visit being told, in the order of arrival.
struct Visit<'story> {
    visitor: u64,
    session: u64,
    seq: u32,
    hostname: String,
    attributes: Arc<Attributes>,
    story: &'story mut Story,
}

impl Visit<'_> {
    fn with(mut self, attributes: Attributes) -> Self {
        self.attributes = Arc::new(attributes);
        self
    }

    fn from(self, source: &str) -> Self {
        self.with(Attributes { source: source.into(), ..Attributes::default() })
    }

    /// What follows happens on this host.
    fn on(mut self, hostname: &str) -> Self {
        self.hostname = hostname.into();
        self
    }

    /// A page view. `time` is of the month of May 2024, in UTC: `01 10:00:00`.
    fn view(self, time: &str, pathname: &str) -> Self {
        self.event(time, "pageview", pathname)
    }

    fn event(mut self, time: &str, name: &str, pathname: &str) -> Self {
        self.seq += u32::from(self.session != 0);
        let local: DateTime = format!("2024-05-{time}").parse().unwrap();
        let timestamp = TimeZone::UTC.to_timestamp(local).unwrap().as_second();
        let happening = Happening {
            site_id: self.story.site.id.0,
            timestamp: u32::try_from(timestamp).unwrap(),
            name: name.into(),
            visitor_id: VisitorId(self.visitor),
            session_id: SessionId(self.session),
            seq: self.seq,
            event_id: self.story.events.len() as u64 + 1,
            hostname: self.hostname.clone(),
            pathname: pathname.into(),
            interactive: true,
            engagement_ms: 0,
            scroll_depth: SCROLL_DEPTH_UNKNOWN,
            props: Vec::new(),
            revenue_amount: 0,
            revenue_currency: String::new(),
            entry_hostname: String::new(),
            entry_pathname: String::new(),
        };
        self.story.events.push(Event { happening, attributes: self.attributes.clone() });
        self
    }

    fn last(&mut self) -> &mut Happening {
        &mut self.story.events.last_mut().unwrap().happening
    }

    /// The event just told had this property.
    fn prop(mut self, key: &str, value: &str) -> Self {
        self.last().props.push((key.into(), value.into()));
        self
    }

    /// The event just told was caused by nobody.
    fn not_interactive(mut self) -> Self {
        self.last().interactive = false;
        self
    }

    /// The event just told was attention of so long, and scrolled so far.
    fn attention(mut self, engagement_ms: u32, scroll_depth: u8) -> Self {
        (self.last().engagement_ms, self.last().scroll_depth) = (engagement_ms, scroll_depth);
        self
    }

    /// Attention to a page already viewed.
    fn ping(mut self, time: &str, pathname: &str) -> Self {
        self = self.event(time, "engagement", pathname);
        self.last().engagement_ms = 5_000;
        self
    }
}

const ALL_METRICS: [&str; 6] =
    ["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration"];

#[tokio::test]
async fn a_report_without_dimensions_is_one_row() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/").view("01 10:01:40", "/pricing");
    story.visit(1).view("01 15:00:00", "/");
    story.visit(2).view("02 10:00:00", "/").event("02 10:00:30", "Signup", "/");
    story.told().await;
    let metrics = [&ALL_METRICS[..], &["views_per_visit"]].concat();
    story.check(json!({ "metrics": metrics }), json!([[2, 3, 4, 5, 33, 43, 1.33]])).await;
}

#[tokio::test]
async fn without_data_a_report_is_a_row_of_zeros_and_a_breakdown_is_empty() {
    // [19]
    let mut story = Story::new("Etc/UTC").await;
    let metrics = [&ALL_METRICS[..], &["views_per_visit", "percentage"]].concat();
    story.check(json!({ "metrics": metrics }), json!([[0, 0, 0, 0, 0, 0, 0.0, null]])).await;
    story.check(json!({ "metrics": ALL_METRICS, "dimensions": ["visit:source"] }), json!([])).await;
    story.visit(1).view("01 10:00:00", "/");
    story.told().await;
    let range = json!(["2024-04-01", "2024-04-02"]);
    story
        .check(
            json!({ "metrics": metrics, "date_range": range }),
            json!([[0, 0, 0, 0, 0, 0, 0.0, null]]),
        )
        .await;
}

#[tokio::test]
async fn an_event_that_was_stored_twice_counts_once() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/").view("01 10:01:00", "/b");
    story.told().await;
    story.told().await;
    story.check(json!({ "metrics": ALL_METRICS }), json!([[1, 1, 2, 2, 0, 60]])).await;
}

#[tokio::test]
async fn arrival_decides_entry_and_exit_and_the_duration_has_no_sign() {
    // [2]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:10:00", "/first").view("01 10:00:00", "/second");
    story.told().await;
    let dimensions = json!(["visit:entry_page", "visit:exit_page"]);
    let metrics = json!(["visits", "visit_duration"]);
    let expected = json!([["/first", "/second", 1, 600]]);
    story.check(json!({ "metrics": metrics, "dimensions": dimensions }), expected).await;
}

#[tokio::test]
async fn engagement_changes_no_duration_bounce_visit_or_event_count() {
    // [3]
    let mut story = Story::new("Etc/UTC").await;
    let visit =
        story.visit(1).view("01 10:00:00", "/").ping("01 10:20:00", "/").ping("01 10:40:00", "/");
    visit.ping("01 11:00:00", "/").view("01 11:20:00", "/b").ping("01 11:25:00", "/b");
    story.visit(2).view("02 10:00:00", "/").ping("02 10:10:00", "/");
    story.told().await;
    story.check(json!({ "metrics": ALL_METRICS }), json!([[2, 2, 3, 3, 50, 2400]])).await;
    story
        .check(
            json!({ "metrics": ["events"], "dimensions": ["event:name"] }),
            json!([["pageview", 3]]),
        )
        .await;
}

#[tokio::test]
async fn custom_events_make_no_entry_or_exit_and_only_interactive_ones_unmake_a_bounce() {
    // [5]
    let mut story = Story::new("Etc/UTC").await;
    let visit = story.visit(1).on("shop.example").event("01 10:00:00", "Before", "/landing");
    visit.on("example.com").view("01 10:00:01", "/a").event("01 10:00:02", "After", "/away");
    story.visit(2).view("01 11:00:00", "/b").event("01 11:00:01", "Auto", "/b").not_interactive();
    story.visit(3).event("01 12:00:00", "Alone", "/c").not_interactive();
    story.told().await;
    let dimensions = json!([
        "visit:entry_page",
        "visit:exit_page",
        "visit:entry_page_hostname",
        "visit:exit_page_hostname"
    ]);
    let expected = json!([
        ["", "", "", "", 1, 100],
        ["/a", "/a", "example.com", "example.com", 1, 0],
        ["/b", "/b", "example.com", "example.com", 1, 100],
    ]);
    story
        .check(json!({ "metrics": ["visits", "bounce_rate"], "dimensions": dimensions }), expected)
        .await;
}

#[tokio::test]
async fn a_visit_counts_in_every_period_that_it_overlaps() {
    // [6]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 23:50:00", "/a").view("02 00:20:00", "/b");
    story.told().await;
    let on = |from: &str, to: &str| {
        let range = json!([format!("2024-05-{from}Z"), format!("2024-05-{to}Z")]);
        json!({ "metrics": ["visitors", "visits", "visit_duration", "bounce_rate"], "date_range": range })
    };
    let whole = json!([[1, 1, 1800, 0]]);
    story.check(on("01T00:00:00", "01T23:59:59"), whole.clone()).await;
    story.check(on("02T00:00:00", "02T23:59:59"), whole.clone()).await;
    story.check(on("02T00:00:00", "02T00:10:00"), whole).await;
    story.check(on("02T00:20:01", "02T23:59:59"), json!([[0, 0, 0, 0]])).await;
    // Events count where they happened.
    let range = json!(["2024-05-02", "2024-05-02"]);
    story
        .check(json!({ "metrics": ["visits", "pageviews"], "date_range": range }), json!([[1, 1]]))
        .await;
}

#[tokio::test]
async fn with_a_page_filter_bounces_are_of_visits_that_entered_there_and_durations_of_all_that_saw_it()
 {
    // [7], [9]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a");
    story.visit(2).view("01 11:00:00", "/b").view("01 11:01:40", "/a").view("01 11:03:20", "/c");
    story.told().await;
    let filters = json!([["is", "event:page", ["/a"]]]);
    story
        .check(
            json!({ "metrics": ALL_METRICS, "filters": filters }),
            json!([[2, 2, 2, 2, 100, 100]]),
        )
        .await;
    let filters = json!([["is", "event:page", ["/c"]]]);
    story
        .check(json!({ "metrics": ALL_METRICS, "filters": filters }), json!([[1, 1, 1, 1, 0, 200]]))
        .await;
}

#[tokio::test]
async fn by_page_visitors_go_by_the_pages_seen_and_visit_metrics_by_the_entry_page() {
    // [8]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a");
    story.visit(2).view("01 11:00:00", "/b").view("01 11:01:40", "/a").view("01 11:03:20", "/c");
    story.visit(3).view("01 12:00:00", "/a").view("01 12:01:00", "/a");
    story.told().await;
    let expected =
        json!([["/a", 3, 3, 4, 4, 50, 30], ["/b", 1, 1, 1, 1, 0, 200], ["/c", 1, 1, 1, 1, 0, 0]]);
    story.check(json!({ "metrics": ALL_METRICS, "dimensions": ["event:page"] }), expected).await;
    // The filter, too, means the entry page where the visit is meant.
    let filters = json!([["is", "event:page", ["/a", "/c"]]]);
    let expected = json!([["/a", 3, 50], ["/c", 1, 0]]);
    let metrics = json!(["visitors", "bounce_rate"]);
    story
        .check(
            json!({ "metrics": metrics, "dimensions": ["event:page"], "filters": filters }),
            expected,
        )
        .await;
}

#[tokio::test]
async fn a_host_filter_is_also_of_the_entry_host_where_a_report_is_by_how_visits_began() {
    // [10]
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .from("Google")
        .on("blog.example")
        .view("01 10:00:00", "/a")
        .on("shop.example")
        .view("01 10:01:00", "/b");
    story.visit(2).from("Bing").on("shop.example").view("01 11:00:00", "/b");
    story.told().await;
    let filters = json!([["is", "event:hostname", ["shop.example"]]]);
    let check = async |dimension: &str, expected: Value| {
        story.check(json!({ "dimensions": [dimension], "filters": filters }), expected).await;
    };
    check("visit:source", json!([["Bing", 1]])).await;
    check("visit:entry_page", json!([["/b", 1]])).await;
    check("visit:exit_page", json!([["/b", 2]])).await;
    check("visit:browser", json!([["(not set)", 2]])).await;
    let filters = json!([["is", "event:hostname", ["blog.example"]]]);
    story.check(json!({ "dimensions": ["visit:exit_page"], "filters": filters }), json!([])).await;
    story.check(json!({ "filters": filters }), json!([[1]])).await;
}

#[tokio::test]
async fn hours_are_the_sites_own_also_where_they_begin_at_a_quarter() {
    // [12]
    let mut story = Story::new("Asia/Kathmandu").await;
    story.visit(1).view("01 05:14:59", "/");
    story.visit(2).view("01 05:15:00", "/");
    story.visit(3).view("01 18:14:59", "/");
    story.visit(4).view("01 18:15:00", "/");
    story.told().await;
    for metrics in [json!(["visitors"]), json!(["pageviews"])] {
        let expected = json!([
            ["2024-05-01 10:00:00", 1],
            ["2024-05-01 11:00:00", 1],
            ["2024-05-01 23:00:00", 1],
            ["2024-05-02 00:00:00", 1],
        ]);
        story.check(json!({ "metrics": metrics, "dimensions": ["time:hour"] }), expected).await;
        let expected = json!([["2024-05-01", 3], ["2024-05-02", 1]]);
        story.check(json!({ "metrics": metrics, "dimensions": ["time:day"] }), expected).await;
    }
}

#[tokio::test]
async fn days_on_which_clocks_change_have_the_labels_of_their_clock() {
    // Forward and back by an hour, at midnight, and by half an hour.
    let days = [
        ("2024-03-31", "Europe/Berlin"),
        ("2024-10-27", "Europe/Berlin"),
        ("2024-04-26", "Africa/Cairo"),
        ("2024-04-07", "Australia/Lord_Howe"),
        ("2024-10-06", "Australia/Lord_Howe"),
        ("2024-05-03", "Asia/Kathmandu"),
    ];
    for (day, zone) in days {
        let mut story = Story::new(zone).await;
        let period = json!([day, day]);
        let parts = json!({ "date_range": period, "dimensions": ["time:hour"], "include": { "time_labels": true } });
        let query = passerby::query::Query::parse(
            &json!({ "site_id": "x", "metrics": ["visitors"], "date_range": period }),
            &Known::new(&story.site, Timestamp::UNIX_EPOCH),
        );
        let (from, to) = (query.as_ref().unwrap().period().from(), query.unwrap().period().to());
        let mut second = from.as_second();
        while second <= to.as_second() {
            let visitor = u64::try_from(second).unwrap();
            story.visit(visitor).view("01 00:00:00", "/").last().timestamp =
                u32::try_from(second).unwrap();
            second += 900;
        }
        story.told().await;
        let answer = story.ask(&parts).await.unwrap();
        let labels: Value = answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["dimensions"][0].clone())
            .collect();
        assert_eq!(labels, answer["meta"]["time_labels"], "{day} in {zone}");
    }
}

#[tokio::test]
async fn weeks_begin_on_monday_but_the_first_on_the_first_day() {
    // [13]
    let mut story = Story::new("Europe/Berlin").await;
    story.visit(1).view("01 10:00:00", "/");
    story.visit(2).view("05 21:59:59", "/");
    story.visit(3).view("05 22:00:00", "/");
    story.visit(4).view("13 10:00:00", "/");
    story.told().await;
    for metrics in [json!(["visitors"]), json!(["pageviews"])] {
        let query = json!({
            "metrics": metrics, "dimensions": ["time:week"], "date_range": ["2024-05-01", "2024-05-19"],
        });
        story.check(query, json!([["2024-05-01", 2], ["2024-05-06", 1], ["2024-05-13", 1]])).await;
        let query = json!({ "metrics": metrics, "dimensions": ["time:month"] });
        story.check(query, json!([["2024-05-01", 4]])).await;
    }
}

#[tokio::test]
async fn a_visit_counts_in_every_hour_in_which_it_was_under_way() {
    // [15]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:50:00", "/").view("01 12:05:00", "/b");
    story.told().await;
    let check = async |metrics: &[&str], expected: Value| {
        story.check(json!({ "metrics": metrics, "dimensions": ["time:hour"] }), expected).await;
    };
    let [ten, eleven, twelve] =
        ["2024-05-01 10:00:00", "2024-05-01 11:00:00", "2024-05-01 12:00:00"];
    check(&["visitors"], json!([[ten, 1], [eleven, 1], [twelve, 1]])).await;
    check(
        &["visits", "bounce_rate", "visit_duration"],
        json!([[ten, 1, 0, 4500], [eleven, 1, 0, 4500], [twelve, 1, 0, 4500]]),
    )
    .await;
    check(&["pageviews"], json!([[ten, 1], [twelve, 1]])).await;
    check(
        &["visits", "pageviews", "bounce_rate"],
        json!([[ten, 1, 1, 0], [eleven, 1, 0, 0], [twelve, 1, 1, 0]]),
    )
    .await;
    check(&["visits", "pageviews"], json!([[ten, 1, 1], [twelve, 1, 1]])).await;
}

#[tokio::test]
async fn a_minute_counts_a_visit_wherever_it_was_under_way() {
    // [15]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:30", "/").view("01 10:02:10", "/b");
    story.told().await;
    let query = json!({ "metrics": ["visitors", "pageviews"], "dimensions": ["time:minute"] });
    let expected = json!([
        ["2024-05-01 10:00:00", 1, 1],
        ["2024-05-01 10:01:00", 1, 0],
        ["2024-05-01 10:02:00", 1, 1]
    ]);
    story.check(query, expected).await;
}

#[tokio::test]
async fn by_the_day_a_visit_counts_where_it_was_last_active_within_the_period() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 23:50:00", "/").view("02 00:10:00", "/b");
    story.visit(2).view("02 23:50:00", "/").view("03 00:10:00", "/b");
    story.told().await;
    let range = json!(["2024-05-01", "2024-05-02"]);
    let query = json!({ "metrics": ["visits"], "dimensions": ["time:day"], "date_range": range });
    story.check(query, json!([["2024-05-02", 2]])).await;
    let query = json!({ "metrics": ["visits", "pageviews"], "dimensions": ["time:day"], "date_range": range });
    story.check(query, json!([["2024-05-01", 1, 1], ["2024-05-02", 2, 2]])).await;
}

#[tokio::test]
async fn buckets_without_data_are_left_out_and_all_labels_are_in_the_meta() {
    // [17]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/");
    story.visit(2).view("03 10:00:00", "/");
    story.told().await;
    let query = json!({
        "date_range": ["2024-05-01", "2024-05-04"], "dimensions": ["time"], "include": { "time_labels": true },
    });
    let answer = story.ask(&query).await.unwrap();
    assert_eq!(
        answer["meta"]["time_labels"],
        json!(["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04"])
    );
    assert_eq!(answer["query"]["dimensions"], json!(["time:day"]));
    story.check(query, json!([["2024-05-01", 1], ["2024-05-03", 1]])).await;
}

#[tokio::test]
async fn all_begins_on_the_day_of_the_first_event() {
    let mut story = Story::new("America/New_York").await;
    story.visit(1).view("02 03:00:00", "/");
    story.told().await;
    let answer = story.ask(&json!({ "date_range": "all" })).await.unwrap();
    assert_eq!(
        answer["query"]["date_range"],
        json!(["2024-05-01T00:00:00-04:00", "2024-06-15T23:59:59-04:00"])
    );
    let nothing = Story::new("Etc/UTC").await.ask(&json!({ "date_range": "all" })).await.unwrap();
    assert_eq!(
        nothing["query"]["date_range"],
        json!(["2024-06-15T00:00:00+00:00", "2024-06-15T23:59:59+00:00"])
    );
}

#[tokio::test]
async fn the_echoed_query_has_the_same_answer() {
    // [38]
    let mut story = Story::new("Europe/Berlin").await;
    story.visit(1).from("Google").view("01 22:30:00", "/");
    story.visit(2).view("02 10:00:00", "/");
    story.told().await;
    let query = json!({
        "metrics": ["visitors", "bounce_rate"], "date_range": ["2024-05-02", "2024-05-03"], "dimensions": ["time"],
        "filters": [["is_not", "visit:source", ["Bing"]]], "include": { "time_labels": true, "total_rows": true },
    });
    let answer = story.ask(&query).await.unwrap();
    assert_eq!(story.ask(&answer["query"]).await.unwrap(), answer);
}

#[tokio::test]
async fn a_blank_has_the_label_of_its_dimension_and_is_found_by_it() {
    // [24]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/").prop("plan", "pro");
    story.visit(2).with(full()).view("01 11:00:00", "/");
    story.told().await;
    for field in Field::ALL.iter().filter(|field| !field.spec().blank.is_empty()) {
        let spec = field.spec();
        let query =
            json!({ "dimensions": [spec.name], "filters": [["is", spec.name, [spec.blank]]] });
        story.check(query, json!([[spec.blank, 1]])).await;
        let query = json!({ "filters": [["is_not", spec.name, [spec.blank]]] });
        story.check(query, json!([[1]])).await;
    }
    let query =
        json!({ "dimensions": ["event:props:plan"], "order_by": [["event:props:plan", "asc"]] });
    story.check(query, json!([["(none)", 1], ["pro", 1]])).await;
}

/// A visit about which everything is known.
fn full() -> Attributes {
    Attributes {
        referrer: "google.com/search".into(),
        source: "Google".into(),
        channel: "Organic Search".into(),
        utm_source: "us".into(),
        utm_medium: "um".into(),
        utm_campaign: "uc".into(),
        utm_content: "un".into(),
        utm_term: "ut".into(),
        click_id_kind: "gclid".into(),
        country: "DE".into(),
        region: "DE-BE".into(),
        region_name: "Land Berlin".into(),
        city: 2_950_159,
        city_name: "Berlin".into(),
        browser: "Firefox".into(),
        browser_version: "126.0".into(),
        os: "Debian".into(),
        os_version: "12".into(),
        device: "Desktop".into(),
        language: "de".into(),
    }
}

#[tokio::test]
async fn every_dimension_has_its_value_and_is_a_filter() {
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .with(full())
        .on("www2.example")
        .view("01 10:00:00", "/in")
        .view("01 10:01:00", "/out");
    story.visit(2).view("01 10:00:00", "/in").view("01 10:01:00", "/out");
    story.told().await;
    for field in Field::ALL {
        let value = match field {
            Field::EventName => json!("pageview"),
            Field::Page | Field::ExitPage => json!("/out"),
            Field::EntryPage => json!("/in"),
            Field::Hostname | Field::EntryHostname | Field::ExitHostname => json!("www2.example"),
            Field::Source => json!("Google"),
            Field::Channel => json!("Organic Search"),
            Field::Referrer => json!("google.com/search"),
            Field::UtmSource => json!("us"),
            Field::UtmMedium => json!("um"),
            Field::UtmCampaign => json!("uc"),
            Field::UtmContent => json!("un"),
            Field::UtmTerm => json!("ut"),
            Field::Device | Field::Screen => json!("Desktop"),
            Field::Browser => json!("Firefox"),
            Field::BrowserVersion => json!("126.0"),
            Field::Os => json!("Debian"),
            Field::OsVersion => json!("12"),
            Field::Language => json!("de"),
            Field::Country => json!("DE"),
            Field::Region => json!("DE-BE"),
            Field::City => json!(2_950_159),
            Field::CountryName => json!("Germany"),
            Field::RegionName => json!("Land Berlin"),
            Field::CityName => json!("Berlin"),
        };
        let name = field.spec().name;
        let filters = json!([["is", name, [value]], ["is", "visit:language", ["de"]]]);
        for metrics in [json!(["visitors", "visits"]), json!(["visitors", "percentage"])] {
            let rows = story
                .rows(&json!({ "metrics": metrics, "dimensions": [name], "filters": filters }))
                .await;
            assert_eq!(rows[0][0], value, "{name}");
            assert_eq!(rows[0][1], json!(1), "{name}");
        }
        let query = json!({ "metrics": ["visits"], "filters": [["is_not", name, [value]]] });
        let others = if matches!(field, Field::EventName) {
            0
        } else if matches!(field, Field::Page) {
            2
        } else {
            1
        };
        let others = if matches!(field, Field::EntryPage | Field::ExitPage) { 0 } else { others };
        story.check(query, json!([[others]])).await;
    }
}

#[tokio::test]
async fn filters_compare_as_their_operators_say() {
    // [32]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/Blog/one").prop("plan", "pro");
    story.visit(2).from("google ads").view("01 11:00:00", "/blog/two").prop("plan", "free");
    story.visit(3).view("01 12:00:00", "/");
    story.told().await;
    let check = async |filter: Value, expected: u64| {
        story.check(json!({ "filters": [filter] }), json!([[expected]])).await
    };
    check(json!(["is", "visit:source", ["Google", "Bing"]]), 1).await;
    check(json!(["is", "visit:source", ["google"], { "case_sensitive": false }]), 1).await;
    check(json!(["is_not", "visit:source", ["Google"]]), 2).await;
    check(json!(["contains", "visit:source", ["oogle"]]), 2).await;
    check(json!(["contains", "visit:source", ["ADS", "x"], { "case_sensitive": false }]), 1).await;
    check(json!(["contains_not", "visit:source", ["oogle"]]), 1).await;
    check(json!(["matches", "event:page", ["^/[Bb]log/"]]), 2).await;
    check(json!(["matches_not", "event:page", ["^/blog/"]]), 2).await;
    check(json!(["matches_wildcard", "event:page", ["/blog/**|/"]]), 2).await;
    check(json!(["matches_wildcard_not", "event:page", ["/*log/*"]]), 1).await;
    check(json!(["is", "event:props:plan", ["pro"]]), 1).await;
    check(json!(["is", "event:props:plan", ["(none)"]]), 1).await;
    check(json!(["is_not", "event:props:plan", ["pro"]]), 2).await;
    check(json!(["is_not", "event:props:plan", ["(none)"]]), 2).await;
    check(json!(["contains_not", "event:props:plan", ["pr"]]), 1).await;
    check(json!(["matches_not", "event:props:plan", ["^f"]]), 1).await;
    check(json!(["or", [["is", "visit:source", ["Google"]], ["is", "event:page", ["/"]]]]), 2)
        .await;
    check(
        json!([
            "and",
            [["contains", "visit:source", ["oogle"]], ["is", "event:props:plan", ["free"]]]
        ]),
        1,
    )
    .await;
    check(json!(["not", ["is", "event:page", ["/"]]]), 2).await;
    check(json!(["has_done", ["is", "event:page", ["/"]]]), 1).await;
    check(json!(["has_not_done", ["is", "event:page", ["/"]]]), 2).await;
    check(json!(["is", "visit:source", ["Google' OR 1=1 --", "\\", "{p0:String}", "?"]]), 0).await;
    let error =
        story.ask(&json!({ "filters": [["matches", "visit:source", ["("]]] })).await.unwrap_err();
    assert!(matches!(error, AskError::Invalid(_)), "{error}");
}

#[tokio::test]
async fn has_done_keeps_all_the_events_of_the_visits_in_which_one_event_met_all_conditions() {
    // [33]
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .view("01 10:00:00", "/a")
        .event("01 10:01:00", "Signup", "/b")
        .view("01 10:02:00", "/b");
    story.visit(1).view("01 15:00:00", "/b").event("01 15:01:00", "Signup", "/a");
    story.told().await;
    let both = json!(["and", [["is", "event:name", ["Signup"]], ["is", "event:page", ["/b"]]]]);
    let query =
        json!({ "metrics": ["visits", "events", "bounce_rate"], "filters": [["has_done", both]] });
    story.check(query, json!([[1, 3, 0]])).await;
    let query = json!({ "metrics": ["visits", "events"], "filters": [["has_not_done", both]] });
    story.check(query, json!([[1, 2]])).await;
}

#[tokio::test]
async fn a_visit_with_such_an_event_counts_whole_in_the_metrics_of_visits() {
    // [9]
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .view("01 10:00:00", "/a")
        .event("01 10:05:00", "Signup", "/a")
        .view("01 10:10:00", "/b");
    story.visit(2).view("01 11:00:00", "/a");
    story.told().await;
    let filters = json!([["is", "event:name", ["Signup"]], ["is", "visit:entry_page", ["/a"]]]);
    let query = json!({ "metrics": ["visitors", "events", "visit_duration", "bounce_rate"], "filters": filters });
    story.check(query, json!([[1, 1, 600, 0]])).await;
    let query = json!({ "metrics": ["visit_duration", "views_per_visit"], "filters": filters });
    story.check(query, json!([[600, 2.0]])).await;
}

#[tokio::test]
async fn events_of_nobody_count_as_events_and_never_as_visitors_or_visits() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/");
    story.nobody().view("01 11:00:00", "/").event("01 11:00:00", "Signup", "/");
    story.nobody().view("02 11:00:00", "/only");
    story.told().await;
    story.check(json!({ "metrics": ALL_METRICS }), json!([[1, 1, 3, 4, 100, 0]])).await;
    story.check(json!({ "dimensions": ["event:page"] }), json!([["/", 1]])).await;
    let query = json!({ "metrics": ["visitors", "pageviews"], "dimensions": ["event:page"] });
    story.check(query, json!([["/", 1, 2], ["/only", 0, 1]])).await;
    let filters = json!([["has_not_done", ["is", "event:page", ["/only"]]]]);
    story
        .check(json!({ "metrics": ["pageviews", "visits"], "filters": filters }), json!([[3, 1]]))
        .await;
}

#[tokio::test]
async fn rows_come_in_the_order_asked_for_and_in_pages() {
    // [22]
    let mut story = Story::new("Etc/UTC").await;
    for (visitor, source) in [(1, "A"), (2, "B"), (3, "B"), (4, "C"), (5, "C"), (6, "C"), (7, "D")]
    {
        story.visit(visitor).from(source).view(&format!("0{visitor} 10:00:00"), "/");
    }
    story.told().await;
    let check = async |parts: Value, expected: Value| {
        let mut query = json!({ "dimensions": ["visit:source"] });
        query.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        story.check(query, expected).await;
    };
    check(json!({}), json!([["C", 3], ["B", 2], ["A", 1], ["D", 1]])).await;
    check(
        json!({ "order_by": [["visitors", "asc"], ["visit:source", "desc"]] }),
        json!([["D", 1], ["A", 1], ["B", 2], ["C", 3]]),
    )
    .await;
    check(
        json!({ "order_by": [["visit:source", "asc"]], "pagination": { "limit": 2 } }),
        json!([["A", 1], ["B", 2]]),
    )
    .await;
    check(json!({ "pagination": { "limit": 2, "offset": 2 } }), json!([["A", 1], ["D", 1]])).await;
    check(json!({ "pagination": { "offset": 9 } }), json!([])).await;
    let page = json!({ "dimensions": ["visit:source"], "pagination": { "limit": 1, "offset": 9 }, "include": { "total_rows": true } });
    assert_eq!(story.ask(&page).await.unwrap()["meta"]["total_rows"], json!(4));
    let query = json!({ "metrics": ["visitors", "percentage"], "dimensions": ["visit:source"], "pagination": { "limit": 1 } });
    story.check(query, json!([["C", 3, 42.9]])).await;
}

#[tokio::test]
async fn what_is_past_the_retention_is_not_shown() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("10 10:00:00", "/");
    story.visit(2).view("20 10:00:00", "/");
    story.told().await;
    // Asked on 15 June: what happened before 16 May is past.
    story.site.retention_days = Some(30);
    story.check(json!({ "metrics": ["visitors"] }), json!([[1]])).await;
    story.check(json!({ "metrics": ["pageviews"] }), json!([[1]])).await;
}

fn goal(name: &str, kind: GoalKind) -> Goal {
    Goal { name: name.into(), kind, currency: None }
}

/// Three visitors of whom one signs up, two read the blog, and one of these to its end.
async fn shop() -> Story {
    let mut story = Story::new("Etc/UTC").await;
    story.goals = vec![
        goal("Signup", GoalKind::Event("Signup".into())),
        goal("Visit /blog**", GoalKind::Page("/blog**".into())),
        goal("Read on", GoalKind::Scroll("/blog/*".into(), 60)),
        goal("Never", GoalKind::Event("Never".into())),
    ];
    let visit = story.visit(1).from("Google").view("01 10:00:00", "/blog/a").prop("plan", "pro");
    visit
        .ping("01 10:01:00", "/blog/a")
        .attention(63_000, 80)
        .event("01 10:02:00", "Signup", "/blog/a")
        .prop("plan", "pro");
    let visit = story.visit(2).from("Google").view("01 11:00:00", "/blog/b/c");
    visit
        .ping("01 11:01:00", "/blog/b/c")
        .attention(20_000, 30)
        .ping("01 11:02:00", "/blog/b/c")
        .attention(1_000, 40);
    story
        .visit(3)
        .from("Bing")
        .view("01 12:00:00", "/")
        .event("01 12:01:00", "Signup", "/")
        .not_interactive();
    story
        .visit(4)
        .from("Bing")
        .view("01 13:00:00", "/")
        .ping("01 13:00:30", "/")
        .attention(700, 255);
    story.told().await;
    story
}

#[tokio::test]
async fn one_event_counts_for_every_goal_that_it_meets() {
    // [26], [27]
    let story = shop().await;
    let query = json!({ "metrics": ["visitors", "events", "conversion_rate"], "dimensions": ["event:goal"] });
    let expected =
        json!([["Signup", 2, 2, 50.0], ["Visit /blog**", 2, 2, 50.0], ["Read on", 1, null, 25.0]]);
    story.check(query, expected).await;
    let filters = json!([["is", "event:goal", ["Signup", "Read on"]]]);
    let query = json!({ "metrics": ["visitors", "events"], "filters": filters });
    story.check(query, json!([[2, null]])).await;
    let query = json!({ "metrics": ["visitors", "pageviews"], "filters": [["is", "event:goal", ["Visit /blog**"]]] });
    story.check(query, json!([[2, 2]])).await;
    let query = json!({ "dimensions": ["event:goal"], "filters": filters });
    story.check(query, json!([["Signup", 2], ["Read on", 1]])).await;
}

#[tokio::test]
async fn the_rate_of_conversion_is_of_all_visitors_and_the_groups_of_the_row() {
    // [28]
    let story = shop().await;
    let rates = json!(["visitors", "conversion_rate", "group_conversion_rate"]);
    let filters = json!([["is", "event:goal", ["Signup"]]]);
    let query = json!({ "metrics": rates, "dimensions": ["visit:source"], "filters": filters });
    story.check(query, json!([["Bing", 1, 25.0, 50.0], ["Google", 1, 25.0, 50.0]])).await;
    // Filters on pages and visits narrow the denominator, filters on properties do not.
    let filters = json!([["is", "event:goal", ["Signup"]], ["contains", "event:page", ["/blog"]]]);
    story.check(json!({ "metrics": rates, "filters": filters }), json!([[1, 50.0, 50.0]])).await;
    let filters = json!([["is", "event:goal", ["Signup"]], ["is", "event:props:plan", ["pro"]]]);
    story.check(json!({ "metrics": rates, "filters": filters }), json!([[1, 25.0, 25.0]])).await;
    let query = json!({ "metrics": rates, "dimensions": ["event:props:plan"], "filters": [["is", "event:goal", ["Signup"]]] });
    story.check(query, json!([["(none)", 1, 25.0, 25.0], ["pro", 1, 25.0, 25.0]])).await;
    let query =
        json!({ "metrics": ["conversion_rate"], "filters": [["is", "event:goal", ["Never"]]] });
    story.check(query, json!([[0.0]])).await;
}

#[tokio::test]
async fn an_unknown_goal_is_refused_under_is_and_finds_nothing_under_contains() {
    // [30]
    let story = shop().await;
    let error = story
        .ask(&json!({ "filters": [["is", "event:goal", ["Signup", "Nope"]]] }))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        r##"#/filters/0/2/1: Invalid goal "Nope": the site has no goal of this name."##
    );
    story.check(json!({ "filters": [["contains", "event:goal", ["Nope"]]] }), json!([[0]])).await;
    story.check(json!({ "filters": [["contains", "event:goal", ["sign"], { "case_sensitive": false }]] }), json!([[2]])).await;
    story
        .check(
            json!({ "filters": [["has_done", ["is", "event:goal", ["Read on"]]]] }),
            json!([[1]]),
        )
        .await;
    story
        .check(
            json!({ "filters": [["has_not_done", ["is", "event:goal", ["Signup"]]]] }),
            json!([[2]]),
        )
        .await;
}

#[tokio::test]
async fn attention_is_the_mean_of_the_visits_that_told_of_it() {
    // [31], [22]
    let story = shop().await;
    let query = json!({ "metrics": ["visitors", "scroll_depth", "time_on_page"], "dimensions": ["event:page"] });
    let expected = json!([["/", 2, null, 1], ["/blog/a", 1, 80, 63], ["/blog/b/c", 1, 40, 21]]);
    story.check(query, expected).await;
    let query = json!({ "metrics": ["time_on_page"], "dimensions": ["event:page"] });
    story.check(query.clone(), json!([["/", 1], ["/blog/a", 63], ["/blog/b/c", 21]])).await;
    let echoed = story.ask(&query).await.unwrap()["query"].clone();
    story.check(echoed, json!([["/", 1], ["/blog/a", 63], ["/blog/b/c", 21]])).await;
    let filters = json!([["contains", "event:page", ["/blog"]]]);
    let query =
        json!({ "metrics": ["scroll_depth", "time_on_page", "visitors"], "filters": filters });
    story.check(query, json!([[60, 42, 2]])).await;
    let query = json!({ "metrics": ["scroll_depth", "time_on_page"], "filters": [["is", "event:page", ["/nope"]]] });
    story.check(query, json!([[null, null]])).await;
}

#[tokio::test]
async fn the_exit_rate_is_of_all_the_views_of_the_page() {
    // [11]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/a").view("01 10:01:00", "/b");
    story
        .visit(2)
        .from("Google")
        .view("01 11:00:00", "/b")
        .view("01 11:01:00", "/a")
        .view("01 11:02:00", "/a");
    story.visit(3).from("Bing").view("01 12:00:00", "/a");
    story.told().await;
    let metrics = json!(["exit_rate", "visits"]);
    let query = json!({ "metrics": metrics, "dimensions": ["visit:exit_page"] });
    story.check(query, json!([["/a", 50.0, 2], ["/b", 50.0, 1]])).await;
    let filters = json!([["is", "visit:exit_page", ["/a"]], ["is", "visit:source", ["Google"]]]);
    let query =
        json!({ "metrics": metrics, "dimensions": ["visit:exit_page"], "filters": filters });
    story.check(query, json!([["/a", 33.3, 1]])).await;
}

/// The rows, each as its dimensions, its metrics, and the same of what it is compared with, and the changes.
async fn compared(story: &Story, parts: Value) -> Value {
    let answer = story.ask(&parts).await.unwrap();
    let row = |row: &Value| {
        let there = &row["comparison"];
        json!([
            row["dimensions"],
            row["metrics"],
            there["dimensions"],
            there["metrics"],
            there["change"]
        ])
    };
    answer["results"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn each_row_is_compared_with_the_same_one_of_the_other_period() {
    // [36], [37]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/");
    story.visit(2).from("Google").view("01 10:00:00", "/").view("01 10:00:40", "/");
    story.visit(3).from("Bing").view("02 10:00:00", "/");
    story.visit(4).from("Google").view("04 10:00:00", "/");
    story.visit(5).from("Yahoo").view("04 10:00:00", "/");
    story.visit(6).from("Yahoo").view("04 10:00:00", "/");
    story.told().await;
    let parts = |more: Value| {
        let mut parts = json!({
            "metrics": ["visitors", "bounce_rate", "percentage"], "date_range": ["2024-05-03", "2024-05-04"],
            "include": { "comparisons": { "mode": "previous_period" } },
        });
        parts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parts
    };
    let expected = json!([[[], [3, 100, 100.0], [], [3, 67, 100.0], [0, 33, 0]]]);
    assert_eq!(compared(&story, parts(json!({}))).await, expected);
    let by_source = parts(json!({ "dimensions": ["visit:source"] }));
    let expected = json!([
        [["Yahoo"], [2, 100, 66.7], ["Yahoo"], [0, 0, 0.0], [100, null, 100]],
        [["Google"], [1, 100, 33.3], ["Google"], [2, 50, 66.7], [-50, 50, -50]],
    ]);
    assert_eq!(compared(&story, by_source).await, expected);
    let by_day = parts(json!({ "metrics": ["visitors"], "dimensions": ["time:day"] }));
    let expected = json!([[["2024-05-04"], [3], ["2024-05-02"], [1], [200]]]);
    assert_eq!(compared(&story, by_day).await, expected);
}
