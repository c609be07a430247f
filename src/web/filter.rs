//! A filter of a view: what one dimension must be or contain, or must not; of several values one is enough.

use serde_json::{Value, json};

use super::words::{Lang, Words, countries, languages, values};

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Is,
    IsNot,
    Contains,
    ContainsNot,
}

impl Relation {
    pub(super) const ALL: [Self; 4] = [Self::Is, Self::IsNot, Self::Contains, Self::ContainsNot];

    /// Its name in the URL and in queries.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is_not",
            Self::Contains => "contains",
            Self::ContainsNot => "contains_not",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|relation| relation.name() == name)
    }

    pub(super) fn label(self, words: &Words) -> &'static str {
        match self {
            Self::Is => words.is,
            Self::IsNot => words.is_not,
            Self::Contains => words.contains,
            Self::ContainsNot => words.contains_not,
        }
    }

    fn turned(self) -> Self {
        match self {
            Self::Is => Self::IsNot,
            Self::IsNot => Self::Is,
            Self::Contains => Self::ContainsNot,
            Self::ContainsNot => Self::Contains,
        }
    }
}

/// What stands where a dimension does, for a set of filters that the site has saved; its value is a number.
pub(super) const SEGMENT: &str = "segment";

/// The dimension whose values are the site's goals.
pub(super) const GOAL: &str = "event:goal";

/// The dimensions whose values are read by other names than they have in queries.
const COUNTRY: &str = "visit:country_name";
const LANGUAGE: &str = "visit:language";
/// The longest tag of a language, in bytes.
const TAG_BYTES_MAX: usize = 3;
/// The most values of a filter.
pub(super) const VALUES_MAX: usize = 20;

/// The values of which a dimension must have one, or must have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) relation: Relation,
    pub(super) dimension: String,
    /// At least one, and none twice.
    pub(super) values: Vec<String>,
}

impl Filter {
    /// What a row of a list stands for.
    pub(super) fn is(dimension: &str, value: &str) -> Self {
        let values = vec![value.to_owned()];
        Self { relation: Relation::Is, dimension: dimension.to_owned(), values }
    }

    /// What is searched for in a list.
    pub(super) fn contains(dimension: &str, value: &str) -> Self {
        Self { relation: Relation::Contains, ..Self::is(dimension, value) }
    }

    /// Reads `is,visit:source,Google`. A comma in the name of a dimension is written `%2C`. Further values stand in pairs of
    /// their own behind it, so that no letter of a value stands for a gap between two.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ',');
        let (relation, dimension) = (parts.next()?, parts.next()?);
        let dimension = dimension.replace("%2C", ",").replace("%25", "%");
        Self::of(relation, &dimension, &[parts.next()?.to_owned()])
    }

    /// Reads the fields of the form; a filter without any value is none.
    pub(super) fn of(relation: &str, dimension: &str, values: &[String]) -> Option<Self> {
        let relation = Relation::named(relation)?;
        let mut filter = Self { relation, dimension: dimension.to_owned(), values: Vec::new() };
        values.iter().for_each(|value| filter.admit(value));
        (!dimension.is_empty() && !filter.values.is_empty()).then_some(filter)
    }

    /// Takes one value more; none is no value.
    pub(super) fn admit(&mut self, value: &str) {
        let is_whole_name = matches!(self.relation, Relation::Is | Relation::IsNot);
        let value = match self.dimension.as_str() {
            // Who reads it in German writes it in German.
            COUNTRY if is_whole_name => countries::english(value),
            dimension if is_whole_name => values::canonical(dimension, value),
            _ => value,
        };
        if !value.is_empty() && !self.values.iter().any(|known| known == value) {
            self.values.push(value.to_owned());
        }
    }

    /// The same with the values of another one as well.
    pub(super) fn or(&self, other: &Self) -> Self {
        let mut both = self.clone();
        other.values.iter().for_each(|value| both.admit(value));
        both
    }

    /// The same without one of its values, if there is another.
    pub(super) fn without(&self, value: &str) -> Option<Self> {
        let values: Vec<_> = self.values.iter().filter(|known| *known != value).cloned().collect();
        (!values.is_empty()).then(|| Self { values, ..self.clone() })
    }

    /// What [`Self::read`] reads, and the values beyond the first.
    pub(super) fn texts(&self) -> (String, &[String]) {
        let dimension = self.dimension.replace('%', "%25").replace(',', "%2C");
        let (first, others) =
            self.values.split_first().map_or(("", &[][..]), |(first, others)| (first, others));
        (format!("{},{dimension},{first}", self.relation.name()), others)
    }

    /// The opposite, where there is one: who did not meet a goal, or is not of a segment, can not be
    /// asked for.
    pub(super) fn turned(&self) -> Option<Self> {
        (![GOAL, SEGMENT].contains(&self.dimension.as_str()))
            .then(|| Self { relation: self.relation.turned(), ..self.clone() })
    }

    /// The same without minding capitals and what stands around the value, where somebody wrote a value as it is not: neither
    /// goals nor segments are typed.
    pub(super) fn loosened(&self) -> Option<Self> {
        let is_typed = ![GOAL, SEGMENT].contains(&self.dimension.as_str());
        (is_typed && self.relation == Relation::Is)
            .then(|| Self { relation: Relation::Contains, ..self.clone() })
    }

    /// Whether it asks the same of the same dimension, whatever the values.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.relation, &self.dimension) == (other.relation, &other.dimension)
    }

    /// Whether this one stands in place of an older one: two values that must both be are none.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self == other || (self.is_like(other) && self.relation == Relation::Is)
    }

    /// In the words of a query. People who look for a part of a word do not mind its capitals, and mean the
    /// word that they read.
    pub(super) fn to_query(&self, lang: Lang) -> Value {
        let name = self.relation.name();
        let ids = self.values.iter().map(|id| id.parse::<u32>().ok());
        if let (SEGMENT, Some(ids)) = (self.dimension.as_str(), ids.collect::<Option<Vec<_>>>()) {
            return json!([name, SEGMENT, ids]);
        }
        let (whole, both) = match self.relation {
            Relation::Is | Relation::IsNot => return json!([name, self.dimension, self.names()]),
            Relation::Contains => (Relation::Is, "or"),
            Relation::ContainsNot => (Relation::IsNot, "and"),
        };
        let found = self.values.iter().map(|part| (part, self.found(lang, part)));
        let (read, as_they_are): (Vec<_>, Vec<_>) = found.partition(|(_, found)| !found.is_empty());
        let mut names: Vec<&str> = Vec::new();
        for name in read.iter().flat_map(|(_, found)| found) {
            if !names.contains(name) {
                names.push(name);
            }
        }
        let parts: Vec<&String> = as_they_are.into_iter().map(|(part, _)| part).collect();
        let is_one = |names: Vec<&str>| json!([whole.name(), self.dimension, names]);
        let has_part =
            |parts: Vec<&String>| json!([name, self.dimension, parts, {"case_sensitive": false}]);
        match (names.is_empty(), parts.is_empty()) {
            (true, _) => has_part(parts),
            (false, true) => is_one(names),
            (false, false) => json!([both, [is_one(names), has_part(parts)]]),
        }
    }

    /// What queries call the values.
    fn names(&self) -> Vec<&str> {
        let values = self.values.iter().map(String::as_str);
        match self.dimension.as_str() {
            LANGUAGE => values.flat_map(languages::tags).collect(),
            _ => values.collect(),
        }
    }

    /// What queries call the values in whose names this is a part; none, where they are called as they are read.
    fn found<'a>(&self, lang: Lang, part: &'a str) -> Vec<&'a str> {
        match self.dimension.as_str() {
            COUNTRY => countries::containing(lang, part),
            LANGUAGE => {
                let mut tags: Vec<&str> = languages::containing(lang, part);
                // It may be the tag of one without a name, which is read as such.
                if !tags.is_empty() && part.len() <= TAG_BYTES_MAX {
                    tags.push(part);
                }
                tags
            }
            dimension => values::containing(lang, dimension, part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_its_text_whatever_its_value() {
        for text in
            ["is,visit:source,A&B, C", "contains_not,event:page,/x", "is_not,event:props:a,b,c"]
        {
            let filter = Filter::read(text);
            // A comma ends the dimension: what follows is the value, with commas of its own.
            assert_eq!(filter.unwrap().texts(), (text.to_owned(), &[][..]));
        }
        for text in ["", "is", "is,visit:source", "is,visit:source,", "like,visit:source,a"] {
            assert_eq!(Filter::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_property_may_have_a_comma_in_its_name() {
        for name in ["event:props:size, in cm", "event:props:50%,", "event:props:%2C"] {
            let filter = Filter::is(name, "a,b");
            assert_eq!(Filter::read(&filter.texts().0), Some(filter), "{name}");
        }
        // Links from before commas were written so.
        let filter = Filter::read("is,event:props:50%,a").unwrap();
        assert_eq!(filter.dimension, "event:props:50%");
    }

    #[test]
    fn a_language_without_a_name_is_found_by_its_tag() {
        let filter = Filter::read("contains,visit:language,is").unwrap().to_query(Lang::English);
        let tags = filter[2].as_array().unwrap();
        assert!(tags.contains(&json!("is")) && tags.contains(&json!("da")), "{filter}");
    }

    #[test]
    fn a_part_of_a_word_is_found_whatever_its_capitals() {
        let filter = Filter::read("contains,event:page,/Blog").unwrap();
        assert_eq!(
            filter.to_query(Lang::English),
            json!(["contains", "event:page", ["/Blog"], {"case_sensitive": false}])
        );
        assert_eq!(filter.turned().unwrap().relation, Relation::ContainsNot);
    }

    #[test]
    fn only_a_second_demand_of_the_same_dimension_replaces_the_first() {
        let (google, bing) =
            (Filter::is("visit:source", "Google"), Filter::is("visit:source", "Bing"));
        assert!(bing.replaces(&google));
        assert!(!bing.replaces(&google.turned().unwrap()));
        assert!(!bing.replaces(&Filter::is("visit:browser", "Bing")));
        assert_eq!(Filter::is("event:goal", "Signup").turned(), None);
    }

    #[test]
    fn a_value_that_was_typed_wrongly_is_looked_for_as_a_part() {
        let loosened = |text| Filter::read(text).unwrap().loosened().map(|filter| filter.texts().0);
        let expected = "contains,visit:source,google".to_owned();
        assert_eq!(loosened("is,visit:source,google"), Some(expected));
        for text in ["contains,visit:source,google", "is,event:goal,Signup", "is,segment,7"] {
            assert_eq!(loosened(text), None, "{text}");
        }
    }

    #[test]
    fn a_country_may_be_named_in_german() {
        for (relation, written, expected) in [
            ("is", "Deutschland", "Germany"),
            ("is_not", "frankreich", "France"),
            ("is", "Germany", "Germany"),
            ("is", "germany", "Germany"),
            ("is", "de", "Germany"),
            ("contains", "Niger", "Niger"),
        ] {
            let filter = Filter::of(relation, "visit:country_name", &[written.to_owned()]);
            assert_eq!(filter.unwrap().values, [expected]);
        }
        assert_eq!(Filter::is("event:page", "Deutschland").values, ["Deutschland"]);
    }

    #[test]
    fn a_channel_may_be_named_in_german() {
        for (relation, dimension, written, expected) in [
            ("is", "visit:channel", "organische suche", "Organic Search"),
            ("is_not", "visit:source", "Direkt / ohne Verweis", "Direct / None"),
            ("is", "visit:utm_medium", "E-Mail", "E-Mail"),
            ("contains", "visit:channel", "E-Mail", "E-Mail"),
        ] {
            let filter = Filter::of(relation, dimension, &[written.to_owned()]);
            assert_eq!(filter.unwrap().values, [expected]);
        }
        let found = Filter::read("contains,visit:channel,suche").unwrap();
        let queried = json!(["is", "visit:channel", ["Organic Search", "Paid Search"]]);
        assert_eq!(found.to_query(Lang::German), queried);
        let found = found.to_query(Lang::English);
        assert_eq!(found[0], "contains", "what is read in English is what queries know: {found}");
    }

    #[test]
    fn what_is_read_by_a_name_is_asked_for_by_what_queries_call_it() {
        let asked = |lang, text| Filter::read(text).unwrap().to_query(lang);
        for (lang, written, expected) in [
            (Lang::English, "is,visit:language,German", json!(["is", "visit:language", ["de"]])),
            (Lang::English, "is,visit:language,de", json!(["is", "visit:language", ["de"]])),
            (
                Lang::German,
                "is_not,visit:language,norwegisch",
                json!(["is_not", "visit:language", ["nb", "no"]]),
            ),
            (
                Lang::German,
                "contains_not,visit:language,ital",
                json!(["is_not", "visit:language", ["it"]]),
            ),
            (
                Lang::German,
                "contains,visit:country_name,deutsch",
                json!(["is", "visit:country_name", ["Germany"]]),
            ),
            (
                Lang::English,
                "contains,visit:country_name,deutsch",
                json!(["contains", "visit:country_name", ["deutsch"], {"case_sensitive": false}]),
            ),
        ] {
            assert_eq!(asked(lang, written), expected, "{written}");
        }
    }

    /// A filter of several values.
    fn several(relation: &str, dimension: &str, values: &[&str]) -> Filter {
        let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
        Filter::of(relation, dimension, &values).unwrap()
    }

    #[test]
    fn of_several_values_one_is_enough_and_each_is_asked_for_once() {
        let filter = several("is", "visit:source", &["Google", "", "Bing", "Google"]);
        assert_eq!(
            filter.to_query(Lang::English),
            json!(["is", "visit:source", ["Google", "Bing"]])
        );
        assert_eq!(filter.texts(), ("is,visit:source,Google".to_owned(), &["Bing".to_owned()][..]));
        assert_eq!(
            filter.turned().unwrap().to_query(Lang::English),
            json!(["is_not", "visit:source", ["Google", "Bing"]])
        );
        assert_eq!(filter.without("Google"), Some(Filter::is("visit:source", "Bing")));
        assert_eq!(Filter::is("visit:source", "Bing").without("Bing"), None);
        let more = filter.or(&several("is", "visit:source", &["Bing", "direkt / ohne verweis"]));
        assert_eq!(more.values, ["Google", "Bing", "Direct / None"]);
        let languages = several("is", "visit:language", &["German", "norwegian"]);
        let tags = json!(["is", "visit:language", ["de", "nb", "no"]]);
        assert_eq!(languages.to_query(Lang::English), tags);
        let segments = several("is", SEGMENT, &["7", "9"]);
        assert_eq!(segments.to_query(Lang::English), json!(["is", "segment", [7, 9]]));
        assert_eq!(Filter::of("is", "visit:source", &[String::new()]), None);
    }

    #[test]
    fn parts_of_names_that_are_read_stand_beside_parts_of_those_that_are_not() {
        let channels =
            |relation| several(relation, "visit:channel", &["suche", "Xyz", "organische"]);
        let names = [
            "Organic Search",
            "Paid Search",
            "Organic Shopping",
            "Organic Social",
            "Organic Video",
        ];
        assert_eq!(
            channels("contains").to_query(Lang::German),
            json!(["or", [
                ["is", "visit:channel", names],
                ["contains", "visit:channel", ["Xyz"], {"case_sensitive": false}],
            ]])
        );
        assert_eq!(
            channels("contains_not").to_query(Lang::German),
            json!(["and", [
                ["is_not", "visit:channel", names],
                ["contains_not", "visit:channel", ["Xyz"], {"case_sensitive": false}],
            ]])
        );
    }

    #[test]
    fn a_segment_is_asked_for_by_its_number() {
        let segment = Filter::is(SEGMENT, "7");
        assert_eq!(segment.to_query(Lang::English), json!(["is", "segment", [7]]));
        assert_eq!(segment.turned(), None);
    }
}
