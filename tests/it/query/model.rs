//! Random traffic, and a second opinion on its numbers: a model that walks over the events one by one
//! and knows nothing of SQL.

use std::collections::{BTreeMap, BTreeSet};

use passerby::event::Event;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::story::Story;

/// Days 2 and 3 of May 2024 in UTC: traffic begins a day before and ends a day after.
pub(super) const PERIOD: [&str; 2] = ["2024-05-02", "2024-05-03"];
const FROM: u32 = 1_714_608_000;
const TO: u32 = FROM + 2 * 86_400 - 1;

const PAGES: [&str; 4] = ["/", "/a", "/b", "/c"];
const SOURCES: [&str; 3] = ["", "Google", "Bing"];

/// About 150 visits, of all kinds: with engagement, custom events, late arrivals, and of nobody.
pub(super) async fn traffic(seed: u64) -> Story {
    let mut random = StdRng::seed_from_u64(seed);
    let mut story = Story::new("Etc/UTC").await;
    for _ in 0..150 {
        let visitor = random.random_range(1..60);
        let mut second = FROM - 86_400 + random.random_range(0..4 * 86_400);
        let visit = if random.random_ratio(1, 8) { story.nobody() } else { story.visit(visitor) };
        let mut visit = visit.from(SOURCES[random.random_range(0..3)]).beginning(second);
        for _ in 0..random.random_range(1..6) {
            let name = ["pageview", "pageview", "Signup", "engagement"][random.random_range(0..4)];
            visit = visit.event("01 00:00:00", name, PAGES[random.random_range(0..4)]);
            visit.last().timestamp = second;
            visit.last().interactive = random.random_ratio(2, 3);
            if name == "engagement" {
                visit.last().engagement_ms = random.random_range(0..9_000);
            }
            // Now and then an event arrives after one that happened later.
            second = second + random.random_range(0..1_500) - random.random_range(0..200);
        }
    }
    story.told().await;
    story
}

/// What the events of a visit come to.
struct Visit<'story> {
    events: Vec<&'story Event>,
    first: u32,
    last: u32,
}

impl<'story> Visit<'story> {
    /// The visits that overlap the period.
    fn all(story: &'story Story) -> Vec<Self> {
        let mut visits: BTreeMap<u64, Vec<&Event>> = BTreeMap::new();
        for event in
            story.events.iter().filter(|event| counts(event) && event.happening.session_id.0 != 0)
        {
            visits.entry(event.happening.session_id.0).or_default().push(event);
        }
        let visit = |events: Vec<&'story Event>| {
            let (arrival, departure) = (time(events[0]), time(events[events.len() - 1]));
            Self { first: arrival.min(departure), last: arrival.max(departure), events }
        };
        visits
            .into_values()
            .map(visit)
            .filter(|visit| visit.first <= TO && visit.last >= FROM)
            .collect()
    }

    fn views(&self) -> impl DoubleEndedIterator<Item = &&'story Event> {
        self.events.iter().filter(|event| event.happening.name == "pageview")
    }

    fn bounced(&self) -> bool {
        let interacted =
            |event: &&&Event| event.happening.name != "pageview" && event.happening.interactive;
        self.views().count() < 2 && self.events.iter().find(interacted).is_none()
    }

    fn entry(&self) -> String {
        self.views().next().map(|event| event.happening.pathname.clone()).unwrap_or_default()
    }

    fn exit(&self) -> String {
        self.views().next_back().map(|event| event.happening.pathname.clone()).unwrap_or_default()
    }

    fn source(&self) -> String {
        labelled(&self.events[0].attributes.source)
    }

    /// The values of a dimension that the visit counts for.
    fn keys(&self, dimension: &str) -> BTreeSet<String> {
        let one = |key: String| BTreeSet::from([key]);
        match dimension {
            "" => one(String::new()),
            "visit:source" => one(self.source()),
            "visit:entry_page" | "event:page" => one(self.entry()),
            "visit:exit_page" => one(self.exit()),
            "time:day" => one(day(self.last.min(TO))),
            "time:hour" => (self.first.max(FROM)..=self.last.min(TO)).map(hour).collect(),
            other => panic!("the model knows no {other}"),
        }
    }
}

pub(super) fn counts(event: &Event) -> bool {
    event.happening.name != "engagement"
}

pub(super) fn time(event: &Event) -> u32 {
    event.happening.timestamp
}

/// Whether the event happened within the period.
pub(super) fn within(event: &Event) -> bool {
    (FROM..=TO).contains(&time(event))
}

fn labelled(source: &str) -> String {
    if source.is_empty() { "Direct / None".into() } else { source.into() }
}

fn day(second: u32) -> String {
    format!("2024-05-{:02}", 2 + (second - FROM) / 86_400)
}

fn hour(second: u32) -> String {
    format!("{} {:02}:00:00", day(second), (second - FROM) / 3_600 % 24)
}

fn key(event: &Event, dimension: &str) -> String {
    match dimension {
        "" => String::new(),
        "event:page" => event.happening.pathname.clone(),
        "visit:source" => labelled(&event.attributes.source),
        "time:day" => day(time(event)),
        "time:hour" => hour(time(event)),
        other => panic!("the model knows no {other} of an event"),
    }
}

/// Halves go to the even neighbour.
fn rounded(number: f64) -> u64 {
    number.round_ties_even() as u64
}

type Rows = BTreeMap<String, Vec<u64>>;

/// Visitors, visits, pageviews and events, from events that meet the filter.
fn of_events(story: &Story, dimension: &str, wanted: &dyn Fn(&Event) -> bool) -> Rows {
    let mut groups: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
    let within =
        |event: &&Event| counts(event) && (FROM..=TO).contains(&time(event)) && wanted(event);
    for event in story.events.iter().filter(within) {
        groups.entry(key(event, dimension)).or_default().push(event);
    }
    let numbers = |events: Vec<&Event>| {
        let distinct = |id: &dyn Fn(&Event) -> u64| {
            events
                .iter()
                .map(|event| id(event))
                .filter(|id| *id != 0)
                .collect::<BTreeSet<_>>()
                .len() as u64
        };
        let views = events.iter().filter(|event| event.happening.name == "pageview").count() as u64;
        let visitors = distinct(&|event| event.happening.visitor_id.0);
        vec![visitors, distinct(&|event| event.happening.session_id.0), views, events.len() as u64]
    };
    groups.into_iter().map(|(key, events)| (key, numbers(events))).collect()
}

/// Visitors, visits, bounce rate and duration, from visits that meet the filter; of the visits
/// that count for the bounce rate.
fn of_visits(visits: &[Visit<'_>], dimension: &str, entered: &dyn Fn(&Visit<'_>) -> bool) -> Rows {
    let mut groups: BTreeMap<String, Vec<&Visit<'_>>> = BTreeMap::new();
    for visit in visits {
        visit
            .keys(dimension)
            .into_iter()
            .for_each(|key| groups.entry(key).or_default().push(visit));
    }
    let numbers = |visits: Vec<&Visit<'_>>| {
        let visitors: BTreeSet<_> =
            visits.iter().map(|visit| visit.events[0].happening.visitor_id.0).collect();
        let entered: Vec<_> = visits.iter().filter(|visit| entered(visit)).collect();
        let bounces = entered.iter().filter(|visit| visit.bounced()).count() as f64;
        let seconds: u32 = visits.iter().map(|visit| visit.last - visit.first).sum();
        let rate =
            if entered.is_empty() { 0 } else { rounded(bounces / entered.len() as f64 * 100.0) };
        vec![
            visitors.len() as u64,
            visits.len() as u64,
            rate,
            rounded(f64::from(seconds) / visits.len() as f64),
        ]
    };
    groups.into_iter().map(|(key, visits)| (key, numbers(visits))).collect()
}

/// The engine's rows, by their dimension.
async fn answered(story: &Story, metrics: Value, dimension: &str, filters: &Value) -> Rows {
    let dimensions: Vec<&str> =
        Some(dimension).filter(|dimension| !dimension.is_empty()).into_iter().collect();
    let query = json!({ "metrics": metrics, "date_range": PERIOD, "dimensions": dimensions, "filters": filters });
    let answer = story.ask(&query).await.unwrap();
    let row = |row: &Value| {
        let key = row["dimensions"][0].as_str().unwrap_or_default().to_owned();
        (
            key,
            row["metrics"]
                .as_array()
                .unwrap()
                .iter()
                .map(|metric| metric.as_u64().unwrap())
                .collect(),
        )
    };
    answer["results"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn on_random_traffic_reports_on_visits_agree_with_the_model() {
    for seed in 0..4 {
        let story = traffic(seed).await;
        let visits = Visit::all(&story);
        let metrics = json!(["visitors", "visits", "bounce_rate", "visit_duration"]);
        for dimension in
            ["", "visit:source", "visit:entry_page", "visit:exit_page", "time:day", "time:hour"]
        {
            let expected = of_visits(&visits, dimension, &|_| true);
            assert_eq!(
                answered(&story, metrics.clone(), dimension, &json!([])).await,
                expected,
                "{seed} {dimension}"
            );
        }
        for source in SOURCES.map(labelled) {
            let filters =
                json!([["is", "visit:source", [source]], ["is_not", "visit:entry_page", ["/a"]]]);
            let visits = Visit::all(&story)
                .into_iter()
                .filter(|visit| visit.source() == source && visit.entry() != "/a");
            let expected = of_visits(&visits.collect::<Vec<_>>(), "visit:exit_page", &|_| true);
            let answered = answered(&story, metrics.clone(), "visit:exit_page", &filters).await;
            assert_eq!(answered, expected, "{seed} {source}");
        }
    }
}

#[tokio::test]
async fn on_random_traffic_reports_on_events_agree_with_the_model() {
    for seed in 10..14 {
        let story = traffic(seed).await;
        let metrics = json!(["visitors", "visits", "pageviews", "events"]);
        for dimension in ["", "visit:source", "event:page", "time:day", "time:hour"] {
            let expected = of_events(&story, dimension, &|_| true);
            assert_eq!(
                answered(&story, metrics.clone(), dimension, &json!([])).await,
                expected,
                "{seed} {dimension}"
            );
            let filters = json!([
                ["is", "event:page", ["/a", "/b"]],
                ["not", ["is", "visit:source", ["Google"]]]
            ]);
            let wanted = |event: &Event| {
                ["/a", "/b"].contains(&&*event.happening.pathname)
                    && event.attributes.source != "Google"
            };
            let expected = of_events(&story, dimension, &wanted);
            let expected = if expected.is_empty() {
                Rows::from([(String::new(), vec![0; 4])])
            } else {
                expected
            };
            assert_eq!(
                answered(&story, metrics.clone(), dimension, &filters).await,
                expected,
                "{seed} {dimension}"
            );
        }
    }
}

#[tokio::test]
async fn on_random_traffic_reports_on_both_agree_with_the_model() {
    for seed in 20..24 {
        let story = traffic(seed).await;
        let metrics =
            json!(["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration"]);
        let visits = Visit::all(&story);
        for dimension in ["", "visit:source", "event:page", "time:day"] {
            let expected = both(
                of_events(&story, dimension, &|_| true),
                &of_visits(&visits, dimension, &|_| true),
            );
            assert_eq!(
                answered(&story, metrics.clone(), dimension, &json!([])).await,
                expected,
                "{seed} {dimension}"
            );
        }
        let page = |event: &Event| event.happening.pathname == "/b";
        let seen = |visit: &Visit<'_>| {
            visit.events.iter().any(|event| page(event) && (FROM..=TO).contains(&time(event)))
        };
        let visits: Vec<_> = Visit::all(&story).into_iter().filter(seen).collect();
        let filters = json!([["is", "event:page", ["/b"]]]);
        for dimension in ["", "visit:source", "time:day"] {
            let there = of_visits(&visits, dimension, &|visit| visit.entry() == "/b");
            let expected = both(of_events(&story, dimension, &page), &there);
            assert_eq!(
                answered(&story, metrics.clone(), dimension, &filters).await,
                expected,
                "{seed} {dimension}"
            );
        }
    }
}

/// The number below which a share of the sorted numbers lies, interpolated.
fn quantile(numbers: &[f64], share: f64) -> f64 {
    let place = share * (numbers.len() - 1) as f64;
    let (below, above) = (numbers[place.floor() as usize], numbers[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[tokio::test]
async fn on_random_traffic_quantiles_and_engagement_agree_with_the_model() {
    for seed in 30..34 {
        let mut story = traffic(seed).await;
        let kind = passerby::site::goal::GoalKind::Event("Signup".into());
        story.goals =
            vec![passerby::site::goal::Goal { name: "Signup".into(), kind, currency: None }];
        let attended = |visit: &Visit<'_>| {
            let session = visit.events[0].happening.session_id;
            let events = story.events.iter().filter(|event| event.happening.session_id == session);
            events.map(|event| event.happening.engagement_ms).sum::<u32>() > 10_000
        };
        let engaged = |visit: &Visit<'_>| {
            let converted = visit.events.iter().any(|event| event.happening.name == "Signup");
            visit.views().count() > 1 || converted || attended(visit)
        };
        for source in SOURCES.map(labelled) {
            let visits: Vec<_> =
                Visit::all(&story).into_iter().filter(|visit| visit.source() == source).collect();
            let mut seconds: Vec<f64> =
                visits.iter().map(|visit| f64::from(visit.last - visit.first)).collect();
            seconds.sort_by(f64::total_cmp);
            let share =
                visits.iter().filter(|visit| engaged(visit)).count() as f64 / visits.len() as f64;
            let expected = json!([[
                rounded(quantile(&seconds, 0.5)),
                rounded(quantile(&seconds, 0.75)),
                (share * 100.0 * 10.0).round_ties_even() / 10.0,
            ]]);
            let query = json!({
                "metrics": ["visit_duration_p50", "visit_duration_p75", "engagement_rate"],
                "date_range": PERIOD, "filters": [["is", "visit:source", [source]]],
            });
            story.check(query, expected).await;
        }
    }
}

/// What is known of events, and beside it what is known of visits: where nothing is, zeros.
fn both(events: Rows, visits: &Rows) -> Rows {
    let beside = |(key, mut numbers): (String, Vec<u64>)| {
        numbers.extend(visits.get(&key).map_or([0, 0], |visits| [visits[2], visits[3]]));
        (key, numbers)
    };
    events.into_iter().map(beside).collect()
}
