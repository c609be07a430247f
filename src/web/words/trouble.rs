//! Why a change was not made, in the words of the forms of these pages: those of the API name its fields and the command line.

use super::{Lang, fill};
use crate::site::floor::Floor;
use crate::site::member::PERSON_BYTES_MAX;
use crate::site::policy::CNIL_RETENTION_DAYS_MAX;
use crate::store::catalog::{CatalogError, RETENTION_DAYS_MAX};

impl Lang {
    /// What is wrong with a form, and what to do.
    pub(in crate::web) fn trouble(self, error: &CatalogError) -> String {
        let words = self.words();
        let number = |number: usize| number.to_string();
        match error {
            CatalogError::Domain(domain) => fill(words.wrong_domain, &[domain]),
            CatalogError::DomainTaken(domain) => fill(words.domain_taken, &[domain]),
            CatalogError::RulesStay { from, to } => fill(words.rules_stay, &[from, to]),
            CatalogError::TimeZone(zone) => fill(words.wrong_timezone, &[zone]),
            CatalogError::RetentionDays(_) => {
                fill(words.wrong_retention, &[&RETENTION_DAYS_MAX.to_string()])
            }
            CatalogError::RetentionOfProfile(_) => {
                fill(words.retention_of_profile, &[&CNIL_RETENTION_DAYS_MAX.to_string()])
            }
            CatalogError::Day(day) | CatalogError::Date(day) => fill(words.wrong_day, &[day]),
            CatalogError::LeastVisitors(_) => fill(words.wrong_least, &[&Floor::MAX.to_string()]),
            CatalogError::Password { fewest, most } => {
                fill(words.unfit_password, &[&number(*fewest), &number(*most)])
            }
            CatalogError::Name { most, .. } => fill(words.wrong_name, &[&number(*most)]),
            CatalogError::EventName => words.attention_is_no_goal.to_owned(),
            CatalogError::PagePath { path, most } => {
                fill(words.wrong_path, &[path, &number(*most)])
            }
            CatalogError::ScrollThreshold(text) => fill(words.wrong_scroll, &[text]),
            CatalogError::Currency(code) => fill(words.wrong_currency, &[code]),
            CatalogError::CurrencyOfPage => words.currency_of_page.to_owned(),
            CatalogError::GoalNameTaken(name) => fill(words.goal_name_taken, &[name]),
            CatalogError::SegmentNeeds => words.segment_needs.to_owned(),
            CatalogError::SegmentNameTaken(name) => fill(words.segment_name_taken, &[name]),
            CatalogError::LinkNameTaken(name) => fill(words.link_name_taken, &[name]),
            CatalogError::AnnotationNeeds => words.annotation_needs.to_owned(),
            CatalogError::AutomaticAnnotation(_) => words.annotation_is_automatic.to_owned(),
            CatalogError::Person(name) => {
                fill(words.wrong_person, &[name, &number(PERSON_BYTES_MAX)])
            }
            CatalogError::TooMany { most, .. } => fill(words.too_many, &[&number(*most)]),
            CatalogError::UnknownSite(_)
            | CatalogError::UnknownToken(_)
            | CatalogError::UnknownGoal(_)
            | CatalogError::UnknownSegment(_)
            | CatalogError::UnknownFunnel(_)
            | CatalogError::UnknownAnnotation(_)
            | CatalogError::UnknownLink(_)
            | CatalogError::UnknownMember(_) => words.is_gone.to_owned(),
            CatalogError::Store(_) => words.not_saved.to_owned(),
            // A query's own words, and what no form of these pages leads to.
            CatalogError::Filters(_)
            | CatalogError::Steps(_)
            | CatalogError::Role(_)
            | CatalogError::LeastOfAdmin
            | CatalogError::NoRandomness
            | CatalogError::NotHashed => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_form_is_said_in_the_viewers_language() {
        let error = CatalogError::PagePath { path: "about".into(), most: 2_000 };
        let german = Lang::German.trouble(&error);
        assert!(german.starts_with("about ist kein Pfad") && german.contains("2000"), "{german}");
        let english = Lang::English.trouble(&error);
        assert!(english.starts_with("about is not the path"), "{english}");
        let gone = Lang::German.trouble(&CatalogError::UnknownGoal(7));
        assert!(!gone.contains("passerby"), "a person at a page has no command line: {gone}");
    }
}
