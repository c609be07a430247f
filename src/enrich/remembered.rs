//! What user agents came to, remembered without the user agents.
//!
//! Looking at one takes some microseconds, and the same ones come again and again. But they must not stay
//! in memory when their requests are gone: so answers are kept by a hash, keyed anew in each process.

use std::hash::{BuildHasher, RandomState};

use quick_cache::sync::Cache;

/// How many answers are remembered.
const REMEMBERED: usize = 4_096;

/// A bounded memory of answers.
pub struct Remembered<T> {
    answers: Cache<u64, T>,
    /// Nobody can look for two texts that share an answer: whoever sends them does not know the key.
    key: RandomState,
}

impl<T: Clone> Default for Remembered<T> {
    fn default() -> Self {
        Self { answers: Cache::new(REMEMBERED), key: RandomState::new() }
    }
}

impl<T: Clone> Remembered<T> {
    /// The answer to a text: the remembered one, or the one that is found now.
    pub fn or_find(&self, text: &str, find: impl FnOnce() -> T) -> T {
        let key = self.key.hash_one(text);
        if let Some(known) = self.answers.get(&key) {
            return known;
        }
        let found = find();
        self.answers.insert(key, found.clone());
        found
    }

    /// How often an answer was remembered, and how often it had to be found.
    pub fn counts(&self) -> (u64, u64) {
        (self.answers.hits(), self.answers.misses())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_once_and_each_text_has_its_own() {
        let remembered = Remembered::default();
        assert_eq!(remembered.or_find("a", || 1), 1);
        assert_eq!(remembered.or_find("b", || 2), 2);
        assert_eq!(remembered.or_find("a", || panic!("it was forgotten")), 1);
    }
}
