//! Who may do what with a site: people by the name that they sign in with, each with a role.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name of a person, in bytes: an address of mail has no more.
pub const PERSON_BYTES_MAX: usize = 254;

/// What somebody may do with a site. Each role may do what those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See the site's reports, all of them.
    Viewer,
    /// Say what is looked for in them: goals, segments, funnels; and what happened: annotations.
    Editor,
    /// Decide about the site and who reads it: its days, its links, tokens and members.
    Owner,
}

impl Role {
    /// All of them, the one that may least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    /// Its name, as forms, requests and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A person, by the name under which whoever signs people in knows them: an address of mail, mostly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person(String);

impl Person {
    /// The person of this name, if it can be one: 1 to [`PERSON_BYTES_MAX`] bytes without spaces, commas and
    /// control characters.
    ///
    /// Addresses of mail are the same in capitals; other names may differ by that alone. Only ASCII is taken
    /// for alike, because elsewhere different letters have the same small one.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';');
        if name.is_empty() || name.len() > PERSON_BYTES_MAX || name.contains(is_odd) {
            return None;
        }
        let is_address = name.contains('@');
        Some(Self(if is_address { name.to_ascii_lowercase() } else { name.to_owned() }))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        assert!(Role::Viewer < Role::Editor && Role::Editor < Role::Owner);
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert_eq!(Role::named("admin"), None);
    }

    #[test]
    fn an_address_is_the_same_in_capitals_and_another_name_is_not() {
        let person = |name| Person::named(name).unwrap();
        assert_eq!(person(" Anna@Example.com"), person("anna@example.com"));
        assert_ne!(person("Xy12"), person("xy12"));
        // The sign of Kelvin has the small letter of K; it is another person's.
        assert_ne!(person("\u{212a}ay@example.com"), person("kay@example.com"));
    }

    #[test]
    fn what_can_be_several_or_none_is_no_person() {
        let long = "a".repeat(PERSON_BYTES_MAX + 1);
        for name in ["", " ", "a@b.test, c@d.test", "a b", "a\nb", "a;b", &long] {
            assert_eq!(Person::named(name), None, "{name:?}");
        }
    }
}
