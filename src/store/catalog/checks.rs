//! What entries of several kinds have to keep to: names, other lines of text, and floors.

use super::CatalogError;
use crate::beacon::NAME_CHARS_MAX;
use crate::site::floor::Floor;

/// A name without spaces around it.
pub(super) fn checked_name(field: &'static str, name: &str) -> Result<String, CatalogError> {
    checked_text(field, name, NAME_CHARS_MAX)
}

/// A line of text without spaces around it, of 1 to `most` characters.
pub(super) fn checked_text(
    field: &'static str,
    text: &str,
    most: usize,
) -> Result<String, CatalogError> {
    let text = text.trim();
    if !(1..=most).contains(&text.chars().count()) || text.contains(char::is_control) {
        return Err(CatalogError::Name { field, most });
    }
    Ok(text.to_owned())
}

/// A number of visitors that can be the least that is told.
pub(super) fn checked_least(least: u32) -> Result<u32, CatalogError> {
    let can_be = (1..=Floor::MAX).contains(&least);
    can_be.then_some(least).ok_or(CatalogError::LeastVisitors(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_line_that_is_not_too_long() {
        assert_eq!(checked_name("name", " Sign up ").unwrap(), "Sign up");
        assert!(checked_name("name", &"ü".repeat(NAME_CHARS_MAX)).is_ok());
        for name in ["", "  ", "a\nb", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert!(checked_name("name", name).is_err(), "{name} was taken");
        }
    }

    #[test]
    fn a_floor_has_bounds() {
        assert!(checked_least(1).is_ok() && checked_least(Floor::MAX).is_ok());
        assert!(checked_least(0).is_err() && checked_least(Floor::MAX + 1).is_err());
    }
}
