//! People, their browsers and their networks, on two days.
//!
//! Every assumption is a constant here; `document.rs` says where each comes from.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::agents::{self, Device, agent, of_an_office, pick};

/// Midnight of the first day.
pub(super) const START: i64 = 1_767_225_600;
pub(super) const DAY: i64 = 86_400;
pub(super) const DAYS: u32 = 2;

/// A request of a browser.
pub(crate) struct Hit {
    pub(crate) second: i64,
    pub(crate) browser: u32,
    pub(crate) address: String,
    pub(crate) agent: String,
}

/// Who visits a site, and from where.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Browsers on a day.
    pub(crate) visitors: u32,
    /// Homes from which they come: the fewer, the closer are their addresses.
    pub(crate) homes: u32,
    pub(crate) crowd: Crowd,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// One browser a home, at home.
    Homes,
    /// Two to four browsers a home, at home.
    Families,
    /// Five to thirty people of an office, most of them with its browser.
    Offices,
    /// Phones in the networks of carriers.
    Carriers,
    /// Phones at home and on the way.
    OnTheMove,
    /// Everybody.
    Mixed,
}

/// A country of this many homes.
const COUNTRY: u32 = 20_000_000;
/// A town of this many.
const TOWN: u32 = 40_000;

pub(crate) const SCENARIOS: [Scenario; 8] = [
    Scenario::of("One browser a home", 2_000, COUNTRY, Crowd::Homes),
    Scenario::of("Families, 2 to 4 browsers a home", 2_000, COUNTRY, Crowd::Families),
    Scenario::of("Offices, 5 to 30 equal browsers", 2_000, COUNTRY, Crowd::Offices),
    Scenario::of("Phones in carriers' networks", 2_000, COUNTRY, Crowd::Carriers),
    Scenario::of("Phones between home and carrier", 2_000, COUNTRY, Crowd::OnTheMove),
    Scenario::of("Everybody, 1,000 a day of a country", 1_000, COUNTRY, Crowd::Mixed),
    Scenario::of("Everybody, 10,000 a day of a country", 10_000, COUNTRY, Crowd::Mixed),
    Scenario::of("Everybody, 5,000 a day of one town", 5_000, TOWN, Crowd::Mixed),
];

impl Scenario {
    const fn of(name: &'static str, visitors: u32, homes: u32, crowd: Crowd) -> Self {
        Self { name, visitors, homes, crowd }
    }
}

/// Of a thousand visits, how many begin in each hour.
const HOURS: [u32; 24] =
    [10, 6, 4, 3, 3, 6, 14, 30, 46, 58, 62, 60, 56, 57, 60, 60, 57, 54, 52, 57, 64, 68, 55, 28];
/// Visits of a browser on a day, and pages of a visit, with their weights.
const VISITS: [(u32, u32); 3] = [(72, 1), (19, 2), (9, 3)];
const PAGES: [(u32, u32); 6] = [(45, 1), (20, 2), (13, 3), (9, 4), (8, 6), (5, 10)];

/// Homes of a hundred whose address was renewed on the morning of a day, and the hour at which it is.
const RENEWED: u32 = 10;
const RENEWAL_HOUR: i64 = 4;
/// Homes of a hundred that share an IPv4 address with others, and how many do.
const HOMES_BEHIND_A_CARRIER: u32 = 20;
const HOMES_AN_ADDRESS: u32 = 32;
/// Homes and phones of a hundred that have IPv6.
const HOMES_WITH_IPV6: u32 = 55;
const PHONES_WITH_IPV6: u32 = 65;
/// Visits of a hundred that come over IPv4 although there is IPv6.
const FALLS_BACK: u32 = 3;
/// Carriers, the last of which gives each connection another address; regions, and phones an address.
const CARRIERS: u32 = 4;
const REGIONS: u32 = 12;
const PHONES_AN_ADDRESS: u32 = 64;
/// Phones of a country.
const PHONES: u32 = 32_000_000;
/// /48s from which a carrier gives phones of a region their /64s.
const NETWORKS_OF_A_REGION: u64 = 32;
/// A connection that has been idle for as many seconds is closed.
const CONNECTION_S: i64 = 60;
/// Visits of a hundred for which a phone is attached anew.
const ATTACHES_ANEW: u32 = 50;
/// Visits of a hundred of a phone that come over a carrier.
const PHONE_ON_THE_WAY: u32 = 30;
/// Of a hundred who visit together, how many do so from an office: three desktops of ten.
const AT_WORK: u32 = 12;
/// How many visit on the same day from one home and from one office, with their weights, among everybody.
const IN_A_HOME: [(u32, u32); 3] = [(85, 1), (12, 2), (3, 3)];
const IN_AN_OFFICE: [(u32, u32); 3] = [(80, 1), (12, 2), (8, 4)];
/// Machines of a hundred of an office that have its browser.
const OFFICE_BROWSER: u32 = 75;

struct World {
    rng: SmallRng,
    scenario: Scenario,
    hits: Vec<Hit>,
    browsers: u32,
}

/// A line, and where it gets its addresses.
#[derive(Clone, Copy)]
enum Network {
    Home(u32),
    Office(u32),
    Carrier,
}

/// What a phone has of its carrier.
#[derive(Clone, Copy)]
struct Attachment {
    carrier: u32,
    region: u32,
    has_ipv6: bool,
    ipv4: u32,
    ipv6: u64,
}

/// All requests, in their order.
pub(super) fn hits(scenario: &Scenario) -> Vec<Hit> {
    let seed = scenario.name.bytes().fold(0, |seed: u64, byte| {
        seed.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte))
    });
    let mut world = World {
        rng: SmallRng::seed_from_u64(seed),
        scenario: *scenario,
        hits: Vec::new(),
        browsers: 0,
    };
    for day in 0..DAYS {
        while world.browsers < (day + 1) * scenario.visitors {
            world.group(day);
        }
    }
    world.hits.sort_by_key(|hit| (hit.second, hit.browser));
    world.hits
}

impl World {
    fn chance(&mut self, of_a_hundred: u32) -> bool {
        self.rng.random_range(0..100) < of_a_hundred
    }

    /// People who have a line in common.
    fn group(&mut self, day: u32) {
        let home = self.rng.random_range(0..self.scenario.homes);
        match self.scenario.crowd {
            Crowd::Homes => self.home(day, home, 1),
            Crowd::Families => {
                let members = self.rng.random_range(2..=4);
                self.home(day, home, members);
            }
            Crowd::Offices => {
                let people = self.rng.random_range(5..=30);
                self.office(day, people);
            }
            Crowd::Carriers => self.browser(day, Device::Phone, None, Network::Carrier, 100),
            Crowd::OnTheMove => self.browser(day, Device::Phone, None, Network::Home(home), 50),
            Crowd::Mixed => {
                if self.chance(AT_WORK) {
                    let people = pick(&mut self.rng, &IN_AN_OFFICE);
                    self.office(day, people);
                } else {
                    let members = pick(&mut self.rng, &IN_A_HOME);
                    self.home(day, home, members);
                }
            }
        }
    }

    fn home(&mut self, day: u32, home: u32, browsers: u32) {
        let on_the_way = if self.scenario.crowd == Crowd::Mixed { PHONE_ON_THE_WAY } else { 0 };
        for _ in 0..browsers {
            let device = agents::device(&mut self.rng);
            self.browser(day, device, None, Network::Home(home), on_the_way);
        }
    }

    fn office(&mut self, day: u32, people: u32) {
        let office = self.rng.random_range(0..self.scenario.homes / 20);
        let standard = of_an_office(&mut self.rng);
        for _ in 0..people {
            let agent = self.chance(OFFICE_BROWSER).then(|| standard.clone());
            self.browser(day, Device::Desktop, agent, Network::Office(office), 0);
        }
    }

    /// A browser, on its day.
    fn browser(
        &mut self,
        day: u32,
        device: Device,
        agent_of_office: Option<String>,
        network: Network,
        on_the_way: u32,
    ) {
        let browser = self.browsers;
        self.browsers += 1;
        let agent = agent_of_office.unwrap_or_else(|| agent(&mut self.rng, device));
        let mut attachment = self.attachment();
        // Temporary addresses live a day (RFC 8981).
        let interface = self.rng.random::<u64>();
        for _ in 0..pick(&mut self.rng, &VISITS) {
            let hour = pick(&mut self.rng, &weighted(&HOURS));
            let begin = START + i64::from(day) * DAY + i64::from(hour) * 3_600;
            let mut second = begin + self.rng.random_range(0..3_600);
            let is_on_the_way = device == Device::Phone && self.chance(on_the_way);
            if is_on_the_way && self.chance(ATTACHES_ANEW) {
                attachment = self.attached(attachment);
            }
            let falls_back = self.chance(FALLS_BACK);
            for page in 0..pick(&mut self.rng, &PAGES) {
                if page > 0 {
                    let pause = match self.chance(3) {
                        true => self.rng.random_range(600..1_500),
                        false => self.rng.random_range(10..240),
                    };
                    second += pause;
                    // The last carrier gives a new connection another address.
                    if pause > CONNECTION_S && attachment.carrier + 1 == CARRIERS {
                        attachment.ipv4 = self.rng.random_range(0..addresses_of_a_region());
                    }
                }
                let address = match network {
                    Network::Home(home) if !is_on_the_way => {
                        at_home(home, self.scenario.homes, second, interface, falls_back)
                    }
                    Network::Office(office) => ipv4(0xf800_0000 + office),
                    Network::Home(_) | Network::Carrier => {
                        of_a_carrier(attachment, interface, falls_back)
                    }
                };
                self.hits.push(Hit { second, browser, address, agent: agent.clone() });
            }
        }
    }

    fn attachment(&mut self) -> Attachment {
        // A town is in one region.
        let regions = if self.scenario.homes < COUNTRY { 1 } else { REGIONS };
        let attachment = Attachment {
            carrier: self.rng.random_range(0..CARRIERS),
            region: self.rng.random_range(0..regions),
            has_ipv6: self.chance(PHONES_WITH_IPV6),
            ipv4: 0,
            ipv6: 0,
        };
        self.attached(attachment)
    }

    fn attached(&mut self, before: Attachment) -> Attachment {
        Attachment {
            ipv4: self.rng.random_range(0..addresses_of_a_region()),
            ipv6: self.rng.random_range(0..NETWORKS_OF_A_REGION << 16),
            ..before
        }
    }
}

fn addresses_of_a_region() -> u32 {
    PHONES / CARRIERS / REGIONS / PHONES_AN_ADDRESS
}

fn weighted(weights: &[u32]) -> Vec<(u32, u32)> {
    weights.iter().copied().zip(0..).collect()
}

/// A whole number that looks drawn by lot, and is the same for the same home.
fn lot(home: u32, of_what: u32) -> u32 {
    let mixed = (u64::from(home) << 8 | u64::from(of_what)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from(mixed >> 40).unwrap_or(0)
}

fn at_home(home: u32, homes: u32, second: i64, interface: u64, falls_back: bool) -> String {
    // In the morning some get the address, and the prefix, of another line.
    let since_renewal = second - START - RENEWAL_HOUR * 3_600;
    let renewals = u32::try_from(since_renewal.div_euclid(DAY) + 1).unwrap_or(0);
    let line = match lot(home, 1) % 100 < RENEWED {
        true => (home + renewals * 7_919) % homes,
        false => home,
    };
    if lot(home, 2) % 100 < HOMES_WITH_IPV6 && !falls_back {
        return ipv6(0xfd10 << 112 | u128::from(line) << 72 | u128::from(interface));
    }
    match lot(home, 3) % 100 < HOMES_BEHIND_A_CARRIER {
        true => ipv4(0xf700_0000 + line / HOMES_AN_ADDRESS),
        false => ipv4(0xf000_0000 + line),
    }
}

fn of_a_carrier(attachment: Attachment, interface: u64, falls_back: bool) -> String {
    let Attachment { carrier, region, has_ipv6, ipv4: address, ipv6: network } = attachment;
    let pool = carrier * REGIONS + region;
    if has_ipv6 && !falls_back {
        let network = u128::from(pool) << 40 | u128::from(network);
        return ipv6(0xfd20 << 112 | network << 64 | u128::from(interface));
    }
    ipv4(0xfa00_0000 + pool * addresses_of_a_region() + address)
}

/// All addresses are of class E (240.0.0.0/4), which is nobody's.
pub(super) fn ipv4(bits: u32) -> String {
    let [a, b, c, d] = bits.to_be_bytes();
    format!("{a}.{b}.{c}.{d}")
}

/// All prefixes are local ones (fd00::/8), which are nobody's either.
fn ipv6(bits: u128) -> String {
    let groups = (0..8).map(|group| format!("{:x}", (bits >> (112 - 16 * group)) & 0xffff));
    groups.collect::<Vec<_>>().join(":")
}
