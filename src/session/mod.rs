//! The open visits, in memory.
//!
//! # Rules
//! - A visit ends after more than 30 *whole* idle minutes: a gap of 30:59 joins, 31:00 does not. An
//!   event older than the visit's last one always joins it.
//! - Order of arrival, not of time, decides: the first page view that arrives is the entry page.
//! - Engagement keeps a visit open; it never begins one.
//! - What is true of a visit (source, place, device) comes from its first event.
//! - A visit lasts at most [`LENGTH_MAX_S`], as ids that live a day allow; then a new one begins.
//!   Reports rely on it when they look for the events of a visit around a range.
//!
//! A visitor whose id changed at midnight goes on with the visit that was open under the old id, which
//! its events keep. After a restart the visits are rebuilt from the spool ([`Visits::restore`]).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use crate::event::{
    Attributes, ENGAGEMENT, Event, Happening, OfVisit, PAGEVIEW, SessionId, VisitorId,
};
use crate::site::SiteId;

/// Idle whole minutes after which a visit has ended.
const IDLE_MINUTES_MAX: i64 = 30;
/// The longest a visit can be, in seconds: a day.
pub const LENGTH_MAX_S: i64 = 24 * 60 * 60;
/// When there is no room, this part of the places is made free, of those that have been idle longest: to find them, all visits are
/// looked at.
const FREED_PART: usize = 16;
/// A visit that has more bytes than this takes one place more for each time that it does.
const PLACE_BYTES: usize = 1_024;

/// Visitors whose old ids share one of these wait for each other in the half hour after midnight.
const MIDNIGHT_LOCKS: usize = 64;

/// The visits that are open.
pub struct Visits {
    open: DashMap<(SiteId, VisitorId), Visit>,
    /// How many places there are: one for each visit of usual size.
    open_max: usize,
    taken: Arc<AtomicUsize>,
    evicted: AtomicU64,
    /// Held while room is made.
    making_room: Mutex<()>,
    /// One of them is held while a visit may be carried over midnight.
    midnight: [Mutex<()>; MIDNIGHT_LOCKS],
}

/// An event as far as it matters for its visit.
pub struct Arrival<'a> {
    /// The site that it happened on.
    pub site: SiteId,
    /// When, in seconds since 1970.
    pub timestamp: u32,
    /// What happened.
    pub kind: Kind,
    /// The page's host.
    pub hostname: &'a str,
    /// The page's path.
    pub pathname: &'a str,
}

/// What an event is to its visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page view.
    Pageview,
    /// Attention to a page.
    Engagement,
    /// Anything else.
    Custom,
}

impl Kind {
    /// The kind of an event with that name.
    pub fn of(name: &str) -> Self {
        match name {
            PAGEVIEW => Self::Pageview,
            ENGAGEMENT => Self::Engagement,
            _ => Self::Custom,
        }
    }
}

/// Where an event belongs.
#[derive(Clone)]
pub struct Placed {
    /// The visitor of the visit: the one that began it.
    pub visitor: VisitorId,
    /// The visit.
    pub session: SessionId,
    /// The event's place in it, from 1.
    pub seq: u32,
    /// What is true of the visit.
    pub visit: OfVisit,
}

impl Placed {
    /// An event that is counted without recognising anybody: it has no visitor, and belongs to no visit.
    pub fn of_nobody(attributes: &Attributes) -> Self {
        Self {
            visitor: VisitorId::NOBODY,
            session: SessionId::default(),
            seq: 0,
            visit: OfVisit::new("", "", attributes),
        }
    }
}

struct Visit {
    last: u32,
    /// Of the event that came last.
    placed: Placed,
    places: Places,
}

/// What a visit takes of the room, until it is dropped. Texts are the visitor's: without this, a million visits
/// that say a lot would be gigabytes.
struct Places {
    count: u32,
    taken: Arc<AtomicUsize>,
}

impl Places {
    fn take(taken: &Arc<AtomicUsize>, visit: &OfVisit) -> Self {
        let count = u32::try_from(1 + visit.bytes() / PLACE_BYTES).unwrap_or(u32::MAX);
        taken.fetch_add(count as usize, Ordering::Relaxed);
        Self { count, taken: Arc::clone(taken) }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.count as usize, Ordering::Relaxed);
    }
}

impl Visit {
    fn begin(
        arrival: &Arrival<'_>,
        visitor: VisitorId,
        attributes: &Attributes,
        taken: &Arc<AtomicUsize>,
    ) -> Self {
        let (hostname, pathname) = match arrival.kind {
            Kind::Pageview => (arrival.hostname, arrival.pathname),
            Kind::Engagement | Kind::Custom => ("", ""),
        };
        let visit = OfVisit::new(hostname, pathname, attributes);
        let session = session_id(arrival.timestamp, visitor);
        let places = Places::take(taken, &visit);
        let placed = Placed { visitor, session, seq: 0, visit };
        Self { last: arrival.timestamp, placed, places }
    }

    fn is_open(&self, timestamp: u32) -> bool {
        goes_on(self.placed.session.started(), self.last, timestamp)
    }

    /// Whether nothing that happens from `now` on can belong to it.
    fn has_ended(&self, now: u32) -> bool {
        !goes_on(self.placed.session.started().min(now), self.last, now)
    }

    fn take(&mut self, arrival: &Arrival<'_>) -> Placed {
        self.last = arrival.timestamp;
        self.placed.seq += 1;
        let visit = &mut self.placed.visit;
        if arrival.kind == Kind::Pageview && visit.entry_pathname().is_empty() {
            *visit = visit.with_entry(arrival.hostname, arrival.pathname);
            let taken = Arc::clone(&self.places.taken);
            self.places = Places::take(&taken, visit);
        }
        self.placed.clone()
    }
}

/// Whether an event belongs to a visit that began, and of which the last event happened, at these seconds.
pub fn goes_on(started: u32, last: u32, timestamp: u32) -> bool {
    let idle_minutes = (i64::from(timestamp) - i64::from(last)).div_euclid(60);
    let length = (i64::from(timestamp) - i64::from(started)).abs();
    idle_minutes <= IDLE_MINUTES_MAX && length <= LENGTH_MAX_S
}

/// The first second whose visits may be open still: whatever ended with an event before it has ended.
pub fn open_since(now: u32) -> u32 {
    let idle_seconds_max = IDLE_MINUTES_MAX * 60 + 59;
    now.saturating_sub(idle_seconds_max as u32)
}

/// Made of the start and the visitor alone: the same for the same visit, whoever computes it.
fn session_id(started: u32, visitor: VisitorId) -> SessionId {
    let both_halves = visitor.0 ^ (visitor.0 >> 32);
    SessionId::new(started, both_halves as u32)
}

impl Visits {
    /// None yet, and never more than `open_max`; fewer, if they have longer texts than visits have.
    pub fn new(open_max: usize) -> Self {
        let midnight = std::array::from_fn(|_| Mutex::new(()));
        let taken = Arc::default();
        let (evicted, making_room) = Default::default();
        Self { open: DashMap::new(), open_max, taken, evicted, making_room, midnight }
    }

    /// The visit of an event: the open one of `current`; or of `previous`, the id that the visitor had
    /// before midnight; or a new one, with the attributes that `first` gives. `None` for engagement
    /// without an open visit.
    pub fn place(
        &self,
        arrival: &Arrival<'_>,
        current: VisitorId,
        previous: Option<VisitorId>,
        first: impl FnOnce() -> Attributes,
    ) -> Option<Placed> {
        // Between its two ids a visit is in neither place: another event of the visitor must not look then.
        let _carrying = previous.map(|previous| {
            let place = usize::try_from(previous.0 % MIDNIGHT_LOCKS as u64).unwrap_or(0);
            self.midnight[place].lock().unwrap_or_else(PoisonError::into_inner)
        });
        let carried = previous.and_then(|previous| self.carry(arrival, current, previous));
        self.make_room();
        match self.open.entry((arrival.site, current)) {
            Entry::Occupied(mut entry) if entry.get().is_open(arrival.timestamp) => {
                Some(entry.get_mut().take(arrival))
            }
            entry => {
                let mut visit = match carried {
                    Some(visit) => visit,
                    None if arrival.kind == Kind::Engagement => return None,
                    None => Visit::begin(arrival, current, &first(), &self.taken),
                };
                let placed = visit.take(arrival);
                entry.insert(visit);
                Some(placed)
            }
        }
    }

    /// Takes the visit that is open under the previous id away, for it to go on under the current one.
    fn carry(
        &self,
        arrival: &Arrival<'_>,
        current: VisitorId,
        previous: VisitorId,
    ) -> Option<Visit> {
        if self
            .open
            .get(&(arrival.site, current))
            .is_some_and(|visit| visit.is_open(arrival.timestamp))
        {
            return None;
        }
        let (_, visit) = self
            .open
            .remove_if(&(arrival.site, previous), |_, visit| visit.is_open(arrival.timestamp))?;
        Some(visit)
    }

    /// Takes an event that is stored already into account, as if it had just arrived. Events must come
    /// in the order in which they were stored; those before [`open_since`] need not.
    pub fn restore(&self, event: &Event) {
        let happening = &event.happening;
        if happening.visitor_id == VisitorId::NOBODY {
            return;
        }
        self.make_room();
        let Happening { entry_hostname, entry_pathname, .. } = happening;
        let visit = OfVisit::new(entry_hostname, entry_pathname, &event.attributes);
        let places = Places::take(&self.taken, &visit);
        let placed = Placed {
            visitor: happening.visitor_id,
            session: happening.session_id,
            seq: happening.seq,
            visit,
        };
        let restored = Visit { last: happening.timestamp, placed, places };
        match self.open.entry((SiteId(happening.site_id), happening.visitor_id)) {
            // Two events of a visit may have been stored in another order than they came in.
            Entry::Occupied(entry)
                if entry.get().placed.session == happening.session_id
                    && entry.get().placed.seq > happening.seq => {}
            entry => drop(entry.insert(restored)),
        }
    }

    /// Whose the open visit of a visitor is: of who they were before midnight, if it went on over that.
    pub fn whose(&self, site: SiteId, visitor: VisitorId) -> Option<VisitorId> {
        self.open.get(&(site, visitor)).map(|visit| visit.placed.visitor)
    }

    /// Ends the visit of a visitor, if one is open: what comes next begins another.
    pub fn end(&self, site: SiteId, visitor: VisitorId) {
        self.open.remove(&(site, visitor));
    }

    /// Forgets the visits that have ended, and says how many are open.
    pub fn sweep(&self, now: u32) -> usize {
        self.open.retain(|_, visit| !visit.has_ended(now));
        self.open.shrink_to_fit();
        self.open.len()
    }

    /// Forgets open visits: what is erased may not come back with their next events.
    pub fn forget(&self, is_meant: impl Fn(SiteId, &Placed) -> bool) {
        self.open.retain(|(site, _), visit| !is_meant(*site, &visit.placed));
    }

    /// Whether one of the open visits is meant.
    pub fn any(&self, is_meant: impl Fn(SiteId, &Placed) -> bool) -> bool {
        self.open.iter().any(|visit| is_meant(visit.key().0, &visit.value().placed))
    }

    /// How many visits are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many visits had to go before they ended, because there was no room.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Which visits go does not hang on their places in the table: a flood of others must not cut those that go on, and a
    /// file that is imported again must come to the same visits.
    fn make_room(&self) {
        let is_room = || self.taken.load(Ordering::Relaxed) < self.open_max;
        if is_room() {
            return;
        }
        let _turn = self.making_room.lock().unwrap_or_else(PoisonError::into_inner);
        while !is_room() && self.evict_idlest() > 0 {}
    }

    /// Returns how many went.
    fn evict_idlest(&self) -> usize {
        let mut idlest: Vec<(u32, SiteId, VisitorId)> = self
            .open
            .iter()
            .map(|visit| {
                let (site, visitor) = *visit.key();
                (visit.last, site, visitor)
            })
            .collect();
        let key = |&(last, site, visitor): &(u32, SiteId, VisitorId)| (last, site.0, visitor.0);
        // A visit has one place at least: so many are enough, and fewer are if they have more.
        let part = self.open_max.div_ceil(FREED_PART);
        if part < idlest.len() {
            idlest.select_nth_unstable_by_key(part, key);
            idlest.truncate(part);
        }
        idlest.sort_unstable_by_key(key);
        let mut gone = 0;
        for (last, site, visitor) in idlest {
            if self.taken.load(Ordering::Relaxed) + part <= self.open_max {
                break;
            }
            let removed = self.open.remove_if(&(site, visitor), |_, visit| visit.last == last);
            gone += usize::from(removed.is_some());
        }
        self.evicted.fetch_add(gone as u64, Ordering::Relaxed);
        gone
    }
}

#[cfg(test)]
mod tests;
