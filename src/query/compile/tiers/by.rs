//! What the numbers of a closed day are kept by, and which of it answers a query.

use super::goals;
use crate::query::Query;
use crate::query::dimension::{Dimension, Field, GOAL, Home, NOT_SET};
use crate::query::filter::{Comparison, Filter, Subject, Test};
use crate::query::interval::Interval;
use crate::query::statement::{Sql, sql};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::query::compile) enum Of {
    /// Events.
    Events,
    /// Visits, each on its last day.
    Visits,
    /// The attention of visits.
    Attention,
}

impl Of {
    /// Its name in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Visits => "visits",
            Self::Attention => "attention",
        }
    }
}

/// What it is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Nothing: all of the site's.
    Site,
    /// The hours of the day.
    Hour,
    /// The hours of the day, for each value of a field, or for one that is asked for. Only visitors and visits are told.
    HourOf(Field),
    /// The values of a field: of each, or of one that is asked for. Of a field of events a visit counts for each value
    /// that an event of it has.
    Field(Field),
    /// Nothing, but only where the field is set: see [`IS_SET`].
    Having(Field),
    /// The goals that an event meets, or one that is asked for: see [`goals`].
    Goals,
    /// The hours of the day, for one goal. Only visitors and visits are told.
    HourOfGoal,
}

/// What stands behind a column of a field that is set. The filter that asks for it does not find what is
/// called as a blank is, either.
pub(super) const IS_SET: &str = " NOT IN ('', '(not set)')";

/// The fields of which it is kept what has a value at all: where it is the exception to have one.
pub(super) const EXCEPTIONS: [Field; 5] =
    [Field::UtmSource, Field::UtmMedium, Field::UtmCampaign, Field::UtmContent, Field::UtmTerm];

impl By {
    /// Everything that is kept of every site: goals are its own.
    pub(super) fn all(of: Of) -> Vec<Self> {
        let fields = |by: fn(Field) -> Self| Field::ALL.iter().copied().map(by);
        let all = [Self::Site, Self::Hour].into_iter().chain(fields(Self::Field));
        let all = all.chain(fields(Self::HourOf)).chain(EXCEPTIONS.map(Self::Having));
        all.filter(|by| by.is_kept(of)).collect()
    }

    fn is_kept(self, of: Of) -> bool {
        match (self, of) {
            (Self::Site, _) | (Self::Field(Field::Page), Of::Attention) => true,
            (_, Of::Attention) => false,
            (Self::Hour, _) => true,
            (Self::Having(field), _) => EXCEPTIONS.contains(&field),
            (Self::Goals | Self::HourOfGoal, of) => of == Of::Events,
            (Self::Field(field) | Self::HourOf(field), _) if field != stored(field) => false,
            (Self::Field(field), Of::Events) => !field.is_of_visit(),
            (Self::Field(_), Of::Visits) => true,
            // What both have is asked of visits, unless it is about events.
            (Self::HourOf(field), Of::Events) => field.is_of_event(),
            (Self::HourOf(field), Of::Visits) => !field.is_of_event(),
        }
    }

    /// Its name in the table.
    pub(super) fn name(self) -> String {
        match self {
            Self::Site => String::new(),
            Self::Hour => Interval::Hour.name().to_owned(),
            Self::HourOf(field) => format!("{} {}", field.spec().name, Interval::Hour.name()),
            Self::Field(field) => field.spec().name.to_owned(),
            Self::Having(field) => format!("{} is_not {NOT_SET}", field.spec().name),
            Self::Goals => GOAL.to_owned(),
            Self::HourOfGoal => format!("{GOAL} {}", Interval::Hour.name()),
        }
    }

    /// The field that it is by.
    pub(super) fn field(self) -> Option<Field> {
        match self {
            Self::Field(field) | Self::HourOf(field) | Self::Having(field) => Some(field),
            Self::Site | Self::Hour | Self::Goals | Self::HourOfGoal => None,
        }
    }

    /// Whether visits are told by what events of theirs have.
    pub(super) fn is_of_events(self) -> bool {
        matches!(self, Self::Field(field) if field.is_of_event())
    }

    /// Whether it is by the hour.
    pub(super) fn is_by_hour(self) -> bool {
        matches!(self, Self::Hour | Self::HourOf(_) | Self::HourOfGoal)
    }

    /// Whether it is by goal.
    pub(super) fn is_by_goal(self) -> bool {
        matches!(self, Self::Goals | Self::HourOfGoal)
    }

    /// Whether it is one number for each day, or one for each value then, whatever goals there are.
    pub(super) fn is_of_days(self) -> bool {
        matches!(self, Self::Site | Self::Field(_) | Self::Having(_))
    }

    /// Whether a row has the hours of its value's day.
    pub(super) fn has_hours(self) -> bool {
        matches!(self, Self::HourOf(_) | Self::HourOfGoal)
    }

    /// By what the query's answer is kept; `None` if it is not.
    pub(super) fn of(query: &Query, of: Of) -> Option<Self> {
        let mut value = None;
        for dimension in &query.dimensions {
            let another = match dimension {
                Dimension::Time(Interval::Minute | Interval::QuarterHour | Interval::HourOfDay)
                | Dimension::Property(_)
                | Dimension::Properties => return None,
                Dimension::Time(_) => continue,
                // Of what its events differ in a visit has no one value.
                Dimension::Field(field)
                    if of == Of::Visits && counted_as(*field, of).is_of_event() =>
                {
                    return None;
                }
                Dimension::Field(field) => Self::Field(counted_as(*field, of)),
                Dimension::Goal(goals) if goals::are_told(goals, &query.filters) => Self::Goals,
                Dimension::Goal(_) => return None,
            };
            if value.is_some_and(|value| value != another) {
                return None;
            }
            value = Some(another);
        }
        let by_hour = query.interval() == Some(Interval::Hour);
        let by = match (value, by_hour, query.filters.as_slice()) {
            (None, false, []) => Self::Site,
            (None, true, []) => Self::Hour,
            (None, true, [filter]) if goals::asked_for(filter).is_some() => Self::HourOfGoal,
            (None, false, [filter]) if goals::asked_for(filter).is_some() => Self::Goals,
            (None, true, [Filter::Test(test)]) => Self::HourOf(chosen_by(test)?),
            (None, false, [Filter::Test(test)]) => match told_by(test) {
                Some(field) => Self::Having(field),
                None => Self::Field(chosen_by(test)?),
            },
            (Some(Self::Field(field)), false, filters) => {
                filters.iter().all(|filter| is_on(filter, field)).then_some(Self::Field(field))?
            }
            (Some(Self::Goals), false, _) => Self::Goals,
            _ => return None,
        };
        by.is_kept(of).then_some(by)
    }
}

/// The field that tells of this one as well.
pub(in crate::query::compile) fn stored(field: Field) -> Field {
    match field {
        Field::Screen => Field::Device,
        Field::CountryName => Field::Country,
        field => field,
    }
}

/// Of a page, a visit is counted where it entered.
fn counted_as(field: Field, of: Of) -> Field {
    match (stored(field), of) {
        (Field::Page, Of::Visits) => Field::EntryPage,
        (field, _) => field,
    }
}

/// Whether the filter chooses among the kept values of the field. One on pages means more than that for
/// visits.
fn is_on(filter: &Filter, field: Field) -> bool {
    let Filter::Test(test) = filter else { return false };
    matches!(test.subject, Subject::Field(tested) if stored(tested) == field)
        && keeps_blanks_together(test, field)
}

/// Whether the test finds what is called as a blank is just where it finds the blank: they are kept as one
/// value, for they are one row of a report, in which a visitor counts once.
pub(super) fn keeps_blanks_together(test: &Test, field: Field) -> bool {
    let label = field.spec().blank;
    let has = |wanted: &str| test.values.iter().any(|value| value == wanted);
    let has_blank = has("") || field.blank_names().iter().any(|name| has(name));
    let is_plain = test.comparison == Comparison::Is && test.case_sensitive;
    label.is_empty() || (is_plain && (has(label) || !has_blank))
}

/// The value of a field that is kept, of the expression that has it: what is called as a blank is one.
pub(super) fn kept_value(field: Field, value: Sql) -> Sql {
    match field.spec().blank {
        "" => sql!["toString(", value, ")"],
        label => sql!["if(", &value, " = ", Sql::text(label), ", '', toString(", value, "))"],
    }
}

/// The field of which the test asks that it is set, in the words in which the dashboard asks.
pub(super) fn told_by(test: &Test) -> Option<Field> {
    let Subject::Field(field) = test.subject else { return None };
    let asks = test.comparison == Comparison::Is
        && test.negated
        && test.case_sensitive
        && test.values == [NOT_SET];
    (asks && EXCEPTIONS.contains(&field)).then_some(field)
}

/// The field of which the test chooses one of the values that are kept: of two a visitor may have both.
pub(super) fn chosen_by(test: &Test) -> Option<Field> {
    let Subject::Field(field) = test.subject else { return None };
    let chooses_one = test.comparison == Comparison::Is
        && !test.negated
        && test.case_sensitive
        && test.values.len() == 1;
    (chooses_one && field == stored(field) && keeps_blanks_together(test, field)).then_some(field)
}

/// The column of `events` that a stored field is.
pub(super) fn column_of(field: Field) -> &'static str {
    match field.spec().home {
        Home::Event(column) | Home::Either(column) => column,
        // Such a field is kept of visits alone, and has a column of those.
        Home::Visit(_) => "value",
    }
}
