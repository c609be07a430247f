//! What ClickHouse's error codes mean (`SELECT number, errorCodeToName(number) …`).
//!
//! This is the one place that sorts them: whether an insert is sent again, a row put aside, a report refused for good or asked for
//! again, all follow from it. A code that is on none of the lists is [`Meaning::Unknown`], and nothing is guessed of it.

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Too much to do, too many parts, no space, shutting down, read-only for now, another server of the cluster away, not known
    /// whether it was done: it ends by itself, and says nothing of what was sent.
    Busy,
    /// Time or memory ran out. A report can ask for less. An insert can not, and is never large: for it, it ends by itself.
    Exhausted,
    /// A limit on what one statement may want.
    Limit,
    /// The database or a table is not there.
    Missing,
    /// The user is not known, or may not do that.
    Denied,
    /// Data that will never be taken: it can not be read, is too large, or is of the wrong type.
    Poison,
    /// Anything else. Nothing is lost by waiting for a person, and something may be by guessing.
    Unknown,
}

/// What a code means.
pub(super) const fn meaning(code: u32) -> Meaning {
    match code {
        202 | 209 | 210 | 236 | 242 | 243 | 252 | 279 | 285 | 319 | 364 | 394 | 425 | 439 | 999
        | 1000 => Meaning::Busy,
        TIMEOUT_EXCEEDED | 241 => Meaning::Exhausted,
        158 | 160 | 306 | 307 | 396 => Meaning::Limit,
        60 | 81 => Meaning::Missing,
        192..=195 | 492 | 497 | 516 => Meaning::Denied,
        6 | 26 | 27 | 32 | 33 | 36 | 53 | 70 | 117 | 131 | 395 => Meaning::Poison,
        _ => Meaning::Unknown,
    }
}

/// The statement took longer than it may.
pub(super) const TIMEOUT_EXCEEDED: u32 = 159;
