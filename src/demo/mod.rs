//! The demo's traffic: a year of believable visits to a site that does not exist.
//!
//! The same seed, site and last moment give the same events. [`world`] has the people and the places,
//! [`site_map`] the site, [`calendar`] when people come, [`visit`] what one of them does. The events take
//! the way of an import: through the same visits, in batches of a day.

mod calendar;
mod site_map;
mod visit;
mod world;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::event::Event;
use crate::import::batches::Batches;
use crate::session::Visits;
use crate::site::Site;
use crate::site::day::start_of;
use crate::site::goal::GoalKind;
use crate::store::catalog::NewGoal;
use crate::store::{Store, StoreError};
use calendar::Calendar;
use visit::Guests;

/// The domain of the sample site.
pub const DOMAIN: &str = "demo.example";
/// The time zone of the sample site.
pub const TIMEZONE: &str = "Europe/Berlin";
/// What is paid in the sample site's shop.
const CURRENCY: &str = "EUR";
/// The mean number of events of a visit, engagement included: measured over a generated year.
const EVENTS_PER_VISIT: f64 = 5.6;
/// Days that are sent together.
const DAYS_AT_ONCE: u32 = 8;
/// The most visits that are open at once while traffic is generated.
const VISITS_OPEN_MAX: usize = 100_000;

/// The goals of the sample site.
pub fn goals() -> Vec<NewGoal> {
    let event = |name: &str| GoalKind::Event(name.to_owned());
    let goal = |kind, name: Option<&str>, currency: Option<&str>| NewGoal {
        kind,
        display_name: name.map(str::to_owned),
        currency: currency.map(str::to_owned),
    };
    vec![
        goal(event("Purchase"), None, Some(CURRENCY)),
        goal(event("Signup"), None, None),
        goal(GoalKind::Page("/pricing".to_owned()), None, None),
        goal(GoalKind::Scroll("/blog/**".to_owned(), 75), Some("Read the blog"), None),
    ]
}

/// What the people of the sample site wrote beside its last days.
pub fn annotations(site: &Site, days: u32, now: Timestamp) -> Vec<(Date, &'static str)> {
    let calendar = Calendar::ending(now, &site.timezone, days);
    let begins = |day: &u32| *day > 0 && calendar.occasion(*day) != calendar.occasion(*day - 1);
    (0..calendar.days())
        .filter(begins)
        .filter_map(|day| Some((calendar.date(day), calendar.occasion(day).note()?)))
        .collect()
}

/// How much traffic there shall be.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Days, the last of which is not over yet.
    pub days: u32,
    /// Events, roughly.
    pub events: u64,
    /// What chance begins with.
    pub seed: u64,
}

/// Generates the traffic up to `now` and loads it; `progress` is told how many events are there.
/// Returns how many that were.
///
/// # Errors
/// When ClickHouse does not take it.
pub async fn load(
    store: &Store,
    site: &Site,
    amount: Amount,
    now: Timestamp,
    mut progress: impl FnMut(u64),
) -> Result<u64, StoreError> {
    let mut traffic = Traffic::new(site, amount, now);
    let mut batches = Batches::default();
    let mut events = 0;
    while let Some(day) = traffic.next_day() {
        for event in &day {
            batches.add(event);
        }
        events += day.len() as u64;
        if traffic.day.is_multiple_of(DAYS_AT_ONCE) {
            batches.flush_all(store).await?;
            progress(events);
        }
    }
    batches.flush_all(store).await?;
    Ok(events)
}

/// The events of each of the days, visit by visit: for whoever needs traffic without a database.
pub fn days(site: &Site, amount: Amount, now: Timestamp) -> impl Iterator<Item = Vec<Event>> {
    let mut traffic = Traffic::new(site, amount, now);
    std::iter::from_fn(move || traffic.next_day())
}

/// The days of the traffic, in their order.
struct Traffic<'a> {
    calendar: Calendar,
    guests: Guests<'a>,
    chance: SmallRng,
    timezone: TimeZone,
    now: Timestamp,
    day: u32,
    /// What is left of a visit when it does not come out even.
    rest: f64,
    visits_per_weight: f64,
}

impl<'a> Traffic<'a> {
    fn new(site: &'a Site, amount: Amount, now: Timestamp) -> Self {
        let calendar = Calendar::ending(now, &site.timezone, amount.days);
        let visits = amount.events as f64 / EVENTS_PER_VISIT;
        let weight: f64 = (0..amount.days).map(|day| calendar.weight(day)).sum();
        Self {
            guests: Guests::new(site, Visits::new(VISITS_OPEN_MAX)),
            chance: SmallRng::seed_from_u64(amount.seed),
            timezone: site.timezone.clone(),
            visits_per_weight: visits / weight.max(f64::MIN_POSITIVE),
            calendar,
            now,
            day: 0,
            rest: 0.0,
        }
    }

    fn next_day(&mut self) -> Option<Vec<Event>> {
        let day = self.day;
        if day >= self.calendar.days() {
            return None;
        }
        self.day += 1;
        let wanted = self.calendar.weight(day) * self.visits_per_weight + self.rest;
        self.rest = wanted.fract();
        let date = self.calendar.date(day);
        let mut events = Vec::new();
        for _ in 0..wanted as u64 {
            self.guests.visit(&self.calendar, day, &mut self.chance, &mut events);
        }
        let begins = start_of(date, &self.timezone).map_or(0, |moment| moment.as_second());
        self.guests.forget(begins);
        let now = self.now.as_second();
        // What has not happened yet is left out of the last day.
        events.retain(|event| i64::from(event.happening.timestamp) <= now);
        Some(events)
    }
}

#[cfg(test)]
mod tests;
