//! The registry of dimensions: what a report can be broken down and filtered by.
//!
//! A [`Field`] is described in one place, the table below: public name, meaning, where it lives, its
//! SQL, and the label of a blank. Parsing, SQL, the JSON schema and the documentation derive from it.
//! What is not a field of a row is a variant of [`Dimension`]: custom properties, goals, and time.

use std::fmt;

use super::countries::COUNTRY_NAME;
use super::interval::Interval;
use crate::site::goal::Goal;

/// Where a field's value is to be found, with its SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// On each event; the same visit may have many values. An expression over a row of `events`.
    Event(&'static str),
    /// On the visit as a whole. An aggregate over the events of one visit.
    Visit(&'static str),
    /// The same on each event of a visit. An expression over a row of `events`.
    Either(&'static str),
}

/// All that there is to know of a [`Field`].
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// The name in queries.
    pub name: &'static str,
    /// What it is, in a sentence or two.
    pub doc: &'static str,
    /// A value of it.
    pub example: &'static str,
    /// Where it lives.
    pub home: Home,
    /// What reports say instead of a blank; empty where they show the blank.
    pub blank: &'static str,
    /// Whether its values are numbers (0 being the blank).
    pub number: bool,
}

macro_rules! fields {
    (@number) => { false };
    (@number number) => { true };
    ($($(#[doc = $doc:literal])+ $field:ident = $name:literal eg $example:literal, $home:expr, $blank:expr $(, $number:ident)?;)*) => {
        /// A dimension that is a field of an event or of a visit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field { $($(#[doc = $doc])+ $field,)* }

        impl Field {
            /// Every field, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$field),*];

            /// What there is to know of it.
            pub const fn spec(self) -> &'static FieldSpec {
                match self {
                    $(Self::$field => &FieldSpec {
                        name: $name,
                        doc: concat!($($doc),+),
                        example: $example,
                        home: $home,
                        blank: $blank,
                        number: fields!(@number $($number)?),
                    },)*
                }
            }
        }
    };
}

/// What a blank source is called: the visitor came by no link that we know of.
pub const DIRECT_OR_NONE: &str = "Direct / None";
/// What a blank is called where nothing better is known.
pub const NOT_SET: &str = "(not set)";
/// What a property is called on events that do not have it.
pub const NO_PROPERTY: &str = "(none)";

fields! {
    /// Name of the event: `pageview`, or the name of a custom event.
    EventName = "event:name" eg "Signup", Home::Event("name"), "";
    /// Path of the page, without its query string.
    Page = "event:page" eg "/blog/a-post", Home::Event("pathname"), "";
    /// Host of the page, without `www.`.
    Hostname = "event:hostname" eg "example.com", Home::Event("hostname"), "";
    /// Where the visit came from, by name: `Google`, `news.example`.
    Source = "visit:source" eg "Google", Home::Either("source"), DIRECT_OR_NONE;
    /// Marketing channel of the visit: `Organic Search`, `Email`.
    Channel = "visit:channel" eg "Organic Search", Home::Either("channel"), "Direct";
    /// Page that linked to the site, as host and path.
    Referrer = "visit:referrer" eg "news.example/today", Home::Either("referrer"), DIRECT_OR_NONE;
    /// `utm_source` of the first page.
    UtmSource = "visit:utm_source" eg "newsletter", Home::Either("utm_source"), NOT_SET;
    /// `utm_medium` of the first page.
    UtmMedium = "visit:utm_medium" eg "email", Home::Either("utm_medium"), NOT_SET;
    /// `utm_campaign` of the first page.
    UtmCampaign = "visit:utm_campaign" eg "spring", Home::Either("utm_campaign"), NOT_SET;
    /// `utm_content` of the first page.
    UtmContent = "visit:utm_content" eg "button", Home::Either("utm_content"), NOT_SET;
    /// `utm_term` of the first page.
    UtmTerm = "visit:utm_term" eg "running shoes", Home::Either("utm_term"), NOT_SET;
    /// Class of the device: `Desktop`, `Mobile`, `Tablet`.
    Device = "visit:device" eg "Mobile", Home::Either("device"), NOT_SET;
    /// The old name of `visit:device`.
    Screen = "visit:screen" eg "Mobile", Home::Either("device"), NOT_SET;
    /// Browser, without version.
    Browser = "visit:browser" eg "Firefox", Home::Either("browser"), NOT_SET;
    /// Version of the browser.
    BrowserVersion = "visit:browser_version" eg "132.0", Home::Either("browser_version"), NOT_SET;
    /// Operating system, without version.
    Os = "visit:os" eg "Android", Home::Either("os"), NOT_SET;
    /// Version of the operating system.
    OsVersion = "visit:os_version" eg "15", Home::Either("os_version"), NOT_SET;
    /// Language that the browser prefers, as a primary tag: `de`.
    Language = "visit:language" eg "de", Home::Either("language"), NOT_SET;
    /// Country, as ISO 3166-1 alpha-2 code: `DE`.
    Country = "visit:country" eg "DE", Home::Either("country"), "";
    /// Region, as ISO 3166-2 code: `DE-BE`.
    Region = "visit:region" eg "DE-BE", Home::Either("region"), "";
    /// City, as GeoNames id: `2950159`.
    City = "visit:city" eg "2950159", Home::Either("city"), "", number;
    /// Country, by its English name.
    CountryName = "visit:country_name" eg "Germany", Home::Either(COUNTRY_NAME), "";
    /// Region, by its English name.
    RegionName = "visit:region_name" eg "Berlin", Home::Either("region_name"), "";
    /// City, by its English name.
    CityName = "visit:city_name" eg "Berlin", Home::Either("city_name"), "";
    /// First page of the visit. Custom events do not make an entry page.
    EntryPage = "visit:entry_page" eg "/", Home::Visit("argMinIf(pathname, seq, name = 'pageview')"), "";
    /// Last page of the visit, in the order of arrival.
    ExitPage = "visit:exit_page" eg "/pricing", Home::Visit("argMaxIf(pathname, seq, name = 'pageview')"), "";
    /// Host of the first page of the visit.
    EntryHostname = "visit:entry_page_hostname" eg "example.com", Home::Visit("argMinIf(hostname, seq, name = 'pageview')"), "";
    /// Host of the last page of the visit.
    ExitHostname = "visit:exit_page_hostname" eg "shop.example.com", Home::Visit("argMaxIf(hostname, seq, name = 'pageview')"), "";
}

impl Field {
    /// The field of this public name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.spec().name == name)
    }

    /// Whether the strict profile leaves it out: it is of marketing, or finer than a region.
    pub fn is_left_out_by_strict_profiles(self) -> bool {
        matches!(
            self,
            Self::Channel
                | Self::UtmSource
                | Self::UtmMedium
                | Self::UtmCampaign
                | Self::UtmContent
                | Self::UtmTerm
                | Self::City
                | Self::CityName
        )
    }

    /// Whether its value may differ between the events of a visit.
    pub fn is_of_event(self) -> bool {
        matches!(self.spec().home, Home::Event(_))
    }

    /// Whether only the visit as a whole has it (entry and exit).
    pub fn is_of_visit(self) -> bool {
        matches!(self.spec().home, Home::Visit(_))
    }

    /// The values under which a filter finds its blanks.
    pub fn blank_names(self) -> &'static [&'static str] {
        match self {
            Self::Source | Self::Referrer => &[DIRECT_OR_NONE],
            Self::UtmSource
            | Self::UtmMedium
            | Self::UtmCampaign
            | Self::UtmContent
            | Self::UtmTerm => &[DIRECT_OR_NONE, NOT_SET],
            Self::Channel => &["Direct", NOT_SET],
            Self::EventName | Self::Page | Self::Hostname => &[],
            _ => &[NOT_SET],
        }
    }
}

/// The longest name of a custom property, in bytes.
const PROPERTY_NAME_MAX: usize = 300;

/// The prefix of the dimensions that are custom properties.
const PROPERTY_PREFIX: &str = "event:props:";

/// The name of a custom property: 1 to 300 bytes, chosen by the site.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PropertyName(String);

impl PropertyName {
    /// The name of the property that a dimension such as `event:props:plan` is.
    pub fn of_dimension(dimension: &str) -> Option<Self> {
        let name = dimension.strip_prefix(PROPERTY_PREFIX)?;
        (1..=PROPERTY_NAME_MAX).contains(&name.len()).then(|| Self(name.to_owned()))
    }

    /// The bare name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PropertyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PROPERTY_PREFIX}{}", self.0)
    }
}

/// The dimension that is the goals.
pub(super) const GOAL: &str = "event:goal";

/// The dimension that is the names of the properties.
pub(super) const PROPERTIES: &str = "event:props";

/// What a report is broken down by. `Display` gives its public name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A field of an event or a visit.
    Field(Field),
    /// A custom property of an event.
    Property(PropertyName),
    /// The names of the properties that an event has: a row for each of these.
    Properties,
    /// The goals that an event meets: a row for each of these.
    Goal(Vec<Goal>),
    /// Time, in buckets of the site's time zone.
    Time(Interval),
}

impl Dimension {
    /// Whether one visit may have several values of it.
    pub fn is_of_event(&self) -> bool {
        match self {
            Self::Field(field) => field.is_of_event(),
            Self::Property(_) | Self::Properties | Self::Goal(_) => true,
            Self::Time(_) => false,
        }
    }

    /// Whether only the visit as a whole has it.
    pub fn is_of_visit(&self) -> bool {
        matches!(self, Self::Field(field) if field.is_of_visit())
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => formatter.write_str(field.spec().name),
            Self::Property(name) => name.fmt(formatter),
            Self::Properties => formatter.write_str(PROPERTIES),
            Self::Goal(_) => formatter.write_str(GOAL),
            Self::Time(interval) => formatter.write_str(interval.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_field_is_found_by_its_own() {
        let names: HashSet<_> = Field::ALL.iter().map(|field| field.spec().name).collect();
        assert_eq!(names.len(), Field::ALL.len());
        for field in Field::ALL {
            assert_eq!(Field::named(field.spec().name), Some(*field));
        }
    }

    #[test]
    fn every_field_is_documented_in_sentences() {
        for field in Field::ALL {
            let doc = field.spec().doc.trim();
            assert!(doc.len() > 10 && doc.ends_with(['.', '`']), "{field:?}: {doc}");
        }
    }

    #[test]
    fn the_label_of_a_blank_finds_the_blanks() {
        for field in Field::ALL {
            let label = field.spec().blank;
            assert!(label.is_empty() || field.blank_names().contains(&label), "{field:?}");
        }
    }

    #[test]
    fn plain_columns_are_columns_of_an_event() {
        let columns: HashSet<_> = crate::event::Event::columns().collect();
        for field in Field::ALL {
            if let Home::Event(sql) | Home::Either(sql) = field.spec().home {
                assert!(columns.contains(sql) || sql == COUNTRY_NAME, "{field:?} reads {sql}");
            }
        }
    }

    #[test]
    fn a_property_has_a_name_of_1_to_300_bytes() {
        let name = |length: usize| {
            PropertyName::of_dimension(&format!("event:props:{}", "ä".repeat(length)))
        };
        assert_eq!(name(0), None);
        assert_eq!(name(150).unwrap().as_str().len(), 300);
        assert_eq!(name(151), None);
    }
}
