//! The event: one stored row, and its encoding as ClickHouse's RowBinary.
//!
//! The columns are written down once, in `columns!`: the struct, the column list of the `INSERT`,
//! the encoder and the decoder follow from it, and a test compares the list with `schema.sql`.
//! The encoded row is what the spool keeps; `store::block` makes columns of it for ClickHouse.
//!
//! It is not the wire form of a beacon (`beacon`), and it knows no address: `privacy` is behind it.

use std::sync::Arc;

/// Who made an event: 63 bits of a hash, and one that says for how long they stand for the same visitor.
/// 0 is nobody (a visitor who asked not to be recognised). It has no `Debug`: ids stay out of logs.
///
/// The id of a collector's visitor is even: it ends with the site's day, or with the visit that is open
/// then. An id that an import made is odd: it lasts for as long as the file says so. Reports rely on it:
/// visitors of different days may be added up only where nobody lasts (`query::compile::tiers`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VisitorId(pub u64);

impl VisitorId {
    /// The visitor of an event that is counted without recognising anybody.
    pub const NOBODY: Self = Self(0);

    /// A visitor of one day, of these bits.
    pub fn of_a_day(bits: u64) -> Self {
        // 0 means nobody: two ids in 2^64 are moved out of its way.
        Self((bits & !1).max(2))
    }

    /// A visitor who may come again on another day, of these bits.
    pub fn lasting(bits: u64) -> Self {
        Self(bits | 1)
    }

    /// Whether it ends with the site's day: what an import brings never does.
    pub fn is_of_a_day(self) -> bool {
        self.0 & 1 == 0
    }
}

/// The visit that an event belongs to: the visit's first second in the high 32 bits (so that ids are
/// in the order of time), 32 bits of the visitor's hash in the low ones. 0 is no visit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct SessionId(pub u64);

impl SessionId {
    /// Of a visit that began in this second (since 1970-01-01 UTC), told apart by these bits from the others that did.
    pub fn new(started: u32, bits: u32) -> Self {
        Self((u64::from(started) << 32) | u64::from(bits))
    }

    /// The second, since 1970-01-01 UTC, in which the visit began.
    pub fn started(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The bound between visits: the ids of those that began in this second (since 1970-01-01 UTC) or later are as great or
    /// greater. What is beyond the last second that an id can tell, which is in 2106, becomes the greatest id.
    pub fn first_of(second: u64) -> Self {
        Self(second.saturating_mul(1 << 32))
    }
}

/// The id of an event, of random bits (or, for imported events, those of a hash).
///
/// It tells events apart that share their place: any two without a visit, but within a visit only those of two
/// collectors that both had it. So half of the bits do there, which are a sixth of what an event takes on disk.
pub fn event_id(seq: u32, bits: u64) -> u64 {
    if seq == 0 { bits } else { bits & u64::from(u32::MAX) }
}

/// The scroll depth of an event that reports none.
pub const SCROLL_DEPTH_UNKNOWN: u8 = 255;

/// The name of the event that a page view is.
pub const PAGEVIEW: &str = "pageview";

/// The name of the event that reports attention to a page already viewed.
pub const ENGAGEMENT: &str = "engagement";

macro_rules! columns {
    (borrowed as $borrowed:ident;
     $(#[$outer:meta])* pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        columns! { $(#[$outer])* pub struct $name { $($(#[$doc])* $field: $type,)* } }

        /// The same of borrowed texts.
        pub(crate) struct $borrowed<'a> { $(pub(crate) $field: <$type as Column>::Borrowed<'a>,)* }

        impl $borrowed<'_> {
            fn put(&self, row: &mut Vec<u8>) {
                $(<$type as Column>::put(self.$field, row);)*
            }
        }
    };
    ($(#[$outer:meta])* pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$outer])*
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl $name {
            /// The names of the columns that [`Self::put`] writes, in its order.
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn put(&self, row: &mut Vec<u8>) {
                $(<$type as Column>::put(self.$field.borrowed(), row);)*
            }

            fn take(row: &mut &[u8]) -> Result<Self, NotARow> {
                Ok(Self { $($field: Column::take(row)?,)* })
            }

            /// Reads one column, and says whether it is one of these.
            fn take_column(&mut self, name: &str, row: &mut &[u8]) -> Result<bool, NotARow> {
                match name {
                    $(stringify!($field) => self.$field = Column::take(row)?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}

columns! {
    borrowed as HappeningRef;
    /// What happened: the part of a row that is the event's own.
    #[derive(Clone, Default, PartialEq)]
    pub struct Happening {
        /// The site, see `SiteId`.
        site_id: u32,
        /// When, in seconds since 1970-01-01 UTC.
        timestamp: u32,
        /// `pageview`, `engagement`, or the name of a custom event; at most 120 characters.
        name: String,
        /// See [`VisitorId`].
        visitor_id: VisitorId,
        /// See [`SessionId`].
        session_id: SessionId,
        /// The event's place in its visit in the order of arrival, from 1; 0 without a visit.
        seq: u32,
        /// See [`event_id`]: equal rows are one event.
        event_id: u64,
        /// The host of the page, without a leading `www.`.
        hostname: String,
        /// The path of the page, percent-decoded, without its query string.
        pathname: String,
        /// Whether a custom event means that somebody did something; true for page views.
        interactive: bool,
        /// Milliseconds for which the page was visible and focused; 0 but for `engagement`.
        engagement_ms: u32,
        /// Deepest scroll in percent, 0 to 100; [`SCROLL_DEPTH_UNKNOWN`] when not told.
        scroll_depth: u8,
        /// Custom properties, in the order in which they were sent.
        props: Vec<(String, String)>,
        /// Revenue in thousandths of `revenue_currency`.
        revenue_amount: i64,
        /// ISO 4217 code of the revenue; empty when there is none.
        revenue_currency: String,
        /// The host of the visit's first page, as far as it was known when the event arrived.
        entry_hostname: String,
        /// The path of the visit's first page, as far as it was known when the event arrived.
        entry_pathname: String,
    }
}

columns! {
    /// What is true of a visit as a whole: fixed by its first event and copied onto each.
    #[derive(Clone, PartialEq, Default)]
    pub struct Attributes {
        /// The referring page as host and path, without scheme and query; empty when direct.
        referrer: String,
        /// The name of where the visit came from (`Google`, `news.example`); empty when direct.
        source: String,
        /// The marketing channel (`Organic Search`); empty when not known.
        channel: String,
        /// `utm_source` of the first page.
        utm_source: String,
        /// `utm_medium` of the first page.
        utm_medium: String,
        /// `utm_campaign` of the first page.
        utm_campaign: String,
        /// `utm_content` of the first page.
        utm_content: String,
        /// `utm_term` of the first page.
        utm_term: String,
        /// Which kind of advertising click id the first page carried (`gclid`), never its value.
        click_id_kind: String,
        /// ISO 3166-1 alpha-2 code; empty when not known.
        country: String,
        /// ISO 3166-2 code (`DE-BE`); empty when not known.
        region: String,
        /// The region's English name; empty when not known.
        region_name: String,
        /// GeoNames id; 0 when not known.
        city: u32,
        /// The city's English name; empty when not known.
        city_name: String,
        /// The browser's name, without version.
        browser: String,
        /// The browser's version, at most `major.minor`.
        browser_version: String,
        /// The operating system's name, without version.
        os: String,
        /// The operating system's version, at most `major.minor`.
        os_version: String,
        /// `Desktop`, `Mobile`, `Tablet`, or empty.
        device: String,
        /// The primary tag of the preferred language (`de`); empty when not told.
        language: String,
    }
}

/// One event as it is stored.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub happening: Happening,
    /// What is true of its visit; shared by the events of one visit while they are in memory.
    pub attributes: Arc<Attributes>,
}

/// What the rows of a visit end with, encoded once for all of them: the host and the path of its first page, and its
/// attributes.
///
/// It is one piece of memory. Twenty texts would be in twenty places, and each has to be reached for each event.
#[derive(Clone)]
pub struct OfVisit(Arc<[u8]>);

impl OfVisit {
    /// Of a visit that began on this page; both texts are empty while there is none.
    pub fn new(entry_hostname: &str, entry_pathname: &str, attributes: &Attributes) -> Self {
        let mut bytes = Vec::with_capacity(512);
        <String as Column>::put(entry_hostname, &mut bytes);
        <String as Column>::put(entry_pathname, &mut bytes);
        attributes.put(&mut bytes);
        Self(bytes.into())
    }

    /// The same visit, now that its first page is known.
    #[must_use]
    pub fn with_entry(&self, hostname: &str, pathname: &str) -> Self {
        Self::new(hostname, pathname, &self.attributes())
    }

    /// The host of its first page so far; empty before there is one.
    pub fn entry_hostname(&self) -> &str {
        self.parts().0
    }

    /// The path of its first page so far; empty before there is one.
    pub fn entry_pathname(&self) -> &str {
        self.parts().1
    }

    /// What is true of it.
    pub fn attributes(&self) -> Attributes {
        Attributes::take(&mut self.parts().2).unwrap_or_default()
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The host, the path, and the encoded attributes.
    fn parts(&self) -> (&str, &str, &[u8]) {
        let mut rest = &*self.0;
        let mut text = || take_text(&mut rest).unwrap_or_default();
        (text(), text(), rest)
    }
}

/// The bytes are not a row: they end early, or hold a string that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an encoded event")]
pub struct NotARow;

impl Event {
    /// The columns of a row in the order of its encoding: what the `INSERT` names.
    pub fn columns() -> impl Iterator<Item = &'static str> {
        Happening::COLUMNS.iter().chain(Attributes::COLUMNS).copied()
    }

    /// The columns that tell a row from any other: rows that have the same values there are one event.
    pub const KEY: [&'static str; 4] = ["site_id", "session_id", "seq", "event_id"];

    /// Appends the row in ClickHouse's RowBinary format.
    pub fn encode(&self, row: &mut Vec<u8>) {
        self.happening.put(row);
        self.attributes.put(row);
    }

    /// Appends the row of an event that is not put together first.
    pub(crate) fn encode_parts(happening: &HappeningRef<'_>, visit: &OfVisit, row: &mut Vec<u8>) {
        happening.put(row);
        row.extend_from_slice(visit.parts().2);
    }

    /// Reads one whole row back.
    ///
    /// # Errors
    /// [`NotARow`] when the bytes end early, go on after the row, or are not UTF-8 where they must be.
    pub fn decode(mut row: &[u8]) -> Result<Self, NotARow> {
        let event = Self::take(&mut row)?;
        if row.is_empty() { Ok(event) } else { Err(NotARow) }
    }

    /// Reads the first of several rows, and moves on to the next.
    ///
    /// # Errors
    /// [`NotARow`] when the bytes end early, or are not UTF-8 where they must be.
    pub fn take(rows: &mut &[u8]) -> Result<Self, NotARow> {
        let happening = Happening::take(rows)?;
        let attributes = Arc::new(Attributes::take(rows)?);
        Ok(Self { happening, attributes })
    }
}

/// Reads rows that have these columns, which an older version may have written.
pub struct Rows<'columns> {
    /// `None`, where they are this version's.
    older: Option<&'columns str>,
}

impl<'columns> Rows<'columns> {
    /// Of columns as an `INSERT` names them, with commas between.
    pub fn of(columns: &'columns str) -> Self {
        let is_own = columns.split(',').eq(Event::columns());
        Self { older: Some(columns).filter(|_| !is_own) }
    }

    /// Decodes a row. A column that it has not got is as where nothing was told.
    ///
    /// # Errors
    /// [`NotARow`] as [`Event::decode`], and when it has a column that this version does not know.
    pub fn decode(&self, mut row: &[u8]) -> Result<Event, NotARow> {
        let Some(columns) = self.older else { return Event::decode(row) };
        let mut happening = Happening {
            interactive: true,
            scroll_depth: SCROLL_DEPTH_UNKNOWN,
            ..Happening::default()
        };
        let mut attributes = Attributes::default();
        for column in columns.split(',') {
            let is_known = happening.take_column(column, &mut row)?
                || attributes.take_column(column, &mut row)?;
            if !is_known {
                return Err(NotARow);
            }
        }
        match row.is_empty() {
            true => Ok(Event { happening, attributes: Arc::new(attributes) }),
            false => Err(NotARow),
        }
    }
}

/// A type that a column can have, and its RowBinary form.
pub(crate) trait Column: Sized {
    /// What it takes to write it.
    type Borrowed<'a>: Copy;

    fn borrowed(&self) -> Self::Borrowed<'_>;
    fn put(value: Self::Borrowed<'_>, row: &mut Vec<u8>);
    fn take(row: &mut &[u8]) -> Result<Self, NotARow>;
}

pub(crate) fn take_bytes<'row>(row: &mut &'row [u8], length: usize) -> Result<&'row [u8], NotARow> {
    let (taken, rest) = row.split_at_checked(length).ok_or(NotARow)?;
    *row = rest;
    Ok(taken)
}

macro_rules! number_columns {
    ($($type:ty),*) => {$(
        impl Column for $type {
            type Borrowed<'a> = Self;

            fn borrowed(&self) -> Self {
                *self
            }

            fn put(value: Self, row: &mut Vec<u8>) {
                row.extend_from_slice(&value.to_le_bytes());
            }

            fn take(row: &mut &[u8]) -> Result<Self, NotARow> {
                let bytes = take_bytes(row, size_of::<Self>())?;
                Ok(Self::from_le_bytes(bytes.try_into().map_err(|_| NotARow)?))
            }
        }
    )*};
}
number_columns!(u8, u32, u64, i64);

impl Column for bool {
    type Borrowed<'a> = Self;

    fn borrowed(&self) -> Self {
        *self
    }

    fn put(value: Self, row: &mut Vec<u8>) {
        row.push(value.into());
    }

    fn take(row: &mut &[u8]) -> Result<Self, NotARow> {
        Ok(u8::take(row)? != 0)
    }
}

macro_rules! id_columns {
    ($($id:ident),*) => {$(
        impl Column for $id {
            type Borrowed<'a> = Self;

            fn borrowed(&self) -> Self {
                *self
            }

            fn put(value: Self, row: &mut Vec<u8>) {
                u64::put(value.0, row);
            }

            fn take(row: &mut &[u8]) -> Result<Self, NotARow> {
                u64::take(row).map(Self)
            }
        }
    )*};
}
id_columns!(VisitorId, SessionId);

/// Lengths are LEB128, as everywhere in RowBinary.
pub(crate) fn put_length(mut length: usize, row: &mut Vec<u8>) {
    while length >= 0x80 {
        row.push((length as u8) | 0x80);
        length >>= 7;
    }
    row.push(length as u8);
}

pub(crate) fn take_length(row: &mut &[u8]) -> Result<usize, NotARow> {
    // Nearly all have one byte.
    if let [length @ ..0x80, rest @ ..] = *row {
        *row = rest;
        return Ok(usize::from(*length));
    }
    let mut length = 0usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = u8::take(row)?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(length);
        }
    }
    Err(NotARow)
}

fn take_text<'row>(row: &mut &'row [u8]) -> Result<&'row str, NotARow> {
    let length = take_length(row)?;
    std::str::from_utf8(take_bytes(row, length)?).map_err(|_| NotARow)
}

impl Column for String {
    type Borrowed<'a> = &'a str;

    fn borrowed(&self) -> &str {
        self
    }

    fn put(value: &str, row: &mut Vec<u8>) {
        put_length(value.len(), row);
        row.extend_from_slice(value.as_bytes());
    }

    fn take(row: &mut &[u8]) -> Result<Self, NotARow> {
        take_text(row).map(str::to_owned)
    }
}

impl Column for Vec<(String, String)> {
    type Borrowed<'a> = &'a [(String, String)];

    fn borrowed(&self) -> &[(String, String)] {
        self
    }

    fn put(value: &[(String, String)], row: &mut Vec<u8>) {
        put_length(value.len(), row);
        for (key, value) in value {
            <String as Column>::put(key, row);
            <String as Column>::put(value, row);
        }
    }

    fn take(row: &mut &[u8]) -> Result<Self, NotARow> {
        let length = take_length(row)?;
        (0..length).map(|_| Ok((String::take(row)?, String::take(row)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event() -> Event {
        Event {
            happening: Happening {
                site_id: 7,
                timestamp: 1_700_000_000,
                name: "pageview".into(),
                visitor_id: VisitorId(11),
                session_id: SessionId(12),
                seq: 1,
                event_id: 13,
                hostname: "example.com".into(),
                pathname: "/ä".into(),
                interactive: true,
                engagement_ms: 0,
                scroll_depth: SCROLL_DEPTH_UNKNOWN,
                props: vec![("plan".into(), "pro".into())],
                revenue_amount: -5,
                revenue_currency: "EUR".into(),
                entry_hostname: "example.com".into(),
                entry_pathname: "/".into(),
            },
            attributes: Arc::new(Attributes {
                source: "Google".into(),
                city: 9,
                ..Attributes::default()
            }),
        }
    }

    #[test]
    fn the_id_of_a_visit_tells_when_it_began_and_is_within_the_bounds_of_that_second() {
        for (started, bits) in
            [(0, 1), (1_700_000_000, 0), (1_700_000_000, u32::MAX), (u32::MAX, 7)]
        {
            let id = SessionId::new(started, bits);
            assert_eq!(id.started(), started);
            assert!(SessionId::first_of(started.into()) <= id);
            assert!(id < SessionId::first_of(u64::from(started) + 1));
        }
        assert!(SessionId::first_of(u64::MAX) == SessionId(u64::MAX));
    }

    #[test]
    fn a_row_begins_with_little_endian_numbers_and_length_prefixed_text() {
        let mut row = Vec::new();
        event().encode(&mut row);
        assert_eq!(&row[..4], &7u32.to_le_bytes());
        assert_eq!(&row[8..17], b"\x08pageview");
    }

    #[test]
    fn an_encoded_event_is_decoded_to_itself() {
        let mut row = Vec::new();
        event().encode(&mut row);
        assert!(Event::decode(&row) == Ok(event()));
    }

    #[test]
    fn the_row_of_parts_is_that_of_the_event() {
        let Event { happening, attributes } = event();
        let visit = OfVisit::new("", "", &attributes).with_entry("example.com", "/ä");
        let borrowed = HappeningRef {
            site_id: happening.site_id,
            timestamp: happening.timestamp,
            name: &happening.name,
            visitor_id: happening.visitor_id,
            session_id: happening.session_id,
            seq: happening.seq,
            event_id: happening.event_id,
            hostname: &happening.hostname,
            pathname: &happening.pathname,
            interactive: happening.interactive,
            engagement_ms: happening.engagement_ms,
            scroll_depth: happening.scroll_depth,
            props: &happening.props,
            revenue_amount: happening.revenue_amount,
            revenue_currency: &happening.revenue_currency,
            entry_hostname: visit.entry_hostname(),
            entry_pathname: visit.entry_pathname(),
        };
        let mut row = Vec::new();
        Event::encode_parts(&borrowed, &visit, &mut row);
        let entry_pathname = "/ä".to_owned();
        let happening = Happening { entry_pathname, ..event().happening };
        assert!(Event::decode(&row) == Ok(Event { happening, attributes }));
    }

    #[test]
    fn a_row_of_an_older_version_is_read_and_what_it_has_not_got_is_not_told() {
        let mut row = [7u32.to_le_bytes(), 1_700_000_000u32.to_le_bytes()].concat();
        row.extend_from_slice(b"\x08pageview\x06Google");
        let rows = Rows::of("site_id,timestamp,name,source");
        let Event { happening, attributes } = rows.decode(&row).unwrap_or_else(|_| unreachable!());
        assert_eq!((happening.site_id, happening.name.as_str()), (7, "pageview"));
        assert_eq!((attributes.source.as_str(), attributes.browser.as_str()), ("Google", ""));
        assert!(happening.interactive && happening.scroll_depth == SCROLL_DEPTH_UNKNOWN);
        row.push(0);
        assert!(rows.decode(&row).is_err(), "it goes on");
        assert!(Rows::of("site_id,timestamp,name,source,unheard").decode(&row).is_err());
        let (mut own, all) = (Vec::new(), Event::columns().collect::<Vec<_>>().join(","));
        event().encode(&mut own);
        assert!(Rows::of(&all).decode(&own) == Ok(event()));
    }

    #[test]
    fn a_row_that_is_cut_short_or_goes_on_is_refused() {
        let mut row = Vec::new();
        event().encode(&mut row);
        for length in 0..row.len() {
            assert!(Event::decode(&row[..length]).is_err(), "{length} bytes were taken for a row");
        }
        row.push(0);
        assert!(Event::decode(&row).is_err());
    }

    proptest! {
        #[test]
        fn any_text_survives_the_encoding(text in ".*", long in "[a-z]{100,400}", amount: i64) {
            let mut event = event();
            event.happening.pathname = text.clone();
            event.happening.props = vec![(text, long)];
            event.happening.revenue_amount = amount;
            let mut row = Vec::new();
            event.encode(&mut row);
            prop_assert!(Event::decode(&row) == Ok(event));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            let _ = Event::decode(&bytes);
        }
    }
}
