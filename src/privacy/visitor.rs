//! Visitor ids: a keyed hash that means nothing once its key is gone.
//!
//! id = the first 63 bits of HMAC-SHA-256(salt, site, truncated address, user agent), each part with
//! its length before it, so that no two different inputs are the same bytes. The site is in the hash:
//! ids of two sites can not be compared. The salt lives one day of the site: nor can those of two days.

use super::client::{Truncated, UserAgent};
use super::salt::Salt;
use crate::event::VisitorId;
use crate::site::SiteId;

/// Who a request came from, under today's salt, and under yesterday's while that still lives.
pub struct Recognised {
    /// The visitor of today.
    pub current: VisitorId,
    /// The visitor that the same request would have had before midnight.
    pub previous: Option<VisitorId>,
}

pub(super) fn visitor_id(
    salt: &Salt,
    site: SiteId,
    address: &Truncated,
    agent: &UserAgent,
) -> VisitorId {
    let digest = address.with_bytes(|address| {
        salt.hmac(&[&site.0.to_be_bytes(), address, agent.read().as_bytes()])
    });
    VisitorId::of_a_day(digest.first_chunk().copied().map_or(0, u64::from_be_bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::client::ClientIp;
    use super::*;

    fn id(salt: u8, site: u32, address: &str, agent: &str) -> u64 {
        let address = ClientIp::new(address.parse().unwrap()).truncate(24, 48);
        visitor_id(&Salt::of([salt; 32]), SiteId(site), &address, &UserAgent::new(agent.as_bytes()))
            .0
    }

    #[test]
    fn the_hash_does_not_change_unnoticed() {
        assert_eq!(format!("{:016x}", id(7, 1, "192.0.2.77", "Browser/1.0")), "1614cd4d5c321d36");
    }

    #[test]
    fn one_truncated_address_and_agent_is_one_visitor() {
        assert_eq!(id(1, 1, "192.0.2.1", "a"), id(1, 1, "192.0.2.254", "a"));
        assert_eq!(id(1, 1, "192.0.2.1", "a"), id(1, 1, "::ffff:192.0.2.9", "a"));
        assert_ne!(id(1, 1, "192.0.2.1", "a"), id(1, 1, "192.0.3.1", "a"));
        assert_ne!(id(1, 1, "192.0.2.1", "a"), id(1, 1, "192.0.2.1", "b"));
    }

    #[test]
    fn sites_and_days_have_no_visitor_in_common() {
        let mut seen = HashSet::new();
        for salt in 0..10 {
            for site in 0..10 {
                for visitor in 0..200 {
                    assert!(seen.insert(id(salt, site, &format!("192.0.{visitor}.1"), "a")));
                }
            }
        }
    }

    #[test]
    fn ids_are_spread_evenly() {
        let mut counts = [0; 64];
        for visitor in 0..4096 {
            let id = id(1, 1, &format!("10.{}.{}.1", visitor / 256, visitor % 256), "a");
            for (bit, count) in counts.iter_mut().enumerate() {
                *count += (id >> bit) & 1;
            }
        }
        // 2048 expected, 32 the standard deviation: six of them are hardly ever passed.
        let [parity, others @ ..] = counts;
        assert!(others.iter().all(|count| (1856..=2240).contains(count)), "{counts:?}");
        assert_eq!(parity, 0, "an id of one day is even");
    }
}
