//! Export: the events of a site as lines that `import` reads.
//!
//! Visit after visit, in the order in which they began, and the events of a visit in the order in which they
//! arrived; after the visits of a day (in UTC) its events without a visit. So an import builds the same
//! visits from them, and an export of these is the same file.
//!
//! What comes out must not hang on ids, which are others after an import: visits that began in the same
//! second are in the order of what happened in them.
//!
//! - [`mod@line`]: an event as a line;
//! - `visitors`: names in place of ids;
//! - `statement`: what is asked of ClickHouse, a page after another, so that little is in memory.

mod line;
mod statement;
mod visitors;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::event::{Event, VisitorId};
use crate::site::{Site, day};
use crate::store::{Store, StoreError};
use line::Telling;
use statement::{DAY_S, PAGE_ROWS, Place, Seconds, Which};
use visitors::Visitors;

/// The days of a site that are exported; without an end, all there are on that side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Option<Date>,
    /// The last.
    pub to: Option<Date>,
}

impl Days {
    /// The seconds in which a visit must have begun, as far as the site keeps them.
    fn seconds(self, site: &Site, now: Timestamp) -> Seconds {
        let kept = site.kept_from(now).map(|kept| site.timezone.to_datetime(kept).date());
        let begins = |date: Date| {
            let begins = day::start_of(date, &site.timezone);
            begins.map_or(0, |moment| moment.as_second().max(0).unsigned_abs())
        };
        let from = [self.from, kept].into_iter().flatten().max().map_or(0, begins);
        let to = self.to.and_then(|to| to.tomorrow().ok()).map_or(1 << 32, begins);
        from..to.min(1 << 32)
    }
}

/// An export that is under way.
pub struct Export {
    store: Arc<Store>,
    site: Arc<Site>,
    stretches: VecDeque<Stretch>,
    /// The second after the last in which a visit may begin.
    end: u64,
    visitors: Visitors,
    /// Events that were read and are not told yet: those of the last second may not be complete.
    pending: Vec<Event>,
}

/// A part of a day that is read in one go, page by page.
struct Stretch {
    which: Which,
    seconds: Seconds,
    after: Option<Place>,
}

impl Export {
    /// Begins an export: finds out on which days there is something.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn begin(
        store: Arc<Store>,
        site: Arc<Site>,
        days: Days,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let wanted = days.seconds(&site, now);
        let mut stretches = VecDeque::new();
        for row in store.select(&statement::days(site.id)).await? {
            let number = |index: usize| row.get(index).and_then(serde_json::Value::as_u64);
            let day = number(0).unwrap_or(0) * DAY_S;
            let seconds = day.max(wanted.start)..(day + DAY_S).min(wanted.end);
            for (which, index) in [(Which::OfVisits, 1), (Which::OfNobody, 2)] {
                if !seconds.is_empty() && number(index).is_some_and(|events| events > 0) {
                    stretches.push_back(Stretch { which, seconds: seconds.clone(), after: None });
                }
            }
        }
        let (end, visitors, pending) = (wanted.end, Visitors::default(), Vec::new());
        Ok(Self { store, site, stretches, end, visitors, pending })
    }

    /// The next lines; `None` when everything has been told.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while let Some(stretch) = self.stretches.front_mut() {
            let which = stretch.which;
            let statement = statement::page(self.site.id, which, &stretch.seconds, stretch.after);
            let page = self.store.select_events(&statement).await?;
            let more = page.len() as u64 >= PAGE_ROWS;
            stretch.after = page.last().map(Place::of);
            self.pending.extend(page);
            if !more {
                self.stretches.pop_front();
            }
            let lines = self.tell(which, more).await?;
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    /// Tells what is pending, but for the last second when there may be more of it.
    async fn tell(&mut self, which: Which, more: bool) -> Result<Vec<u8>, StoreError> {
        let second = |event: &Event| match which {
            Which::OfVisits => u64::from(event.happening.session_id.started()),
            Which::OfNobody => event.happening.timestamp.into(),
        };
        let last = self.pending.last().map(second);
        let complete = match last {
            Some(last) if more => self.pending.partition_point(|event| second(event) < last),
            _ => self.pending.len(),
        };
        let rest = self.pending.split_off(complete);
        let told = std::mem::replace(&mut self.pending, rest);
        let mut lines = Vec::new();
        for events in told.chunk_by(|one, other| second(one) == second(other)) {
            match which {
                Which::OfVisits => self.tell_visits(events, &mut lines).await?,
                Which::OfNobody => self.tell_nobodys(events, &mut lines),
            }
        }
        Ok(lines)
    }

    /// The visits that began in one second.
    async fn tell_visits(
        &mut self,
        events: &[Event],
        lines: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        for visit in self.in_order(events).await? {
            let Some((name, mut new_visit)) = self.visitors.visit(visit) else { continue };
            let (name, site) = (name.to_string(), &self.site.domain);
            for event in visit {
                line::write(event, Telling { site, visitor: Some(&name), new_visit }, lines);
                new_visit = false;
            }
        }
        Ok(())
    }

    /// Visits that began in one second, in the order of what happened in them. Those that are alike are in
    /// the order of their visitors' names, and those of visitors who have none yet in an order of what
    /// these do later.
    async fn in_order<'e>(&self, events: &'e [Event]) -> Result<Vec<&'e [Event]>, StoreError> {
        let visits =
            events.chunk_by(|one, other| one.happening.session_id == other.happening.session_id);
        let visits: Vec<&[Event]> = visits.collect();
        if visits.len() < 2 {
            return Ok(visits);
        }
        let keyed = visits.into_iter().map(|visit| {
            let visitor =
                visit.first().map_or(VisitorId::NOBODY, |first| first.happening.visitor_id);
            ((self.content(visit), self.visitors.name(visitor)), visitor, visit)
        });
        let mut keyed: Vec<_> = keyed.collect();
        keyed.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        for alike in keyed.chunk_by_mut(|(one, ..), (other, ..)| one == other) {
            if alike.len() > 1 {
                let visitors = alike.iter().map(|(_, visitor, _)| *visitor).collect();
                let later = self.later(visitors, &alike[0].2[0]).await?;
                alike.sort_by_key(|(_, visitor, _)| later.get(visitor));
            }
        }
        Ok(keyed.into_iter().map(|(.., visit)| visit).collect())
    }

    /// What these visitors do after the second in which a visit with this event began, each as a number.
    async fn later(
        &self,
        visitors: Vec<VisitorId>,
        event: &Event,
    ) -> Result<HashMap<VisitorId, u64>, StoreError> {
        let seconds = u64::from(event.happening.session_id.started()) + 1..self.end;
        let visitors = visitors.iter().map(|visitor| visitor.0.to_string()).collect();
        let rows = self.store.select(&statement::later(self.site.id, visitors, &seconds)).await?;
        let pair = |row: Vec<serde_json::Value>| {
            Some((VisitorId(row.first()?.as_u64()?), row.get(1)?.as_u64()?))
        };
        Ok(rows.into_iter().filter_map(pair).collect())
    }

    /// What happened in a visit, whoever made it.
    fn content(&self, visit: &[Event]) -> Vec<u8> {
        let telling = Telling { site: &self.site.domain, visitor: None, new_visit: false };
        let mut lines = Vec::new();
        visit.iter().for_each(|event| line::write(event, telling, &mut lines));
        lines
    }

    /// The events without a visit that happened in one second.
    fn tell_nobodys(&self, events: &[Event], lines: &mut Vec<u8>) {
        let mut told: Vec<_> =
            events.iter().map(|event| self.content(std::slice::from_ref(event))).collect();
        told.sort_unstable();
        lines.extend(told.into_iter().flatten());
    }
}
