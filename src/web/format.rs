//! Numbers, times and dates as people read them, each in their language.

use jiff::civil::{Date, DateTime};
use serde_json::Value;

use super::words::Lang;
use crate::query::metric::{Metric, Unit};

/// What stands where there is no number.
pub(super) const NO_NUMBER: &str = "–";

const MONTHS: [[&str; 12]; 2] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
];
const WEEKDAYS: [[&str; 7]; 2] =
    [["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"]];
/// From here on a number is told in millions where there is little room.
const MILLION: f64 = 1e6;

impl Lang {
    fn index(self) -> usize {
        match self {
            Self::English => 0,
            Self::German => 1,
        }
    }

    fn marks(self) -> (char, char) {
        match self {
            Self::English => (',', '.'),
            Self::German => ('.', ','),
        }
    }

    /// `1,234.5`: with so many decimals.
    pub(super) fn decimal(self, number: f64, decimals: usize) -> String {
        let (group, point) = self.marks();
        let digits = format!("{:.decimals$}", number.abs());
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let mut text = String::with_capacity(digits.len() + 4);
        if number < 0.0 {
            text.push('\u{2212}');
        }
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place) % 3 == 0 {
                text.push(group);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }

    /// `1,234,567`.
    pub(super) fn whole(self, number: f64) -> String {
        self.decimal(number, 0)
    }

    /// The number itself where it is short, and millions where it is not.
    pub(super) fn brief(self, number: f64) -> String {
        if number.abs() < MILLION {
            return self.whole(number);
        }
        let unit = if self == Self::German { "\u{a0}Mio." } else { "M" };
        self.decimal(number / MILLION, 2) + unit
    }

    /// A mark of an axis: as few digits as possible.
    fn tick(self, number: f64) -> String {
        let (scaled, unit) = match (self, number) {
            (_, ..10_000.0) => {
                return self.decimal(number, if number.fract() > 0.0 { 1 } else { 0 });
            }
            (Self::English, ..MILLION) => (number / 1_000.0, "k"),
            (Self::English, _) => (number / MILLION, "M"),
            (Self::German, ..MILLION) => return self.whole(number),
            (Self::German, _) => (number / MILLION, "\u{a0}Mio."),
        };
        self.decimal(scaled, if scaled.fract() > 0.0 { 1 } else { 0 }) + unit
    }

    /// `47%`, in German with a space.
    pub(super) fn percent(self, number: f64, decimals: usize) -> String {
        let space = if self == Self::German { "\u{a0}" } else { "" };
        format!("{}{space}%", self.decimal(number, decimals))
    }

    /// `48s`, `2m 14s`, `1h 05m`; in German `48 s`, `2 min 14 s`, `1 h 05 min`, with spaces that do not break.
    pub(super) fn duration(self, seconds: f64) -> String {
        let [hour, minute, second] = self.units_of_time();
        let gap = if self == Self::German { "\u{a0}" } else { " " };
        let seconds = seconds.max(0.0).round() as u64;
        match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => format!("{seconds}{second}"),
            (0, minutes, seconds) => format!("{minutes}{minute}{gap}{seconds:02}{second}"),
            (hours, minutes, _) => format!("{hours}{hour}{gap}{minutes:02}{minute}"),
        }
    }

    /// A mark of an axis of time, in the largest unit that it is a whole number of: `90s`, `2m`. There is no room for two.
    fn tick_of_time(self, seconds: f64) -> String {
        let [hour, minute, second] = self.units_of_time();
        let seconds = seconds.max(0.0).round() as u64;
        match seconds {
            0 => format!("0{second}"),
            _ if seconds.is_multiple_of(3_600) => format!("{}{hour}", seconds / 3_600),
            _ if seconds.is_multiple_of(60) => format!("{}{minute}", seconds / 60),
            _ => format!("{seconds}{second}"),
        }
    }

    /// What stands behind hours, minutes and seconds.
    fn units_of_time(self) -> [&'static str; 3] {
        match self {
            Self::English => ["h", "m", "s"],
            Self::German => ["\u{a0}h", "\u{a0}min", "\u{a0}s"],
        }
    }

    /// An amount of money that is written as answers have it, which is the English way: `€1,234.50`, `-CHF 1.2M`.
    pub(super) fn money(self, written: &str) -> String {
        if self == Self::English {
            return written.to_owned();
        }
        let is_digit = |character: char| character.is_ascii_digit();
        let (before, rest) = written.split_at(written.find(is_digit).unwrap_or_default());
        let (digits, letter) = rest.split_at(rest.rfind(is_digit).map_or(0, |last| last + 1));
        let (group, point) = self.marks();
        let digits = digits.chars().map(|character| match character {
            ',' => group,
            '.' => point,
            digit => digit,
        });
        let unit = match letter {
            "K" => "\u{a0}Tsd.",
            "M" => "\u{a0}Mio.",
            "B" => "\u{a0}Mrd.",
            "T" => "\u{a0}Bio.",
            _ => "",
        };
        let (sign, currency) =
            before.strip_prefix('-').map_or(("", before), |currency| ("\u{2212}", currency));
        let number: String = digits.collect();
        format!("{sign}{number}{unit}\u{a0}{}", currency.trim_end())
    }

    /// A value of a metric, to the last digit that there is.
    pub(super) fn exact(self, metric: Metric, value: &Value) -> String {
        // Money says itself how it is written.
        if let Some(written) = value["long"].as_str() {
            return self.money(written);
        }
        let Some(number) = value.as_f64() else { return NO_NUMBER.to_owned() };
        match metric.spec().unit {
            Unit::Percent(decimals) => self.percent(number, usize::from(decimals)),
            Unit::Seconds => self.duration(number),
            Unit::Ratio => self.decimal(number, 2),
            _ if number.fract() == 0.0 => self.whole(number),
            _ => self.decimal(number, 2),
        }
    }

    /// A value of a metric where it is large and stands alone.
    pub(super) fn figure(self, metric: Metric, value: &Value) -> String {
        match (value.as_f64(), value["short"].as_str()) {
            (_, Some(money)) if number(value) >= 10_000.0 => self.money(money),
            (Some(number), _) if metric.spec().unit == Unit::Count => self.brief(number),
            _ => self.exact(metric, value),
        }
    }

    /// A mark on the axis of a metric.
    pub(super) fn mark(self, metric: Metric, number: f64) -> String {
        match metric.spec().unit {
            Unit::Percent(_) => self.percent(number, 0),
            Unit::Seconds => self.tick_of_time(number),
            _ => self.tick(number),
        }
    }

    /// `24 November 2026`.
    pub(super) fn day(self, day: Date) -> String {
        format!("{} {}", self.day_of_year(day, false), day.year())
    }

    /// `24 November 2026, 13:05`, of what a site's clock shows.
    pub(super) fn moment(self, local: DateTime) -> String {
        format!("{}, {}", self.day(local.date()), local.strftime("%H:%M"))
    }

    /// `24 Nov`, or with the whole name of the month.
    fn day_of_year(self, day: Date, short: bool) -> String {
        let dot = if self == Self::German { "." } else { "" };
        let month = if short { self.short_month(day) } else { self.month(day).to_owned() };
        format!("{}{dot} {month}", day.day())
    }

    fn month(self, day: Date) -> &'static str {
        MONTHS[self.index()][usize::from(day.month().unsigned_abs()).saturating_sub(1) % 12]
    }

    fn short_month(self, day: Date) -> String {
        let name = self.month(day);
        let short: String = name.chars().take(3).collect();
        let dot = if self == Self::German && short != name { "." } else { "" };
        short + dot
    }

    /// `Tue`, of a day counted from Monday, which is 0.
    pub(super) fn weekday(self, day: usize) -> &'static str {
        WEEKDAYS[self.index()][day % 7]
    }

    /// A label of a bucket of time, where there is little room: `24 Nov`, `13:00`, `Nov`.
    pub(super) fn short_time(self, label: &str, by_month: bool) -> String {
        match (label.parse::<Date>(), label.split_once(' ')) {
            (_, Some((_, time))) => time.get(..5).unwrap_or(time).to_owned(),
            (Ok(day), _) if by_month => self.short_month(day),
            (Ok(day), _) => self.day_of_year(day, true),
            (Err(_), None) => label.to_owned(),
        }
    }

    /// The same in full: `Tue 24 November 2026, 13:00`.
    pub(super) fn long_time(self, label: &str, by_month: bool) -> String {
        let Ok(moment) = label.parse::<DateTime>() else { return label.to_owned() };
        let day = moment.date();
        if by_month {
            return format!("{} {}", self.month(day), day.year());
        }
        let weekday =
            self.weekday(usize::from(day.weekday().to_monday_zero_offset().unsigned_abs()));
        let comma = if self == Self::German { "., " } else { " " };
        let date = format!("{weekday}{comma}{}", self.day(day));
        match label.split_once(' ') {
            Some((_, time)) => format!("{date}, {}", time.get(..5).unwrap_or(time)),
            None => date,
        }
    }

    /// `26 October – 24 November 2026`; what both days share is said once.
    pub(super) fn days(self, from: Date, to: Date) -> String {
        if from == to {
            return self.day(to);
        }
        let first = match (from.year() == to.year(), from.month() == to.month()) {
            (true, true) => {
                format!("{}{}", from.day(), if self == Self::German { "." } else { "" })
            }
            (true, false) => self.day_of_year(from, false),
            (false, _) => self.day(from),
        };
        format!("{first} – {}", self.day(to))
    }
}

/// A number of a report, or an amount of money; 0 where there is none.
pub(super) fn number(value: &Value) -> f64 {
    value.get("value").unwrap_or(value).as_f64().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    const LANGS: [Lang; 2] = Lang::ALL;

    #[test]
    fn a_number_is_written_as_the_language_writes_it() {
        let both = |write: &dyn Fn(Lang) -> String| LANGS.map(write);
        assert_eq!(both(&|lang| lang.whole(1_234_567.0)), ["1,234,567", "1.234.567"]);
        assert_eq!(both(&|lang| lang.decimal(-2.64, 1)), ["\u{2212}2.6", "\u{2212}2,6"]);
        assert_eq!(both(&|lang| lang.brief(999_999.0)), ["999,999", "999.999"]);
        assert_eq!(both(&|lang| lang.brief(5_612_345.0)), ["5.61M", "5,61\u{a0}Mio."]);
        assert_eq!(both(&|lang| lang.percent(47.0, 0)), ["47%", "47\u{a0}%"]);
        assert_eq!(both(&|lang| lang.mark(Metric::Visitors, 20_000.0)), ["20k", "20.000"]);
    }

    #[test]
    fn a_duration_is_written_as_the_language_writes_it() {
        for (seconds, english, german) in [
            (0.4, "0s", "0\u{a0}s"),
            (48.0, "48s", "48\u{a0}s"),
            (134.0, "2m 14s", "2\u{a0}min\u{a0}14\u{a0}s"),
            (3_900.0, "1h 05m", "1\u{a0}h\u{a0}05\u{a0}min"),
        ] {
            assert_eq!(LANGS.map(|lang| lang.duration(seconds)), [english, german]);
        }
    }

    #[test]
    fn a_mark_of_an_axis_of_time_has_one_unit() {
        for (seconds, english, german) in [
            (0.0, "0s", "0\u{a0}s"),
            (90.0, "90s", "90\u{a0}s"),
            (120.0, "2m", "2\u{a0}min"),
            (5_400.0, "90m", "90\u{a0}min"),
            (7_200.0, "2h", "2\u{a0}h"),
        ] {
            let marks = LANGS.map(|lang| lang.mark(Metric::VisitDuration, seconds));
            assert_eq!(marks, [english, german]);
        }
    }

    #[test]
    fn a_value_is_written_by_the_unit_of_its_metric() {
        let written = |metric, value: Value| Lang::English.exact(metric, &value);
        assert_eq!(written(Metric::Visitors, json!(1_000)), "1,000");
        assert_eq!(written(Metric::BounceRate, json!(47)), "47%");
        assert_eq!(written(Metric::ConversionRate, json!(2.5)), "2.50%");
        assert_eq!(written(Metric::VisitDuration, json!(3_900)), "1h 05m");
        assert_eq!(written(Metric::ViewsPerVisit, json!(2.6)), "2.60");
        assert_eq!(written(Metric::ScrollDepth, Value::Null), "–");
        let money = json!({"value": 67.066, "currency": "USD", "short": "$67.1", "long": "$67.07"});
        assert_eq!(written(Metric::TotalRevenue, money), "$67.07");
    }

    #[test]
    fn money_is_written_as_the_language_writes_it() {
        for (english, german) in [
            ("€1,234.50", "1.234,50\u{a0}€"),
            ("-$5.00", "\u{2212}5,00\u{a0}$"),
            ("CHF\u{a0}12.30", "12,30\u{a0}CHF"),
            ("¥1,234", "1.234\u{a0}¥"),
            ("€587.4K", "587,4\u{a0}Tsd.\u{a0}€"),
            ("-CN¥1.5B", "\u{2212}1,5\u{a0}Mrd.\u{a0}CN¥"),
        ] {
            assert_eq!(LANGS.map(|lang| lang.money(english)), [english, german]);
        }
    }

    #[test]
    fn a_bucket_of_time_has_a_short_name_and_a_long_one() {
        let both = |write: &dyn Fn(Lang) -> String| LANGS.map(write);
        assert_eq!(both(&|lang| lang.short_time("2026-11-24", false)), ["24 Nov", "24. Nov."]);
        assert_eq!(both(&|lang| lang.short_time("2026-05-01", true)), ["May", "Mai"]);
        assert_eq!(both(&|lang| lang.short_time("2026-11-24 13:00:00", false)), ["13:00", "13:00"]);
        assert_eq!(
            both(&|lang| lang.long_time("2026-11-24 13:00:00", false)),
            ["Tue 24 November 2026, 13:00", "Di., 24. November 2026, 13:00"]
        );
        assert_eq!(both(&|lang| lang.long_time("2026-03-01", true)), ["March 2026", "März 2026"]);
    }

    #[test]
    fn a_range_says_once_what_both_ends_share() {
        let english = |from, to| Lang::English.days(from, to);
        assert_eq!(english(date(2026, 11, 1), date(2026, 11, 24)), "1 – 24 November 2026");
        assert_eq!(
            english(date(2026, 10, 26), date(2026, 11, 24)),
            "26 October – 24 November 2026"
        );
        assert_eq!(
            english(date(2025, 12, 1), date(2026, 1, 1)),
            "1 December 2025 – 1 January 2026"
        );
        assert_eq!(english(date(2026, 1, 1), date(2026, 1, 1)), "1 January 2026");
        let german = Lang::German.days(date(2026, 11, 1), date(2026, 11, 24));
        assert_eq!(german, "1. – 24. November 2026");
    }
}
