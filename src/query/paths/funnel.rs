//! A funnel: how many visitors go through several steps, one after the other.

use serde_json::{Value, json};

use super::{Step, base, parts, shared_to_wire, word};
use crate::query::dimension::Dimension;
use crate::query::error::{Problems, QueryError, child, shown, whole};
use crate::query::{Known, Query};

pub(super) const KEYS: [&str; 9] = [
    "site_id",
    "date_range",
    "filters",
    "dimensions",
    "include",
    "pagination",
    "steps",
    "mode",
    "window",
];

/// The fewest and the most steps.
pub(super) const STEPS: std::ops::RangeInclusive<usize> = 2..=12;

/// The longest window, in seconds: a visitor is known for a day at most.
pub(super) const WINDOW_SECONDS_MAX: u64 = 24 * 3_600;

/// What may happen between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunnelMode {
    /// Anything.
    Loose,
    /// Nothing: the steps are events that follow one another directly.
    Strict,
}

/// Within what all the steps must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// One visit, in order of arrival.
    Visit,
    /// So many seconds from the first step, of what a visitor did on that day.
    Seconds(u64),
}

/// A funnel that has an answer. Made by [`Funnel::parse`] alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Funnel {
    pub(super) base: Query,
    pub(super) steps: Vec<Step>,
    pub(super) mode: FunnelMode,
    pub(super) window: Window,
}

impl Funnel {
    /// Reads the question of `POST /api/v2/funnel`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(body: &Value, known: &Known<'_>) -> Result<Self, QueryError> {
        let mut problems = Problems::default();
        let funnel = Self::read(body, known, &mut problems);
        problems.finish(funnel)
    }

    fn read(body: &Value, known: &Known<'_>, problems: &mut Problems) -> Option<Self> {
        let parts = parts(body, "funnel", &KEYS, problems)?;
        if known.site.policy.profile.is_strict() {
            let why = "Invalid funnel: conversions are not measured under the profile cnil.";
            problems.note::<()>("#", why);
        }
        let base = base(parts, known, problems);
        let steps = steps(parts.get("steps"), known, problems);
        let modes = [("loose", FunnelMode::Loose), ("strict", FunnelMode::Strict)];
        let mode = word(parts, "mode", &modes, problems);
        let window = window(parts.get("window"), problems);
        includes_comparisons_alone(parts.get("include"), problems);
        let base = base?;
        one_dimension(&base, problems)?;
        Some(Self { base, steps: steps?, mode: mode?, window: window? })
    }

    /// Its steps, two to twelve.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What it has in common with a report: the time, the filters, the dimension.
    pub fn base(&self) -> &Query {
        &self.base
    }

    /// The funnel of the period that this one is compared with.
    pub fn compared(&self) -> Option<Self> {
        Some(Self { base: self.base.compared()?, ..self.clone() })
    }

    /// The question as it was understood: asked again as it stands, it has the same answer.
    pub fn to_wire(&self) -> Value {
        let mut wire = shared_to_wire(&self.base, &KEYS);
        wire.insert("steps".into(), self.steps.iter().map(Step::to_wire).collect());
        let mode = if self.mode == FunnelMode::Loose { "loose" } else { "strict" };
        wire.insert("mode".into(), json!(mode));
        let window = match self.window {
            Window::Visit => json!("visit"),
            Window::Seconds(seconds) => json!(seconds),
        };
        wire.insert("window".into(), window);
        Value::Object(wire)
    }
}

fn steps(value: Option<&Value>, known: &Known<'_>, problems: &mut Problems) -> Option<Vec<Step>> {
    let Some(value) = value else {
        return problems.note("#/steps", "Missing: steps is required.");
    };
    let list = value.as_array().map_or(&[] as &[Value], Vec::as_slice);
    if !STEPS.contains(&list.len()) {
        let (fewest, most) = (STEPS.start(), STEPS.end());
        let message =
            format!("Invalid steps {}: a list of {fewest} to {most} steps.", shown(value));
        return problems.note("#/steps", message);
    }
    let steps: Vec<_> = list
        .iter()
        .enumerate()
        .map(|(index, step)| {
            Step::parse(step, &format!("#/steps/{index}"), index + 1, known, problems)
        })
        .collect();
    steps.into_iter().collect()
}

fn window(value: Option<&Value>, problems: &mut Problems) -> Option<Window> {
    let Some(value) = value else { return Some(Window::Visit) };
    if value == "visit" {
        return Some(Window::Visit);
    }
    let seconds = whole(value).filter(|seconds| (1..=WINDOW_SECONDS_MAX).contains(seconds));
    seconds.map(Window::Seconds).or_else(|| {
        let rule = format!("\"visit\", or whole seconds from 1 to {WINDOW_SECONDS_MAX}.");
        problems.note("#/window", format!("Invalid window {}: {rule}", shown(value)))
    })
}

fn includes_comparisons_alone(value: Option<&Value>, problems: &mut Problems) {
    for key in value.and_then(Value::as_object).into_iter().flat_map(|parts| parts.keys()) {
        if ["imports", "time_labels", "total_rows", "zero_fill"].contains(&key.as_str()) {
            let message = format!("Unknown key {key:?}: a funnel includes comparisons alone.");
            problems.note::<()>(child("#/include", key), message);
        }
    }
}

fn one_dimension(base: &Query, problems: &mut Problems) -> Option<()> {
    match base.dimensions() {
        [] => Some(()),
        [Dimension::Goal(_)] => {
            let rule = "an event may meet many goals, so a funnel is not by these.";
            problems.note("#/dimensions/0", format!("Invalid dimension \"event:goal\": {rule}"))
        }
        [Dimension::Properties] => {
            let rule = "an event may have many properties, so a funnel is not by these.";
            problems.note("#/dimensions/0", format!("Invalid dimension \"event:props\": {rule}"))
        }
        [_] => Some(()),
        [_, second, ..] => {
            let message =
                format!("Invalid dimension \"{second}\": a funnel has one dimension at most.");
            problems.note("#/dimensions/1", message)
        }
    }
}
