//! The crossing: in goes an address, out come a place and a visitor id.

use std::sync::Arc;

use jiff::Timestamp;

use super::client::{ClientIp, Truncated, UserAgent};
use super::geo::{Geo, Place};
use super::salt::Salts;
use super::visitor::{Recognised, visitor_id};
use crate::site::Site;

/// How many leading bits of an address are used at all.
#[derive(Clone, Copy, Debug)]
pub struct Prefixes {
    /// Of an IPv4 address: 8 to 32.
    pub ipv4: u8,
    /// Of an IPv6 address: 16 to 128.
    pub ipv6: u8,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self { ipv4: 24, ipv6: 48 }
    }
}

/// The privacy boundary.
pub struct Wall {
    prefixes: Prefixes,
    salts: Arc<Salts>,
    geo: Arc<Geo>,
}

/// A request on the other side of the wall: its address is gone but for the leading bits, which
/// cannot be read.
pub struct Crossing<'wall> {
    salts: &'wall Salts,
    geo: &'wall Geo,
    address: Truncated,
}

impl Wall {
    /// Puts the wall together.
    pub fn new(prefixes: Prefixes, salts: Arc<Salts>, geo: Arc<Geo>) -> Self {
        Self { prefixes, salts, geo }
    }

    /// Consumes an address: it is truncated, and gone.
    pub fn cross(&self, ip: ClientIp) -> Crossing<'_> {
        let address = ip.truncate(self.prefixes.ipv4, self.prefixes.ipv6);
        Crossing { salts: &self.salts, geo: &self.geo, address }
    }
}

impl Crossing<'_> {
    /// Where the request came from, as far as is known. It is looked up when somebody asks: only the first event
    /// of a visit does.
    pub fn place(&self) -> Place {
        self.geo.place(&self.address)
    }

    /// Who it came from, for one site, on that site's day.
    pub fn recognise(&self, agent: &UserAgent, site: &Site, now: Timestamp) -> Recognised {
        let id = |salt: &_| visitor_id(salt, site.id, &self.address, agent);
        self.salts.with(&site.timezone, now, |current, previous| Recognised {
            current: id(current),
            previous: previous.map(id),
        })
    }
}
