//! A site, and what happened on it, told visit by visit; and questions about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use passerby::event::{Attributes, Event, Happening, SCROLL_DEPTH_UNKNOWN, SessionId, VisitorId};
use passerby::query::Known;
use passerby::report::{self, AskError};
use passerby::site::goal::Goal;
use passerby::site::{Site, SiteId};
use passerby::store::Store;
use serde_json::{Value, json};

/// Sites of this file's tests; each test has one of its own, so that they share an engine.
static NEXT_SITE: AtomicU32 = AtomicU32::new(90_000);

/// A site, and what happened on it.
pub(super) struct Story {
    pub(super) store: Arc<Store>,
    pub(super) site: Site,
    pub(super) events: Vec<Event>,
    visits: u32,
    pub(super) goals: Vec<Goal>,
}

impl Story {
    pub(super) async fn new(zone: &str) -> Self {
        let id = SiteId(NEXT_SITE.fetch_add(1, Ordering::SeqCst));
        let site = Site::new(id, "example.com", TimeZone::get(zone).unwrap());
        Self {
            store: crate::support::store().await,
            site,
            events: Vec::new(),
            visits: 0,
            goals: Vec::new(),
        }
    }

    /// A new visit of this visitor.
    pub(super) fn visit(&mut self, visitor: u64) -> Visit<'_> {
        self.visits += 1;
        let session = u64::from(self.visits);
        let attributes = Arc::new(Attributes::default());
        Visit { visitor, session, seq: 0, hostname: "example.com".into(), attributes, story: self }
    }

    /// Somebody who asked not to be recognised.
    pub(super) fn nobody(&mut self) -> Visit<'_> {
        Visit { session: 0, ..self.visit(0) }
    }

    /// Puts what has happened since the last time into the table.
    pub(super) async fn told(&mut self) {
        let columns = Event::columns().collect::<Vec<_>>().join(", ");
        let mut rows = Vec::new();
        self.events.iter().for_each(|event| event.encode(&mut rows));
        self.store.insert_events(&columns, rows).await.unwrap();
    }

    pub(super) async fn ask(&self, parts: &Value) -> Result<Value, AskError> {
        let mut query = question(parts);
        if query.get("metrics").is_none() {
            query["metrics"] = json!(["visitors"]);
        }
        report::ask_knowing(&self.store, self.known(), &query).await
    }

    pub(super) async fn ask_funnel(&self, parts: &Value) -> Result<Value, AskError> {
        report::ask_funnel(&self.store, self.known(), &question(parts)).await
    }

    pub(super) async fn ask_journey(&self, parts: &Value) -> Result<Value, AskError> {
        report::ask_journey(&self.store, self.known(), &question(parts)).await
    }

    fn known(&self) -> Known<'_> {
        let now: Timestamp = "2024-06-15T12:00:00Z".parse().unwrap();
        Known { goals: &self.goals, ..Known::new(&self.site, now) }
    }

    /// The rows, each as its dimensions and its metrics in one list.
    pub(super) async fn rows(&self, parts: &Value) -> Value {
        let answer = self.ask(parts).await.unwrap_or_else(|error| panic!("{parts}: {error}"));
        let list = |row: &Value, key: &str| row[key].as_array().unwrap().clone();
        let row =
            |row: &Value| Value::Array([list(row, "dimensions"), list(row, "metrics")].concat());
        answer["results"].as_array().unwrap().iter().map(row).collect()
    }

    pub(super) async fn check(&self, parts: Value, expected: Value) {
        assert_eq!(self.rows(&parts).await, expected, "{parts}");
    }
}

/// A question about the site and the month of May 2024, unless it says another time.
fn question(parts: &Value) -> Value {
    let mut question =
        json!({ "site_id": "example.com", "date_range": ["2024-05-01", "2024-05-31"] });
    question.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    question
}

/// A visit being told, in the order of arrival.
pub(super) struct Visit<'story> {
    visitor: u64,
    session: u64,
    seq: u32,
    hostname: String,
    attributes: Arc<Attributes>,
    story: &'story mut Story,
}

impl Visit<'_> {
    pub(super) fn with(mut self, attributes: Attributes) -> Self {
        self.attributes = Arc::new(attributes);
        self
    }

    pub(super) fn from(self, source: &str) -> Self {
        self.with(Attributes { source: source.into(), ..Attributes::default() })
    }

    /// The visit is of this browser, and of this campaign.
    pub(super) fn browser(self, browser: &str, browser_version: &str, utm_campaign: &str) -> Self {
        let attributes = Attributes {
            browser: browser.into(),
            browser_version: browser_version.into(),
            utm_campaign: utm_campaign.into(),
            ..(*self.attributes).clone()
        };
        self.with(attributes)
    }

    /// What follows happens on this host.
    pub(super) fn on(mut self, hostname: &str) -> Self {
        self.hostname = hostname.into();
        self
    }

    /// The visit begins at this second, with which its id begins.
    pub(super) fn beginning(mut self, second: u32) -> Self {
        if self.session != 0 {
            self.session |= u64::from(second) << 32;
        }
        self
    }

    /// A page view. `time` is of the month of May 2024, in UTC: `01 10:00:00`.
    pub(super) fn view(self, time: &str, pathname: &str) -> Self {
        self.event(time, "pageview", pathname)
    }

    pub(super) fn event(mut self, time: &str, name: &str, pathname: &str) -> Self {
        self.seq += u32::from(self.session != 0);
        let local: DateTime = format!("2024-05-{time}").parse().unwrap();
        let timestamp = TimeZone::UTC.to_timestamp(local).unwrap().as_second();
        let timestamp = u32::try_from(timestamp).unwrap();
        if self.session >> 32 == 0 {
            self = self.beginning(timestamp);
        }
        let happening = Happening {
            site_id: self.story.site.id.0,
            timestamp,
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

    pub(super) fn last(&mut self) -> &mut Happening {
        &mut self.story.events.last_mut().unwrap().happening
    }

    /// The event just told had this property.
    pub(super) fn prop(mut self, key: &str, value: &str) -> Self {
        self.last().props.push((key.into(), value.into()));
        self
    }

    /// The event just told was caused by nobody.
    pub(super) fn not_interactive(mut self) -> Self {
        self.last().interactive = false;
        self
    }

    /// The event just told was attention of so long, and scrolled so far.
    pub(super) fn attention(mut self, engagement_ms: u32, scroll_depth: u8) -> Self {
        (self.last().engagement_ms, self.last().scroll_depth) = (engagement_ms, scroll_depth);
        self
    }

    /// The event just told brought so much, in thousandths.
    pub(super) fn paid(mut self, revenue_amount: i64, currency: &str) -> Self {
        self.last().revenue_amount = revenue_amount;
        self.last().revenue_currency = currency.into();
        self
    }

    /// Attention to a page already viewed.
    pub(super) fn ping(mut self, time: &str, pathname: &str) -> Self {
        self = self.event(time, "engagement", pathname);
        self.last().engagement_ms = 5_000;
        self
    }
}

pub(super) const ALL_METRICS: [&str; 6] =
    ["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration"];
