//! Numbers as people read them.

use serde_json::Value;

/// `999`, `1.2k`, `34k`, `5.6M`.
pub(super) fn short(number: f64) -> String {
    let (scaled, unit) = match number.abs() {
        ..1_000.0 => return format!("{number:.0}"),
        ..1_000_000.0 => (number / 1_000.0, "k"),
        _ => (number / 1_000_000.0, "M"),
    };
    let digits = if scaled.abs() < 10.0 { format!("{scaled:.1}") } else { format!("{scaled:.0}") };
    digits.trim_end_matches(".0").to_owned() + unit
}

/// `1,234,567`.
pub(super) fn whole(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0.0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `48s`, `2m 14s`, `1h 5m`.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        ..60 => format!("{seconds}s"),
        ..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A number of a report, 0 where there is none.
pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_where_there_is_little_room() {
        for (number, expected) in [
            (0.0, "0"),
            (999.0, "999"),
            (1_000.0, "1k"),
            (1_234.0, "1.2k"),
            (12_345.0, "12k"),
            (999_499.0, "999k"),
            (5_600_000.0, "5.6M"),
        ] {
            assert_eq!(short(number), expected);
        }
        assert_eq!(
            (whole(1_234_567.0), whole(-1_000.0), whole(12.0)),
            ("1,234,567".into(), "-1,000".into(), "12".into())
        );
        assert_eq!(
            (duration(48.4), duration(134.0), duration(3_900.0)),
            ("48s".into(), "2m 14s".into(), "1h 05m".into())
        );
    }
}
