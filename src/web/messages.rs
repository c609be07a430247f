//! The words of the dashboard that are not part of one page's layout.

/// A title, and what to do.
pub(super) type Message = (&'static str, &'static str);

pub(super) const NOT_FOUND: Message =
    ("There is nothing here", "Check the address, or begin at the overview of your sites.");
pub(super) const DATABASE_AWAY: Message = (
    "The numbers are not at hand right now",
    "The database does not answer. Visits are still counted, and nothing is lost; try again in a moment.",
);
pub(super) const TOO_EXPENSIVE: Message =
    ("That is more than one page may ask for", "Choose a shorter period, or fewer filters.");
pub(super) const WRONG_VIEW: Message = (
    "This link asks for something that there is not",
    "A filter or a period in it is not known. Begin at the site's page.",
);
pub(super) const WRONG_TOKEN: &str =
    "That token opens nothing here. Copy it whole, or make a new one.";
