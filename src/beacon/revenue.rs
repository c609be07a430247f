//! What an event is worth: an amount and a currency.

use serde::Deserialize;
use serde_json::Value;

use super::json;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revenue {
    /// Thousandths of the currency's unit; negative for refunds.
    pub thousandths: i64,
    /// ISO 4217 code, upper-case.
    pub currency: &'static str,
}

/// Active ISO 4217 codes of currencies that things are paid in.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP \
    BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF \
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD \
    LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR \
    PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY \
    TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

#[derive(Deserialize)]
struct Sent {
    amount: Value,
    currency: String,
}

impl Revenue {
    /// Reads `{amount, currency}` from an object or from a text that holds one. What is not an
    /// amount in a known currency is `None`: the event is kept, its worth is not known.
    pub fn read(sent: Value) -> Option<Self> {
        let sent: Sent = match sent {
            Value::String(text) => json::read(text.as_bytes()).ok()?,
            value => serde_json::from_value(value).ok()?,
        };
        let thousandths = match sent.amount {
            Value::String(text) => thousandths(text.trim())?,
            Value::Number(number) => thousandths(&number.to_string())?,
            _ => return None,
        };
        Some(Self { thousandths, currency: currency(&sent.currency)? })
    }
}

/// The code as the list has it, whatever its case; `None` for a currency that does not exist.
pub(crate) fn currency(code: &str) -> Option<&'static str> {
    CURRENCIES.split_ascii_whitespace().find(|known| known.eq_ignore_ascii_case(code))
}

/// A decimal number (`12`, `-0.5`, `+.5`, `1.2345`, `1e3`) in thousandths, rounded half away from zero.
pub(crate) fn thousandths(decimal: &str) -> Option<i64> {
    let (sign, digits) = match decimal.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, decimal.strip_prefix('+').unwrap_or(decimal)),
    };
    if digits.contains(['e', 'E']) {
        let amount: f64 = decimal.parse().ok()?;
        return (amount.abs() < 1e15).then(|| (amount * 1000.0).round() as i64);
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || whole.len() > 15 || !digits_only(whole) || !digits_only(fraction) {
        return None;
    }
    let digit =
        |place: usize| i64::from(fraction.as_bytes().get(place).map_or(0, |byte| byte - b'0'));
    let rounded_up = i64::from(digit(3) >= 5);
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    Some(sign * (whole * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2) + rounded_up))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_is_read_from_text_and_numbers() {
        for (amount, expected) in [
            (json!("12.5"), 12_500),
            (json!(12.5), 12_500),
            (json!(12), 12_000),
            (json!("-0.0005"), -1),
            (json!("1e3"), 1_000_000),
            (json!(".5"), 500),
            (json!("-.5"), -500),
            (json!("+5"), 5_000),
            (json!("5."), 5_000),
        ] {
            let sent = json!({"amount": amount, "currency": "eur"});
            assert_eq!(
                Revenue::read(sent),
                Some(Revenue { thousandths: expected, currency: "EUR" }),
                "{amount}"
            );
        }
    }

    #[test]
    fn a_text_that_holds_an_object_is_read() {
        let sent = json!(r#"{"amount": "7", "currency": "USD"}"#);
        assert_eq!(Revenue::read(sent), Some(Revenue { thousandths: 7_000, currency: "USD" }));
    }

    #[test]
    fn what_is_no_amount_in_a_known_currency_is_no_revenue() {
        for sent in [
            json!({"amount": "x", "currency": "EUR"}),
            json!({"amount": "1", "currency": "XYZ"}),
            json!({"amount": "1 ", "currency": ""}),
            json!({"amount": null, "currency": "EUR"}),
            json!({"amount": "", "currency": "EUR"}),
            json!({"amount": ".", "currency": "EUR"}),
            json!({"amount": "+", "currency": "EUR"}),
            json!({"amount": "+-5", "currency": "EUR"}),
            json!({"amount": "1e400", "currency": "EUR"}),
            json!({"amount": "9999999999999999", "currency": "EUR"}),
            json!("7"),
            json!([]),
        ] {
            assert_eq!(Revenue::read(sent.clone()), None, "{sent}");
        }
    }
}
