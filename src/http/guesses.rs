//! How often the passwords of shared links may be guessed: so many times a minute for each link, whoever
//! guesses. Addresses are not asked: they are no secret of a guesser's, and none is kept here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

/// The most wrong guesses of one link in a while.
const GUESSES_MAX: u32 = 10;
/// The while.
const WHILE: SignedDuration = SignedDuration::from_mins(1);
/// So many guesses are looked at together: each takes memory, and a core for some milliseconds.
const AT_A_TIME: usize = 1;

/// The guesses of late.
#[derive(Clone)]
pub struct Guesses {
    wrong: Arc<Mutex<HashMap<u32, (Timestamp, u32)>>>,
    turns: Arc<Semaphore>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { wrong: Arc::default(), turns: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Guesses {
    /// Looks at a guess with `is_right`, away from the threads that answer requests; `None` when there were
    /// too many of late.
    pub async fn look(
        &self,
        link: u32,
        now: Timestamp,
        is_right: impl FnOnce() -> bool + Send + 'static,
    ) -> Option<bool> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        if !self.may_guess(link, now) {
            return None;
        }
        let guesses = self.clone();
        // It goes on when whoever guesses goes away, and so do its turn and its count.
        let look = move || {
            let _turn = turn;
            let is_right = is_right();
            if !is_right {
                guesses.note(link, now);
            }
            is_right
        };
        Some(tokio::task::spawn_blocking(look).await.unwrap_or(false))
    }

    fn may_guess(&self, link: u32, now: Timestamp) -> bool {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back ends a while, too.
        wrong.retain(|_, (since, _)| now.duration_since(*since).abs() < WHILE);
        wrong.get(&link).is_none_or(|(_, count)| *count < GUESSES_MAX)
    }

    fn note(&self, link: u32, now: Timestamp) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.entry(link).or_insert((now, 0)).1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_too_many_wrong_guesses_even_a_right_one_is_not_looked_at() {
        let guesses = Guesses::default();
        let at = |second: i64| Timestamp::from_second(1_000 + second).unwrap();
        for _ in 0..GUESSES_MAX {
            assert_eq!(guesses.look(1, at(0), || false).await, Some(false));
        }
        assert_eq!(guesses.look(1, at(59), || true).await, None);
        assert_eq!(guesses.look(2, at(59), || true).await, Some(true), "each link has its own");
        assert_eq!(guesses.look(1, at(60), || true).await, Some(true));
    }

    #[tokio::test]
    async fn a_guess_keeps_its_turn_and_is_counted_when_whoever_made_it_goes_away() {
        let guesses = Guesses::default();
        let now = Timestamp::from_second(1_000).unwrap();
        for guess in 1..=GUESSES_MAX {
            let (begun, has_begun) = tokio::sync::oneshot::channel();
            let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
            let look = move || {
                let _ = begun.send(());
                may_go_on.recv().is_err()
            };
            tokio::select! {
                _ = guesses.look(1, now, look) => unreachable!("it may not go on yet"),
                _ = has_begun => {}
            }
            assert_eq!(guesses.turns.available_permits(), 0);
            go_on.send(()).unwrap();
            let _turn = guesses.turns.acquire().await.unwrap();
            assert_eq!(guesses.wrong.lock().unwrap()[&1].1, guess);
        }
        assert_eq!(guesses.look(1, now, || true).await, None);
    }

    #[tokio::test]
    async fn right_guesses_are_not_counted() {
        let guesses = Guesses::default();
        let now = Timestamp::from_second(1_000).unwrap();
        for _ in 0..GUESSES_MAX * 3 {
            assert_eq!(guesses.look(1, now, || true).await, Some(true));
        }
    }
}
