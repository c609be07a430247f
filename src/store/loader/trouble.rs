//! What can be wrong with an insert, and what is done about it. What ClickHouse's codes mean, `store/codes.rs` says.

use prometheus_client::encoding::EncodeLabelSet;

use crate::store::StoreError;
use crate::store::codes::{self, Meaning};

/// The kind of a failed insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// ClickHouse does not answer, or the answer was cut: sent again for ever.
    Away,
    /// ClickHouse can not take anything now: sent again for ever.
    Busy,
    /// A person has to mend something: a right, a password, a table. Sent again for ever, with an alarm.
    Held,
    /// A row is one that ClickHouse will never take: it is looked for and put aside.
    Poison,
}

/// What failed inserts are counted under.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Class {
    /// `away`, `busy`, `held` or `poison`.
    pub class: &'static str,
}

impl Trouble {
    pub(super) const ALL: [Self; 4] = [Self::Away, Self::Busy, Self::Held, Self::Poison];

    pub(super) fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Away,
            StoreError::Busy { .. } => Self::Busy,
            StoreError::Rejected { code, .. } if codes::meaning(*code) == Meaning::Poison => {
                Self::Poison
            }
            StoreError::Limit { .. }
            | StoreError::Denied { .. }
            | StoreError::Missing { .. }
            | StoreError::Unreadable(_)
            | StoreError::Emptied
            | StoreError::NoRandomness
            | StoreError::Rejected { .. } => Self::Held,
        }
    }

    pub(super) fn class(self) -> Class {
        let class = match self {
            Self::Away => "away",
            Self::Busy => "busy",
            Self::Held => "held",
            Self::Poison => "poison",
        };
        Class { class }
    }

    /// Says once what is wrong: an outage ends by itself, anything else needs somebody.
    pub(super) fn report(self, error: &StoreError) {
        match self {
            Self::Away | Self::Busy => {
                tracing::warn!(%error, "events wait in the spool until ClickHouse takes them");
            }
            Self::Held => {
                tracing::error!(%error, "ClickHouse refuses events, which wait in the spool; this needs to be mended");
            }
            // The server's message may repeat the event.
            Self::Poison => {
                tracing::error!(
                    code = error.code(),
                    "ClickHouse refuses an event; it is tried again, and then put aside"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_whether_to_wait_to_call_somebody_or_to_look_for_a_row() {
        let of = |code| Trouble::of(&StoreError::of_code(code, String::new()));
        for code in
            [202, 209, 210, 236, 242, 243, 252, 279, 285, 319, 364, 394, 425, 439, 999, 1000]
        {
            assert_eq!(of(code), Trouble::Busy, "{code}");
        }
        for code in [16, 60, 81, 158, 164, 192, 193, 194, 307, 497, 516] {
            assert_eq!(of(code), Trouble::Held, "{code}");
        }
        for code in [6, 26, 27, 32, 33, 36, 53, 70, 117, 131, 395] {
            assert_eq!(of(code), Trouble::Poison, "{code}");
        }
        assert_eq!(of(0), Trouble::Held, "a code that nobody has heard of");
        assert_eq!(Trouble::of(&StoreError::Unavailable(String::new())), Trouble::Away);
        assert_eq!(Trouble::of(&StoreError::Emptied), Trouble::Held);
    }
}
