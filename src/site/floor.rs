//! The least number of visitors that some readers are told: those who came by a shared link, who look at
//! a public site, or whose token is marked.

use std::num::NonZeroU32;

/// The least number of visitors that a reader is told. What is fewer, and what would tell of fewer, is
/// told as a part of something greater, or not at all: `report::floor` says how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor(NonZeroU32);

impl Floor {
    /// That of a shared link or a marked token of which nothing else is said.
    pub const OF_A_LINK: u32 = 5;
    /// That of a public site of which nothing else is said.
    pub const OF_THE_PUBLIC: u32 = 10;
    /// The highest there is.
    pub const MAX: u32 = 1_000;

    /// The floor of so many visitors; below two there is none, every number is told.
    pub fn of(least: u32) -> Option<Self> {
        NonZeroU32::new(least).filter(|least| least.get() > 1).map(Self)
    }

    /// So many visitors, at least.
    pub fn least(self) -> u64 {
        self.0.get().into()
    }

    /// Whether so many would tell of few: some, but fewer than the least.
    pub fn is_few(self, count: u64) -> bool {
        (1..self.least()).contains(&count)
    }

    /// The nearest multiple of the least number: what is told instead of the number itself. What is not
    /// few does not become nothing.
    pub fn rounded(self, count: u64) -> u64 {
        let least = self.least();
        (count + least / 2) / least * least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_number_never_tells_that_something_is_few() {
        for least in 2..40 {
            let floor = Floor::of(least).unwrap();
            for count in 0..500 {
                let told = floor.rounded(count);
                let meant: Vec<u64> =
                    (0..600).filter(|other| floor.rounded(*other) == told).collect();
                assert!(meant.iter().any(|other| !floor.is_few(*other)), "{least}: {count}");
                assert!(told.abs_diff(count) <= floor.least() / 2);
                assert_eq!(told % floor.least(), 0);
                assert!(floor.is_few(count) || (told == 0) == (count == 0), "{least}: {count}");
            }
        }
    }

    #[test]
    fn below_two_there_is_no_floor() {
        assert_eq!((Floor::of(0), Floor::of(1)), (None, None));
        assert_eq!(Floor::of(5).unwrap().least(), 5);
    }
}
