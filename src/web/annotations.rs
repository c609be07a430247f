//! Annotations beside the numbers: who is shown them, in which words, and at which bucket of a chart.

use jiff::civil::Date;

use super::ask::Asker;
use super::words::{Lang, fill};
use crate::site::annotation::{Annotation, AnnotationKind};

/// An annotation as a reader sees it.
#[derive(Clone)]
pub(super) struct Note {
    pub(super) id: u32,
    pub(super) day: Date,
    /// The day in words.
    pub(super) date: String,
    pub(super) text: String,
}

/// The annotations that an asker is shown: they are words among those who work on a site, and not for the
/// public, for whoever has a link, or for who is told no small numbers.
pub(super) fn shown(asker: &Asker) -> impl Iterator<Item = Note> {
    let is_shown = asker.has_role() && asker.floor.is_none();
    let annotations = asker.site.annotations.iter().filter(move |_| is_shown);
    annotations.map(|annotation| Note {
        id: annotation.id,
        day: annotation.day,
        date: asker.lang.day(annotation.day),
        text: text(annotation, asker.lang),
    })
}

/// What an annotation says in a language.
pub(super) fn text(annotation: &Annotation, lang: Lang) -> String {
    let words = lang.words();
    let text = annotation.text.as_str();
    let sentence = match annotation.kind {
        AnnotationKind::Note => return text.to_owned(),
        AnnotationKind::Timezone => words.noted_timezone,
        AnnotationKind::Retention if text == "0" => words.noted_for_ever,
        AnnotationKind::Retention if text == "1" => words.noted_retention_day,
        AnnotationKind::Retention => words.noted_retention,
        AnnotationKind::GoalAdded => words.noted_goal_added,
        AnnotationKind::GoalCurrency => words.noted_goal_currency,
        AnnotationKind::GoalRemoved => words.noted_goal_removed,
        AnnotationKind::Profile => match text {
            "cnil" => words.noted_profile_cnil,
            _ => words.noted_profile,
        },
        AnnotationKind::Consent => match text {
            "not-asked" => words.noted_consent_not_asked,
            "anonymous" => words.noted_consent_anonymous,
            "required" => words.noted_consent_required,
            _ => words.noted_consent,
        },
        AnnotationKind::OnObjection => match text {
            "anonymous" => words.noted_objection_anonymous,
            "drop" => words.noted_objection_drop,
            "ignore" => words.noted_objection_ignore,
            _ => words.noted_objection,
        },
    };
    fill(sentence, &[text])
}

/// The bucket that a day is in, or begins in, of buckets in the order of time by the days of their labels.
/// `None` when the day is before the first of them.
pub(super) fn bucket(days: &[Option<Date>], day: Date) -> Option<usize> {
    let begun = days.iter().flatten().copied().take_while(|begin| *begin <= day).last()?;
    days.iter().position(|begin| *begin == Some(begun))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_is_in_the_bucket_that_it_begins_in() {
        let november = |day| Some(date(2026, 11, day));
        let weeks = [november(2), november(9), november(16)];
        let hours = [november(2), november(2), november(3), november(3)];
        for (days, day, expected) in
            [(weeks, 1, None), (weeks, 2, Some(0)), (weeks, 15, Some(1)), (weeks, 29, Some(2))]
                .map(|(days, day, expected)| (days.to_vec(), day, expected))
                .into_iter()
                .chain([(hours.to_vec(), 2, Some(0)), (hours.to_vec(), 3, Some(2))])
        {
            assert_eq!(bucket(&days, date(2026, 11, day)), expected, "{day}");
        }
        assert_eq!(bucket(&[], date(2026, 11, 1)), None);
    }

    #[test]
    fn what_the_collector_wrote_is_read_in_the_language_of_the_reader() {
        let text = |kind, text: &str, lang| {
            let (day, made_at) = (date(2026, 11, 1), Timestamp::UNIX_EPOCH);
            super::text(&Annotation { id: 1, day, kind, text: text.into(), made_at }, lang)
        };
        for lang in Lang::ALL {
            assert_eq!(text(AnnotationKind::Note, "Relaunch {}", lang), "Relaunch {}");
        }
        let [english, german] =
            Lang::ALL.map(|lang| text(AnnotationKind::GoalAdded, "Signup", lang));
        assert_eq!(
            (english.as_str(), german.as_str()),
            ("Goal added: Signup", "Ziel angelegt: Signup")
        );
        assert!(text(AnnotationKind::Retention, "90", Lang::English).contains("90 days"));
        assert!(text(AnnotationKind::Retention, "1", Lang::German).contains("1 Tag auf"));
        assert!(text(AnnotationKind::Retention, "0", Lang::English).contains("for ever"));
        for value in ["not-asked", "anonymous", "required"] {
            let [english, german] =
                Lang::ALL.map(|lang| text(AnnotationKind::Consent, value, lang));
            assert!(english.contains("asked") && german.contains("gefragt"), "{english} {german}");
        }
        // What a later version of the program may write.
        for kind in AnnotationKind::OF_THE_CONFIGURATION {
            assert!(text(kind, "of tomorrow", Lang::German).contains("of tomorrow"));
        }
    }
}
