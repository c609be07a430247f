//! The password of a shared link: people choose it, so that it can be guessed, and it is kept as an
//! argon2id hash alone, which makes each guess slow.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sha2::{Digest, Sha256};

use super::CatalogError;
use crate::hex;

/// The fewest characters of a password.
const CHARS_MIN: usize = 8;
/// The most bytes: what is longer is no password.
const BYTES_MAX: usize = 200;

/// A password, as its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The hash of a password. It takes some milliseconds, by design.
    ///
    /// # Errors
    /// When it is too short or too long, or the system gives no randomness.
    pub fn of(text: &str) -> Result<Self, CatalogError> {
        if text.chars().count() < CHARS_MIN || text.len() > BYTES_MAX {
            return Err(CatalogError::Password { fewest: CHARS_MIN, most: BYTES_MAX });
        }
        let hash = Argon2::default().hash_password(text.as_bytes());
        let hash: PasswordHash = hash.map_err(|_| CatalogError::NoRandomness)?;
        Ok(Self(hash.to_string()))
    }

    /// That of a row; an empty one is none.
    pub(super) fn of_hash(hash: &str) -> Option<Self> {
        (!hash.is_empty()).then(|| Self(hash.to_owned()))
    }

    pub(super) fn into_hash(self) -> String {
        self.0
    }

    /// Whether a guess is right. It takes some milliseconds, by design.
    pub fn is(&self, guess: &str) -> bool {
        let known = PasswordHash::new(&self.0);
        guess.len() <= BYTES_MAX
            && known.is_ok_and(|known| {
                Argon2::default().verify_password(guess.as_bytes(), &known).is_ok()
            })
    }

    /// What a browser shows instead of the password once that was right: another password, or another
    /// link, has another proof, and nobody who lacks the hash can make it.
    pub fn proof(&self, slug: &str) -> String {
        hex::encode(&Sha256::digest(format!("{}\n{slug}", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone_and_proven_for_one_link() {
        let (one, other) =
            (Password::of("long enough").unwrap(), Password::of("long enough").unwrap());
        assert!(one.0.starts_with("$argon2id$") && !one.0.contains("long enough"));
        assert!(one.is("long enough") && !one.is("long enougH") && !one.is(""));
        assert!(Password::of_hash(&one.0).unwrap().is("long enough"));
        assert!(!Password("nonsense".into()).is("nonsense"));
        assert_ne!(one.proof("a"), one.proof("b"));
        assert_ne!(one.proof("a"), other.proof("a"), "each has a salt of its own");
    }

    #[test]
    fn a_password_is_neither_short_nor_endless() {
        assert!(Password::of("7 chars").is_err());
        assert!(Password::of("8 chars.").is_ok());
        assert!(Password::of(&"a".repeat(BYTES_MAX + 1)).is_err());
    }
}
