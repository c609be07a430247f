//! Amounts of money as answers have them: `{"value": 67.066, "currency": "USD", "short": "$67.1", "long":
//! "$67.07"}`.
//!
//! The short form has one decimal, and thousands, millions and so on by their letter; the long form has the
//! decimals that the currency has. Both round half to even, as books do.

use std::cmp::Ordering;

use serde_json::{Value, json};

/// Currencies that people know by more than their code: what is written before the amount.
const SYMBOLS: [(&str, &str); 19] = [
    ("USD", "$"),
    ("EUR", "€"),
    ("GBP", "£"),
    ("JPY", "¥"),
    ("INR", "₹"),
    ("CNY", "CN¥"),
    ("KRW", "₩"),
    ("BRL", "R$"),
    ("CAD", "CA$"),
    ("AUD", "A$"),
    ("NZD", "NZ$"),
    ("MXN", "MX$"),
    ("HKD", "HK$"),
    ("TWD", "NT$"),
    ("ILS", "₪"),
    ("VND", "₫"),
    ("PHP", "₱"),
    ("XAF", "FCFA"),
    ("XPF", "CFPF"),
];

/// Currencies without a smaller unit, and with one of a thousandth (ISO 4217).
const WHOLE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// What stands for a thousand, and so on.
const LETTERS: [(i128, &str); 4] =
    [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")];

/// More than there is in any currency, in thousandths: so that nothing overflows.
const MOST: i128 = 1_000_000_000_000_000_000_000_000_000_000;

/// The amount, as the database has it, in its currency; null where there is none.
pub(super) fn money(amount: &Value, currency: Option<&str>) -> Value {
    let (Some(value), Some(currency)) = (amount.as_f64(), currency) else { return Value::Null };
    let thousandths = ((value * 1000.0).round() as i128).clamp(-MOST, MOST);
    json!({
        "value": value,
        "currency": currency,
        "short": short(thousandths, currency),
        "long": long(thousandths, currency),
    })
}

/// The number that a value of a metric is, of money or not.
pub(super) fn amount(value: &Value) -> Option<f64> {
    value.get("value").unwrap_or(value).as_f64()
}

fn long(thousandths: i128, currency: &str) -> String {
    let is_in = |list: &str| list.split(' ').any(|code| code == currency);
    let decimals = if is_in(WHOLE) {
        0
    } else if is_in(THOUSANDTHS) {
        3
    } else {
        2
    };
    written(rounded(thousandths, 1, decimals), decimals, "", currency)
}

fn short(thousandths: i128, currency: &str) -> String {
    // A letter is for what has more than three digits, once it is rounded, without it.
    let is_reached = |unit: i128| rounded(thousandths.abs(), unit / 1000, 1) >= 10_000;
    let reached = LETTERS.into_iter().find(|(unit, _)| is_reached(*unit));
    let (unit, letter) = reached.unwrap_or((1, ""));
    written(rounded(thousandths, unit, 1), 1, letter, currency)
}

/// Thousandths as a number of units with so many decimals, half to even.
fn rounded(thousandths: i128, unit: i128, decimals: u32) -> i128 {
    let (amount, divisor) = (thousandths * 10i128.pow(decimals), unit * 1000);
    let (whole, rest) = (amount.div_euclid(divisor), amount.rem_euclid(divisor));
    match (rest * 2).cmp(&divisor) {
        Ordering::Less => whole,
        Ordering::Equal => whole + whole.rem_euclid(2),
        Ordering::Greater => whole + 1,
    }
}

/// `-$1,234.50`, `CHF 12.30`.
fn written(amount: i128, decimals: u32, letter: &str, currency: &str) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, rest) = (amount.abs() / 10i128.pow(decimals), amount.abs() % 10i128.pow(decimals));
    let whole = grouped(&whole.to_string());
    let decimals = match decimals {
        0 => String::new(),
        decimals => format!(".{rest:0width$}", width = decimals as usize),
    };
    // A code is set apart from the number, by a space at which no line breaks.
    let symbol = SYMBOLS.iter().find(|(code, _)| *code == currency);
    let symbol =
        symbol.map_or_else(|| format!("{currency}\u{a0}"), |(_, symbol)| (*symbol).to_owned());
    format!("{sign}{symbol}{whole}{decimals}{letter}")
}

/// `1234567` as `1,234,567`.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(amount: Value, currency: &str, short: &str, long: &str) {
        let money = money(&amount, Some(currency));
        assert_eq!((&money["short"], &money["long"]), (&json!(short), &json!(long)), "{amount}");
    }

    #[test]
    fn the_long_form_has_the_decimals_of_the_currency() {
        check(json!(67.066), "USD", "$67.1", "$67.07");
        check(json!(1234.5), "EUR", "€1.2K", "€1,234.50");
        check(json!(1234), "JPY", "¥1.2K", "¥1,234");
        check(json!(12.345), "KWD", "KWD\u{a0}12.3", "KWD\u{a0}12.345");
        check(json!(-5), "GBP", "-£5.0", "-£5.00");
        check(json!(0), "USD", "$0.0", "$0.00");
    }

    #[test]
    fn the_short_form_has_one_decimal_and_rounds_half_to_even() {
        check(json!(50.45), "USD", "$50.4", "$50.45");
        check(json!(50.55), "USD", "$50.6", "$50.55");
        check(json!(999.94), "USD", "$999.9", "$999.94");
        check(json!(999.95), "USD", "$1.0K", "$999.95");
        check(json!(950), "USD", "$950.0", "$950.00");
        check(json!(1_500_000), "USD", "$1.5M", "$1,500,000.00");
        check(json!(500_199_800.0), "EUR", "€500.2M", "€500,199,800.00");
        check(json!(2.5e12), "USD", "$2.5T", "$2,500,000,000,000.00");
    }

    #[test]
    fn without_an_amount_or_a_currency_there_is_none() {
        assert_eq!(money(&Value::Null, Some("USD")), Value::Null);
        assert_eq!(money(&json!(1), None), Value::Null);
        assert_eq!(money(&json!(1.5), Some("USD"))["value"], json!(1.5));
        assert!(money(&json!(1e300), Some("USD"))["long"].is_string());
    }
}
