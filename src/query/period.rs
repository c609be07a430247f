//! The stretch of time that a report is about: the forms of `date_range`, and what they come to.
//!
//! A [`Range`] is what was asked for ("the last seven days"); with the site's time zone and the
//! moment of asking it becomes a [`Period`]: two instants, to the second, both within.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan, ZonedDateTime};
use serde_json::Value;

use super::error::{Problems, shown};
use crate::site::day;

/// A `date_range` as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// `day`: today.
    Today,
    /// `7d`: so many whole days, the last of them yesterday.
    Days(i64),
    /// `24h`: the 24 hours until now.
    LastDay,
    /// `month`: the current calendar month, through its end.
    Month,
    /// `year`: the current calendar year, through its end.
    Year,
    /// `6mo`: so many calendar months, the current one included, through its end.
    Months(i64),
    /// `all`: from the day of the first event to today.
    All,
    /// Two dates, both within.
    Dates(Date, Date),
    /// Two instants, both within.
    Instants(Timestamp, Timestamp),
}

/// The most days of `Nd`.
const DAYS_MAX: i64 = 5_000;
/// The most months of `Nmo`.
const MONTHS_MAX: i64 = 100;
/// The first day that a report can be about.
const FIRST_DAY: Date = date(1970, 1, 2);
/// The last day that a report can be about: the database's clock ends soon after.
const LAST_DAY: Date = date(2105, 12, 31);

pub(super) const FORMS: &str = "a date_range is \"day\", \"24h\", \"<n>d\" with 1 to 5000 days, \"month\", \"<n>mo\" with 1 to 100 \
     months, \"year\", \"all\", two dates (\"2024-01-31\"), or two date-times with offset (\"2024-01-31T13:00:00+01:00\")";

impl Range {
    /// Reads the value of `date_range`.
    pub(super) fn parse(value: &Value, pointer: &str, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) => Self::named(text).or_else(|| {
                problems.note(pointer, format!("Invalid date_range {}: {FORMS}.", shown(value)))
            }),
            Value::Array(ends) if ends.len() == 2 => Self::between(ends, pointer, problems),
            _ => problems.note(pointer, format!("Invalid date_range {}: {FORMS}.", shown(value))),
        }
    }

    fn named(text: &str) -> Option<Self> {
        let count = |digits: &str, max: i64| {
            let count =
                digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
            (1..=max).contains(&count).then_some(count)
        };
        match text {
            "day" => Some(Self::Today),
            "24h" => Some(Self::LastDay),
            "month" => Some(Self::Month),
            "year" => Some(Self::Year),
            "all" => Some(Self::All),
            _ => {
                if let Some(months) = text.strip_suffix("mo") {
                    return count(months, MONTHS_MAX).map(Self::Months);
                }
                count(text.strip_suffix('d')?, DAYS_MAX).map(Self::Days)
            }
        }
    }

    fn between(ends: &[Value], pointer: &str, problems: &mut Problems) -> Option<Self> {
        let from = End::parse(&ends[0], &format!("{pointer}/0"), problems);
        let to = End::parse(&ends[1], &format!("{pointer}/1"), problems);
        let both = shown(&Value::Array(ends.to_vec()));
        let range = match (from?, to?) {
            (End::Date(from), End::Date(to)) if from <= to => Self::Dates(from, to),
            (End::Instant(from), End::Instant(to)) if from <= to => Self::Instants(from, to),
            (End::Date(_), End::Date(_)) | (End::Instant(_), End::Instant(_)) => {
                return problems.note(
                    pointer,
                    format!("Invalid date_range {both}: it ends before it begins."),
                );
            }
            _ => {
                let message = format!(
                    "Invalid date_range {both}: both ends are dates, or both are date-times with offset."
                );
                return problems.note(pointer, message);
            }
        };
        Some(range)
    }

    /// Whether [`Self::resolve`] needs to know when the first event was.
    pub fn needs_first_event(&self) -> bool {
        *self == Self::All
    }

    /// What the range comes to when it is asked for at `now`. `first_event` is the site's first event.
    pub(super) fn resolve(
        &self,
        zone: &TimeZone,
        now: Timestamp,
        first_event: Option<Timestamp>,
    ) -> Period {
        let day_of = |moment: Timestamp| zone.to_datetime(moment).date();
        let today = day_of(now);
        let days = |from: Date, to: Date| Period::of_days(from, to, zone);
        match *self {
            Self::Today => days(today, today),
            Self::Days(count) => days(back(today, count.days()), back(today, 1.day())),
            Self::LastDay => Period::new(now - SignedDuration::from_hours(24), now, zone),
            Self::Month => days(today.first_of_month(), today.last_of_month()),
            Self::Year => days(today.first_of_year(), today.last_of_year()),
            Self::Months(count) => {
                days(back(today.first_of_month(), (count - 1).months()), today.last_of_month())
            }
            Self::All => days(first_event.map_or(today, day_of).min(today), today),
            Self::Dates(from, to) => days(from, to),
            Self::Instants(from, to) => Period::new(from, to, zone),
        }
    }
}

fn back(day: Date, span: Span) -> Date {
    day.saturating_sub(span)
}

/// One end of a range.
enum End {
    Date(Date),
    Instant(Timestamp),
}

impl End {
    fn parse(value: &Value, pointer: &str, problems: &mut Problems) -> Option<Self> {
        let Some(end) = value.as_str().and_then(Self::read) else {
            let message = format!(
                "Invalid date {}: it is written \"2024-01-31\", or \"2024-01-31T13:00:00+01:00\" with the offset.",
                shown(value)
            );
            return problems.note(pointer, message);
        };
        // A moment of the first or of the last day may be one of the day before, or after, in UTC.
        let (day, first, last) = match end {
            Self::Date(day) => (day, FIRST_DAY, LAST_DAY),
            Self::Instant(moment) => {
                let day = TimeZone::UTC.to_datetime(moment).date();
                (day, FIRST_DAY.saturating_sub(1.day()), LAST_DAY.saturating_add(1.day()))
            }
        };
        if !(first..=last).contains(&day) {
            let message = format!(
                "Invalid date {}: it must lie between {FIRST_DAY} and {LAST_DAY}.",
                shown(value)
            );
            return problems.note(pointer, message);
        }
        Some(end)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() == "2024-01-31".len() {
            return strtime::parse("%Y-%m-%d", text).ok()?.to_date().ok().map(Self::Date);
        }
        let moment = text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| text.parse::<ZonedDateTime>().ok().map(|moment| moment.timestamp()));
        moment.map(Self::Instant)
    }
}

/// Two instants, to the second, both within, and the time zone whose calendar counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    from: Timestamp,
    to: Timestamp,
    zone: TimeZone,
}

/// The first second of a day ([`day::start_of`]). The ends of the calendar are millennia away from any date that gets here.
pub fn start_of(day: Date, zone: &TimeZone) -> Timestamp {
    day::start_of(day, zone).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The last second of a day.
pub(super) fn end_of(day: Date, zone: &TimeZone) -> Timestamp {
    start_of(day.saturating_add(1.day()), zone) - SignedDuration::from_secs(1)
}

impl Period {
    pub(super) fn new(from: Timestamp, to: Timestamp, zone: &TimeZone) -> Self {
        let second =
            |moment: Timestamp| Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        Self { from: second(from), to: second(to), zone: zone.clone() }
    }

    /// From the beginning of one day to the last second of another.
    pub(super) fn of_days(first: Date, last: Date, zone: &TimeZone) -> Self {
        Self::new(start_of(first, zone), end_of(last, zone), zone)
    }

    /// The first second.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// The last second.
    pub fn to(&self) -> Timestamp {
        self.to
    }

    /// The first second, as the site's clock showed it.
    pub fn from_local(&self) -> DateTime {
        self.zone.to_datetime(self.from)
    }

    /// The last second, as the site's clock shows it.
    pub fn to_local(&self) -> DateTime {
        self.zone.to_datetime(self.to)
    }

    /// What the clock shows when it begins; midnight where it begins with a day, whether or not that has one.
    pub(super) fn beginning_on_the_clock(&self) -> DateTime {
        let first = self.from_local();
        match start_of(first.date(), &self.zone) == self.from {
            true => first.date().to_datetime(Time::midnight()),
            false => first,
        }
    }

    /// Whether it begins and ends with a day of the site.
    pub(super) fn is_of_whole_days(&self) -> bool {
        let (first, last) = (self.from_local().date(), self.to_local().date());
        *self == Self::of_days(first, last, &self.zone)
    }

    /// The same until a moment, at the latest.
    pub(super) fn until(self, moment: Timestamp) -> Self {
        Self { to: self.to.min(moment).max(self.from), ..self }
    }

    /// The site's clock at a second since 1970.
    pub(super) fn local(&self, second: i64) -> DateTime {
        self.zone.to_datetime(Timestamp::from_second(second).unwrap_or(self.to))
    }

    /// The zone whose calendar counts.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// How many of the site's days it has, of which some may be cut.
    pub fn days(&self) -> i32 {
        let (first, last) = (self.from_local().date(), self.to_local().date());
        last.since(first).map_or(0, |span| span.get_days()) + 1
    }

    /// The period between the moments at which the site's clock shows what `to` makes of its first second and of its last one. What
    /// begins or ends with a day begins or ends with the other day, whether or not there is a midnight.
    pub(super) fn moved(&self, to: impl Fn(DateTime) -> DateTime) -> Self {
        let zone = &self.zone;
        let moment = |local: DateTime| zone.to_timestamp(local).unwrap_or(Timestamp::UNIX_EPOCH);
        let day = |date: Date| to(date.to_datetime(Time::midnight())).date();
        let (first, last) = (self.from_local(), self.to_local());
        let from = match start_of(first.date(), zone) == self.from {
            true => start_of(day(first.date()), zone),
            false => moment(to(first)),
        };
        let end = match end_of(last.date(), zone) == self.to {
            true => end_of(day(last.date()), zone),
            false => moment(to(last)),
        };
        Self::new(from, end, zone)
    }

    /// The period that is so much later.
    pub(super) fn shifted(&self, by: SignedDuration) -> Self {
        let later = |moment: Timestamp| moment.saturating_add(by).unwrap_or(moment);
        Self::new(later(self.from), later(self.to), &self.zone)
    }

    /// The IANA name of the zone, as ClickHouse knows it too.
    pub(super) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Both ends as date-times with offset, as answers repeat them.
    pub fn to_wire(&self) -> [String; 2] {
        [self.from, self.to].map(|moment| {
            moment.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        })
    }
}
