//! Import: events from a file of JSON lines, through the same visits as a collector's.
//!
//! Arrival order is line order. [`mod@line`] has the form of a line and its rules; [`batches`] collects the
//! rows of a day for one insert. A row's key follows from what the file says, so that importing a file
//! twice, or again after it was interrupted, gives equal rows, which the table counts once. A line that
//! is wrong is reported by its number and rule, and costs no other line.

pub mod batches;
mod line;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::event::{HappeningRef, VisitorId, event_id};
use crate::session::{Arrival, LENGTH_MAX_S, Placed, Visits};
use crate::site::Site;
use crate::store::{Store, StoreError};
use batches::Batches;
pub use line::FIELDS;
use line::{Line, LineError};

/// The longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// How many bad lines are reported one by one; all are counted.
const REPORTED_MAX: usize = 1_000;
/// The most visits that are open at once.
const VISITS_OPEN_MAX: usize = 2_000_000;
/// How often ended visits are forgotten, in lines.
const SWEEP_LINES: u64 = 200_000;

/// What became of a file.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Lines that were read; blank ones are not counted.
    pub lines: u64,
    /// Events that are in the table now.
    pub events: u64,
    /// Lines that were wrong.
    pub bad_lines: u64,
    /// The first of them.
    pub errors: Vec<BadLine>,
}

/// A line that was wrong.
#[derive(Debug, Serialize)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// The field and the rule.
    pub error: String,
}

/// An import that is under way: it is fed with the bytes of a file.
pub struct Import<'a> {
    store: &'a Store,
    site_of: &'a (dyn Fn(&str) -> Option<Arc<Site>> + Send + Sync),
    visits: Visits,
    batches: Batches,
    /// The beginning of a line that has not ended yet.
    rest: Vec<u8>,
    number: u64,
    latest: u32,
    summary: Summary,
}

impl<'a> Import<'a> {
    /// Begins an import for the sites that `site_of` knows.
    pub fn new(
        store: &'a Store,
        site_of: &'a (dyn Fn(&str) -> Option<Arc<Site>> + Send + Sync),
    ) -> Self {
        Self {
            store,
            site_of,
            visits: Visits::new(VISITS_OPEN_MAX),
            batches: Batches::default(),
            rest: Vec::new(),
            number: 0,
            latest: 0,
            summary: Summary::default(),
        }
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// When ClickHouse does not take a batch; the import can be begun again then.
    pub async fn feed(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
        for part in &mut lines {
            if !part.ends_with(b"\n") {
                self.rest.extend_from_slice(part);
            } else if self.rest.is_empty() {
                self.take(part);
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(part);
                self.take(&whole);
            }
            if self.batches.is_large() {
                self.batches.flush_large(self.store).await?;
            }
        }
        // A line without an end is no line; what has come of it so far is let go.
        if self.rest.len() > LINE_BYTES_MAX {
            self.rest.truncate(LINE_BYTES_MAX + 1);
        }
        Ok(())
    }

    /// Takes what is left, and says what became of the file.
    ///
    /// # Errors
    /// As [`Self::feed`].
    pub async fn finish(mut self) -> Result<Summary, StoreError> {
        let rest = std::mem::take(&mut self.rest);
        self.take(&rest);
        self.batches.flush_all(self.store).await?;
        Ok(self.summary)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.number += 1;
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return;
        }
        self.summary.lines += 1;
        if let Err(error) = self.take_event(bytes) {
            self.report(&error);
        }
        if self.summary.lines.is_multiple_of(SWEEP_LINES) {
            // Lines may be a little out of order. An export's are in the order in which visits began: a
            // visit that is being told may be a day behind, and one before it may reach a day ahead.
            self.visits.sweep(self.latest.saturating_sub(2 * LENGTH_MAX_S as u32));
        }
    }

    fn report(&mut self, error: &LineError) {
        self.summary.bad_lines += 1;
        if self.summary.errors.len() < REPORTED_MAX {
            self.summary.errors.push(BadLine { line: self.number, error: error.to_string() });
        }
    }

    fn take_event(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        if bytes.len() > LINE_BYTES_MAX {
            return Err(LineError::new("line", "must not exceed 1 MiB"));
        }
        let line = Line::parse(bytes)?;
        let site = (self.site_of)(line.domain()).ok_or_else(|| line.unknown_site())?;
        let told = line.read(&site)?;
        let placed = match &told.visitor {
            None => anonymous(&told),
            Some(visitor) => {
                let arrival = Arrival {
                    site: site.id,
                    timestamp: told.timestamp,
                    kind: told.kind,
                    hostname: &told.page.hostname,
                    pathname: &told.page.pathname,
                };
                let visitor = visitor_id(&site, visitor, told.timestamp);
                if told.new_visit {
                    self.visits.end(site.id, visitor);
                }
                self.visits.place(&arrival, visitor, None, || told.attributes.clone())
            }
        };
        let placed = placed.ok_or_else(|| {
            LineError::new("name", "engagement needs an open visit of its visitor")
        })?;
        let happening = happening(&site, &told, &placed, bytes, self.number);
        self.batches.add_parts(&happening, &placed.visit);
        self.latest = self.latest.max(told.timestamp);
        self.summary.events += 1;
        Ok(())
    }
}

/// Counted without a visitor: no visit either, and no attention that could belong to one.
fn anonymous(told: &line::Told) -> Option<Placed> {
    (told.kind != crate::session::Kind::Engagement).then(|| Placed::of_nobody(&told.attributes))
}

/// The same for the same text on the same site. It is no day's visitor, whoever exports visitors decides
/// how long theirs last; but under the strict profile it is the site's day's, as a collector's own are.
fn visitor_id(site: &Site, visitor: &str, timestamp: u32) -> VisitorId {
    let day = site.policy.profile.is_strict().then(|| {
        let moment = Timestamp::from_second(i64::from(timestamp)).unwrap_or(Timestamp::MAX);
        format!("\0{}", site.timezone.to_datetime(moment).date())
    });
    let digest = Sha256::new()
        .chain_update(site.id.0.to_be_bytes())
        .chain_update(visitor.as_bytes())
        .chain_update(day.unwrap_or_default())
        .finalize();
    VisitorId::lasting(first_bits(&digest))
}

fn first_bits(digest: &[u8]) -> u64 {
    digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

fn happening<'a>(
    site: &Site,
    told: &'a line::Told,
    placed: &'a Placed,
    bytes: &[u8],
    number: u64,
) -> HappeningRef<'a> {
    // Of events without a visit only the line tells two alike ones apart.
    let place = if placed.seq == 0 { number } else { u64::from(placed.seq) };
    let digest = Sha256::new()
        .chain_update(placed.session.0.to_be_bytes())
        .chain_update(place.to_be_bytes())
        .chain_update(bytes)
        .finalize();
    HappeningRef {
        site_id: site.id.0,
        timestamp: told.timestamp,
        name: &told.name,
        visitor_id: placed.visitor,
        session_id: placed.session,
        seq: placed.seq,
        event_id: event_id(placed.seq, first_bits(&digest)),
        hostname: &told.page.hostname,
        pathname: &told.page.pathname,
        interactive: told.interactive,
        engagement_ms: told.engagement_ms,
        scroll_depth: told.scroll_depth,
        props: &told.props,
        revenue_amount: told.revenue.as_ref().map_or(0, |revenue| revenue.thousandths),
        revenue_currency: told.revenue.as_ref().map_or("", |revenue| revenue.currency),
        entry_hostname: placed.visit.entry_hostname(),
        entry_pathname: placed.visit.entry_pathname(),
    }
}
