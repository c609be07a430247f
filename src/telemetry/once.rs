//! What is looked at again and again, and told of once.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

/// What was wrong with something when it was looked at last.
#[derive(Default)]
pub struct ToldOnce(Mutex<Option<String>>);

impl ToldOnce {
    /// Nothing is wrong.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether this trouble is to be told of: it is another than the last time, or there was none.
    pub fn is_new(&self, trouble: &impl Display) -> bool {
        let trouble = trouble.to_string();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.replace(trouble.clone()) != Some(trouble)
    }

    /// Nothing is wrong any more.
    pub fn is_over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
