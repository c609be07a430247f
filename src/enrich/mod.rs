//! What a beacon tells of: the page, where the visit came from, the browser and the language.
//!
//! Everything here is pure: no clock, no I/O, no log. The lists are compiled in; `data/README.md` names
//! where each comes from.

pub mod acquisition;
pub mod agent;
pub mod language;
pub mod page;
pub mod places;
pub mod profile;
pub mod remembered;
pub mod scrub;
pub mod text;
