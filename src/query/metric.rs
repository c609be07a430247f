//! The registry of metrics: what a report can count.
//!
//! A metric is described in one place, the table below: public name, meaning, unit, and from what it
//! is computed. Parsing, SQL, the JSON schema and the documentation derive from it.

use serde_json::{Value, json};

/// What a number is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A whole number of things.
    Count,
    /// Percent, rounded to so many decimals.
    Percent(u8),
    /// Seconds, whole.
    Seconds,
    /// A number of things a thing, rounded to two decimals.
    Ratio,
    /// An amount in some currency, in thousandths truncated.
    Money,
    /// A number of whatever it is that a site tells, rounded to six decimals.
    Number,
}

impl Unit {
    /// Whether its numbers are written with decimals, `2.0`, whatever their value.
    pub fn has_decimals(self) -> bool {
        match self {
            Self::Count | Self::Seconds | Self::Percent(0) | Self::Money => false,
            Self::Percent(_) | Self::Ratio | Self::Number => true,
        }
    }
}

/// From what a metric is computed, with its SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formula {
    /// From events: an aggregate over rows of `events`, each with the amount of `revenue` that it adds.
    Events(&'static str),
    /// From visits: an aggregate over visits (`visitor`, `lone`, `views`, `duration`, `bounced`, `entered`,
    /// `engaged`). A visitor who is `lone` is known to have this visit alone.
    Visits(&'static str),
    /// From whichever of the two the rest of the query needs.
    Either {
        /// Over rows of `events`.
        events: &'static str,
        /// Over visits.
        visits: &'static str,
    },
    /// From engagement: an aggregate over what each visit's attention to the row came to (`depth`,
    /// `attention_ms`).
    Engagement(&'static str),
    /// From another metric of the row, and what it is a share of.
    Share {
        /// The other metric.
        of: Metric,
        /// What the whole is; its number is the column [`Whole::column`].
        whole: Whole,
        /// The SQL over the two.
        sql: &'static str,
    },
}

/// What a share is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whole {
    /// The visitors of the report without dimensions.
    Report,
    /// The same, without the filters on goals and properties.
    Unconverted,
    /// The visitors of the row without the filters on goals and properties.
    UnconvertedRow,
    /// The page views of the exit page, whether or not it was the exit.
    PageOfExit,
}

impl Whole {
    /// The column that holds its number.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Report => "report_visitors",
            Self::Unconverted => "unconverted_visitors",
            Self::UnconvertedRow => "unconverted_row_visitors",
            Self::PageOfExit => "page_views",
        }
    }
}

/// All that there is to know of a [`Metric`].
#[derive(Clone, Copy, Debug)]
pub struct MetricSpec {
    /// The name in queries.
    pub name: &'static str,
    /// What it is, in a sentence or two.
    pub doc: &'static str,
    /// A value of it, as answers have it.
    pub example: &'static str,
    /// What it is a number of.
    pub unit: Unit,
    /// From what it is computed.
    pub formula: Formula,
}

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $metric:ident = $name:literal eg $example:literal, $unit:expr, $formula:expr;)*) => {
        /// What a report can count.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Metric { $($(#[doc = $doc])+ $metric,)* }

        impl Metric {
            /// Every metric, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$metric),*];

            /// What there is to know of it.
            pub const fn spec(self) -> &'static MetricSpec {
                match self {
                    $(Self::$metric => &MetricSpec {
                        name: $name,
                        doc: concat!($($doc),+),
                        example: $example,
                        unit: $unit,
                        formula: $formula,
                    },)*
                }
            }
        }
    };
}

metrics! {
    /// People, as far as they can be told apart: a person counts once a day of the site.
    Visitors = "visitors" eg "1970", Unit::Count,
        Formula::Either { events: "uniqExactIf(visitor_id, visitor_id != 0)", visits: "uniqExactIf(visitor, NOT lone) + sum(lone)" };
    /// Visits that were under way in the period. A visit ends after 30 minutes without activity.
    Visits = "visits" eg "2214", Unit::Count,
        Formula::Either { events: "uniqExactIf(session_id, session_id != 0)", visits: "count()" };
    /// Page views.
    Pageviews = "pageviews" eg "6071", Unit::Count, Formula::Events("countIf(name = 'pageview')");
    /// Page views and custom events.
    Events = "events" eg "6480", Unit::Count, Formula::Events("countIf(name != 'engagement')");
    /// Page views of the visits, divided by the visits.
    ViewsPerVisit = "views_per_visit" eg "2.74", Unit::Ratio,
        Formula::Visits("ifNotFinite(round(sum(views) / count(), 2), 0)");
    /// Share of the visits that saw one page at most and did nothing there. With a filter on the page,
    /// of the visits that entered on it.
    BounceRate = "bounce_rate" eg "47", Unit::Percent(0),
        Formula::Visits("toUInt64(ifNotFinite(round(countIf(bounced AND entered) / countIf(entered) * 100), 0))");
    /// Mean time from the first event of a visit to its last.
    VisitDuration = "visit_duration" eg "183", Unit::Seconds,
        Formula::Visits("toUInt64(ifNotFinite(round(avg(duration)), 0))");
    /// Median time from the first event of a visit to its last.
    VisitDurationP50 = "visit_duration_p50" eg "62", Unit::Seconds,
        Formula::Visits("toUInt64(ifNotFinite(round(quantileExactInclusive(0.5)(duration)), 0))");
    /// Time from the first event of a visit to its last that three quarters of the visits do not exceed.
    VisitDurationP75 = "visit_duration_p75" eg "240", Unit::Seconds,
        Formula::Visits("toUInt64(ifNotFinite(round(quantileExactInclusive(0.75)(duration)), 0))");
    /// Share of the visits that had a page visible and focused for more than 10 seconds, or saw two pages
    /// or more, or met a goal of the site.
    EngagementRate = "engagement_rate" eg "58.3", Unit::Percent(1),
        Formula::Visits("ifNotFinite(round(countIf(engaged) / count() * 100, 1), 0)");
    /// Visitors of the row as a share of the visitors of the whole report. Null where that has none.
    Percentage = "percentage" eg "33.3", Unit::Percent(1), Formula::Share {
        of: Metric::Visitors,
        whole: Whole::Report,
        sql: "if(report_visitors = 0, NULL, round(visitors / report_visitors * 100, 1))",
    };
    /// Visitors who met the goal as a share of all visitors: those of the report without dimensions, and
    /// without its filters on goals and properties.
    ConversionRate = "conversion_rate" eg "4.57", Unit::Percent(2), Formula::Share {
        of: Metric::Visitors,
        whole: Whole::Unconverted,
        sql: "if(unconverted_visitors = 0, 0, round(visitors / unconverted_visitors * 100, 2))",
    };
    /// Visitors of the row who met the goal as a share of the visitors of the row.
    GroupConversionRate = "group_conversion_rate" eg "6.12", Unit::Percent(2), Formula::Share {
        of: Metric::Visitors,
        whole: Whole::UnconvertedRow,
        sql: "if(unconverted_row_visitors = 0, 0, round(visitors / unconverted_row_visitors * 100, 2))",
    };
    /// Visits that ended on the page as a share of the views of the page.
    ExitRate = "exit_rate" eg "24.5", Unit::Percent(1), Formula::Share {
        of: Metric::Visits,
        whole: Whole::PageOfExit,
        sql: "if(page_views = 0, NULL, round(visits / page_views * 100, 1))",
    };
    /// Mean time for which a visit had the page visible and focused, of the visits that reported any.
    TimeOnPage = "time_on_page" eg "41", Unit::Seconds,
        Formula::Engagement("if(count() = 0, NULL, toUInt64(round(sum(attention_ms) / 1000 / count())))");
    /// Median of the time for which a visit had the page visible and focused.
    TimeOnPageP50 = "time_on_page_p50" eg "28", Unit::Seconds, Formula::Engagement(
        "if(count() = 0, NULL, toUInt64(round(quantileExactInclusive(0.5)(attention_ms) / 1000)))");
    /// Time for which a visit had the page visible and focused that three quarters of them do not exceed.
    TimeOnPageP75 = "time_on_page_p75" eg "55", Unit::Seconds, Formula::Engagement(
        "if(count() = 0, NULL, toUInt64(round(quantileExactInclusive(0.75)(attention_ms) / 1000)))");
    /// Mean of how far down each visit scrolled the page at most, in percent.
    ScrollDepth = "scroll_depth" eg "64", Unit::Percent(0),
        Formula::Engagement("if(countIf(told) = 0, NULL, toUInt64(round(avgIf(depth, told))))");
    /// Revenue of the events that met a goal with a currency, as far as it is in that currency.
    TotalRevenue = "total_revenue" eg "{\"value\": 201.2, \"currency\": \"USD\", \"short\": \"$201.2\", \"long\": \"$201.20\"}", Unit::Money, Formula::Events("sum(revenue)");
    /// The same divided by the number of events that brought it.
    AverageRevenue = "average_revenue" eg "{\"value\": 67.066, \"currency\": \"USD\", \"short\": \"$67.1\", \"long\": \"$67.07\"}", Unit::Money,
        Formula::Events("sum(revenue) / greatest(count(revenue), 1)");
}

/// [`Metric::Percentage`], where both numbers are known: rounded as the database rounds it.
pub fn percentage(visitors: f64, of: f64) -> Value {
    if of > 0.0 { json!(percent(visitors, of, 10.0)) } else { Value::Null }
}

/// The same of [`Metric::ConversionRate`].
pub(super) fn conversion_rate(visitors: f64, of: f64) -> Value {
    json!(if of > 0.0 { percent(visitors, of, 100.0) } else { 0.0 })
}

fn percent(part: f64, of: f64, scale: f64) -> f64 {
    (part / of * 100.0 * scale).round_ties_even() / scale
}

impl Metric {
    /// The metric of this public name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.spec().name == name)
    }

    /// Its value where nothing has happened.
    pub fn of_nothing(self) -> Value {
        match self.spec().formula {
            Formula::Events(_) if self.spec().unit == Unit::Money => Value::Null,
            Formula::Events(_) | Formula::Either { .. } => json!(0),
            Formula::Visits(_) if self.spec().unit.has_decimals() => json!(0.0),
            Formula::Visits(_) => json!(0),
            Formula::Engagement(_) | Formula::Share { whole: Whole::PageOfExit, .. } => Value::Null,
            Formula::Share { .. } => json!(0.0),
        }
    }

    /// Whether it is about conversions or money.
    pub fn is_of_conversion(self) -> bool {
        matches!(self, Self::ConversionRate | Self::GroupConversionRate)
            || self.spec().unit == Unit::Money
    }

    /// Whether rows that tell it alone are sorted by their visitors: time on a page says little of how much that matters.
    pub(super) fn is_sorted_by_visitors(self) -> bool {
        self.is_of_attention() && self.spec().unit == Unit::Seconds
    }

    /// Whether it is computed from how long, and how far down, visits attended to pages.
    pub(super) fn is_of_attention(self) -> bool {
        matches!(self.spec().formula, Formula::Engagement(_))
    }

    /// Whether it can be computed from visits alone.
    pub fn is_of_visit(self) -> bool {
        matches!(self.spec().formula, Formula::Visits(_))
    }

    /// Whether it can be computed from events alone.
    pub fn is_of_event(self) -> bool {
        matches!(self.spec().formula, Formula::Events(_) | Formula::Engagement(_))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_metric_is_found_by_its_own() {
        let names: HashSet<_> = Metric::ALL.iter().map(|metric| metric.spec().name).collect();
        assert_eq!(names.len(), Metric::ALL.len());
        for metric in Metric::ALL {
            assert_eq!(Metric::named(metric.spec().name), Some(*metric));
        }
    }

    #[test]
    fn the_example_of_a_metric_has_the_form_of_its_unit() {
        for metric in Metric::ALL {
            let MetricSpec { unit, example, .. } = metric.spec();
            let value: Value = serde_json::from_str(example).unwrap();
            let decimals = example.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let fits = match unit {
                Unit::Money => value["value"].is_number() && value["currency"].is_string(),
                Unit::Count | Unit::Seconds => value.is_u64(),
                Unit::Percent(places) => value.is_number() && decimals == usize::from(*places),
                Unit::Ratio => value.is_number() && decimals == 2,
                Unit::Number => value.is_number(),
            };
            assert!(fits, "{metric:?}: {example}");
        }
    }

    #[test]
    fn every_metric_is_documented_in_sentences() {
        for metric in Metric::ALL {
            let doc = metric.spec().doc.trim();
            assert!(doc.len() > 10 && doc.ends_with('.'), "{metric:?}: {doc}");
        }
    }
}
