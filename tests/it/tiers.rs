//! Days that are added up: the same numbers, to the last visitor, as when everything is counted from events.
//! Random traffic and random questions, on the real engine; late events, imports and erasures among them.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use passerby::event::{Attributes, Event, Happening, SCROLL_DEPTH_UNKNOWN, SessionId, VisitorId};
use passerby::query::{Closed, Known, Query, Together, compile, made_of, may_add_up, total_rows};
use passerby::report;
use passerby::site::goal::{Goal, GoalKind};
use passerby::site::{Site, SiteId};
use passerby::store::engine::Engine;
use passerby::store::{Path, Selection, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::{connect, engine_settings, store};

/// Sites of this file's tests. Other tests have no events in the years of these: they would open their days.
static NEXT_SITE: AtomicU32 = AtomicU32::new(80_000);

const PAGES: [&str; 5] = ["/", "/a", "/b", "/ä", "/long/way"];
const SOURCES: [&str; 4] = ["Google", "", "news.example", "Direct / None"];
const CAMPAIGNS: [&str; 5] = ["", "", "", "spring", "(not set)"];
const COUNTRIES: [&str; 3] = ["DE", "FR", ""];

/// Of each kind one, and with revenue.
fn goals() -> Vec<Goal> {
    let goal = |name: &str, kind, currency: Option<&str>| Goal {
        name: name.into(),
        kind,
        currency: currency.map(str::to_owned),
    };
    vec![
        goal("Signup", GoalKind::Event("Signup".into()), Some("EUR")),
        goal("Visit /a", GoalKind::Page("/a".into()), None),
        goal("Visit /b", GoalKind::Page("/b*".into()), None),
        goal("Scroll / 50", GoalKind::Scroll("/".into(), 50), None),
    ]
}

/// A site, and the days on which something happens there.
struct Traffic {
    store: Arc<Store>,
    site: Site,
    first: Date,
    days: i64,
    random: StdRng,
    visits: u64,
    visitors: u64,
    /// Questions so far that were answered in each of the [`WAYS`].
    answered: [usize; WAYS.len()],
    /// Statements so far of which a question's rows are told by the value that they are grouped by.
    told_by_value: usize,
    /// Statements so far that count visitors at other visits for one question than for another.
    counted_apart: usize,
}

/// By what closed days answer, and what marks a statement that has it.
const WAYS: [(&str, &str); 16] = [
    ("visitors counted at the first event of a name", " AND NOT d.name_again) AS counted0 "),
    ("visitors counted where they met a goal first", " AND NOT d.goal_again) AS counted0 "),
    ("visitors counted at their first visits", ", (d.earlier = 0) AS counted0"),
    ("visitors counted by what two of their visits have alike", ", (bitAnd(d.earlier_"),
    ("visitors counted at their first visits by any campaign", "d.earlier_with_utm_campaign"),
    ("rows of visits", " FROM visit_days "),
    ("rows of notable events", " FROM notable_events "),
    ("what their visits have as a whole", " AND d.last >= "),
    ("the hours of what happened", "bitPositionsToArray("),
    ("whether a visit had an event", " AS had_event FROM visit_days "),
    ("the hours of a visit's pages", "hours_by_page"),
    ("the attention of a visit's day", "attention_pages"),
    ("what a visit as a whole has", " AND d.first + d.duration >= "),
    ("the hours of a value", " ARRAY JOIN hours "),
    ("the visits that viewed a page", " AS last, value AS pathname"),
    ("the visits that went on after the period", " AND d.first <= "),
];

impl Traffic {
    /// `year` is this test's own.
    async fn new(seed: u64, zone: &str, year: i16) -> Self {
        let id = SiteId(NEXT_SITE.fetch_add(1, Ordering::SeqCst));
        let mut site = Site::new(id, "example.com", TimeZone::get(zone).unwrap());
        site.goals = goals();
        Self {
            store: store().await,
            site,
            // With a change of clocks in the European zones.
            first: jiff::civil::date(year, 3, 22),
            days: 14,
            random: StdRng::seed_from_u64(seed),
            visits: 0,
            visitors: 0,
            answered: [0; WAYS.len()],
            told_by_value: 0,
            counted_apart: 0,
        }
    }

    /// From here on no event meets two of the goals.
    fn exclude_goals(&mut self) {
        self.site.goals[2].kind = GoalKind::Page("/b".into());
    }

    fn now(&self) -> Timestamp {
        self.midnight(self.days + 20)
    }

    /// When a day of the site begins.
    fn midnight(&self, day: i64) -> Timestamp {
        let date = self.first.saturating_add(day.days());
        self.site.timezone.to_timestamp(date.at(0, 0, 0, 0)).unwrap()
    }

    /// The first moment at which nothing more is inserted into the partitions of a day whose visits may go on.
    fn over(&self, day: Date) -> Timestamp {
        let last = made_of(day, &self.site.timezone, true).last().unwrap();
        TimeZone::UTC.to_timestamp(last.tomorrow().unwrap().at(0, 0, 0, 0)).unwrap()
    }

    /// The visits of a visitor who came on this day; now and then they are there over midnight.
    fn visitor(&mut self, day: i64) -> Vec<Event> {
        self.visitors += 1;
        let visitor = VisitorId::of_a_day(self.visitors << 20 | u64::from(self.site.id.0) << 1);
        let length = self.midnight(day + 1).duration_since(self.midnight(day)).as_secs();
        let mut events = Vec::new();
        let mut second = match self.random.random_ratio(1, 3) {
            true => length - self.random.random_range(1..4_000),
            false => self.random.random_range(0..length),
        };
        let mut client = self.client();
        for _ in 0..self.random.random_range(1..5) {
            if second >= length {
                // The id has ended with its day.
                break;
            }
            if self.random.random_ratio(1, 10) {
                // Another place database says otherwise.
                client = self.client();
            }
            let start = self.midnight(day) + SignedDuration::from_secs(second);
            second += self.visit(visitor, &client, start, &mut events) + 2_000;
        }
        events
    }

    /// What an id is made of: an address and a browser.
    fn client(&mut self) -> Attributes {
        Attributes {
            country: self.one_of(&COUNTRIES),
            city: self.random.random_range(0..3),
            browser: self.one_of(&["Firefox", "Chrome"]),
            browser_version: self.one_of(&["1.0", "2.0"]),
            device: self.one_of(&["Mobile", "", "Desktop"]),
            ..Attributes::default()
        }
    }

    /// A visit from here on; returns how many seconds it lasted.
    fn visit(
        &mut self,
        visitor: VisitorId,
        client: &Attributes,
        start: Timestamp,
        events: &mut Vec<Event>,
    ) -> i64 {
        self.visits += 1;
        let began = u64::try_from(start.as_second()).unwrap();
        let session = SessionId(began << 32 | self.visits);
        let attributes = Arc::new(Attributes {
            source: self.one_of(&SOURCES),
            utm_campaign: self.one_of(&CAMPAIGNS),
            language: self.one_of(&["de", "en", ""]),
            ..client.clone()
        });
        let (mut now, mut last) = (start, start);
        for seq in 1..=self.random.random_range(1..7_u32) {
            let name = self.one_of(&["pageview", "pageview", "pageview", "Signup", "engagement"]);
            let mut event = self.event(visitor, session, if seq == 1 { "pageview" } else { &name });
            event.happening.seq = seq;
            event.happening.timestamp = u32::try_from(now.as_second()).unwrap();
            event.attributes = Arc::clone(&attributes);
            events.push(event);
            last = last.max(now);
            // Now and then an event arrives after one that happened later.
            let step = self.random.random_range(0..1_500) - self.random.random_range(0..200);
            now = (now + SignedDuration::from_secs(step)).max(start);
        }
        last.duration_since(start).as_secs()
    }

    /// The visit of a visitor who comes once, with a view of the page `/` at each of these moments, in the order in which they arrive.
    fn visit_at(&mut self, moments: &[Timestamp]) -> Vec<Event> {
        self.visitors += 1;
        self.visits += 1;
        let second = |moment: &Timestamp| u32::try_from(moment.as_second()).unwrap();
        let visitor = VisitorId::of_a_day(self.visitors << 20 | u64::from(self.site.id.0) << 1);
        let session = SessionId(u64::from(second(&moments[0])) << 32 | self.visits);
        let views = (1..).zip(moments).map(|(seq, moment)| {
            let mut event = self.event(visitor, session, "pageview");
            let happening = &mut event.happening;
            (happening.seq, happening.timestamp) = (seq, second(moment));
            (happening.pathname, happening.entry_pathname) = ("/".into(), "/".into());
            event
        });
        views.collect()
    }

    /// A visit that is there before the end of a day, and ten minutes after this moment.
    fn visit_until(&mut self, day: i64, moment: Timestamp) -> Vec<Event> {
        let before = self.midnight(day + 1) - SignedDuration::from_secs(30);
        self.visit_at(&[before, moment + SignedDuration::from_mins(10)])
    }

    fn event(&mut self, visitor_id: VisitorId, session_id: SessionId, name: &str) -> Event {
        let attends = name == "engagement";
        let pays = name == "Signup" && self.random.random_ratio(1, 2);
        let happening = Happening {
            site_id: self.site.id.0,
            timestamp: 0,
            name: name.into(),
            visitor_id,
            session_id,
            seq: 0,
            event_id: self.random.random(),
            hostname: self.one_of(&["example.com", "shop.example.com"]),
            pathname: self.one_of(&PAGES),
            interactive: self.random.random_ratio(2, 3),
            engagement_ms: if attends { self.random.random_range(0..9_000) } else { 0 },
            scroll_depth: match attends && self.random.random_ratio(2, 3) {
                true => self.random.random_range(0..=100),
                false => SCROLL_DEPTH_UNKNOWN,
            },
            props: match self.random.random_ratio(1, 3) {
                true => vec![("plan".into(), self.one_of(&["free", "paid"]))],
                false => Vec::new(),
            },
            revenue_amount: if pays { self.random.random_range(0..90_000) } else { 0 },
            revenue_currency: if pays {
                self.one_of(&["EUR", "EUR", "USD"])
            } else {
                String::new()
            },
            entry_hostname: String::new(),
            entry_pathname: String::new(),
        };
        Event { happening, attributes: Arc::default() }
    }

    fn one_of(&mut self, words: &[&str]) -> String {
        words[self.random.random_range(0..words.len())].to_owned()
    }

    /// Visitors on each day, and some who did not want to be recognised.
    fn all(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for day in 0..self.days {
            for _ in 0..self.random.random_range(0..14) {
                events.extend(self.visitor(day));
            }
            for _ in 0..self.random.random_range(0..3) {
                let mut event = self.event(VisitorId::NOBODY, SessionId::default(), "pageview");
                let moment = self.midnight(day)
                    + SignedDuration::from_mins(self.random.random_range(0..1_380));
                event.happening.timestamp = u32::try_from(moment.as_second()).unwrap();
                events.push(event);
            }
        }
        events
    }

    async fn insert(&self, events: &[Event]) {
        let columns = Event::columns().collect::<Vec<_>>().join(", ");
        let mut days: std::collections::BTreeMap<u32, Vec<u8>> = Default::default();
        for event in events {
            event.encode(days.entry(event.happening.timestamp / 86_400).or_default());
        }
        for rows in days.into_values() {
            self.store.insert_events(&columns, rows).await.unwrap();
        }
    }

    async fn close(&self) -> usize {
        self.close_at(self.now()).await
    }

    async fn close_at(&self, now: Timestamp) -> usize {
        let closing = self.store.close_days(&self.site, now).await.unwrap();
        assert!(!closing.has_revenants);
        closing.closed
    }

    async fn closed(&self) -> Closed {
        self.store.closed_days(self.site.id, &self.site.timezone).await.unwrap()
    }

    /// What the question is about: an event, a visit, or what a visit did.
    fn filter(&mut self) -> Value {
        let (subject, value) = [
            ("visit:source", "Google"),
            ("visit:country_name", "Germany"),
            ("visit:browser", "Firefox"),
            ("visit:city", "1"),
            ("visit:entry_page", "/a"),
            ("visit:exit_page", "/"),
            ("visit:utm_campaign", "(not set)"),
            ("event:page", "/b"),
            ("event:name", "Signup"),
            ("event:name", "pageview"),
            ("event:hostname", "shop.example.com"),
            ("event:goal", "Signup"),
            ("event:goal", "Scroll / 50"),
            ("event:props:plan", "paid"),
        ][self.random.random_range(0..14)];
        let operator = ["is", "is", "is_not", "contains"][self.random.random_range(0..4)];
        let test = json!([operator, subject, [value]]);
        match self.random.random_range(0..8) {
            0 => json!(["not", test]),
            1 => json!(["or", [test, ["is", "visit:source", [""]]]]),
            2 => json!(["has_done", test]),
            3 => json!(["has_not_done", test]),
            _ => test,
        }
    }

    /// A question that makes sense.
    fn question(&mut self) -> Query {
        loop {
            let mut metrics = [
                "visitors",
                "visits",
                "pageviews",
                "events",
                "bounce_rate",
                "visit_duration",
                "views_per_visit",
                "percentage",
                "time_on_page",
                "scroll_depth",
                "exit_rate",
                "visit_duration_p50",
                "time_on_page_p75",
                "engagement_rate",
                "conversion_rate",
                "group_conversion_rate",
                "total_revenue",
                "average_revenue",
            ]
            .map(|metric| (self.random.random_ratio(1, 5), metric));
            metrics[self.random.random_range(0..4)].0 = true;
            let metrics: Vec<&str> =
                metrics.iter().filter(|(wanted, _)| *wanted).map(|(_, metric)| *metric).collect();
            let times = [
                "time:day",
                "time:week",
                "time:month",
                "time:hour",
                "time:day_of_week",
                "time:year",
                "time:hour_of_day",
                "time:15min",
            ];
            let fields = [
                "visit:source",
                "visit:country",
                "visit:country_name",
                "visit:city",
                "visit:browser",
                "visit:utm_campaign",
                "visit:entry_page",
                "visit:exit_page",
                "event:page",
                "event:name",
                "event:hostname",
                "visit:screen",
                "visit:entry_page_hostname",
                "event:goal",
                "event:goal",
                "event:props:plan",
            ];
            let mut dimensions = Vec::new();
            if self.random.random_ratio(1, 3) {
                dimensions.push(times[self.random.random_range(0..times.len())]);
            }
            if self.random.random_ratio(1, 2) {
                dimensions.push(fields[self.random.random_range(0..fields.len())]);
            }
            if self.random.random_ratio(1, 6) {
                dimensions.push(fields[self.random.random_range(0..fields.len())]);
            }
            if self.random.random_ratio(1, 8) {
                dimensions = vec!["visit:country", "visit:country_name"];
            }
            let mut filters = Vec::new();
            if self.random.random_ratio(1, 4) {
                filters.push(json!(["is_not", "visit:utm_campaign", ["(not set)"]]));
            }
            if let Some(field) = dimensions.last().filter(|_| self.random.random_ratio(1, 4)) {
                let value = [PAGES[1], "Google", "DE", "Signup", "(not set)", "Direct / None"];
                let value = value[self.random.random_range(0..6)];
                let operator = ["is", "is_not", "contains"][self.random.random_range(0..3)];
                filters.push(json!([operator, field, [value]]));
            }
            if self.random.random_ratio(1, 2) {
                filters.extend((0..self.random.random_range(1..3)).map(|_| self.filter()));
            }
            if self.random.random_ratio(1, 6) {
                // The figures and the series of one value are added up.
                dimensions.retain(|dimension| dimension.starts_with("time:"));
                let values = [
                    ("visit:source", "Google"),
                    ("visit:source", "Direct / None"),
                    ("visit:utm_campaign", "(not set)"),
                    ("visit:exit_page", "/"),
                    ("visit:city", "1"),
                    ("event:page", "/b"),
                    ("event:name", "Signup"),
                ];
                let (field, value) = values[self.random.random_range(0..7)];
                filters = vec![json!(["is", field, [value]])];
            }
            let mut metrics = metrics;
            if self.random.random_ratio(1, 3) {
                // Of what two visits of a visitor have alike, one counts.
                metrics = [vec!["visitors"], vec!["visitors", "visits", "pageviews"]]
                    [self.random.random_range(0..2)]
                .clone();
                let by = [
                    vec!["event:goal"],
                    vec!["event:name", "visit:source"],
                    vec!["event:name", "visit:source"],
                    vec!["visit:utm_campaign", "visit:source"],
                    vec!["visit:exit_page"],
                    vec!["visit:country"],
                    vec!["time:week", "visit:browser"],
                    vec![],
                    vec![],
                ];
                dimensions = by[self.random.random_range(0..9)].clone();
                let values = [
                    json!(["is", "visit:browser", ["Firefox"]]),
                    json!(["contains", "visit:country_name", ["an"]]),
                    json!([
                        "or",
                        [["is", "visit:city", ["1"]], ["is_not", "visit:device", ["Mobile"]]]
                    ]),
                    json!(["is_not", "visit:utm_campaign", ["(not set)"]]),
                    json!(["is", "visit:source", ["Direct / None"]]),
                    json!(["is", "visit:entry_page", ["/a"]]),
                    json!(["is", "visit:language", ["de"]]),
                    json!(["is_not", "visit:source", ["Google"]]),
                ];
                let wanted = self.random.random_range(1..4);
                // Of the first three all visits of a visitor have the same, and of the next it is kept which have any.
                let of = [4, 8][self.random.random_range(0..2)];
                filters =
                    (0..wanted).map(|_| values[self.random.random_range(0..of)].clone()).collect();
                if dimensions[..] == ["event:name", "visit:source"] {
                    filters.push(json!(["is_not", "event:name", ["pageview"]]));
                }
            }
            if self.random.random_ratio(1, 5) {
                // Of one value the hours are kept, and the visits that had such an event.
                let values = [
                    ("event:page", "/b"),
                    ("event:page", "/"),
                    ("event:page", "/a"),
                    ("event:goal", "Signup"),
                    ("event:goal", "Visit /b"),
                    ("event:name", "Signup"),
                    ("event:hostname", "shop.example.com"),
                    ("visit:source", "Direct / None"),
                    ("visit:city", "1"),
                    ("visit:entry_page", "/a"),
                ];
                let (field, value) = values[self.random.random_range(0..10)];
                filters = vec![json!(["is", field, [value]])];
                (metrics, dimensions) = match self.random.random_range(0..3) {
                    0 => (vec!["visitors", "visits"], vec!["time:hour"]),
                    1 => (vec!["bounce_rate", "visit_duration"], vec![]),
                    _ => (vec!["visitors", "events", "total_revenue"], vec!["time:week"]),
                };
            }
            if self.random.random_ratio(1, 8) {
                // The hours in which visits were on pages are kept.
                (metrics, dimensions) = (vec!["visitors", "visits"], vec!["time:hour"]);
                let pages = PAGES[self.random.random_range(0..3)];
                let operator = ["is_not", "contains"][self.random.random_range(0..2)];
                filters = vec![json!([operator, "event:page", [pages]])];
                if self.random.random_ratio(1, 2) {
                    filters.push(json!(["is", "visit:source", ["Google"]]));
                }
            }
            if self.random.random_ratio(1, 8) {
                metrics = vec!["time_on_page", "scroll_depth"];
                dimensions = match self.random.random_range(0..4) {
                    0 => vec![],
                    1 => vec!["visit:source"],
                    2 => vec!["time:week", "event:page"],
                    _ => vec!["event:page"],
                };
                filters = (0..self.random.random_range(1..3)).map(|_| self.filter()).collect();
                if self.random.random_ratio(1, 2) {
                    filters.push(json!(["contains", "event:page", ["a", "b"]]));
                }
            }
            if self.random.random_ratio(1, 5) {
                // What has properties is kept, and the hours of all that happened; and a visit tells which of two events it had.
                let values = [
                    json!(["is", "event:props:plan", ["paid"]]),
                    json!(["contains_not", "event:props:plan", ["a"]]),
                    json!(["is_not", "event:props:plan", ["paid"]]),
                    json!(["contains", "event:page", ["a", "b"]]),
                    json!(["is", "event:name", ["Signup", "pageview"]]),
                    json!(["is_not", "event:page", ["/b"]]),
                    json!(["is", "event:goal", ["Scroll / 50"]]),
                ];
                filters = vec![values[self.random.random_range(0..7)].clone()];
                match self.random.random_range(0..4) {
                    0 => filters.push(self.filter()),
                    1 => filters.push(json!(["is", "visit:entry_page", ["/a"]])),
                    2 => filters.push(json!(["is_not", "visit:exit_page", ["/"]])),
                    _ => {}
                }
                (metrics, dimensions) = match self.random.random_range(0..9) {
                    0..=2 => (vec!["visitors", "visits"], vec!["time:hour"]),
                    3 | 7 | 8 => (vec!["bounce_rate", "visit_duration", "views_per_visit"], vec![]),
                    4 => (vec!["visitors", "bounce_rate"], vec!["visit:source"]),
                    5 => (vec!["visitors", "events"], vec!["event:props"]),
                    _ => (vec!["time_on_page", "scroll_depth"], vec!["event:page"]),
                };
            }
            let query = json!({
                "site_id": "example.com", "metrics": metrics, "dimensions": dimensions, "filters": filters,
                "date_range": self.range(),
            });
            let Ok(query) = Query::parse(&query, &Known::new(&self.site, self.now())) else {
                continue;
            };
            if may_add_up(&query) {
                return query;
            }
        }
    }

    /// The query of all days, with these parts.
    fn about(&self, parts: Value) -> Query {
        let mut query = json!({ "site_id": "example.com", "date_range": self.all_days() });
        query.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        Query::parse(&query, &Known::new(&self.site, self.now())).unwrap()
    }

    /// The days on which something happens, as a query names them.
    fn all_days(&self) -> Value {
        json!([
            self.first.to_string(),
            self.first.saturating_add((self.days - 1).days()).to_string()
        ])
    }

    /// A question by goal that numbers of days answer.
    fn question_by_goal(&mut self) -> Query {
        loop {
            let metrics =
                ["visitors", "visits", "pageviews", "events", "total_revenue", "average_revenue"];
            let metrics: Vec<&str> =
                metrics.into_iter().filter(|_| self.random.random_ratio(1, 2)).collect();
            let mut dimensions = vec!["event:goal"];
            if self.random.random_ratio(1, 2) {
                dimensions.insert(self.random.random_range(0..2), "time:day");
            }
            let filters = match self.random.random_ratio(1, 3) {
                true => json!([["is", "event:goal", ["Signup", "Visit /b"]]]),
                false => json!([]),
            };
            let query = json!({
                "site_id": "example.com", "metrics": metrics, "dimensions": dimensions, "filters": filters,
                "date_range": self.range(),
            });
            let known = Known::new(&self.site, self.now());
            if let Some(query) = Query::parse(&query, &known).ok().filter(may_add_up) {
                return query;
            }
        }
    }

    /// How many of some questions by goal were answered by numbers of days, all of them as events tell.
    async fn compare_by_goal(&mut self, closed: &Closed) -> usize {
        let mut added_up = 0;
        for _ in 0..15 {
            let query = self.question_by_goal();
            let added = compile(&query, &closed.within(&query));
            let expected = self.store.select(&compile(&query, &Closed::none())).await.unwrap();
            let rows =
                self.store.select(&added).await.unwrap_or_else(|error| {
                    panic!("{}: {error}\n{}", query.to_wire(), added.text())
                });
            assert_eq!(rows, expected, "{}\n{}", query.to_wire(), added.text());
            added_up += usize::from(added.text().contains(" FROM daily "));
        }
        added_up
    }

    /// Questions of one period, as those of a page are.
    fn questions_of_a_page(&mut self) -> Vec<Query> {
        let (mut range, mut of_page, mut questions) = (Value::Null, Vec::new(), Vec::new());
        while questions.len() < 6 {
            if questions.is_empty() {
                // Not every range is a period.
                range = self.range();
                of_page = (0..self.random.random_range(0..3)).map(|_| self.filter()).collect();
                if self.random.random_ratio(1, 4) {
                    // Of which a visitor's visits have one alike.
                    of_page = vec![json!(["is", "visit:browser", ["Firefox"]])];
                }
                if self.random.random_ratio(1, 6) {
                    // Then all that is counted of events goes together.
                    of_page.push(json!(["is", "event:props:plan", ["paid"]]));
                }
            }
            let metrics = [
                "visitors",
                "visits",
                "pageviews",
                "events",
                "bounce_rate",
                "views_per_visit",
                "visit_duration",
                "percentage",
            ];
            let metrics: Vec<&str> =
                metrics.into_iter().filter(|_| self.random.random_ratio(1, 3)).collect();
            let dimensions = match self.random.random_range(0..11) {
                0 => json!([]),
                1 => json!(["time:day"]),
                2 => json!(["time:week", "visit:source"]),
                3 => json!(["visit:country", "visit:country_name"]),
                4 => json!(["visit:city"]),
                5 => json!(["event:page"]),
                8 => json!(["event:goal"]),
                6 => json!(["event:name"]),
                7 => json!(["visit:utm_campaign"]),
                // One column by two names.
                9 => json!(["visit:screen", "visit:device"]),
                _ => json!(["visit:source"]),
            };
            let metrics = match dimensions == json!(["event:goal"]) {
                true => vec!["visitors", "conversion_rate", "total_revenue"],
                false => metrics,
            };
            let mut filters = of_page.clone();
            let of_campaigns = dimensions == json!(["visit:utm_campaign"]);
            if self.random.random_ratio(if of_campaigns { 3 } else { 1 }, 4) {
                filters.push(json!(["is_not", "visit:utm_campaign", ["(not set)"]]));
            }
            if dimensions == json!(["visit:screen", "visit:device"]) {
                filters.push(json!(["is_not", "visit:screen", ["(not set)"]]));
            }
            if dimensions == json!(["event:name"]) && self.random.random_ratio(1, 2) {
                filters.push(json!(["is_not", "event:name", ["pageview"]]));
            }
            if dimensions == json!(["visit:source"]) && self.random.random_ratio(3, 4) {
                let source = ["Google", "Direct / None"][self.random.random_range(0..2)];
                filters.push(json!(["is_not", "visit:source", [source]]));
            }
            let order = match (metrics.first(), dimensions.get(0)) {
                (Some(metric), Some(dimension)) if self.random.random_ratio(1, 2) => {
                    let way = ["asc", "desc"][self.random.random_range(0..2)];
                    json!([[metric, way], [dimension, "asc"]])
                }
                _ => json!([]),
            };
            let page = [json!({}), json!({ "limit": 2 }), json!({ "limit": 3, "offset": 1 })];
            let query = json!({
                "site_id": "example.com", "metrics": metrics, "dimensions": dimensions, "filters": filters,
                "date_range": range, "order_by": order, "pagination": page[self.random.random_range(0..3)],
            });
            let known = Known::new(&self.site, self.now());
            questions.extend(Query::parse(&query, &known));
        }
        questions
    }

    /// Of the questions of a page, how many were read together with others.
    async fn compare_together(&mut self, closed: &Closed) -> usize {
        let questions = self.questions_of_a_page();
        for question in &questions {
            self.compare_read_together(std::slice::from_ref(question), closed).await;
        }
        self.compare_read_together(&questions, closed).await
    }

    /// The same of the hours of visits, until each of the days around the ninth.
    async fn compare_hours(&self, closed: &Closed) -> usize {
        let mut added_up = 0;
        let day = |day: i64| self.first.saturating_add(day.days()).to_string();
        for last in 7..13 {
            for metrics in [json!(["visitors"]), json!(["visits", "bounce_rate", "visit_duration"])]
            {
                let query = self.about(json!({
                    "metrics": metrics, "dimensions": ["time:hour"], "date_range": [day(1), day(last)],
                }));
                let added = compile(&query, &closed.within(&query));
                let expected = self.store.select(&compile(&query, &Closed::none())).await.unwrap();
                let rows = self.store.select(&added).await.unwrap();
                assert_eq!(rows, expected, "{}\n{}", query.to_wire(), added.text());
                added_up += usize::from(added.text().contains(" FROM daily "));
            }
        }
        added_up
    }

    /// How many of these questions were read together.
    async fn compare_read_together(&mut self, questions: &[Query], closed: &Closed) -> usize {
        let together = Together::of(questions, closed);
        let mut answers = Vec::new();
        for statement in together.statements() {
            let rows = self.store.select(statement).await;
            self.told_by_value += usize::from(statement.text().contains(", NOT (x"));
            self.counted_apart += usize::from(statement.text().contains(" AS counted1"));
            answers.push(rows.unwrap_or_else(|error| panic!("{error}\n{}", statement.text())));
        }
        let mut read = 0;
        for (place, rows) in together.rows(answers).into_iter().enumerate() {
            assert_eq!(rows.is_some(), together.reads(place));
            let Some(rows) = rows else { continue };
            read += 1;
            let query = &questions[place];
            let expected = self.store.select(&compile(query, &Closed::none())).await.unwrap();
            let all: Vec<_> = questions.iter().map(|query| query.to_wire().to_string()).collect();
            // How decimals are written is not settled here.
            let numbers = |rows: &[Vec<Value>]| -> Vec<Vec<Value>> {
                let number =
                    |value: &Value| value.as_f64().map_or(value.clone(), |value| json!(value));
                rows.iter().map(|row| row.iter().map(number).collect()).collect()
            };
            let (rows, expected) = (numbers(&rows), numbers(&expected));
            assert_eq!(rows, expected, "{} among\n{}", query.to_wire(), all.join("\n"));
        }
        read
    }

    fn range(&mut self) -> Value {
        let mut ends = [0, 0].map(|_| self.random.random_range(-2..self.days + 3));
        ends.sort_unstable();
        match self.random.random_ratio(1, 4) {
            true => {
                let seconds = [0, 0].map(|_| self.random.random_range(0..80_000));
                let [from, to] = [0, 1].map(|end: usize| {
                    (self.midnight(ends[end]) + SignedDuration::from_secs(seconds[end])).to_string()
                });
                json!([from, to])
            }
            false => json!(ends.map(|day| self.first.saturating_add(day.days()).to_string())),
        }
    }

    /// Compares added up with counted, and says in how many of the questions anything was added up.
    async fn compare(&mut self, questions: usize, closed: &Closed) -> usize {
        let mut added_up = 0;
        for _ in 0..questions {
            let query = self.question();
            let closed = closed.within(&query);
            for statement in [compile, total_rows] {
                let (counted, added) =
                    (statement(&query, &Closed::none()), statement(&query, &closed));
                let expected = self.store.select(&counted).await.unwrap();
                let rows = self.store.select(&added).await.unwrap_or_else(|error| {
                    panic!("{}: {error}\n{}", query.to_wire(), added.text())
                });
                assert_eq!(rows, expected, "{}\n{}", query.to_wire(), added.text());
                added_up += usize::from(counted != added);
                for (answered, (_, mark)) in self.answered.iter_mut().zip(WAYS) {
                    *answered += usize::from(added.text().contains(mark));
                }
            }
        }
        added_up / 2
    }
}

#[tokio::test]
async fn whatever_is_asked_added_up_days_have_the_numbers_of_counted_ones() {
    let mut answered = [0; WAYS.len()];
    // On Lord Howe Island the clock changes by half an hour.
    let zones =
        ["Etc/UTC", "Europe/Berlin", "Asia/Beirut", "Australia/Sydney", "Australia/Lord_Howe"];
    for (seed, zone) in zones.into_iter().enumerate() {
        let mut traffic = Traffic::new(seed as u64, zone, 2003).await;
        if seed % 2 == 0 {
            traffic.exclude_goals();
        }
        let events = traffic.all();
        traffic.insert(&events).await;
        traffic.close().await;
        let closed = traffic.closed().await;
        assert!(closed.iter().count() >= 14, "{closed:?}");
        let added_up = traffic.compare(40, &closed).await;
        assert!(added_up > 5, "nothing is tested where nothing is added up: {added_up}");
        // With any of the days open.
        for _ in 0..3 {
            let some = closed.iter().filter(|_| traffic.random.random_ratio(3, 4)).collect();
            traffic.compare(5, &some).await;
        }
        for (all, answered) in answered.iter_mut().zip(traffic.answered) {
            *all += answered;
        }
    }
    for (answered, (way, _)) in answered.into_iter().zip(WAYS) {
        assert!(answered > 5, "nothing is tested without {way}: {answered}");
    }
}

#[tokio::test]
async fn questions_that_are_read_together_have_the_answers_of_each_alone() {
    let (mut told_by_value, mut counted_apart) = (0, 0);
    for (seed, zone) in ["Etc/UTC", "Europe/Berlin", "Asia/Beirut"].into_iter().enumerate() {
        let mut traffic = Traffic::new(70 + seed as u64, zone, 2014).await;
        if seed % 2 == 0 {
            traffic.exclude_goals();
        }
        let events = traffic.all();
        traffic.insert(&events).await;
        traffic.close().await;
        let closed = traffic.closed().await;
        let mut read = 0;
        for _ in 0..30 {
            read += traffic.compare_together(&closed).await;
        }
        for _ in 0..5 {
            read += traffic.compare_together(&Closed::none()).await;
        }
        // With any of the days open.
        for _ in 0..6 {
            let some = closed.iter().filter(|_| traffic.random.random_ratio(3, 4)).collect();
            read += traffic.compare_together(&some).await;
        }
        assert!(read > 40, "nothing is tested where nothing is read together: {read}");
        told_by_value += traffic.told_by_value;
        counted_apart += traffic.counted_apart;
    }
    assert!(counted_apart > 5, "visitors are counted at the same visits for all: {counted_apart}");
    assert!(told_by_value > 10, "nothing is told by value: {told_by_value}");
}

#[tokio::test]
async fn what_is_asked_in_one_request_has_the_answers_of_each_question_alone() {
    let mut traffic = Traffic::new(75, "Europe/Berlin", 2015).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    traffic.close().await;
    let range = traffic.all_days();
    let compared = json!({ "comparisons": { "mode": "previous_period" } });
    let google = json!([["is", "visit:source", ["Google"]]]);
    let queries = json!({
        "figures": { "metrics": ["visitors", "pageviews", "bounce_rate", "views_per_visit"], "date_range": range, "include": compared },
        "days": { "metrics": ["visitors"], "dimensions": ["time:day"], "date_range": range },
        "shares": { "metrics": ["visitors", "percentage"], "dimensions": ["visit:source"], "date_range": range },
        "pages": { "metrics": ["visitors", "pageviews"], "dimensions": ["event:page"], "date_range": range, "pagination": { "limit": 2 } },
        "wrong": { "metrics": ["luck"], "date_range": range },
        "countries": { "metrics": ["visits"], "dimensions": ["visit:country_name"], "date_range": range, "filters": google },
        "browsers": { "metrics": ["visits"], "dimensions": ["visit:browser"], "date_range": range, "filters": google },
        "pattern": { "metrics": ["visits"], "dimensions": ["visit:os"], "date_range": range, "filters": [["matches", "visit:source", ["("]]] },
        "patterns": { "metrics": ["visits"], "dimensions": ["visit:device"], "date_range": range, "filters": [["matches", "visit:source", ["("]]] },
    });
    let known = Known::new(&traffic.site, traffic.now());
    let body = json!({ "site_id": "example.com", "queries": queries });
    let answers = report::ask_several(&traffic.store, known, &body).await.unwrap();
    assert_eq!(answers.len(), 9);
    let text = |answer: Result<Value, report::AskError>| answer.map_err(|error| error.to_string());
    for (name, answer) in answers {
        let mut query = queries[&name].clone();
        query["site_id"] = json!("example.com");
        let alone = report::ask(&traffic.store, &traffic.site, traffic.now(), &query).await;
        assert_eq!(
            alone.is_err(),
            ["wrong", "pattern", "patterns"].contains(&name.as_str()),
            "{name}"
        );
        assert_eq!(text(answer), text(alone), "{name}");
    }
}

#[tokio::test]
async fn a_day_whose_visits_go_on_is_added_up_whatever_they_do_then() {
    let mut added_up = 0;
    for (seed, zone) in ["Etc/UTC", "Europe/Berlin", "America/New_York"].into_iter().enumerate() {
        let mut traffic = Traffic::new(40 + seed as u64, zone, 2011).await;
        let mut events = traffic.all();
        // Many of whom are up at midnight.
        for _ in 0..30 {
            events.extend(traffic.visitor(9));
        }
        let ninth = traffic.first.saturating_add(9.days());
        let over = traffic.over(ninth);
        events.extend(traffic.visit_until(9, over));
        let now = over + SignedDuration::from_mins(20);
        let is_before = |event: &Event| i64::from(event.happening.timestamp) < now.as_second();
        let (before, after): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_before);
        traffic.insert(&before).await;
        traffic.close_at(now).await;
        let closed = traffic.closed().await;
        let first = closed.counting(ninth).unwrap();
        assert!(first.goes_on && closed.iter().last() == Some((ninth, first)), "{closed:?}");
        added_up += traffic.compare(15, &closed).await;
        added_up += traffic.compare_hours(&closed).await;
        traffic.insert(&after).await;
        if zone == "Etc/UTC" {
            let visits = |events: &[Event]| -> HashSet<u64> {
                events.iter().map(|event| event.happening.session_id.0).collect()
            };
            let both = visits(&before).intersection(&visits(&after)).count();
            assert!(both > 2, "no visit has gone on");
        }
        let closed = traffic.closed().await;
        assert_eq!(closed.counting(ninth), Some(first), "{zone}");
        added_up += traffic.compare(30, &closed).await;
        added_up += traffic.compare_hours(&closed).await;
        traffic.close().await;
        let closed = traffic.closed().await;
        let now = closed.counting(ninth).unwrap();
        assert!(!now.goes_on && now.version > first.version, "{zone}: {now:?}");
        traffic.compare(10, &closed).await;
    }
    assert!(added_up > 30, "nothing is tested where nothing is added up: {added_up}");
}

#[tokio::test]
async fn a_day_of_which_all_visits_have_ended_is_closed_for_good_until_one_of_them_is_heard_of() {
    let mut added_up = 0;
    for (seed, zone) in ["Etc/UTC", "Europe/Berlin", "America/New_York"].into_iter().enumerate() {
        let mut traffic = Traffic::new(100 + seed as u64, zone, 2022).await;
        let mut events = traffic.all();
        for _ in 0..30 {
            events.extend(traffic.visitor(9));
        }
        let ninth = traffic.first.saturating_add(9.days());
        let over = traffic.over(ninth);
        // By then whoever came before midnight has left.
        let now = over.max(traffic.midnight(10) + SignedDuration::from_hours(3));
        let now = now + SignedDuration::from_mins(45);
        let is_before = |event: &Event| i64::from(event.happening.timestamp) < now.as_second();
        let (before, after): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_before);
        traffic.insert(&before).await;
        // One who is there over midnight, and again after the partition of the day.
        let of_night = traffic.visit_at(&[
            traffic.midnight(10) - SignedDuration::from_secs(30),
            over + SignedDuration::from_mins(1),
            over + SignedDuration::from_mins(30),
        ]);
        traffic.insert(&of_night[..2]).await;
        traffic.close_at(over + SignedDuration::from_mins(20)).await;
        let counting = traffic.closed().await.counting(ninth).unwrap();
        assert!(counting.goes_on, "{zone}: closed for good while a visit goes on");
        assert!(traffic.close_at(now).await >= 1, "{zone}");
        let closed = traffic.closed().await;
        let first = closed.counting(ninth).unwrap();
        assert!(!first.goes_on && closed.iter().last() == Some((ninth, first)), "{closed:?}");
        added_up += traffic.compare(15, &closed).await;
        added_up += traffic.compare_hours(&closed).await;
        assert_eq!(traffic.close_at(now).await, 0, "{zone}: it is counted again and again");
        // What others do then is nothing to it.
        traffic.insert(&after).await;
        let closed = traffic.closed().await;
        assert_eq!(closed.counting(ninth), Some(first), "{zone}");
        added_up += traffic.compare(15, &closed).await;
        // A spool that was late.
        traffic.insert(&of_night[2..]).await;
        let closed = traffic.closed().await;
        assert_eq!(closed.counting(ninth), None, "{zone}: a visit went on after it was counted");
        traffic.compare(10, &closed).await;
        traffic.close_at(over + SignedDuration::from_mins(50)).await;
        let counting = traffic.closed().await.counting(ninth).unwrap();
        assert!(counting.goes_on, "{zone}: closed for good before half an hour has passed");
        traffic.close_at(now + SignedDuration::from_mins(30)).await;
        let closed = traffic.closed().await;
        let second = closed.counting(ninth).unwrap();
        assert!(!second.goes_on && second.version > first.version, "{zone}: {second:?}");
        added_up += traffic.compare(15, &closed).await;
        // With the partition after it over it stays what it is.
        let afterwards = format!(
            "SELECT afterwards FROM closed_days FINAL WHERE site_id = {} AND day = '{ninth}'",
            traffic.site.id.0
        );
        let query = || traffic.store.writer().query_raw(&afterwards).fetch_one::<u64>();
        assert_ne!(query().await.unwrap(), 0, "{zone}");
        traffic.close_at(over + SignedDuration::from_hours(24 + 1)).await;
        assert_eq!(query().await.unwrap(), 0, "{zone}: it is looked after for ever");
        let closed = traffic.closed().await;
        assert_eq!(closed.counting(ninth), Some(second), "{zone}: counted again for nothing");
        added_up += traffic.compare(10, &closed).await;
    }
    assert!(added_up > 30, "nothing is tested where nothing is added up: {added_up}");
}

#[tokio::test]
async fn a_day_with_an_event_of_a_visit_that_began_after_it_is_not_closed_for_good_before_it_is_over()
 {
    let mut traffic = Traffic::new(110, "Europe/Berlin", 2023).await;
    let mut events = traffic.all();
    let ninth = traffic.first.saturating_add(9.days());
    // The first of its events to arrive happened after the other: its id is of the day after.
    let seconds = [20, -40].map(|second| traffic.midnight(10) + SignedDuration::from_secs(second));
    events.extend(traffic.visit_at(&seconds));
    let now = traffic.over(ninth) + SignedDuration::from_hours(8);
    let is_before = |event: &Event| i64::from(event.happening.timestamp) < now.as_second();
    let (before, after): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_before);
    traffic.insert(&before).await;
    traffic.close_at(now).await;
    let closed = traffic.closed().await;
    assert!(closed.counting(ninth).unwrap().goes_on, "{closed:?}");
    traffic.insert(&after).await;
    let closed = traffic.closed().await;
    assert!(closed.counting(ninth).is_some());
    assert!(traffic.compare(15, &closed).await > 0);
    traffic.close().await;
    let closed = traffic.closed().await;
    assert!(!closed.counting(ninth).unwrap().goes_on, "{closed:?}");
    assert!(traffic.compare(5, &closed).await > 0);
}

#[tokio::test]
async fn days_that_are_closed_evening_by_evening_count_a_visit_over_midnight_once() {
    let (mut added_up, mut went_on, mut go_on, mut have_ended) = (0, 0, 0, 0);
    for (seed, zone) in ["Etc/UTC", "Europe/Berlin", "America/New_York"].into_iter().enumerate() {
        let mut traffic = Traffic::new(80 + seed as u64, zone, 2016).await;
        let mut events = traffic.all();
        for day in 7..11 {
            for _ in 0..30 {
                events.extend(traffic.visitor(day));
            }
            // What arrived last happened before midnight, and something else after it.
            let seconds = [-120, 20, -10]
                .map(|second| traffic.midnight(day + 1) + SignedDuration::from_secs(second));
            events.extend(traffic.visit_at(&seconds));
        }
        let mut known = HashSet::new();
        for day in 7..12 {
            let day = traffic.first.saturating_add(day.days());
            let over = traffic.over(day);
            let is_before = |event: &Event| i64::from(event.happening.timestamp) < over.as_second();
            let (before, after): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_before);
            events = after;
            let visits = |events: &[Event]| -> HashSet<u64> {
                events.iter().map(|event| event.happening.session_id.0).collect()
            };
            let came = visits(&before);
            went_on += came.intersection(&known).count();
            known.extend(came);
            traffic.insert(&before).await;
            let closed = traffic.closed().await;
            added_up += traffic.compare(3, &closed).await;
            added_up += traffic.compare_hours(&closed).await;
            traffic.close_at(over + SignedDuration::from_mins(20)).await;
            let closed = traffic.closed().await;
            go_on += closed.iter().filter(|(_, day)| day.goes_on).count();
            have_ended += usize::from(closed.counting(day).is_some_and(|day| !day.goes_on));
            added_up += traffic.compare(7, &closed).await;
            added_up += traffic.compare_hours(&closed).await;
        }
    }
    assert!(went_on > 10, "no visit has gone on: {went_on}");
    assert_eq!(go_on + have_ended, 15, "a day is not closed in its evening");
    assert!(go_on >= 5, "days are closed for good at once: {go_on}");
    // In New York it is seven or eight in the evening.
    assert!(have_ended >= 5, "no day of which all visits have ended is closed for good");
    assert!(added_up > 30, "nothing is tested where nothing is added up: {added_up}");
}

#[tokio::test]
async fn a_goal_that_is_made_later_is_added_up_once_the_closed_days_have_been_counted_for_it() {
    for (seed, zone) in ["Etc/UTC", "Europe/Berlin"].into_iter().enumerate() {
        let mut traffic = Traffic::new(60 + seed as u64, zone, 2012).await;
        let events = traffic.all();
        traffic.insert(&events).await;
        let later = traffic.site.goals.split_off(3);
        traffic.close().await;
        let closed = traffic.closed().await;
        assert!(traffic.compare_by_goal(&closed).await > 5, "no goal is added up");
        // Another name is no other goal.
        traffic.site.goals[1].name = "Page a".into();
        assert!(
            traffic.compare_by_goal(&closed).await > 5,
            "a goal by another name is counted again"
        );
        traffic.site.goals.extend(later);
        assert_eq!(traffic.compare_by_goal(&closed).await, 0, "a goal is added up that no day has");
        assert_eq!(traffic.close().await, 0, "days are counted anew for a goal");
        let now = traffic.closed().await;
        let versions = |closed: &Closed| -> Vec<_> {
            closed.iter().map(|(day, counting)| (day, counting.version)).collect()
        };
        assert_eq!(versions(&closed), versions(&now));
        assert!(!now.holds(&closed), "a report of before would not notice the numbers of now");
        assert!(traffic.compare_by_goal(&now).await > 5, "the new goal is not added up");
        traffic.compare(5, &now).await;
        // A late event opens the days for goals as well.
        let late = traffic.visitor(5);
        traffic.insert(&late).await;
        traffic.compare_by_goal(&traffic.closed().await).await;
        traffic.close().await;
        traffic.compare_by_goal(&traffic.closed().await).await;
    }
}

/// The control of goals' numbers: one that is wrong by one is noticed.
#[tokio::test]
async fn one_event_too_many_that_met_a_goal_is_noticed() {
    let mut traffic = Traffic::new(62, "Europe/Berlin", 2013).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    traffic.close().await;
    let closed = traffic.closed().await;
    let query = traffic
        .about(json!({ "metrics": ["events", "total_revenue"], "dimensions": ["event:goal"] }));
    let counted = traffic.store.select(&compile(&query, &Closed::none())).await.unwrap();
    let paid = |rows: &[Vec<Value>]| rows.iter().any(|row| !row[2].is_null());
    assert!(counted.len() == 4 && paid(&counted), "a goal that nobody met: {counted:?}");
    let added = async || traffic.store.select(&compile(&query, &closed)).await.unwrap();
    assert_eq!(added().await, counted);
    for column in ["events", "revenue"] {
        let spoil = format!(
            "ALTER TABLE daily UPDATE {column} = {column} + 1 WHERE site_id = ? AND dimension = 'event:goal' \
             AND startsWith(value, 'event EUR') AND day = ?"
        );
        let day = traffic.first.saturating_add(6.days()).to_string();
        let spoil = traffic.store.writer().query(&spoil).bind(traffic.site.id.0).bind(day);
        spoil.with_setting("mutations_sync", "2").execute().await.unwrap();
        assert_ne!(added().await, counted, "{column}");
    }
}

impl Traffic {
    /// Attention to the page `/` by the visit of an event, so many seconds later: how deep it scrolled, and how long it took.
    fn attention(&mut self, of: &Event, seq: u32, later: u32, depth: u8, ms: u32) -> Event {
        let mut event = of.clone();
        let happening = &mut event.happening;
        (happening.seq, happening.event_id) = (seq, self.random.random());
        happening.timestamp += later;
        (happening.name, happening.pathname) = ("engagement".into(), "/".into());
        (happening.scroll_depth, happening.engagement_ms) = (depth, ms);
        event
    }

    /// Closed days have the numbers of counted ones, and some.
    async fn check(&self, closed: &Closed, questions: impl IntoIterator<Item = Value>) {
        for question in questions {
            let query = self.about(question);
            let counted = self.store.select(&compile(&query, &Closed::none())).await.unwrap();
            let added = compile(&query, closed);
            let tells = |row: &Vec<Value>| row.last().is_some_and(|last| *last != 0);
            assert!(counted.iter().any(tells), "{}: {counted:?}", query.to_wire());
            assert_eq!(self.store.select(&added).await.unwrap(), counted, "{}", added.text());
        }
    }
}

#[tokio::test]
async fn goals_that_exclude_each_other_count_only_what_scrolled_as_deep() {
    let mut traffic = Traffic::new(63, "Europe/Berlin", 2015).await;
    traffic.site.goals.retain(|goal| goal.name != "Visit /b");
    let mut events = traffic.all();
    // Each visit attends to a page twice: not far down at first, and an hour later as far as the goal wants.
    let begun = events.iter().filter(|event| event.happening.seq == 1);
    for event in begun.cloned().collect::<Vec<_>>() {
        events.push(traffic.attention(&event, 50, 60, 20, 9_000));
        events.push(traffic.attention(&event, 51, 3_700, 80, 2_000));
    }
    traffic.insert(&events).await;
    traffic.close().await;
    let closed = traffic.closed().await;
    let scrolled = json!([["is", "event:goal", ["Scroll / 50"]]]);
    let questions = [
        json!({ "metrics": ["visitors", "visits"], "dimensions": ["time:hour"], "filters": scrolled }),
        json!({ "metrics": ["time_on_page", "scroll_depth"], "dimensions": ["event:page"], "filters": scrolled }),
        json!({ "metrics": ["total_revenue", "visitors"], "dimensions": ["event:goal"] }),
        json!({ "metrics": ["visitors"], "dimensions": ["event:goal"], "filters": [["is", "visit:source", ["Google"]]] }),
    ];
    traffic.check(&closed, questions).await;
}

#[tokio::test]
async fn visits_that_scrolled_no_deeper_than_a_goal_wants_are_told_from_those_that_did() {
    let mut traffic = Traffic::new(65, "Europe/Berlin", 2018).await;
    let goal = |percent: u8| Goal {
        name: format!("{percent} %"),
        kind: GoalKind::Scroll("/".into(), percent),
        currency: None,
    };
    traffic.site.goals = [50, 90].map(goal).into();
    let mut events = traffic.all();
    events.retain(|event| event.happening.name != "engagement");
    let begun = events.iter().filter(|event| event.happening.seq == 1);
    for (place, event) in begun.cloned().collect::<Vec<_>>().into_iter().enumerate() {
        let depths: &[u8] = [&[60, 95][..], &[60], &[95]][place % 3];
        for (seq, depth) in (50..).zip(depths) {
            events.push(traffic.attention(&event, seq, 60 * seq, *depth, 9_000));
        }
    }
    traffic.insert(&events).await;
    traffic.close().await;
    let closed = traffic.closed().await;
    let no_deeper =
        json!(["and", [["is", "event:goal", ["50 %"]], ["not", ["is", "event:goal", ["90 %"]]]]]);
    let deeper = json!(["and", [["is", "event:goal", ["50 %"]], ["is", "event:goal", ["90 %"]]]]);
    for asked in [no_deeper, deeper] {
        for done in ["has_done", "has_not_done"] {
            let filters = json!([[done, asked], ["is_not", "visit:entry_page", [""]]]);
            let questions = [
                json!({ "metrics": ["bounce_rate", "visits"], "filters": filters }),
                json!({ "metrics": ["pageviews", "visitors"], "dimensions": ["event:page"], "filters": filters }),
            ];
            traffic.check(&closed, questions).await;
        }
    }
    // Scrolling is no event, and what tells no number has one row all the same, whether many scrolled or nobody did.
    for of in ["50 %", "90 %"] {
        let query = traffic.about(json!({
            "metrics": ["events", "visits"], "filters": [["is", "event:goal", [of]]], "date_range": ["2018-03-23", "2018-03-23"],
        }));
        let rows = traffic.store.select(&compile(&query, &Closed::none())).await.unwrap();
        assert!(rows.len() == 1 && rows[0][0].is_null(), "{of}: {rows:?}");
    }
}

#[tokio::test]
async fn a_visitor_with_as_many_visits_as_there_are_bits_is_counted_once_and_so_is_one_with_more() {
    let mut traffic = Traffic::new(66, "Europe/Berlin", 2019).await;
    let mut events = traffic.all();
    for day in 3..10 {
        for visits in [15, 16, 17, 20] {
            let of_all = traffic.visit_at(&[traffic.midnight(day)]);
            let client = traffic.client();
            for visit in 0..visits {
                let start = traffic.midnight(day) + SignedDuration::from_mins(60 * visit + 5);
                let visitor = of_all[0].happening.visitor_id;
                traffic.visit(visitor, &client, start, &mut events);
            }
            events.extend(of_all);
        }
    }
    events.retain(|event| event.happening.name != "engagement");
    traffic.insert(&events).await;
    traffic.close().await;
    let closed = traffic.closed().await;
    let a_place = json!(["is", "visit:browser", ["Firefox", "Chrome", ""]]);
    let google = json!(["is", "visit:source", ["Google"]]);
    let questions = [
        json!({ "metrics": ["visitors"], "filters": [a_place] }),
        json!({ "metrics": ["visitors"], "dimensions": ["visit:source"], "filters": [a_place] }),
        json!({ "metrics": ["visitors"], "dimensions": ["visit:utm_campaign"], "filters": [a_place, google] }),
    ];
    for question in &questions {
        let query = traffic.about(question.clone());
        let added = compile(&query, &closed.within(&query));
        assert!(added.text().contains(" AS counted0"), "{}", added.text());
    }
    traffic.check(&closed, questions).await;
}

#[tokio::test]
async fn attention_after_midnight_is_of_its_visit_whichever_days_are_counted_at_once() {
    let mut traffic = Traffic::new(64, "Etc/UTC", 2017).await;
    let mut events = traffic.all();
    for day in 3..10 {
        let begins = traffic.midnight(day + 1) - SignedDuration::from_mins(2);
        let visit = traffic.visit_at(&[begins]);
        events.push(traffic.attention(&visit[0], 2, 240, 80, 60_000));
        events.extend(visit);
    }
    traffic.insert(&events).await;
    for day in 3..20 {
        // One more is over, and one more for good.
        traffic.close_at(traffic.midnight(day) + SignedDuration::from_mins(20)).await;
    }
    let closed = traffic.closed().await;
    assert!(closed.iter().count() >= 14, "{closed:?}");
    for field in ["visit:entry_page", "visit:exit_page"] {
        let of_visits = json!(["is", field, ["/"]]);
        let scrolled = json!(["is", "event:goal", ["Scroll / 50"]]);
        let questions = [
            json!({ "metrics": ["scroll_depth", "time_on_page"], "dimensions": ["event:page"], "filters": [of_visits] }),
            json!({ "metrics": ["visits", "visitors"], "filters": [of_visits, scrolled] }),
            json!({ "metrics": ["visits", "visitors"], "dimensions": ["event:goal"], "filters": [of_visits] }),
        ];
        traffic.check(&closed, questions).await;
    }
}

#[tokio::test]
async fn a_late_event_opens_the_days_that_were_made_of_it_at_once() {
    let mut traffic = Traffic::new(7, "Europe/Berlin", 2004).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    let all = traffic.close().await;
    assert_eq!(traffic.close().await, 0, "nothing is left to be closed");
    let late = traffic.visitor(5);
    traffic.insert(&late).await;
    let closed = traffic.closed().await;
    let of_day = |day: i64| closed.counting(traffic.first.saturating_add(day.days()));
    assert_eq!(of_day(5), None, "the day of a late event is closed");
    assert_eq!((of_day(4), of_day(6)), (None, None), "what is carried was not counted with it");
    assert!(of_day(1).is_some() && of_day(11).is_some(), "{closed:?}");
    traffic.compare(25, &closed).await;
    let again = traffic.close().await;
    assert!((3..all).contains(&again), "{again} of {all}");
    let closed = traffic.closed().await;
    assert!(of_day_is_closed(&traffic, &closed, 5));
    assert!(traffic.compare(25, &closed).await > 0);
    let left = "SELECT uniqExact(version) FROM daily WHERE site_id = ?";
    let left = traffic.store.writer().query(left).bind(traffic.site.id.0).fetch_one::<u64>();
    assert!(
        left.await.unwrap() <= u64::try_from(all).unwrap(),
        "numbers are left of days counted anew"
    );
}

fn of_day_is_closed(traffic: &Traffic, closed: &Closed, day: i64) -> bool {
    closed.counting(traffic.first.saturating_add(day.days())).is_some()
}

#[tokio::test]
async fn what_is_erased_is_in_no_number_of_a_day_any_more() {
    let mut traffic = Traffic::new(8, "Europe/Berlin", 2005).await;
    // A goal is met there.
    let word = format!("/b{:016x}", getrandom::u64().unwrap());
    let mut events = traffic.all();
    let on_day = i64::from(events[events.len() / 2].happening.timestamp);
    let middle = events.len() / 2;
    events[middle].happening.name = "pageview".into();
    events[middle].happening.pathname.clone_from(&word);
    traffic.insert(&events).await;
    traffic.close().await;
    let day = traffic.site.timezone.to_datetime(Timestamp::from_second(on_day).unwrap()).date();
    assert!(traffic.closed().await.counting(day).is_some());
    let with_word = async |traffic: &Traffic| {
        let wanted = [
            ("daily", "value = ?"),
            ("visit_days", "has(happened.pathname, ?)"),
            ("notable_events", "pathname = ?"),
        ];
        let mut found = Vec::new();
        for (table, condition) in wanted {
            let sql = format!("SELECT count() FROM {table} WHERE site_id = ? AND {condition}");
            let query = traffic.store.writer().query(&sql).bind(traffic.site.id.0).bind(&word);
            found.push(query.fetch_one::<u64>().await.unwrap());
        }
        found
    };
    let found = with_word(&traffic).await;
    assert!(found[0] > 0 && found[1..] == [1, 1], "nothing there could be erased: {found:?}");
    let selection =
        Selection { path: Some(Path::Is(word.clone())), ..Selection::of(traffic.site.id) };
    // What a counting would write that begins now, and ends after the erasure.
    let row = format!("site_id = {} AND day = '{day}'", traffic.site.id.0);
    let counted = format!("SELECT timezone, version, inserts FROM closed_days FINAL WHERE {row}");
    let counted = traffic.store.writer().query_raw(&counted);
    let (zone, version, inserts) = counted.fetch_one::<(String, u64, u64)>().await.unwrap();
    let began = "SELECT toUnixTimestamp64Micro(now64(6))";
    let began = traffic.store.writer().query_raw(began).fetch_one::<i64>().await.unwrap();
    let end_counting = async |traffic: &Traffic, began: i64| {
        let sql = format!(
            "INSERT INTO closed_days (site_id, day, timezone, version, inserts, made) VALUES \
             ({}, '{day}', '{zone}', {version}, {inserts}, fromUnixTimestamp64Micro({began}))",
            traffic.site.id.0
        );
        traffic.store.writer().query_raw(&sql).execute().await.unwrap();
    };
    assert_eq!(traffic.store.erase(&selection).await.unwrap().events, 1);
    assert_eq!(with_word(&traffic).await, [0, 0, 0]);
    let closed = traffic.closed().await;
    assert_eq!(closed.counting(day), None, "a day of which something was erased is closed");
    traffic.compare(25, &closed).await;
    assert_eq!(traffic.close().await, 0, "an erasure's days were closed while they are held");
    end_counting(&traffic, began).await;
    let version_now = traffic.closed().await.counting(day);
    assert_eq!(version_now, None, "a counting that began before an erasure closed its day");
    // The control: had it begun when the day is held no longer, the same row would have closed it.
    let held = format!("SELECT max(toUnixTimestamp64Micro(made)) FROM closed_days WHERE {row}");
    let held = traffic.store.writer().query_raw(&held).fetch_one::<i64>().await.unwrap();
    end_counting(&traffic, held + 1).await;
    let again = traffic.closed().await.counting(day).map(|counting| counting.version);
    assert_eq!(again, Some(version));
    traffic.store.erase(&Selection::of(traffic.site.id)).await.unwrap();
    for table in ["daily", "visit_days", "notable_events"] {
        let left = format!("SELECT count() FROM {table} WHERE site_id = ?");
        let left = traffic.store.writer().query(&left).bind(traffic.site.id.0).fetch_one::<u64>();
        assert_eq!(left.await.unwrap(), 0, "a site that is gone has rows in {table}");
    }
    let end = traffic.first.saturating_add(traffic.days.days());
    let closed = traffic.closed().await;
    assert!(closed.iter().all(|(day, _)| day > end), "days of a site that is gone: {closed:?}");
}

/// A report may have found the day closed just before, and be about to read them.
#[tokio::test]
async fn the_numbers_of_a_day_that_is_opened_are_there_for_a_second_yet() {
    let mut traffic = Traffic::new(111, "Europe/Berlin", 2024).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    traffic.close().await;
    let numbers = async || {
        let sql = format!("SELECT count() FROM daily WHERE site_id = {}", traffic.site.id.0);
        traffic.store.writer().query_raw(&sql).fetch_one::<u64>().await.unwrap()
    };
    assert!(numbers().await > 0);
    let begun = std::time::Instant::now();
    let selection = Selection::of(traffic.site.id);
    let all_gone = async {
        // Late, it sees that they have gone later than they did.
        while numbers().await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        begun.elapsed()
    };
    let (erased, gone_after) = tokio::join!(traffic.store.erase(&selection), all_gone);
    assert!(erased.unwrap().events > 0);
    assert!(gone_after >= std::time::Duration::from_secs(1), "{gone_after:?}");
}

#[tokio::test]
async fn what_is_erased_around_a_day_whose_visits_go_on_is_in_no_number_any_more() {
    let mut added_up = 0;
    for (seed, zone) in ["Etc/UTC", "Europe/Berlin", "America/New_York"].into_iter().enumerate() {
        let mut traffic = Traffic::new(90 + seed as u64, zone, 2021).await;
        let mut events = traffic.all();
        // Of each visitor one visit that is there on both sides of midnight.
        for second in 1..20 {
            let seconds = [-second, second, 60 * second];
            let moments =
                seconds.map(|second| traffic.midnight(10) + SignedDuration::from_secs(second));
            events.extend(traffic.visit_at(&moments));
        }
        let ninth = traffic.first.saturating_add(9.days());
        let over = traffic.over(ninth);
        let midnight = traffic.midnight(10).as_second();
        let of_those = events.len() - 3 * 19..events.len();
        // Of four of these visits: what they did before midnight, of two more what they did after it.
        let words = ["/before", "/after"].map(|side| format!("{side}/{zone}"));
        let mut erased = [0_u64, 0];
        for event in &mut events[of_those] {
            let side = usize::from(i64::from(event.happening.timestamp) >= midnight);
            if erased[side] < [4, 2][side] {
                erased[side] += 1;
                event.happening.pathname.clone_from(&words[side]);
            }
        }
        events.extend(traffic.visit_until(9, over));
        let now = over + SignedDuration::from_mins(20);
        let is_before = |event: &Event| i64::from(event.happening.timestamp) < now.as_second();
        let (before, after): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_before);
        traffic.insert(&before).await;
        traffic.close_at(now).await;
        traffic.insert(&after).await;
        let closed = traffic.closed().await;
        assert!(closed.counting(ninth).unwrap().goes_on, "{closed:?}");
        added_up += traffic.compare(10, &closed).await;
        for (word, events) in words.into_iter().zip(erased).rev() {
            let selection =
                Selection { path: Some(Path::Is(word)), ..Selection::of(traffic.site.id) };
            assert_eq!(traffic.store.erase(&selection).await.unwrap().events, events, "{zone}");
            let closed = traffic.closed().await;
            added_up += traffic.compare(15, &closed).await;
            added_up += traffic.compare_hours(&closed).await;
        }
        traffic.close().await;
        let closed = traffic.closed().await;
        assert_eq!(closed.counting(ninth), None, "{zone}: a day that is held is closed");
        added_up += traffic.compare(5, &closed).await;
    }
    assert!(added_up > 20, "nothing is tested where nothing is added up: {added_up}");
}

#[tokio::test]
async fn no_day_is_closed_of_which_events_are_still_being_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let mut traffic = Traffic::new(67, "Etc/UTC", 2019).await;
    traffic.store = connect(&engine.writer(), &engine.reader()).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    // A deletion waits for the merges.
    let store = Arc::clone(&traffic.store);
    let run = async |sql: &str| store.writer().query(sql).execute().await.unwrap();
    run("SYSTEM STOP MERGES events").await;
    run("ALTER TABLE events DELETE IN PARTITION ID '20190327' WHERE site_id = 0 SETTINGS mutations_sync = 0").await;
    traffic.close().await;
    let closed = traffic.closed().await;
    let is_closed =
        |closed: &Closed, day: i8| closed.counting(jiff::civil::date(2019, 3, day)).is_some();
    let open: Vec<i8> = (22..=31).filter(|day| !is_closed(&closed, *day)).collect();
    assert_eq!(open, [26, 27, 28, 29], "the days that are made of that one");
    run("ALTER TABLE events DELETE WHERE site_id = 0 SETTINGS mutations_sync = 0").await;
    let late = traffic.visitor(2);
    traffic.insert(&late).await;
    assert_eq!(traffic.close().await, 0, "a deletion of everything is no reason to wait");
    run("SYSTEM START MERGES events").await;
    run("ALTER TABLE events DELETE WHERE site_id = 0 SETTINGS mutations_sync = 2").await;
    traffic.close().await;
    let closed = traffic.closed().await;
    assert!((22..=31).all(|day| is_closed(&closed, day)), "{closed:?}");
    assert!(traffic.compare(5, &closed).await > 0);
    engine.stop().await;
}

/// The rules of a zone that has always been so many hours behind UTC, as files of zones have them.
fn hours_behind(hours: u8) -> Vec<u8> {
    let header = |counts: [u32; 6]| {
        let counts = counts.iter().flat_map(|count| count.to_be_bytes());
        b"TZif2".iter().copied().chain([0; 15]).chain(counts).collect::<Vec<u8>>()
    };
    let offset = -i32::from(hours) * 3_600;
    // One kind of local time, and the four bytes of its name.
    let block =
        [&header([0, 0, 0, 0, 1, 4])[..], &offset.to_be_bytes(), &[0, 0], b"XXX\0"].concat();
    [&block[..], &block, format!("\nXXX{hours}\n").as_bytes()].concat()
}

#[tokio::test]
async fn a_day_that_begins_at_another_second_in_clickhouse_is_not_closed() {
    let mut traffic = Traffic::new(66, "America/Vancouver", 2006).await;
    // On 2 April the clocks go forward there. Here it is summer all the time.
    traffic.site.timezone = TimeZone::tzif("America/Vancouver", &hours_behind(7)).unwrap();
    traffic.days = 20;
    let events = traffic.all();
    traffic.insert(&events).await;
    let closing = traffic.store.close_days(&traffic.site, traffic.now()).await.unwrap();
    assert!(closing.is_disputed);
    let closed = traffic.closed().await;
    let first = closed.iter().next().map(|(day, _)| day);
    assert_eq!(first, Some(jiff::civil::date(2006, 4, 4)), "{closed:?}");
    assert!(closed.iter().count() >= 6, "{closed:?}");
    // With rules that are the same the others are counted, and those of before hold no more where they differ.
    traffic.site.timezone = TimeZone::get("America/Vancouver").unwrap();
    let closing = traffic.store.close_days(&traffic.site, traffic.now()).await.unwrap();
    assert!(!closing.is_disputed && closing.closed >= 10, "{closing:?}");
    let closed = traffic.closed().await;
    assert!(closed.iter().count() >= 18, "{closed:?}");
    assert!(traffic.compare(10, &closed).await > 0);
    traffic.site.timezone = TimeZone::tzif("America/Vancouver", &hours_behind(7)).unwrap();
    let first = traffic.closed().await.iter().next().map(|(day, _)| day);
    assert_eq!(
        first,
        Some(jiff::civil::date(2006, 4, 3)),
        "a day that began at another second is closed"
    );
}

#[tokio::test]
async fn days_that_a_site_keeps_no_longer_have_no_numbers() {
    let mut traffic = Traffic::new(9, "Europe/Berlin", 2006).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    traffic.close().await;
    traffic.site.retention_days = Some(28);
    let kept = traffic.site.kept_from(traffic.now()).unwrap();
    assert!(kept > traffic.midnight(3) && kept < traffic.midnight(9), "{kept}");
    let closed = traffic.closed().await;
    // Before anything is deleted, and after.
    traffic.compare(25, &closed).await;
    // With another that keeps everything, so that no day is dropped from under other tests.
    let keeps_all = Site::new(SiteId(79_999), "example.org", TimeZone::UTC);
    let sites = [traffic.site.clone(), keeps_all].map(Arc::new);
    traffic.store.expire(&sites, traffic.now()).await.unwrap();
    let first = traffic.site.timezone.to_datetime(kept).date().to_string();
    for table in ["daily", "visit_days", "notable_events"] {
        let sql = format!("SELECT countIf(day < ?), count() FROM {table} WHERE site_id = ?");
        let left = traffic.store.writer().query(&sql).bind(&first).bind(traffic.site.id.0);
        let (past, kept) = left.fetch_one::<(u64, u64)>().await.unwrap();
        assert!(past == 0 && kept > 0, "{table}: {past}, {kept}");
    }
    let closed = traffic.closed().await;
    traffic.compare(25, &closed).await;
    // A site that keeps more again has the numbers of what is there.
    traffic.site.retention_days = None;
    traffic.compare(25, &closed).await;
}

#[tokio::test]
async fn days_with_visitors_who_do_not_end_with_the_day_are_not_closed() {
    let mut traffic = Traffic::new(10, "Europe/Berlin", 2007).await;
    let mut events = traffic.all();
    // One who was imported, and comes again a week later.
    for (day, event) in [(2, events[0].clone()), (9, events[0].clone())] {
        let mut event = event;
        let noon = traffic.midnight(day) + SignedDuration::from_hours(12);
        event.happening.timestamp = u32::try_from(noon.as_second()).unwrap();
        event.happening.visitor_id = VisitorId::lasting(77);
        event.happening.session_id = SessionId(u64::from(event.happening.timestamp) << 32);
        events.push(event);
    }
    traffic.insert(&events).await;
    let closing = traffic.store.close_days(&traffic.site, traffic.now()).await.unwrap();
    assert_eq!((closing.unfit, closing.has_revenants), (2, false), "{closing:?}");
    let closed = traffic.closed().await;
    assert!(!of_day_is_closed(&traffic, &closed, 2) && !of_day_is_closed(&traffic, &closed, 9));
    assert!(of_day_is_closed(&traffic, &closed, 5), "{closed:?}");
    traffic.compare(40, &closed).await;
    let again = traffic.store.close_days(&traffic.site, traffic.now()).await.unwrap();
    assert_eq!((again.closed, again.unfit), (0, 0), "what is unfit is looked at again and again");

    // Rows of before ids told of themselves: nothing is added up for the site.
    let mut revenant = events[0].clone();
    let noon = traffic.midnight(12) + SignedDuration::from_hours(12);
    revenant.happening.timestamp = u32::try_from(noon.as_second()).unwrap();
    revenant.happening.session_id = SessionId(u64::from(revenant.happening.timestamp) << 32);
    traffic.insert(&[revenant]).await;
    let closing = traffic.store.close_days(&traffic.site, traffic.now()).await.unwrap();
    assert!(closing.has_revenants);
    assert!(traffic.closed().await.iter().next().is_none());
}

/// Not all could be well because nobody looks: numbers that are wrong by one are noticed.
#[tokio::test]
async fn one_visitor_too_many_who_was_carried_is_noticed() {
    let mut traffic = Traffic::new(11, "Etc/UTC", 2008).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    traffic.close().await;
    let closed = traffic.closed().await;
    let query = traffic.about(json!({ "metrics": ["visitors"], "dimensions": ["event:page"] }));
    let both = async || {
        let [counted, added] = [&Closed::none(), &closed].map(|closed| compile(&query, closed));
        (traffic.store.select(&counted).await.unwrap(), traffic.store.select(&added).await.unwrap())
    };
    let (counted, added) = both().await;
    assert_eq!(counted, added);
    let spoil = "ALTER TABLE daily UPDATE visitors_carried = visitors_carried + 1 WHERE site_id = ? \
                 AND counted = 'events' AND dimension = 'event:page' AND value = '/a' AND day = ?";
    let day = traffic.first.saturating_add(6.days()).to_string();
    let spoil = traffic.store.writer().query(spoil).bind(traffic.site.id.0).bind(day);
    spoil.with_setting("mutations_sync", "2").execute().await.unwrap();
    let (counted, added) = both().await;
    assert_ne!(counted, added);
}

/// The same of rows of visits: of one who is taken for another each kind of question tells.
#[tokio::test]
async fn a_visit_that_is_stored_with_another_source_is_noticed() {
    let mut traffic = Traffic::new(13, "Europe/Berlin", 2010).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    traffic.close().await;
    let closed = traffic.closed().await;
    let about = |metric: &str, dimension: &str, filter: Value| {
        traffic
            .about(json!({ "metrics": [metric], "dimensions": [dimension], "filters": [filter] }))
    };
    let google = json!(["is", "visit:source", ["Google"]]);
    let queries = [
        about("visitors", "visit:browser", google.clone()),
        about("visit_duration_p50", "visit:country", google.clone()),
        about("pageviews", "event:page", google.clone()),
        about("visitors", "event:goal", google.clone()),
        about("total_revenue", "event:goal", google.clone()),
        about("visitors", "visit:source", json!(["is", "event:goal", ["Visit /b"]])),
        about("time_on_page", "event:page", google),
        about("visits", "visit:source", json!(["has_done", ["is", "event:page", ["/a"]]])),
    ];
    let differ = async || {
        let mut differ = 0;
        for query in &queries {
            let [counted, added] = [&Closed::none(), &closed].map(|closed| compile(query, closed));
            let counted = traffic.store.select(&counted).await.unwrap();
            differ += usize::from(counted != traffic.store.select(&added).await.unwrap());
        }
        differ
    };
    assert_eq!(differ().await, 0);
    for table in ["visit_days", "notable_events"] {
        // The table is in the order of the sources, which no row can change in its place.
        let of_google = format!("site_id = {} AND source = 'Google'", traffic.site.id.0);
        for spoil in [
            format!(
                "INSERT INTO {table} SELECT * REPLACE('another' AS source) FROM {table} WHERE {of_google}"
            ),
            format!("ALTER TABLE {table} DELETE WHERE {of_google}"),
        ] {
            let spoil = traffic.store.writer().query_raw(&spoil);
            spoil.with_setting("mutations_sync", "2").execute().await.unwrap();
        }
    }
    assert_eq!(differ().await, queries.len());
}

#[tokio::test]
async fn a_report_adds_up_what_is_closed_and_nothing_else() {
    let mut traffic = Traffic::new(12, "Europe/Berlin", 2009).await;
    let events = traffic.all();
    traffic.insert(&events).await;
    let query = json!({
        "site_id": "example.com", "metrics": ["visitors", "pageviews"],
        "date_range": traffic.all_days(),
    });
    let ask = async |traffic: &Traffic| {
        let answer =
            report::ask(&traffic.store, &traffic.site, traffic.now(), &query).await.unwrap();
        answer["results"][0]["metrics"].clone()
    };
    let counted = ask(&traffic).await;
    traffic.close().await;
    assert_eq!(ask(&traffic).await, counted);
    // That it was added up is seen by what is added up.
    let spoil = "ALTER TABLE daily UPDATE pageviews = pageviews + 1000 WHERE site_id = ?";
    let spoil = traffic.store.writer().query(spoil).bind(traffic.site.id.0);
    spoil.with_setting("mutations_sync", "2").execute().await.unwrap();
    assert!(ask(&traffic).await[1].as_u64() > Some(counted[1].as_u64().unwrap() + 1000));
    // Of another time zone nothing is closed.
    traffic.site.timezone = TimeZone::get("Asia/Tokyo").unwrap();
    assert!(traffic.closed().await.iter().next().is_none());
}
