//! Why a change of the catalog was not made.

use super::annotations::{FIRST_DAY, LAST_DAY};
use super::sites::RETENTION_DAYS_MAX;
use crate::site::floor::Floor;
use crate::site::policy::CNIL_RETENTION_DAYS_MAX;
use crate::store::StoreError;

/// A change of the catalog was not made.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The domain can not be one.
    #[error("domain `{0}` is not a host name: give it as `example.com`, without https:// and path")]
    Domain(String),
    /// Another site has the domain.
    #[error("domain `{0}` is registered already")]
    DomainTaken(String),
    /// The site has rules of its own, by its domain.
    #[error(
        "domain `{to}` has other rules than `{from}`, which has its own in privacy.sites of the configuration: write the same there for \
         `{to}`, start the collector again, and rename then"
    )]
    RulesStay {
        /// The domain that the site has.
        from: String,
        /// The one that it was to have.
        to: String,
    },
    /// There is no such time zone.
    #[error("timezone `{0}` is not an IANA time zone name such as Europe/Berlin")]
    TimeZone(String),
    /// The number of days is out of bounds.
    #[error("retention_days {0} is more than {RETENTION_DAYS_MAX}")]
    RetentionDays(u32),
    /// The profile asks for less.
    #[error(
        "retention_days {0} must be from 1 to {CNIL_RETENTION_DAYS_MAX} (25 months), because privacy.profile is cnil"
    )]
    RetentionOfProfile(u32),
    /// The text is no date.
    #[error("day `{0}` is not a date such as 2027-01-31")]
    Day(String),
    /// A floor is out of bounds.
    #[error(
        "least_visitors {0} must be a whole number from 1, which tells every number, to {max}",
        max = Floor::MAX
    )]
    LeastVisitors(u32),
    /// Who administers sees every number.
    #[error("least_visitors is for tokens with the scope `stats`: administrators see every number")]
    LeastOfAdmin,
    /// The password of a link is too short or too long.
    #[error("password must have at least {fewest} characters, and {most} bytes at most")]
    Password {
        /// The fewest characters.
        fewest: usize,
        /// The most bytes.
        most: usize,
    },
    /// There is no such site.
    #[error("there is no site `{0}`: `passerby site list` shows the sites there are")]
    UnknownSite(String),
    /// There is no such token.
    #[error("there is no token `{0}`: `passerby token list` shows the tokens there are")]
    UnknownToken(String),
    /// A name has too few or too many characters.
    #[error("{field} must have 1 to {most} characters, and no line breaks")]
    Name {
        /// Where it stands.
        field: &'static str,
        /// The most characters.
        most: usize,
    },
    /// Engagement reports are no events.
    #[error(
        "event_name must not be `engagement`: that is how pages tell of attention, and no event"
    )]
    EventName,
    /// The path can not be one of a page.
    #[error(
        "page_path `{path}` must begin with / and have {most} bytes at most; * in it is any characters"
    )]
    PagePath {
        /// What was given.
        path: String,
        /// The most bytes.
        most: usize,
    },
    /// How far a page is scrolled is told in percent.
    #[error("scroll_threshold {0} must be a whole number from 0 to 100")]
    ScrollThreshold(String),
    /// There is no such currency.
    #[error("currency `{0}` is not an ISO 4217 code such as EUR")]
    Currency(String),
    /// Only events have revenue.
    #[error("currency is for goals of events: visits of pages and scrolling bring no revenue")]
    CurrencyOfPage,
    /// Another goal has the name.
    #[error("display_name `{0}` is the name of another goal of this site")]
    GoalNameTaken(String),
    /// There is no such goal.
    #[error("there is no goal {0}: `passerby goal list` shows the goals of a site")]
    UnknownGoal(u32),
    /// Something is missing that a segment has.
    #[error("a new segment needs a name and filters")]
    SegmentNeeds,
    /// A filter of a segment is none.
    #[error("{0}")]
    Filters(String),
    /// Another segment has the name.
    #[error("name `{0}` is the name of another segment of this site")]
    SegmentNameTaken(String),
    /// A form would change a link that there is, of which it does not show what it is.
    #[error("the site has a shared link {0} already: remove it, or choose another name")]
    LinkNameTaken(String),
    /// There is no such segment.
    #[error("there is no segment {0}: `passerby segment list` shows the segments of a site")]
    UnknownSegment(u32),
    /// A step of a funnel is none, or there are too few or too many.
    #[error("{0}")]
    Steps(String),
    /// There is no such funnel.
    #[error("there is no funnel {0}: the settings of the site show its funnels")]
    UnknownFunnel(u32),
    /// A new annotation says nothing.
    #[error("text is missing: what happened, in 1 to 200 characters")]
    AnnotationNeeds,
    /// The text is no date that an annotation can stand beside.
    #[error("date `{0}` is not a date from {FIRST_DAY} to {LAST_DAY}, written as 2027-01-31")]
    Date(String),
    /// There is no such annotation.
    #[error(
        "there is no annotation {0}: `passerby annotation list` shows the annotations of a site"
    )]
    UnknownAnnotation(u32),
    /// What the collector wrote is not changed.
    #[error(
        "annotation {0} tells what the collector did, and can not be changed: it can be removed"
    )]
    AutomaticAnnotation(u32),
    /// There is no such shared link.
    #[error("there is no shared link `{0}`: `passerby link list` shows the links of a site")]
    UnknownLink(String),
    /// The text can not be the name of a person.
    #[error(
        "`{0}` is not the name of a person: it must be one address of mail or another name without spaces, of {most} \
         bytes at most",
        most = crate::site::member::PERSON_BYTES_MAX
    )]
    Person(String),
    /// There is no such role.
    #[error("role `{0}` must be viewer, editor or owner")]
    Role(String),
    /// The person is no member there.
    #[error("`{0}` is no member there: `passerby member list` shows the members there are")]
    UnknownMember(String),
    /// The site, or every site, has as many as it may.
    #[error("a site has {most} {what} at most")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may have.
        most: usize,
    },
    /// The system gave no random bytes.
    #[error("the system's random generator does not answer")]
    NoRandomness,
    /// A fault of the program's, which the log has, stopped what a password is kept as.
    #[error("the password could not be made into what is kept of it; the collector's log says why")]
    NotHashed,
    /// ClickHouse did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
