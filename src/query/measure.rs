//! What a column of a report counts: a metric of the registry, or a statistic of a numeric property.
//!
//! Properties are the site's own, so what is counted of them cannot be in the registry: the statistics are.

use std::fmt;

use serde_json::{Value, json};

use super::dimension::PropertyName;
use super::metric::{Metric, Unit};
use super::statement::{Sql, sql};

/// What a column of a report counts. `Display` gives its public name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// A metric of the registry.
    Metric(Metric),
    /// Of the numbers that events have as this property.
    Property(Statistic, PropertyName),
}

macro_rules! statistics {
    ($($(#[doc = $doc:literal])+ $statistic:ident = $name:literal, $aggregate:literal;)*) => {
        /// What many numbers come to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Statistic { $($(#[doc = $doc])+ $statistic,)* }

        impl Statistic {
            /// Every statistic, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$statistic),*];

            /// The word before the property: `sum` of `sum:event:props:price`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$statistic => $name,)* }
            }

            /// What it is, in a sentence.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$statistic => concat!($($doc),+),)* }
            }

            /// Its aggregate, up to the parenthesis of its arguments.
            fn aggregate(self) -> &'static str {
                match self { $(Self::$statistic => $aggregate,)* }
            }
        }
    };
}

statistics! {
    /// Sum of the numbers.
    Sum = "sum", "sumOrNullIf(";
    /// Their mean.
    Average = "avg", "avgOrNullIf(";
    /// The least of them.
    Min = "min", "minOrNullIf(";
    /// The greatest of them.
    Max = "max", "maxOrNullIf(";
    /// Their median.
    P50 = "p50", "quantileExactInclusiveOrNullIf(0.5)(";
    /// What three quarters of them do not exceed.
    P75 = "p75", "quantileExactInclusiveOrNullIf(0.75)(";
    /// What 95 of a hundred of them do not exceed.
    P95 = "p95", "quantileExactInclusiveOrNullIf(0.95)(";
}

impl Measure {
    /// The measure of this public name.
    pub fn named(name: &str) -> Option<Self> {
        if let Some(metric) = Metric::named(name) {
            return Some(Self::Metric(metric));
        }
        let (statistic, property) = name.split_once(':')?;
        let statistic = Statistic::ALL.iter().find(|known| known.name() == statistic)?;
        Some(Self::Property(*statistic, PropertyName::of_dimension(property)?))
    }

    /// The metric of the registry, if it is one.
    pub fn metric(&self) -> Option<Metric> {
        match self {
            Self::Metric(metric) => Some(*metric),
            Self::Property(..) => None,
        }
    }

    /// What it is a number of.
    pub fn unit(&self) -> Unit {
        self.metric().map_or(Unit::Number, |metric| metric.spec().unit)
    }

    /// Its value where nothing has happened.
    pub fn of_nothing(&self) -> Value {
        self.metric().map_or(json!(null), Metric::of_nothing)
    }

    /// The same beside the values that it has in the rows of a report: of nobody there is no share, and nobody is there
    /// where none of them tells one.
    pub fn of_nothing_beside<'value>(
        &self,
        of_nothing: Value,
        mut told: impl Iterator<Item = &'value Value>,
    ) -> Value {
        match self.metric() {
            Some(Metric::Percentage) if told.all(Value::is_null) => Value::Null,
            _ => of_nothing,
        }
    }

    /// Whether it can be computed from visits alone.
    pub fn is_of_visit(&self) -> bool {
        self.metric().is_some_and(Metric::is_of_visit)
    }

    /// Whether it can be computed from events alone.
    pub fn is_of_event(&self) -> bool {
        self.metric().is_none_or(Metric::is_of_event)
    }

    /// The column that holds it when it is at this place among the metrics.
    pub(super) fn column(&self, place: usize) -> Sql {
        match self {
            Self::Metric(metric) => metric.spec().name.into(),
            Self::Property(..) => Sql::name("m", place),
        }
    }

    /// The aggregate over rows of `events`, if it is of a property. What is no number is left out, and
    /// what is no finite one.
    pub(super) fn of_property(&self) -> Option<Sql> {
        let Self::Property(statistic, property) = self else { return None };
        let number = sql!["toFloat64OrNull(props[", Sql::text(property.as_str()), "])"];
        let counted = sql!["ifNull(isFinite(", &number, "), 0) AND name != 'engagement'"];
        Some(sql!["round(", statistic.aggregate(), number, ", ", counted, "), 6)"])
    }
}

impl From<Metric> for Measure {
    fn from(metric: Metric) -> Self {
        Self::Metric(metric)
    }
}

impl PartialEq<Metric> for Measure {
    fn eq(&self, metric: &Metric) -> bool {
        self.metric() == Some(*metric)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => formatter.write_str(metric.spec().name),
            Self::Property(statistic, property) => {
                write!(formatter, "{}:{property}", statistic.name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_found_by_its_name() {
        let property = |name: &str| PropertyName::of_dimension(name).unwrap();
        let check = |name: &str, expected: Option<Measure>| {
            assert_eq!(Measure::named(name), expected, "{name}");
            if let Some(measure) = expected {
                assert_eq!(measure.to_string(), name);
            }
        };
        check("visitors", Some(Measure::Metric(Metric::Visitors)));
        for statistic in Statistic::ALL {
            let expected = Measure::Property(*statistic, property("event:props:a:b"));
            check(&format!("{}:event:props:a:b", statistic.name()), Some(expected));
        }
        for wrong in
            ["sum", "sum:event:props:", "sum:event:page", "mode:event:props:x", "event:props:x"]
        {
            check(wrong, None);
        }
    }
}
