//! What one visitor does: where they come from, what they look at, what they do there.

use jiff::tz::Offset;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt};

use super::CURRENCY;
use super::calendar::{self, Calendar, Occasion};
use super::site_map::{DOWNLOADS, MISSING, OUTBOUND, PAGES, Page, SEARCHES};
use super::world::{
    BROWSERS, Browser, CITIES, City, EVERYDAY, FRONT_PAGE, NEWSLETTER, Origin, SPRING_SALE,
    WINTER_SALE,
};
use crate::enrich::acquisition::{Acquisition, Tags};
use crate::event::{
    Attributes, ENGAGEMENT, Event, Happening, PAGEVIEW, SCROLL_DEPTH_UNKNOWN, VisitorId, event_id,
};
use crate::session::{Arrival, Kind, Visits};
use crate::site::Site;

/// How many of a hundred visitors come again on the same day.
const RETURNING: u32 = 14;
/// How many of a hundred page views tell how they were read.
const ENGAGING: u32 = 84;
/// The most pages of a visit.
const PAGES_MAX: u32 = 14;

/// Sends visitors to a site.
pub(super) struct Guests<'a> {
    site: &'a Site,
    visits: Visits,
    /// The share of each thing that is chosen among, added up.
    cities: Wheel,
    browsers: Wheel,
    landings: Wheel,
    next_pages: Wheel,
}

/// Chooses among things by their weights.
struct Wheel(Vec<u32>);

impl Wheel {
    fn new(weights: impl Iterator<Item = u32>) -> Self {
        let mut sum = 0;
        Self(
            weights
                .map(|weight| {
                    sum += weight;
                    sum
                })
                .collect(),
        )
    }

    fn turn(&self, chance: &mut SmallRng) -> usize {
        let all = self.0.last().copied().unwrap_or(1).max(1);
        let stop = chance.random_range(0..all);
        self.0.partition_point(|&sum| sum <= stop)
    }
}

/// A person on a day.
struct Person {
    visitor: VisitorId,
    city: &'static City,
    browser: &'static Browser,
    browser_version: String,
    os_version: &'static str,
}

fn percent(chance: &mut SmallRng, of_a_hundred: u32) -> bool {
    chance.random_range(0..100) < of_a_hundred
}

fn any(list: &'static [&'static str], chance: &mut SmallRng) -> &'static str {
    list[chance.random_range(0..list.len())]
}

impl<'a> Guests<'a> {
    pub(super) fn new(site: &'a Site, visits: Visits) -> Self {
        Self {
            site,
            visits,
            cities: Wheel::new(CITIES.iter().map(|city| city.weight)),
            browsers: Wheel::new(BROWSERS.iter().map(|browser| browser.weight)),
            landings: Wheel::new(PAGES.iter().map(|page| page.landing)),
            next_pages: Wheel::new(PAGES.iter().map(|page| page.next)),
        }
    }

    /// Forgets the visits that ended before a moment, in seconds since 1970.
    pub(super) fn forget(&self, moment: i64) {
        self.visits.sweep(u32::try_from(moment).unwrap_or(0));
    }

    /// One visitor of a day, with one visit or two.
    pub(super) fn visit(
        &self,
        calendar: &Calendar,
        day: u32,
        chance: &mut SmallRng,
        events: &mut Vec<Event>,
    ) {
        let person = self.person(calendar.progress(day), chance);
        let mut now = begin(calendar, day, person.city, chance);
        let origin = Self::origin(calendar, day, chance);
        now = self.stay(&person, origin, now, chance, events);
        if percent(chance, RETURNING) {
            let later = now + chance.random_range(3_000..20_000);
            self.stay(&person, &EVERYDAY[0], later, chance, events);
        }
    }

    fn person(&self, progress: f64, chance: &mut SmallRng) -> Person {
        let browser = &BROWSERS[self.browsers.turn(chance)];
        // Not everybody has the newest.
        let behind = f64::from(chance.random_range(0..3_u32));
        let version = browser.version.0 + browser.version.1 * progress - behind;
        Person {
            visitor: VisitorId::of_a_day(chance.next_u64()),
            city: &CITIES[self.cities.turn(chance)],
            browser,
            browser_version: format!("{}.0", version.max(1.0) as u32),
            os_version: any(browser.os_versions, chance),
        }
    }

    fn origin(calendar: &Calendar, day: u32, chance: &mut SmallRng) -> &'static Origin {
        let (special, share) = match calendar.occasion(day) {
            Occasion::None => (EVERYDAY, 0),
            Occasion::Newsletter => (NEWSLETTER, 26),
            Occasion::FrontPage => (FRONT_PAGE, 66),
            Occasion::SpringSale => (SPRING_SALE, 20),
            Occasion::WinterSale => (WINTER_SALE, 24),
        };
        let origins = if percent(chance, share) { special } else { EVERYDAY };
        let progress = calendar.progress(day);
        let weight = |origin: &Origin| {
            let (first, last) = (f64::from(origin.weight.0), f64::from(origin.weight.1));
            (first + (last - first) * progress) as u32
        };
        &origins[Wheel::new(origins.iter().map(weight)).turn(chance)]
    }

    /// A visit from its first page to its last; returns when it ended.
    fn stay(
        &self,
        person: &Person,
        origin: &Origin,
        start: i64,
        chance: &mut SmallRng,
        events: &mut Vec<Event>,
    ) -> i64 {
        let mut now = start;
        let mut page = match origin.landing {
            "" => &PAGES[self.landings.turn(chance)],
            path => PAGES.iter().find(|page| page.path == path).unwrap_or(&PAGES[0]),
        };
        let mut stay = Stay { guests: self, person, origin, events };
        let leaves_at_once = percent(chance, origin.bounce);
        for step in 0..PAGES_MAX {
            now = stay.look(page, now, leaves_at_once, chance);
            if leaves_at_once || (step > 0 && percent(chance, 32)) {
                break;
            }
            page = &PAGES[self.next_pages.turn(chance)];
        }
        now
    }
}

/// A visit that is under way.
struct Stay<'a> {
    guests: &'a Guests<'a>,
    person: &'a Person,
    origin: &'a Origin,
    events: &'a mut Vec<Event>,
}

impl Stay<'_> {
    /// Looks at a page, and does there what people do; returns when the next page is opened.
    fn look(&mut self, page: &Page, now: i64, leaves_at_once: bool, chance: &mut SmallRng) -> i64 {
        self.record(PAGEVIEW, page.path, now, true, vec![], None);
        let spread = chance.random_range(20..230_u32);
        let read_s =
            (page.reading_s * spread / 100).max(2) / if leaves_at_once { 2 } else { 1 } + 1;
        let end = now + i64::from(read_s);
        if !leaves_at_once {
            self.act(page, now + i64::from(read_s / 2), chance);
        }
        if percent(chance, ENGAGING) {
            let depth = u8::try_from((20 + spread / 2 + chance.random_range(0..30)).min(100))
                .unwrap_or(100);
            self.record(ENGAGEMENT, page.path, end, true, vec![], Some((read_s * 900, depth)));
        }
        end
    }

    fn act(&mut self, page: &Page, now: i64, chance: &mut SmallRng) {
        let prop = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        match page.path {
            "/search" => {
                self.record(
                    "Site Search",
                    page.path,
                    now,
                    true,
                    prop("search_query", any(SEARCHES, chance)),
                    None,
                );
            }
            "/docs/sizing" | "/blog/winter-routes" | "/products" if percent(chance, 16) => {
                self.record(
                    "File Download",
                    page.path,
                    now,
                    true,
                    prop("url", any(DOWNLOADS, chance)),
                    None,
                );
            }
            "/pricing" if percent(chance, 14) => {
                let plan = any(&["Explorer", "Explorer", "Guide", "Team"], chance);
                self.record("Signup", page.path, now, true, prop("plan", plan), None);
            }
            "/checkout" if percent(chance, 46) => self.purchase(page, now, chance),
            "/contact" if percent(chance, 30) => {
                self.record(
                    "Form: Submission",
                    page.path,
                    now,
                    true,
                    prop("path", page.path),
                    None,
                );
            }
            _ if percent(chance, 4) => {
                self.record(
                    "Outbound Link: Click",
                    page.path,
                    now,
                    true,
                    prop("url", any(OUTBOUND, chance)),
                    None,
                );
            }
            _ if percent(chance, 1) => {
                let path = any(MISSING, chance);
                self.record("404", path, now, false, prop("path", path), None);
            }
            _ => {}
        }
    }

    fn purchase(&mut self, page: &Page, now: i64, chance: &mut SmallRng) {
        let product = any(&["Ridge 40", "Ridge 40", "Summit 55", "Daytrip 18"], chance);
        let thousandths = match product {
            "Ridge 40" => 189_000,
            "Summit 55" => 249_000,
            _ => 89_000,
        };
        self.record(
            "Purchase",
            page.path,
            now,
            true,
            vec![("product".to_owned(), product.to_owned())],
            None,
        );
        if let Some(event) = self.events.last_mut() {
            event.happening.revenue_amount = thousandths;
            event.happening.revenue_currency = CURRENCY.to_owned();
        }
    }

    fn record(
        &mut self,
        name: &str,
        pathname: &str,
        now: i64,
        interactive: bool,
        props: Vec<(String, String)>,
        engagement: Option<(u32, u8)>,
    ) {
        let hostname = &self.guests.site.domain;
        let timestamp = u32::try_from(now).unwrap_or(0);
        let arrival = Arrival {
            site: self.guests.site.id,
            timestamp,
            kind: Kind::of(name),
            hostname,
            pathname,
        };
        let first = || self.attributes();
        let Some(placed) = self.guests.visits.place(&arrival, self.person.visitor, None, first)
        else {
            return;
        };
        let (engagement_ms, scroll_depth) = engagement.unwrap_or((0, SCROLL_DEPTH_UNKNOWN));
        let happening = Happening {
            site_id: self.guests.site.id.0,
            timestamp,
            name: name.to_owned(),
            visitor_id: placed.visitor,
            session_id: placed.session,
            seq: placed.seq,
            // The same for the same traffic: the visitor is random already.
            event_id: event_id(placed.seq, placed.visitor.0.rotate_left(placed.seq)),
            hostname: hostname.clone(),
            pathname: pathname.to_owned(),
            interactive,
            engagement_ms,
            scroll_depth,
            props,
            revenue_amount: 0,
            revenue_currency: String::new(),
            entry_hostname: placed.visit.entry_hostname().to_owned(),
            entry_pathname: placed.visit.entry_pathname().to_owned(),
        };
        self.events.push(Event { happening, attributes: placed.visit.attributes().into() });
    }

    fn attributes(&self) -> Attributes {
        let Person { city, browser, browser_version, os_version, .. } = self.person;
        let referrer = (!self.origin.referrer.is_empty()).then_some(self.origin.referrer);
        let acquisition = Acquisition::of(
            &Tags::from_query(self.origin.query),
            referrer,
            &self.guests.site.domain,
        );
        let place_and_browser = Attributes {
            country: city.country.to_owned(),
            region: city.region.to_owned(),
            region_name: city.region_name.to_owned(),
            city: city.id,
            city_name: city.name.to_owned(),
            browser: browser.name.to_owned(),
            browser_version: browser_version.clone(),
            os: browser.os.to_owned(),
            os_version: (*os_version).to_owned(),
            device: browser.device.to_owned(),
            language: city.language.to_owned(),
            ..Attributes::default()
        };
        acquisition.onto(place_and_browser)
    }
}

/// A moment of the visitor's own day, in seconds since 1970.
fn begin(calendar: &Calendar, day: u32, city: &City, chance: &mut SmallRng) -> i64 {
    let midnight = calendar.date(day).at(0, 0, 0, 0);
    let offset = Offset::from_seconds(i32::try_from(city.utc_offset * 3600).unwrap_or(0))
        .unwrap_or(Offset::UTC);
    let midnight = offset.to_timestamp(midnight).map_or(0, |moment| moment.as_second());
    let hour = calendar::hour(chance.random_range(0..1000));
    midnight + i64::from(hour * 3600 + chance.random_range(0..3600_u32))
}
