//! The routes of what a site has set up: goals, segments, shared links; and their bodies.

use serde_json::{Value, json};

use super::operations::{JSON, Operation, Parameter, get, in_path, query, site_id, with};
use super::schemas::{by_name, list, object, text};

/// Every one of them.
pub(super) fn operations() -> Vec<Operation> {
    [goals(), segments(), links()].into_iter().flatten().collect()
}

/// What a list can be asked for besides.
pub(super) fn paging() -> [Parameter; 3] {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 });
    [
        query("limit", "The most entries.", limit),
        query("after", "Those after this one: `meta.after` of the page before.", text()),
        query("before", "Those before this one: `meta.before` of the page after.", text()),
    ]
}

fn goals() -> Vec<Operation> {
    let at = "/api/v1/sites/goals";
    vec![
        get(at, "goals", "The goals of a site.")
            .reader()
            .takes([site_id()])
            .takes(paging())
            .gives("The goals.", by_name("Goals"))
            .also(&[400]),
        with(
            "put",
            get(at, "putGoal", "Sets a goal up, or changes the one that is met by the same."),
        )
        .administrator()
        .sends(JSON, true, by_name("NewGoal"))
        .gives("The goal.", by_name("Goal"))
        .also(&[400, 404, 413, 503]),
        with("delete", get("/api/v1/sites/goals/{id}", "removeGoal", "Removes a goal."))
            .administrator()
            .takes([in_path("id", "Its id.")])
            .gives("It is gone.", by_name("Deleted"))
            .also(&[400, 404, 413, 503]),
    ]
}

fn segments() -> Vec<Operation> {
    let (all, one) = ("/api/v1/sites/{domain}/segments", "/api/v1/sites/{domain}/segments/{id}");
    let domain = || in_path("domain", "The domain of the site.");
    let id = || in_path("id", "The number of the segment.");
    let saves = |operation: Operation| {
        operation
            .administrator()
            .takes([domain()])
            .sends(JSON, true, by_name("SegmentChange"))
            .gives("The segment.", by_name("Segment"))
            .also(&[400, 404, 413, 503])
    };
    vec![
        get(all, "segments", "The segments of a site.")
            .reader()
            .takes([domain()])
            .takes(paging())
            .gives("The segments.", by_name("Segments"))
            .also(&[400]),
        saves(with("post", get(all, "createSegment", "Saves a new segment."))),
        saves(with(
            "put",
            get(all, "putSegment", "Saves a segment in place of the one of its name."),
        )),
        get(one, "segment", "A segment.")
            .reader()
            .takes([domain(), id()])
            .gives("The segment.", by_name("Segment"))
            .also(&[400, 404]),
        saves(with("put", get(one, "changeSegment", "Changes a segment."))).takes([id()]),
        with("delete", get(one, "removeSegment", "Removes a segment."))
            .administrator()
            .takes([domain(), id()])
            .gives("It is gone.", by_name("Deleted"))
            .also(&[400, 404, 503]),
    ]
}

fn links() -> Vec<Operation> {
    let at = "/api/v1/sites/shared-links";
    let named = |operation: Operation| {
        operation.administrator().sends(JSON, true, by_name("LinkName")).also(&[400, 404, 413, 503])
    };
    vec![
        get(at, "sharedLinks", "The shared links of a site.")
            .administrator()
            .takes([site_id()])
            .takes(paging())
            .gives("The links.", by_name("SharedLinks"))
            .also(&[400, 404]),
        named(with(
            "put",
            get(at, "putSharedLink", "The shared link of this name, made if need be."),
        ))
        .gives("The link.", by_name("SharedLink")),
        named(with("delete", get(at, "removeSharedLink", "Removes a shared link.")))
            .gives("It opens nothing any more.", by_name("Deleted")),
    ]
}

/// The bodies, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let or_null = |kind: &str| json!({ "type": [kind, "null"] });
    let goal_type = json!({ "enum": ["event", "page"] });
    let goal = json!({
        "id": text(), "goal_type": goal_type, "event_name": or_null("string"), "page_path": or_null("string"),
        "scroll_threshold": or_null("integer"), "display_name": text(), "currency": or_null("string"),
        "domain": text(),
    });
    let new_goal = json!({
        "site_id": text(), "goal_type": goal_type, "event_name": or_null("string"), "page_path": or_null("string"),
        "scroll_threshold": { "type": ["integer", "null"], "minimum": 0, "maximum": 100 },
        "display_name": or_null("string"), "currency": or_null("string"),
    });
    let always = [
        "id",
        "goal_type",
        "event_name",
        "page_path",
        "scroll_threshold",
        "display_name",
        "currency",
    ];
    let id = json!({ "type": "integer", "minimum": 1 });
    let filters = json!({ "type": "array", "minItems": 1, "items": by_name("Query.filter") });
    let page = |key: &str, of: &str| {
        object(&[key, "meta"], json!({ key: list(by_name(of)), "meta": by_name("Page") }))
    };
    vec![
        (
            "Page",
            object(
                &["after", "before", "limit"],
                json!({ "after": or_null("string"), "before": or_null("string"), "limit": { "type": "integer" } }),
            ),
        ),
        ("Goal", object(&always, goal)),
        ("Goals", page("goals", "Goal")),
        ("NewGoal", object(&["site_id", "goal_type"], new_goal)),
        (
            "Segment",
            object(
                &["id", "name", "filters"],
                json!({ "id": id, "name": text(), "filters": filters }),
            ),
        ),
        ("Segments", page("segments", "Segment")),
        ("SegmentChange", object(&[], json!({ "name": or_null("string"), "filters": filters }))),
        ("SharedLink", object(&["name", "url"], json!({ "name": text(), "url": text() }))),
        ("SharedLinks", page("shared_links", "SharedLink")),
        ("LinkName", object(&["site_id", "name"], json!({ "site_id": text(), "name": text() }))),
        (
            "Money",
            object(
                &["value", "currency", "short", "long"],
                json!({ "value": { "type": "number" }, "currency": text(), "short": text(), "long": text() }),
            ),
        ),
    ]
}
