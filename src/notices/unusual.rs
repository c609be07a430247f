//! Whether the visitors of some hours are unusual: compared with the same hours of the weeks before, so that
//! neither nights nor weekends are.

use crate::config::{Alert, When};

/// With so many weeks it is compared, at most.
pub(super) const WEEKS: i64 = 4;
/// Of fewer weeks nothing is said.
const WEEKS_MIN: usize = 2;

/// Whether it is worth to look at the weeks before.
pub(super) fn may_be_unusual(alert: &Alert, visitors: u64) -> bool {
    match alert.when {
        When::Spike => visitors >= u64::from(alert.least()),
        When::Drop => true,
        When::Silence => visitors == 0,
    }
}

/// The usual number, when these visitors are unusual by what the alert says. `before` are those of the weeks
/// before that are known.
pub(super) fn unusual(alert: &Alert, visitors: u64, before: &[u64]) -> Option<f64> {
    let usual = median(before).filter(|_| before.len() >= WEEKS_MIN)?;
    let (visitors, least) = (visitors as f64, f64::from(alert.least()));
    let is_unusual = match alert.when {
        When::Spike => visitors >= least && visitors >= usual * alert.factor(),
        When::Drop => usual >= least && visitors <= usual / alert.factor(),
        When::Silence => usual >= least && visitors == 0.0,
    };
    is_unusual.then_some(usual)
}

/// One odd week does not change it.
fn median(numbers: &[u64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)? as f64;
    let lower =
        if sorted.len().is_multiple_of(2) { *sorted.get(middle - 1)? as f64 } else { upper };
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(text: &str) -> Alert {
        let rest = "site = 'a.test'\nwebhook = 'https://a.test'\n";
        toml::from_str(&format!("{rest}{text}")).unwrap()
    }

    #[test]
    fn what_is_unusual_is_found_and_what_is_not_is_let_be() {
        let spike = alert("when = 'spike'");
        let drop = alert("when = 'drop'");
        let silence = alert("when = 'silence'");
        let strict = alert("when = 'spike'\nfactor = 1.5\nleast = 5");
        for (alert, visitors, before, expected) in [
            (&spike, 90, &[30, 30][..], Some(30.0)),
            (&spike, 89, &[30, 30], None),
            (&spike, 90, &[30], None),
            (&spike, 90, &[], None),
            (&spike, 20, &[0, 1, 2], Some(1.0)),
            (&spike, 19, &[0, 0, 0], None),
            // One odd week, in either direction.
            (&spike, 90, &[30, 30, 900], Some(30.0)),
            (&spike, 90, &[30, 30, 0, 32], Some(30.0)),
            (&strict, 9, &[6, 6], Some(6.0)),
            (&strict, 8, &[6, 6], None),
            (&drop, 20, &[60, 60], Some(60.0)),
            (&drop, 21, &[60, 60], None),
            (&drop, 0, &[49, 49], None),
            (&silence, 0, &[20, 20], Some(20.0)),
            (&silence, 1, &[20, 20], None),
            (&silence, 0, &[19, 19], None),
            (&silence, 0, &[500], None),
        ] {
            let found = unusual(alert, visitors, before);
            assert_eq!(found, expected, "{alert:?} {visitors} {before:?}");
            assert!(found.is_none() || may_be_unusual(alert, visitors), "{alert:?} {visitors}");
        }
    }
}
