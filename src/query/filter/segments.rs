//! Segments in filters: `["is", "segment", [7]]` stands for the filters that the site saved under 7.
//!
//! They are put in its place before anything is read, so that every rule of filters holds for them where
//! they stand, and the query is echoed without segments. Of several segments one is enough.

use serde_json::{Value, json};

use crate::query::error::{Problems, shown};
use crate::site::segment::Segment;

/// The name that stands where a dimension does.
pub(in crate::query) const SEGMENT: &str = "segment";

/// The filters that an entry of the list of filters comes to: of one segment its filters, which all must
/// hold as the entries of the list do; else the entry, without segments in it.
pub(in crate::query) fn expand(
    entry: &Value,
    segments: &[Segment],
    pointer: &str,
    problems: &mut Problems,
) -> Option<Vec<Value>> {
    if !names_segments(entry) {
        return Some(vec![within(entry, segments, pointer, problems)?]);
    }
    let mut meant = named(entry, segments, pointer, problems)?;
    Some(match meant.len() {
        1 => meant.remove(0).filters.clone(),
        _ => vec![any(&meant)],
    })
}

/// The same with segments replaced, however deep they lie.
fn within(
    entry: &Value,
    segments: &[Segment],
    pointer: &str,
    problems: &mut Problems,
) -> Option<Value> {
    if names_segments(entry) {
        return named(entry, segments, pointer, problems).map(|meant| any(&meant));
    }
    match entry.as_array().map(Vec::as_slice) {
        Some([operator, Value::Array(entries)]) if operator == "and" || operator == "or" => {
            let each = entries.iter().enumerate().map(|(index, entry)| {
                within(entry, segments, &format!("{pointer}/1/{index}"), problems)
            });
            // Every entry is looked at, so that every problem is told.
            let each = each.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
            Some(json!([operator, each]))
        }
        Some([operator, inner @ Value::Array(_)]) => {
            Some(json!([operator, within(inner, segments, &format!("{pointer}/1"), problems)?]))
        }
        _ => Some(entry.clone()),
    }
}

fn names_segments(entry: &Value) -> bool {
    entry.get(1).is_some_and(|dimension| dimension == SEGMENT)
}

/// The segments that an entry names, at least one.
fn named<'site>(
    entry: &Value,
    segments: &'site [Segment],
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
    let each = ids.iter().enumerate().map(|(index, id)| {
        let found = segments.iter().find(|segment| Some(u64::from(segment.id)) == id.as_u64());
        found.or_else(|| {
            let rule = "the site has no segment of this number.";
            problems.note(
                format!("{pointer}/2/{index}"),
                format!("Invalid segment {}: {rule}", shown(id)),
            )
        })
    });
    each.collect::<Vec<_>>().into_iter().collect()
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
        let expanded = expand(&entry, &segments(), "#/filters/0", &mut problems);
        assert_eq!(json!(expanded.unwrap()), expected);
        assert!(problems.finish(Some(())).is_ok());
    }

    #[track_caller]
    fn refused(entry: Value, expected: &str) {
        let mut problems = Problems::default();
        assert_eq!(expand(&entry, &segments(), "#/filters/0", &mut problems), None);
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
    fn segments_are_found_by_is_alone() {
        for entry in [
            json!(["is_not", "segment", [7]]),
            json!(["is", "segment", []]),
            json!(["is", "segment"]),
            json!(["is", "segment", [7], { "case_sensitive": false }]),
        ] {
            let mut problems = Problems::default();
            assert_eq!(expand(&entry, &segments(), "#/filters/0", &mut problems), None);
            assert!(problems.finish(Some(())).unwrap_err().to_string().contains("found by is"));
        }
    }
}
