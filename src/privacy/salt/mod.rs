//! The salts: random keys that live one day of a time zone, and then are gone.
//!
//! # Rules
//! - A salt belongs to a time zone and a local day. It is 32 random bytes, derived from nothing.
//! - When the day ends it becomes the previous one for [`OVERLAP`], for the visits that were open at
//!   midnight, and is then wiped: by the next request, or by [`Salts::rotate`], which a timer calls
//!   also when nobody visits.
//! - A day that has ended never gets its salt back. When the clock is set to another day, back or
//!   forth, the current salt is wiped and a new one is drawn; a previous one is kept only when the day
//!   ended less than [`OVERLAP`] ago. When the clock stands still, a salt ends [`AGE_MAX`] after it was
//!   drawn.
//! - The last [`LATE_MAX`] before a day count as its first moment once it has begun: requests are not handled in the order of
//!   their moments.
//!
//! - Every salt that is drawn or wiped is written down in the [`Ledger`], without the salt itself.
//!
//! [`SaltStore`] keeps them through a restart, in memory alone.

mod ledger;
mod store;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use tokio::time::Instant;
use zeroize::Zeroize;

use crate::site::day::{end_of, start_of};
pub use ledger::Ledger;
use ledger::Why;
use store::Kept;
pub use store::SaltStore;

/// How long a salt outlives its day: as long as a visit may pause.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);
/// How late a request may be with the moment at which it came: one of yesterday that is told from others only now is no reason
/// to wipe today's salt. Nor is a clock that is set back by as little.
const LATE_MAX: SignedDuration = SignedDuration::from_secs(5);
/// How long a salt may be current whatever the clock shows: the longest day there is.
const AGE_MAX: Duration = Duration::from_secs(25 * 60 * 60);

/// A key. It can be used and nothing else.
pub(super) struct Salt(Box<[u8; 32]>);

impl Salt {
    fn random() -> Self {
        let mut key = Box::new([0; 32]);
        // A system without randomness can keep no promise; the request fails, and counts nothing.
        getrandom::fill(key.as_mut_slice()).expect("the system gives random bytes");
        Self(key)
    }

    /// HMAC-SHA-256 over the parts, each with its length before it.
    pub(super) fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // Unwrap safety: HMAC takes keys of any length.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes any key");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    #[cfg(test)]
    pub(super) fn of(key: [u8; 32]) -> Self {
        Self(Box::new(key))
    }
}

impl Drop for Salt {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The salts of all time zones.
pub struct Salts {
    zones: RwLock<HashMap<String, Zone>>,
    store: SaltStore,
    ledger: Ledger,
}

/// The salts of one time zone.
struct Zone {
    timezone: TimeZone,
    current: Dated,
    previous: Option<Dated>,
}

struct Dated {
    day: Date,
    begins: Timestamp,
    ends: Timestamp,
    drawn: Instant,
    salt: Salt,
}

impl Dated {
    fn of(salt: Salt, day: Date, timezone: &TimeZone) -> Self {
        let begins = start_of(day, timezone).unwrap_or(Timestamp::MIN);
        let ends = end_of(day, timezone).unwrap_or(Timestamp::MAX);
        Self { day, begins, ends, drawn: Instant::now(), salt }
    }

    fn is_current(&self, now: Timestamp) -> bool {
        (self.begins..self.ends).contains(&now)
    }

    fn is_in_overlap(&self, now: Timestamp) -> bool {
        let gone = self.ends.saturating_add(OVERLAP).unwrap_or(Timestamp::MAX);
        (self.ends..gone).contains(&now)
    }

    /// Whether it has lived for longer than a day and the overlap, whatever the clock shows.
    fn is_beyond_overlap(&self) -> bool {
        self.drawn.elapsed() >= AGE_MAX + OVERLAP.unsigned_abs()
    }
}

impl Zone {
    fn begin(name: &str, timezone: &TimeZone, now: Timestamp, ledger: &Ledger) -> Self {
        let current = draw(name, timezone, now, ledger);
        Self { timezone: timezone.clone(), current, previous: None }
    }

    /// What is left of the salts that a store kept, if they are of any use now. The others are wiped.
    fn resume(name: &str, kept: Kept, now: Timestamp, ledger: &Ledger) -> Option<Self> {
        let (mut current, mut previous) = (None, None);
        for (place, dated) in kept.salts.into_iter().enumerate() {
            // The one that was current is the first. No other is again, though the clock was set back into its day.
            if dated.is_current(now) && place == 0 {
                current = Some(dated);
            } else if dated.is_in_overlap(now) && previous.is_none() {
                previous = Some(dated);
            }
        }
        // After a midnight that nobody saw there is only a previous one.
        let current = match (current, &previous) {
            (None, None) => return None,
            (Some(current), _) => current,
            (None, Some(_)) => draw(name, &kept.timezone, now, ledger),
        };
        Some(Self { timezone: kept.timezone, current, previous })
    }

    /// The moment that now counts as.
    fn moment(&self, now: Timestamp) -> Timestamp {
        let begins = self.current.begins;
        let is_late = now < begins && begins.duration_since(now) <= LATE_MAX;
        if is_late { begins } else { now }
    }

    /// Whether what the zone holds is what it should hold now.
    fn is_due(&self, now: Timestamp) -> bool {
        let now = self.moment(now);
        !self.current.is_current(now)
            || self.previous.as_ref().is_some_and(|previous| !previous.is_in_overlap(now))
    }

    /// Whether one of its salts has lived for longer than the clock can be right about.
    fn is_too_old(&self) -> bool {
        self.current.drawn.elapsed() >= AGE_MAX
            || self.previous.as_ref().is_some_and(Dated::is_beyond_overlap)
    }

    fn rotate(&mut self, name: &str, now: Timestamp, ledger: &Ledger) {
        let now = self.moment(now);
        if !self.current.is_current(now) || self.current.drawn.elapsed() >= AGE_MAX {
            let next = draw(name, &self.timezone, now, ledger);
            let ended = std::mem::replace(&mut self.current, next);
            if let Some(older) = self.previous.replace(ended) {
                ledger.wipe(now, name, older, Why::Ended);
            }
        }
        match self.previous.take() {
            Some(previous) if previous.is_in_overlap(now) && !previous.is_beyond_overlap() => {
                self.previous = Some(previous);
            }
            Some(previous) => {
                let why = if now >= previous.ends { Why::Ended } else { Why::Clock };
                ledger.wipe(now, name, previous, why);
            }
            None => {}
        }
    }

    fn salts(&self) -> impl Iterator<Item = &Dated> {
        [Some(&self.current), self.previous.as_ref()].into_iter().flatten()
    }
}

/// A new salt for the day that it is now.
fn draw(name: &str, timezone: &TimeZone, now: Timestamp, ledger: &Ledger) -> Dated {
    let day = timezone.to_datetime(now).date();
    let dated = Dated::of(Salt::random(), day, timezone);
    ledger.drawn(now, name, &dated);
    dated
}

impl Salts {
    /// The salts that the store still has for this moment, and new ones when they are needed. What else
    /// the store has is wiped.
    pub fn open(store: SaltStore, ledger: Ledger, now: Timestamp) -> Self {
        let zones = store.read().into_iter().filter_map(|(name, kept)| {
            let zone = Zone::resume(&name, kept, now, &ledger)?;
            Some((name, zone))
        });
        let zones: HashMap<String, Zone> = zones.collect();
        store.write(&zones);
        ledger.close_all_but(zones.values().flat_map(Zone::salts), now, Why::FoundAtStart);
        Self { zones: RwLock::new(zones), store, ledger }
    }

    /// Wipes what the store kept of a collector that does not run any more. Returns whether there was
    /// anything; whoever starts it again counts the day's visitors anew.
    ///
    /// # Errors
    /// When it can not be wiped.
    pub fn forget(store: &SaltStore, ledger: &Ledger, now: Timestamp) -> std::io::Result<bool> {
        let had_any = store.wipe()?;
        ledger.close_all_but(std::iter::empty(), now, Why::Forgotten);
        Ok(had_any)
    }

    /// Uses the salt of now, and the previous one while it lives.
    pub(super) fn with<T>(
        &self,
        timezone: &TimeZone,
        now: Timestamp,
        use_salts: impl FnOnce(&Salt, Option<&Salt>) -> T,
    ) -> T {
        let name = timezone.iana_name().unwrap_or("UTC");
        {
            let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(zone) = zones.get(name).filter(|zone| !zone.is_due(now)) {
                return use_salts(
                    &zone.current.salt,
                    zone.previous.as_ref().map(|previous| &previous.salt),
                );
            }
        }
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        let zone = zones
            .entry(name.to_owned())
            .or_insert_with(|| Zone::begin(name, timezone, now, &self.ledger));
        zone.rotate(name, now, &self.ledger);
        let used =
            use_salts(&zone.current.salt, zone.previous.as_ref().map(|previous| &previous.salt));
        self.store.write(&zones);
        used
    }

    /// Ends what has to end by now. A timer calls it; twice a minute keeps every promise.
    pub fn rotate(&self, now: Timestamp) {
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        let mut has_changed = false;
        for (name, zone) in
            zones.iter_mut().filter(|(_, zone)| zone.is_due(now) || zone.is_too_old())
        {
            zone.rotate(name, now, &self.ledger);
            has_changed = true;
        }
        if has_changed {
            self.store.write(&zones);
        }
    }
}

#[cfg(test)]
mod tests;
