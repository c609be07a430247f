//! How much arrives from one of many, in a table that does not grow.
//!
//! Of each key one moment is kept: when all that was admitted of it is paid off, if each event takes its
//! share of a minute. An event is admitted as long as that moment is less than a minute away; so a minute's
//! worth may come at once, and after that one share at a time.
//!
//! A key whose moment has passed is as good as unknown, and what has least to remember makes room. So a
//! flood of many keys, each of which sends little, leaves those that send much where they are.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Keys share a set by their hash, and the places of a set among themselves.
const SETS: usize = 4_096;
const PLACES: usize = 8;
const MINUTE_US: i64 = 60_000_000;

/// So many events a minute of each key, and no more.
pub struct Rate {
    sets: Box<[Mutex<[Place; PLACES]>]>,
    /// Keyed anew in each process: nobody can choose keys that share a set.
    hasher: RandomState,
    /// The share of one event, in microseconds.
    share_us: i64,
}

#[derive(Clone, Copy, Default)]
struct Place {
    key: u64,
    /// In microseconds since 1970; 0 in a place that is free.
    paid_off: i64,
}

impl Rate {
    /// At most so many events a minute; 0 is no limit at all.
    pub fn per_minute(events: u32) -> Option<Self> {
        let share_us = MINUTE_US.checked_div(events.into())?.max(1);
        let sets = (0..SETS).map(|_| Mutex::new([Place::default(); PLACES])).collect();
        Some(Self { sets, hasher: RandomState::new(), share_us })
    }

    /// Whether one more event of a key may come now; if so, it is noted.
    pub fn admits(&self, key: impl Hash, now: Timestamp) -> bool {
        let (key, now) = (self.hasher.hash_one(key), now.as_microsecond());
        let mut set = self.set(key);
        let known = set.iter_mut().position(|place| place.key == key);
        let least = || (0..PLACES).min_by_key(|&place| set[place].paid_off).unwrap_or(0);
        let place = known.unwrap_or_else(least);
        // What is further away than a minute was noted before the clock was set back.
        let owed = Some(set[place].paid_off)
            .filter(|paid_off| known.is_some() && (now..=now + MINUTE_US).contains(paid_off));
        let paid_off = owed.unwrap_or(now) + self.share_us;
        let is_admitted = paid_off <= now + MINUTE_US;
        if is_admitted {
            set[place] = Place { key, paid_off };
        }
        is_admitted
    }

    /// Forgets the keys that have nothing to pay off: the next event of any of them changes nothing by it.
    pub fn sweep(&self, now: Timestamp) {
        let now = now.as_microsecond();
        for set in &self.sets {
            let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
            set.iter_mut()
                .filter(|place| place.paid_off <= now)
                .for_each(|place| *place = Place::default());
        }
    }

    fn set(&self, key: u64) -> std::sync::MutexGuard<'_, [Place; PLACES]> {
        let set = usize::try_from(key % SETS as u64).unwrap_or(0);
        self.sets[set].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes that it takes, and will ever take.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        size_of_val(&*self.sets)
    }

    /// How many keys it knows.
    #[cfg(test)]
    fn known(&self) -> usize {
        let known = |set: &Mutex<[Place; PLACES]>| {
            set.lock().unwrap().iter().filter(|place| place.paid_off != 0).count()
        };
        self.sets.iter().map(known).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millisecond).unwrap()
    }

    fn admitted(rate: &Rate, key: u64, moments: impl Iterator<Item = i64>) -> usize {
        moments.filter(|&moment| rate.admits(key, at(moment))).count()
    }

    #[test]
    fn a_minutes_worth_may_come_at_once_and_then_one_share_at_a_time() {
        let rate = Rate::per_minute(600).unwrap();
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(0, 10_000)), 600);
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(99, 100)), 0);
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(100, 100)), 1);
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(1_100, 100)), 10);
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(120_000, 10_000)), 600);
        // Whoever keeps to the rate is never refused.
        assert_eq!(admitted(&rate, 2, (0..5_000).map(|event| event * 100)), 5_000);
    }

    #[test]
    fn no_key_pays_for_another() {
        let rate = Rate::per_minute(10).unwrap();
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(0, 1_000)), 10);
        assert_eq!(admitted(&rate, 2, std::iter::repeat_n(0, 1_000)), 10);
    }

    #[test]
    fn without_a_limit_there_is_no_table_and_the_highest_one_still_admits() {
        assert!(Rate::per_minute(0).is_none());
        let rate = Rate::per_minute(u32::MAX).unwrap();
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(0, 10_000)), 10_000);
    }

    #[test]
    fn a_million_other_keys_take_no_memory_and_let_nobody_off() {
        let rate = Rate::per_minute(600).unwrap();
        assert_eq!(admitted(&rate, 0, std::iter::repeat_n(0, 600)), 600);
        let (before, mut of_the_first) = (rate.bytes(), 600);
        // Ten thousand new ones a second, for a hundred seconds.
        for other in 1..=1_000_000_u64 {
            let moment = i64::try_from(other / 10).unwrap();
            assert!(rate.admits(other, at(moment)), "{other} was refused its first event");
            if other.is_multiple_of(1_000) {
                of_the_first += admitted(&rate, 0, std::iter::repeat_n(moment, 5));
            }
        }
        assert_eq!(of_the_first, 600 + 1_000);
        assert_eq!(rate.bytes(), before);
        assert!(rate.bytes() <= 1 << 20, "{}", rate.bytes());
        assert!(rate.known() <= SETS * PLACES);
    }

    #[test]
    fn who_has_paid_off_is_forgotten_first() {
        // The control of the test before: the table does forget, and then a key has its minute's worth again.
        let rate = Rate::per_minute(600).unwrap();
        assert!(rate.admits(0_u64, at(0)));
        for other in 1..1_000_000_u64 {
            assert!(rate.admits(other, at(200)));
        }
        assert_eq!(admitted(&rate, 0, std::iter::repeat_n(200, 1_000)), 600);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let rate = Rate::per_minute(10).unwrap();
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(3_600_000, 20)), 10);
        assert_eq!(admitted(&rate, 1, std::iter::repeat_n(0, 20)), 10);
    }

    #[test]
    fn what_is_paid_off_is_forgotten() {
        let rate = Rate::per_minute(600).unwrap();
        for key in 0..1_000_u64 {
            rate.admits(key, at(0));
        }
        rate.sweep(at(50));
        assert!(rate.known() > 900, "{}", rate.known());
        rate.sweep(at(100));
        assert_eq!(rate.known(), 0);
    }
}
