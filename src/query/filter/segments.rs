//! Segments in filters: `["is", "segment", [7]]` stands for the filters that the site saved under 7.
//!
//! They are put in its place before anything is read, so that every rule of filters holds for them where
//! they stand, and the query is echoed without segments. Of several segments one is enough. What is then found wrong with
//! them is told of the segment: whoever asked wrote no more than its number.

use serde_json::{Value, json};

use crate::query::error::{Problem, Problems, shown, whole};
use crate::site::segment::Segment;

/// The name that stands where a dimension does.
pub(in crate::query) const SEGMENT: &str = "segment";

/// The most segments that a query names: each may be long.
const NAMED_MAX: usize = 50;

/// The segments of a site, put in their places one filter after the other.
pub(in crate::query) struct Segments<'site> {
    segments: &'site [Segment],
    /// How many the query has named so far.
    named: usize,
    places: Places,
}

/// Where the filters of segments stand in what filters come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::query) struct Places(Vec<Place>);

#[derive(Clone, Debug, PartialEq)]
struct Place {
    /// The pointer to them.
    filters: String,
    /// The pointer to the filter that names the segment.
    named: String,
    segment: String,
}

impl Places {
    /// Tells problems with the filters of segments as such of the filter that names the segment.
    pub(in crate::query) fn name(&self, problems: &mut [Problem]) {
        for problem in problems {
            let is_within = |place: &&Place| {
                let rest = problem.pointer.strip_prefix(&place.filters);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if let Some(place) = self.0.iter().find(is_within) {
                problem.pointer.clone_from(&place.named);
                problem.message = format!("{}: {}", place.segment, problem.message);
            }
        }
    }
}

impl<'site> Segments<'site> {
    pub(in crate::query) fn of(segments: &'site [Segment]) -> Self {
        Self { segments, named: 0, places: Places::default() }
    }

    /// Where the filters of those stand that were put in their places so far.
    pub(in crate::query) fn places(self) -> Places {
        self.places
    }

    /// The filters that an entry of the list of filters comes to: of one segment its filters, which all
    /// must hold as the entries of the list do; else the entry, without segments in it.
    pub(in crate::query) fn expand(
        &mut self,
        entry: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Vec<Value>> {
        if !names_segments(entry) {
            return Some(vec![self.within(entry, pointer, problems)?]);
        }
        let meant = self.named(entry, pointer, problems)?;
        Some(match meant.as_slice() {
            [segment] => segment.filters.clone(),
            several => vec![any(several)],
        })
    }

    /// The same with segments replaced, however deep they lie.
    fn within(&mut self, entry: &Value, pointer: &str, problems: &mut Problems) -> Option<Value> {
        if names_segments(entry) {
            return self.named(entry, pointer, problems).map(|meant| any(&meant));
        }
        match entry.as_array().map(Vec::as_slice) {
            Some([operator, Value::Array(entries)]) if operator == "and" || operator == "or" => {
                let each = entries.iter().enumerate().map(|(index, entry)| {
                    self.within(entry, &format!("{pointer}/1/{index}"), problems)
                });
                // Every entry is looked at, so that every problem is told.
                let each = each.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
                Some(json!([operator, each]))
            }
            Some([operator, inner @ Value::Array(_)]) => {
                Some(json!([operator, self.within(inner, &format!("{pointer}/1"), problems)?]))
            }
            _ => Some(entry.clone()),
        }
    }

    /// The segments that an entry names, at least one.
    fn named(
        &mut self,
        entry: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Vec<&'site Segment>> {
        let ids = match entry.as_array().map(Vec::as_slice) {
            Some([operator, _, Value::Array(ids)]) if operator == "is" && !ids.is_empty() => ids,
            _ => {
                let rule = "segments are found by is and a list of their numbers, as in [\"is\", \"segment\", [7]].";
                return problems.note(pointer, format!("Invalid filter {}: {rule}", shown(entry)));
            }
        };
        self.named += ids.len();
        if self.named > NAMED_MAX {
            let rule = format!("a query names {NAMED_MAX} segments at most.");
            return problems.note(pointer, format!("Invalid filter {}: {rule}", shown(entry)));
        }
        let each = ids.iter().enumerate().map(|(index, id)| {
            let found =
                self.segments.iter().find(|segment| Some(u64::from(segment.id)) == whole(id));
            let rule = "the site has no segment of this number.";
            let message = || format!("Invalid segment {}: {rule}", shown(id));
            found.or_else(|| problems.note(format!("{pointer}/2/{index}"), message()))
        });
        let meant: Vec<&Segment> = each.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
        let place = |(index, segment): (usize, &&Segment)| Place {
            filters: match meant.len() {
                1 => pointer.to_owned(),
                _ => format!("{pointer}/1/{index}"),
            },
            named: pointer.to_owned(),
            segment: format!("Segment {} ({:?})", segment.id, segment.name),
        };
        self.places.0.extend(meant.iter().enumerate().map(place));
        Some(meant)
    }
}

fn names_segments(entry: &Value) -> bool {
    entry.get(1).is_some_and(|dimension| dimension == SEGMENT)
}

/// The filter that holds for those whom one of the segments means.
fn any(segments: &[&Segment]) -> Value {
    let all = |segment: &&Segment| match segment.filters.as_slice() {
        [filter] => filter.clone(),
        filters => json!(["and", filters]),
    };
    match segments {
        [segment] => all(segment),
        segments => json!(["or", segments.iter().map(all).collect::<Vec<_>>()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments() -> Vec<Segment> {
        let filters = |id: u32, filters: Value| Segment {
            id,
            name: format!("segment {id}"),
            filters: filters.as_array().cloned().unwrap(),
        };
        vec![filters(7, json!(["a", "b"])), filters(8, json!(["c"]))]
    }

    #[track_caller]
    fn check(entry: Value, expected: Value) {
        let mut problems = Problems::default();
        let expanded = Segments::of(&segments()).expand(&entry, "#/filters/0", &mut problems);
        assert_eq!(json!(expanded.unwrap()), expected);
        assert!(problems.finish(Some(())).is_ok());
    }

    #[track_caller]
    fn refused(entry: Value, expected: &str) {
        let mut problems = Problems::default();
        assert_eq!(Segments::of(&segments()).expand(&entry, "#/filters/0", &mut problems), None);
        assert_eq!(problems.finish(Some(())).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_segment_among_the_filters_is_its_filters() {
        check(json!(["is", "segment", [7]]), json!(["a", "b"]));
        check(json!(["is", "segment", [7, 8]]), json!([["or", [["and", ["a", "b"]], "c"]]]));
        check(json!(["is", "visit:source", ["x"]]), json!([["is", "visit:source", ["x"]]]));
    }

    #[test]
    fn a_segment_within_a_filter_is_one_filter() {
        let source = json!(["is", "visit:source", ["x"]]);
        check(
            json!(["or", [source, ["is", "segment", [7]]]]),
            json!([["or", [source, ["and", ["a", "b"]]]]]),
        );
        check(json!(["not", ["is", "segment", [8]]]), json!([["not", "c"]]));
        check(
            json!(["not", ["and", [source, ["is", "segment", [8]]]]]),
            json!([["not", ["and", [source, "c"]]]]),
        );
    }

    #[test]
    fn a_segment_that_there_is_not_is_refused_with_its_place() {
        refused(
            json!(["is", "segment", [7, 9, "7"]]),
            "#/filters/0/2/1: Invalid segment 9: the site has no segment of this number.\n\
             #/filters/0/2/2: Invalid segment \"7\": the site has no segment of this number.",
        );
        refused(
            json!(["not", ["is", "segment", [9]]]),
            "#/filters/0/1/2/0: Invalid segment 9: the site has no segment of this number.",
        );
    }

    #[test]
    fn a_query_names_so_many_segments_and_no_more() {
        let (segments, mut problems) = (segments(), Problems::default());
        let mut segments = Segments::of(&segments);
        let mut named = |ids: Vec<u32>| {
            segments.expand(&json!(["is", "segment", ids]), "#/filters/0", &mut problems).is_some()
        };
        assert!(named(vec![7; NAMED_MAX]));
        assert!(!named(vec![7]));
    }

    #[test]
    fn segments_are_found_by_is_alone() {
        for entry in [
            json!(["is_not", "segment", [7]]),
            json!(["is", "segment", []]),
            json!(["is", "segment"]),
            json!(["is", "segment", [7], { "case_sensitive": false }]),
        ] {
            let mut problems = Problems::default();
            assert_eq!(
                Segments::of(&segments()).expand(&entry, "#/filters/0", &mut problems),
                None
            );
            assert!(problems.finish(Some(())).unwrap_err().to_string().contains("found by is"));
        }
    }
}
