//! A journey: where visits go from a step on, or where they come from.

use serde_json::{Value, json};

use super::{Step, base, number, parts, shared_to_wire, word};
use crate::query::error::{Problems, QueryError, shown};
use crate::query::{Known, Query};

const KEYS: [&str; 8] =
    ["site_id", "date_range", "filters", "from", "direction", "depth", "branches", "of"];

/// The most steps from the start.
const DEPTH_MAX: u64 = 5;
/// The most branches of a step.
const BRANCHES_MAX: u64 = 50;
/// The most ways through the whole tree.
const WAYS_MAX: u64 = 10_000;

/// Which way a journey is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What came after.
    Forward,
    /// What came before.
    Backward,
}

/// What the steps of a journey are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stops {
    /// Pages and custom events.
    Both,
    /// Pages viewed.
    Pages,
    /// Custom events.
    Events,
}

const DIRECTIONS: [(&str, Direction); 2] =
    [("forward", Direction::Forward), ("backward", Direction::Backward)];
const STOPS: [(&str, Stops); 3] =
    [("both", Stops::Both), ("pages", Stops::Pages), ("events", Stops::Events)];

/// A journey that has an answer. Made by [`Journey::parse`] alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    pub(super) base: Query,
    pub(super) from: Step,
    pub(super) direction: Direction,
    pub(super) depth: u64,
    pub(super) branches: u64,
    pub(super) of: Stops,
}

impl Journey {
    /// Reads the question of `POST /api/v2/journey`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(body: &Value, known: &Known<'_>) -> Result<Self, QueryError> {
        let mut problems = Problems::default();
        let journey = Self::read(body, known, &mut problems);
        problems.finish(journey)
    }

    fn read(body: &Value, known: &Known<'_>, problems: &mut Problems) -> Option<Self> {
        let parts = parts(body, "journey", &KEYS, problems)?;
        let base = base(parts, known, problems);
        let from = match parts.get("from") {
            Some(step) => Step::parse(step, "#/from", 1, known, problems),
            None => problems.note("#/from", "Missing: from is required."),
        };
        let direction = word(parts, "direction", &DIRECTIONS, problems);
        let depth = number(parts, "depth", 1..=DEPTH_MAX, 3, problems);
        let branches = number(parts, "branches", 1..=BRANCHES_MAX, 5, problems);
        let of = word(parts, "of", &STOPS, problems);
        let (depth, branches) = (depth?, branches?);
        if branches.pow(u32::try_from(depth).unwrap_or(u32::MAX)) > WAYS_MAX {
            let rule = format!("over {depth} steps there are more than {WAYS_MAX} ways.");
            return problems.note(
                "#/branches",
                format!("Invalid branches {}: {rule}", shown(&json!(branches))),
            );
        }
        Some(Self { base: base?, from: from?, direction: direction?, depth, branches, of: of? })
    }

    /// Which way it is followed.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How many steps it is followed: 1 to 5.
    pub fn depth(&self) -> u64 {
        self.depth
    }

    /// The step that it is followed from.
    pub fn from(&self) -> &Step {
        &self.from
    }

    /// The question as it was understood: asked again as it stands, it has the same answer.
    pub fn to_wire(&self) -> Value {
        let mut wire = shared_to_wire(&self.base, &KEYS);
        wire.insert("from".into(), self.from.to_wire());
        wire.insert("direction".into(), json!(written(&DIRECTIONS, self.direction)));
        wire.insert("depth".into(), json!(self.depth));
        wire.insert("branches".into(), json!(self.branches));
        wire.insert("of".into(), json!(written(&STOPS, self.of)));
        Value::Object(wire)
    }
}

fn written<T: PartialEq>(words: &[(&'static str, T)], meaning: T) -> &'static str {
    words.iter().find(|(_, known)| *known == meaning).map_or("", |(word, _)| word)
}
