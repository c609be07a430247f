//! Who has signed in with a provider, in memory alone: after a restart, the browser goes through the provider
//! again, which knows it still.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::random_text;
use crate::site::member::Person;

/// How long a session lasts, in seconds: 12 hours.
pub(crate) const SESSION_SECONDS: u32 = 43_200;
/// The most sessions at once; beyond them, the oldest ends.
const SESSIONS_MAX: usize = 10_000;

/// The sessions, by the hash of the secret that the browser keeps.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

struct Session {
    person: Person,
    ends: Timestamp,
}

impl Sessions {
    /// Begins a session; what the browser shows for it.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(crate) fn begin(&self, person: Person, now: Timestamp) -> Result<String, getrandom::Error> {
        let secret = random_text()?;
        let ends = now.saturating_add(SignedDuration::from_secs(SESSION_SECONDS.into()));
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= SESSIONS_MAX {
            sessions.retain(|_, session| now < session.ends);
        }
        if sessions.len() >= SESSIONS_MAX {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.ends);
            if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
                sessions.remove(&oldest);
            }
        }
        // Every time that there is, has 12 hours after it; the end of the calendar is one, too.
        sessions.insert(hash(&secret), Session { person, ends: ends.unwrap_or(Timestamp::MAX) });
        Ok(secret)
    }

    /// Whose session it is, while it lasts.
    pub(crate) fn person(&self, secret: &str, now: Timestamp) -> Option<Person> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&hash(secret)).filter(|session| now < session.ends);
        session.map(|session| session.person.clone())
    }

    /// Ends a session.
    pub(crate) fn end(&self, secret: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(secret));
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        Person::named(name).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_lasts_twelve_hours_unless_it_is_ended() {
        let sessions = Sessions::default();
        let secret = sessions.begin(person("anna@a.test"), at(0)).unwrap();
        let other = sessions.begin(person("bert@a.test"), at(0)).unwrap();
        assert_eq!(sessions.person(&secret, at(43_199)), Some(person("anna@a.test")));
        assert_eq!(sessions.person(&secret, at(43_200)), None);
        assert_eq!(sessions.person("", at(0)), None);
        sessions.end(&other);
        assert_eq!(sessions.person(&other, at(0)), None);
        assert_eq!(sessions.person(&secret, at(0)), Some(person("anna@a.test")));
    }

    #[test]
    fn there_are_only_so_many_and_the_oldest_end_first() {
        let sessions = Sessions::default();
        let first = sessions.begin(person("first@a.test"), at(0)).unwrap();
        let second = sessions.begin(person("second@a.test"), at(1)).unwrap();
        for _ in 2..=SESSIONS_MAX {
            sessions.begin(person("many@a.test"), at(2)).unwrap();
        }
        assert_eq!(sessions.0.lock().unwrap().len(), SESSIONS_MAX);
        assert_eq!(sessions.person(&first, at(2)), None);
        assert!(sessions.person(&second, at(2)).is_some());
        // What has ended makes room at once.
        sessions.begin(person("late@a.test"), at(90_000)).unwrap();
        assert_eq!(sessions.0.lock().unwrap().len(), 1);
    }
}
