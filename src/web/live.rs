//! What happens right now: the last thirty minutes, and the stream that tells open pages of news.
//!
//! The stream (server-sent events) says only how many visitors are there and when something has changed;
//! the script then takes the new numbers from the page itself. Without the script the page is as it was
//! when it was asked for.

use std::time::Duration;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::access::Viewer;
use super::ask::{Asker, names, rows};
use super::chart::{Tick, grid, hundredths, scale};
use super::frame::{Frame, page};
use super::ranking::{self, Row};
use super::shell::Shell;
use super::words::{Words, counted, fill, names::dimension as dimension_name};
use crate::http::Services;
use crate::query::Dialect;
use crate::query::metric::Metric;
use crate::report::{self, AskError};

/// How far back the page looks.
const MINUTES: usize = 30;
/// About as many marks its axis has above 0: it is low.
const MARKS: f64 = 2.0;
/// The fewest visitors that the axis goes to, so that one alone is no high tower.
const TOP_MIN: f64 = 4.0;
/// How many rows its lists have.
const ROWS: usize = 8;
/// How often the stream looks at the numbers: every so many beats.
const BEATS_A_LOOK: u32 = 5;
/// How often the stream looks whether the collector stops.
const BEAT: Duration = Duration::from_secs(1);
/// A stream ends after so many beats; the browser then opens another.
const BEATS_MAX: u32 = 600;
/// A message that says nothing, by which a connection that is gone is noticed.
const NOTHING: &str = ":\n\n";

#[derive(Template)]
#[template(path = "live.html")]
struct LivePage {
    frame: Frame,
    shell: Shell,
    visitors: String,
    /// What so many are called.
    visitors_of: &'static str,
    bars: Vec<Bar>,
    grid: Vec<Tick>,
    labels: [Tick; 3],
    lists: Vec<List>,
}

/// A minute, in percent of the drawing.
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    label: String,
    visitors: String,
    visitors_of: &'static str,
}

struct List {
    title: String,
    rows: Vec<Row>,
}

pub(super) async fn show(asker: Asker) -> Response {
    if let Some(refused) = asker.refused_small_numbers() {
        return refused;
    }
    match model(&asker).await {
        Ok(model) => page(StatusCode::OK, &model),
        Err(error) => asker.refuse(&error),
    }
}

/// The last half hour, whatever the view's period.
fn query(asker: &Asker, with: Value) -> Value {
    let from = asker.now - SignedDuration::from_mins(MINUTES as i64 - 1);
    // Minutes are whole: the first begins where the clock shows it.
    let from = Timestamp::from_second(from.as_second().div_euclid(60) * 60).unwrap_or(from);
    let mut query = asker.query(with);
    query["date_range"] = json!([from.to_string(), asker.now.to_string()]);
    query
}

async fn model(asker: &Asker) -> Result<LivePage, AskError> {
    let minutes = query(
        asker,
        json!({
            "metrics": ["visitors"], "dimensions": ["time:minute"], "include": {"time_labels": true},
        }),
    );
    let filters = asker.view.filters(asker.lang);
    let those = report::visitors_now(&asker.services.store, asker.known(Dialect::V2), &filters);
    let (now, those, minutes, pages, sources, countries) = tokio::try_join!(
        visitors_now(asker),
        those,
        asker.ask(&minutes),
        list(asker, "event:page"),
        list(asker, "visit:source"),
        list(asker, "visit:country_name"),
    )?;
    let (words, values) = (asker.words(), values(&minutes));
    let highest = values.iter().copied().fold(TOP_MIN, f64::max);
    let (step, top) = scale(highest, Metric::Visitors.spec().unit, MARKS);
    Ok(LivePage {
        frame: asker.frame(),
        shell: Shell { is_timed: false, ..Shell::of(asker, now) },
        visitors: asker.lang.whole(those as f64),
        visitors_of: counted(those, words.live_visitor, words.live_visitors),
        bars: bars(asker, &values, top),
        grid: grid(step, top, asker.lang, Metric::Visitors),
        labels: labels(words),
        lists: vec![pages, sources, countries],
    })
}

async fn list(asker: &Asker, dimension: &str) -> Result<List, AskError> {
    let metrics = [Metric::Visitors];
    let query = query(
        asker,
        json!({
            "metrics": names(&metrics), "dimensions": [dimension], "pagination": {"limit": ROWS},
        }),
    );
    let answer = asker.ask(&query).await?;
    Ok(List {
        title: dimension_name(asker.lang, dimension),
        rows: ranking::shown_rows(asker, dimension, &metrics, &answer),
    })
}

/// The visitors of each minute, in order.
fn values(answer: &Value) -> Vec<f64> {
    let labels = answer["meta"]["time_labels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = rows(answer);
    let value = |label: &Value| {
        let row = rows.iter().find(|row| row["dimensions"][0] == *label);
        row.and_then(|row| row["metrics"][0].as_f64()).unwrap_or(0.0)
    };
    labels.iter().map(value).collect()
}

/// Below the minutes: when the first one was, the middle one, and the last.
fn labels(words: &Words) -> [Tick; 3] {
    let ago = |minutes: usize| fill(words.minutes_ago_short, &[&minutes.to_string()]);
    let tick = |at, text, anchor| Tick { at, text, anchor, is_minor: false, is_spare: false };
    [
        tick(0.0, ago(MINUTES), "start"),
        tick(50.0, ago(MINUTES / 2), "middle"),
        tick(100.0, words.now.to_owned(), "end"),
    ]
}

fn bars(asker: &Asker, values: &[f64], top: f64) -> Vec<Bar> {
    let width = 100.0 / values.len().max(1) as f64;
    let words = asker.words();
    let bar = |(place, value): (usize, &f64)| {
        let ago = values.len() - 1 - place;
        let height = 100.0 * value / top;
        Bar {
            x: hundredths(width * place as f64 + width * 0.12),
            y: hundredths(100.0 - height),
            width: hundredths(width * 0.76),
            height: hundredths(height),
            label: match ago {
                0 => words.this_minute.to_owned(),
                ago => fill(
                    counted(ago as u64, words.minute_ago, words.minutes_ago),
                    &[&ago.to_string()],
                ),
            },
            visitors: asker.lang.whole(*value),
            visitors_of: counted(*value as u64, words.visitor, words.visitors),
        }
    };
    values.iter().enumerate().map(bar).collect()
}

/// How many visitors are there, for the bar of every page; where small numbers are not told, nothing is said.
pub(super) async fn visitors_now(asker: &Asker) -> Result<u64, AskError> {
    if asker.floor.is_some() {
        return Ok(0);
    }
    report::visitors_now(&asker.services.store, asker.known(Dialect::V2), &[]).await
}

/// Tells an open page the number of visitors whenever it has changed, and about every minute in any case.
pub(super) async fn stream(asker: Asker, asked: Parts) -> Response {
    if let Some(refused) = asker.refused_small_numbers() {
        return refused;
    }
    let beats = stream::unfold(Watch { asker, asked, beat: 0, told: None }, Watch::next);
    let mut answer = Body::from_stream(beats).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that collect answers are told not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

/// A stream to one page.
struct Watch {
    asker: Asker,
    /// What was asked, without the body.
    asked: Parts,
    beat: u32,
    told: Option<(u64, u32)>,
}

impl Watch {
    /// What is sent next, after as many beats as it takes; nothing more once the collector stops.
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        loop {
            if self.beat > BEATS_MAX || is_stopping(&self.asker.services) {
                return None;
            }
            let beat = self.beat;
            self.beat += 1;
            if beat > 0 {
                tokio::time::sleep(BEAT).await;
            }
            if !beat.is_multiple_of(BEATS_A_LOOK) {
                continue;
            }
            if !self.may_be_seen().await {
                return None;
            }
            let text = self.look(beat).await;
            return Some((Ok(Bytes::from(text)), self));
        }
    }

    /// Whether whoever asked may see the site still, and all of its numbers: a link may have ended meanwhile.
    async fn may_be_seen(&mut self) -> bool {
        let services = self.asker.services.clone();
        let viewer = Viewer::of(&services, &self.asked);
        match Asker::of(&viewer, &mut self.asked, &services).await {
            Ok(Some(asker)) if asker.floor.is_none() => {
                self.asker = asker;
                true
            }
            _ => false,
        }
    }

    /// The message of this beat. There is nothing new while the database is away, or others have the turn: that is said, for a
    /// connection on which nothing comes is taken for one that is gone.
    async fn look(&mut self, beat: u32) -> String {
        let Some(_turn) = self.asker.services.queue.turn_to_watch() else {
            return NOTHING.to_owned();
        };
        self.asker.now = self.asker.services.clock.now();
        let Ok(now) = visitors_now(&self.asker).await else { return NOTHING.to_owned() };
        let is_news = self.told.is_none_or(|(told, at)| told != now || beat - at >= 60);
        if !is_news {
            return NOTHING.to_owned();
        }
        self.told = Some((now, beat));
        let text = fill(self.asker.words().now_there, &[&self.asker.lang.whole(now as f64)]);
        format!("data: {}\n\n", json!({ "visitors": now, "text": text }))
    }
}

fn is_stopping(services: &Services) -> bool {
    services.health.is_stopping()
}
