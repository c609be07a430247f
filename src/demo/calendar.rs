//! When people come: growth, weekdays, holidays, campaigns, and the hours of their own day.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

/// The days of the traffic.
pub(super) struct Calendar {
    first: Date,
    days: u32,
}

/// What is special about a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Nothing.
    None,
    /// A newsletter went out.
    Newsletter,
    /// The site was talked of.
    FrontPage,
    /// The spring sale runs.
    SpringSale,
    /// The winter sale runs.
    WinterSale,
}

impl Occasion {
    /// What somebody writes beside its first day.
    pub(super) fn note(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Newsletter => None,
            Self::FrontPage => Some("Talked of on Hacker News"),
            Self::SpringSale => Some("Spring sale begins"),
            Self::WinterSale => Some("Winter sale begins"),
        }
    }
}

/// Of a thousand visits, how many begin in each hour of the visitor's day.
const HOURS: [u32; 24] =
    [9, 6, 4, 3, 3, 6, 14, 28, 46, 58, 63, 62, 56, 57, 60, 60, 57, 54, 52, 57, 64, 68, 55, 28];

/// How many days ago, at the most, the front pages were; the traffic of the two days after them fades.
const FRONT_PAGES_DAYS_AGO: [u32; 3] = [296, 171, 38];

impl Calendar {
    /// The days up to the one that `now` is in.
    pub(super) fn ending(now: Timestamp, timezone: &TimeZone, days: u32) -> Self {
        let today = timezone.to_datetime(now).date();
        let back: Span = i64::from(days.saturating_sub(1)).days();
        Self { first: today.checked_sub(back).unwrap_or(today), days }
    }

    pub(super) fn days(&self) -> u32 {
        self.days
    }

    pub(super) fn date(&self, day: u32) -> Date {
        self.first.checked_add(i64::from(day).days()).unwrap_or(self.first)
    }

    /// How far the traffic has come, from 0 on the first day to 1 on the last.
    pub(super) fn progress(&self, day: u32) -> f64 {
        f64::from(day) / f64::from(self.days.max(2) - 1)
    }

    fn days_ago(&self, day: u32) -> u32 {
        self.days - 1 - day
    }

    pub(super) fn occasion(&self, day: u32) -> Occasion {
        let (date, ago) = (self.date(day), self.days_ago(day));
        if FRONT_PAGES_DAYS_AGO.iter().any(|&then| (then.saturating_sub(2)..=then).contains(&ago)) {
            Occasion::FrontPage
        } else if (4..=5).contains(&date.month()) && date.day() <= 14 {
            Occasion::SpringSale
        } else if date.month() == 11 && date.day() >= 20 {
            Occasion::WinterSale
        } else if is_first_tuesday(date) {
            Occasion::Newsletter
        } else {
            Occasion::None
        }
    }

    /// How much traffic a day has, beside others.
    pub(super) fn weight(&self, day: u32) -> f64 {
        let date = self.date(day);
        let growth = 0.55 + 0.75 * self.progress(day);
        let weekday = match date.weekday() {
            Weekday::Saturday => 0.68,
            Weekday::Sunday => 0.74,
            Weekday::Friday => 0.94,
            Weekday::Monday | Weekday::Wednesday => 1.04,
            Weekday::Tuesday | Weekday::Thursday => 1.07,
        };
        let season = match (date.month(), date.day()) {
            (12, 23..) | (1, 1) => 0.45,
            (8, _) => 0.88,
            _ => 1.0,
        };
        let occasion = match self.occasion(day) {
            Occasion::None => 1.0,
            Occasion::Newsletter => 1.35,
            Occasion::SpringSale => 1.2,
            Occasion::WinterSale => 1.3,
            Occasion::FrontPage => {
                let fading =
                    FRONT_PAGES_DAYS_AGO.iter().map(|then| then.saturating_sub(self.days_ago(day)));
                [4.6, 2.4, 1.5][fading.min().map_or(2, |since| since.min(2) as usize)]
            }
        };
        // Days are not alike even when nothing happens: a little noise that is the same for the same day.
        let noise =
            f64::from(u32::from(date.day() as u8).wrapping_mul(2_654_435_761) >> 24) / 255.0;
        growth * weekday * season * occasion * (0.93 + 0.14 * noise)
    }
}

/// The hour of the visitor's day that a number below a thousand stands for.
pub(super) fn hour(mut thousandth: u32) -> u32 {
    for (hour, share) in HOURS.iter().enumerate() {
        match thousandth.checked_sub(*share) {
            Some(rest) => thousandth = rest,
            None => return hour as u32,
        }
    }
    12
}

fn is_first_tuesday(date: Date) -> bool {
    date.weekday() == Weekday::Tuesday && date.day() <= 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_visits_are_spread_over_the_hours() {
        assert!((960..=1000).contains(&HOURS.iter().sum::<u32>()), "{}", HOURS.iter().sum::<u32>());
        assert_eq!((hour(0), hour(8), hour(9), hour(999)), (0, 0, 1, 12));
    }
}
