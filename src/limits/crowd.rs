//! The connections that are open, by network: none of them may take all the places.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::privacy::NetworkKey;

/// Who is connected. It has as many entries as there are open connections, at most.
pub struct Crowd {
    /// The most connections of a network.
    seats_max: usize,
    taken: Mutex<HashMap<NetworkKey, usize>>,
    open: AtomicUsize,
    refused: AtomicU64,
}

/// The place of one connection, which is free again when this is dropped.
pub struct Seat {
    crowd: Arc<Crowd>,
    network: Option<NetworkKey>,
}

impl Crowd {
    /// At most so many connections of each network; 0 is no limit.
    pub fn new(connections_per_network: u32) -> Arc<Self> {
        let seats_max = usize::try_from(connections_per_network).unwrap_or(usize::MAX);
        let seats_max = if seats_max == 0 { usize::MAX } else { seats_max };
        Arc::new(Self {
            seats_max,
            taken: Mutex::default(),
            open: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// A place for a connection of a network, or of none that is limited; `None` when its network has used
    /// up its own.
    pub fn seat(self: &Arc<Self>, network: Option<NetworkKey>) -> Option<Seat> {
        if let Some(network) = network {
            let mut taken = self.taken();
            let seats = taken.entry(network).or_default();
            if *seats >= self.seats_max {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            *seats += 1;
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Seat { crowd: Arc::clone(self), network })
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many were refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<NetworkKey, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.crowd.open.fetch_sub(1, Ordering::Relaxed);
        let Some(network) = self.network else { return };
        let mut taken = self.crowd.taken();
        match taken.get_mut(&network) {
            Some(seats) if *seats > 1 => *seats -= 1,
            _ => drop(taken.remove(&network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Option<NetworkKey> {
        // Known by the same key in the whole test.
        static NETWORKS: std::sync::LazyLock<crate::privacy::Proxies> =
            std::sync::LazyLock::new(crate::privacy::Proxies::default);
        NETWORKS.network_of(address)
    }

    #[test]
    fn a_network_has_its_seats_and_no_more_until_one_is_free_again() {
        let crowd = Crowd::new(2);
        let one = crowd.seat(network("192.0.2.1")).unwrap();
        let _two = crowd.seat(network("192.0.2.2")).unwrap();
        assert!(crowd.seat(network("192.0.2.3")).is_none());
        let _other = crowd.seat(network("198.51.100.1")).unwrap();
        assert_eq!((crowd.open(), crowd.refused()), (3, 1));
        drop(one);
        assert!(crowd.seat(network("192.0.2.3")).is_some());
    }

    #[test]
    fn those_who_are_not_limited_and_crowds_without_a_limit_have_seats_for_all() {
        let (limited, free) = (Crowd::new(1), Crowd::new(0));
        let mut seats: Vec<_> = (0..1_000).map(|_| limited.seat(None)).collect();
        seats.extend((0..1_000).map(|_| free.seat(network("192.0.2.1"))));
        assert!(seats.iter().all(Option::is_some));
        assert!(limited.seat(network("192.0.2.1")).is_some());
        assert!(limited.seat(network("192.0.2.1")).is_some(), "the first one was free again");
    }

    #[test]
    fn nothing_is_left_of_connections_that_have_ended() {
        let crowd = Crowd::new(8);
        for round in 0..10_000_u32 {
            let address = format!("198.18.{}.1", round % 256);
            drop(crowd.seat(network(&address)));
        }
        assert_eq!((crowd.open(), crowd.taken().len()), (0, 0));
    }
}
