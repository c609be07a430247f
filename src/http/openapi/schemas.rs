//! The bodies of requests and answers; those of reports are in [`super::questions`].

use serde_json::{Map, Value, json};

use super::questions;
use crate::beacon::NAME_CHARS_MAX;
use crate::import::FIELDS as LINE_FIELDS;
use crate::site::annotation::AnnotationKind;
use crate::site::floor::Floor;
use crate::site::member::Role;

/// A reference to one of [`all`].
pub(super) fn by_name(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Any text.
pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// Every schema by its name.
pub(super) fn all() -> Map<String, Value> {
    let mut schemas = questions::query();
    let more = questions::reports().into_iter().chain(files()).chain(setting_up());
    schemas.extend(more.map(|(name, schema)| (name.to_owned(), schema)));
    schemas
}

/// A schema and its name.
pub(super) type Named = (&'static str, Value);

pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

pub(super) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

pub(super) fn or_null(kind: &str) -> Value {
    json!({ "type": [kind, "null"] })
}

pub(super) fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// An object whose values are all of one kind.
pub(super) fn map(values: Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

fn files() -> Vec<Named> {
    let bad = object(&["line", "error"], json!({ "line": whole(), "error": text() }));
    let summary =
        json!({ "lines": whole(), "events": whole(), "bad_lines": whole(), "errors": list(bad) });
    let lines = json!({
        "type": "array",
        "items": by_name("ImportLine"),
        "description": "Each a line of its own, in the order of arrival.",
    });
    vec![
        ("Beacon", beacon()),
        ("BeaconForm", beacon_form()),
        ("BeaconErrors", object(&["errors"], json!({ "errors": map(list(text())) }))),
        ("ImportLine", import_line()),
        ("ImportLines", lines),
        ("Erasure", erasure()),
        ("Erased", erased()),
        ("ImportSummary", object(&["lines", "events", "bad_lines", "errors"], summary)),
    ]
}

/// Which events shall be erased.
fn erasure() -> Value {
    let properties = json!({
        "site_id": text(), "from": or_null("string"), "to": or_null("string"), "path": or_null("string"),
        "event": or_null("string"), "props": map(text()), "removed": { "type": "boolean" },
    });
    object(&["site_id"], properties)
}

fn erased() -> Value {
    let properties = json!({
        "events": whole(), "entry_pages": whole(), "days": whole(), "quarantined": whole(),
        "complete": { "type": "boolean" }, "remains": list(text()),
    });
    object(&["events", "entry_pages", "days", "quarantined", "complete", "remains"], properties)
}

/// The fields of a beacon, each with its names: of several that are there the first holds.
const BEACON_FIELDS: [(&[&str], &str); 12] = [
    (&["n", "name"], "`pageview`, `engagement`, or the name of an event of one's own."),
    (&["u", "url"], "The whole address of the page: 2000 bytes at most."),
    (
        &["d", "domain"],
        "The site, or several with commas between; the host of the page without it.",
    ),
    (&["r", "referrer"], "The page that linked there."),
    (&["m", "meta", "p", "props"], "Properties, as an object or as its text."),
    (
        &["i", "interactive"],
        "False for an event that nobody caused: a visit bounces in spite of it.",
    ),
    (&["h", "hashMode"], "1 where the fragment is a part of the path."),
    (&["$", "revenue"], "What it brought: `amount` and `currency`, as an object or as its text."),
    (&["sd"], "How far down the page was scrolled, in percent; of `engagement`."),
    (&["e"], "For how many milliseconds the page had attention; of `engagement`."),
    (&["c", "consent"], "Whether the visitor agreed to be counted."),
    (&["v"], "The version of the tracker; not looked at."),
];

/// What each field of a beacon may be; what is said by no name of it is as if it were not there.
fn beacon() -> Value {
    let field = |name: &str| match name {
        "n" => {
            json!({ "type": ["string", "integer"], "minLength": 1, "maxLength": NAME_CHARS_MAX })
        }
        "u" | "d" => json!({ "type": "string", "minLength": 1 }),
        "r" => or_null("string"),
        "m" | "$" => json!({ "type": ["object", "string", "null"] }),
        "i" => json!({ "type": "boolean" }),
        "h" | "v" => json!({ "type": "integer" }),
        "c" => json!({ "anyOf": [{ "type": "boolean" }, { "enum": [0, 1] }] }),
        _ => json!({ "type": ["integer", "string"] }),
    };
    beacon_of(field)
}

/// The same as a form: of texts alone.
fn beacon_form() -> Value {
    beacon_of(|name| match name {
        "n" | "u" | "d" => json!({ "type": "string", "minLength": 1 }),
        "i" | "c" => json!({ "enum": ["true", "false"] }),
        "h" | "v" => json!({ "type": "string", "pattern": "^[0-9]+$" }),
        _ => text(),
    })
}

fn beacon_of(field: impl Fn(&str) -> Value) -> Value {
    let described = |(names, doc): &(&[&str], &str)| {
        let mut schema = field(names[0]);
        schema["description"] = json!(doc);
        names.iter().map(|name| ((*name).to_owned(), schema.clone())).collect::<Vec<_>>()
    };
    let properties: Map<String, Value> = BEACON_FIELDS.iter().flat_map(described).collect();
    let one_of = |names: &[&str]| {
        let each: Vec<_> = names.iter().map(|name| json!({ "required": [name] })).collect();
        json!({ "anyOf": each })
    };
    let required: Vec<_> = BEACON_FIELDS[..2].iter().map(|(names, _)| one_of(names)).collect();
    json!({ "type": "object", "allOf": required, "properties": properties })
}

/// Most fields are texts; those that are not, are here.
fn import_line() -> Value {
    let revenue = json!({ "amount": { "type": ["number", "string"] }, "currency": text() });
    let other = |name: &str| match name {
        "timestamp" => json!({ "type": "string", "format": "date-time" }),
        "visitor" => json!({ "type": ["string", "integer"], "minimum": 0 }),
        "city" | "engagement_ms" => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        "scroll_depth" => json!({ "type": "integer", "minimum": 0, "maximum": 100 }),
        "props" => json!({ "type": "object" }),
        "revenue" => object(&["amount", "currency"], revenue.clone()),
        "interactive" | "new_visit" => json!({ "type": "boolean" }),
        _ => text(),
    };
    let properties: Map<_, _> =
        LINE_FIELDS.iter().map(|name| ((*name).to_owned(), other(name))).collect();
    object(&["site", "timestamp"], json!(properties))
}

fn setting_up() -> Vec<Named> {
    let (domain, truth) =
        (json!({ "type": "string", "minLength": 1 }), json!({ "type": "boolean" }));
    let paged = |name: &str, entry: &str| {
        object(&[name, "meta"], json!({ name: list(by_name(entry)), "meta": by_name("Meta") }))
    };
    let cursors =
        json!({ "after": or_null("string"), "before": or_null("string"), "limit": whole() });
    let change = json!({
        "domain": domain, "timezone": or_null("string"), "retention_days": or_null("integer"),
        "public": or_null("boolean"), "least_visitors": least_or_null(),
    });
    let site = json!({
        "domain": text(), "timezone": text(), "retention_days": or_null("integer"), "public": truth,
        "least_visitors": least(),
    });
    let segment = json!({ "id": whole(), "name": text(), "filters": list(json!({})) });
    let annotation = json!({
        "id": whole(), "date": { "type": "string", "format": "date" },
        "kind": { "enum": AnnotationKind::ALL.map(AnnotationKind::name) }, "text": text(),
        "automatic": truth, "made_at": { "type": "string", "format": "date-time" },
    });
    let annotation_change = json!({
        "date": { "type": ["string", "null"], "format": "date" },
        "text": { "type": ["string", "null"], "minLength": 1 },
    });
    let done = |name: &str| object(&[name], json!({ name: { "const": true } }));
    vec![
        ("Meta", object(&["after", "before", "limit"], cursors)),
        (
            "Site",
            object(&["domain", "timezone", "retention_days", "public", "least_visitors"], site),
        ),
        ("Sites", paged("sites", "Site")),
        ("NewSite", object(&["domain"], change.clone())),
        ("SiteChange", object(&[], change)),
        ("Goal", goal(&[])),
        ("SavedGoal", goal(&["domain"])),
        ("Goals", paged("goals", "Goal")),
        ("NewGoal", new_goal()),
        ("Segment", object(&["id", "name", "filters"], segment)),
        ("Segments", paged("segments", "Segment")),
        (
            "SegmentChange",
            object(&[], json!({ "name": text(), "filters": list(by_name("Query.filter")) })),
        ),
        ("Annotation", object(&["id", "date", "kind", "text", "automatic", "made_at"], annotation)),
        ("Annotations", paged("annotations", "Annotation")),
        ("AnnotationChange", object(&[], annotation_change)),
        ("SharedLink", shared_link()),
        ("LinkChange", link_change()),
        ("Reads", object(&["reads"], json!({ "reads": list(read()) }))),
        ("SharedLinks", paged("shared_links", "SharedLink")),
        ("LinkName", object(&["site_id", "name"], json!({ "site_id": text(), "name": text() }))),
        ("Guest", guest()),
        ("Guests", paged("guests", "Guest")),
        ("NewGuest", new_guest()),
        ("Deleted", done("deleted")),
        ("Revoked", done("revoked")),
        ("Tokens", object(&["tokens"], json!({ "tokens": list(token()) }))),
        ("NewToken", new_token()),
        ("Secret", object(&["token"], json!({ "token": text() }))),
        ("Quarantine", object(&["quarantine"], json!({ "quarantine": list(put_aside()) }))),
        ("Replayed", object(&["loaded", "kept"], json!({ "loaded": whole(), "kept": whole() }))),
        ("Health", health()),
    ]
}

/// The least number of visitors that is told; 1 is every number.
fn least() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": Floor::MAX })
}

fn least_or_null() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 1, "maximum": Floor::MAX })
}

fn shared_link() -> Value {
    let properties = json!({
        "name": text(), "url": text(), "has_password": { "type": "boolean" }, "segment": or_null("integer"),
        "least_visitors": least(), "created_at": text(), "expires_at": or_null("string"),
        "last_used": or_null("string"),
    });
    let required: Vec<String> =
        properties.as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
    let required: Vec<&str> = required.iter().map(String::as_str).collect();
    object(&required, properties)
}

/// What is missing stays as it is. An empty password or end takes it off, and segment 0 opens the whole site.
fn link_change() -> Value {
    let properties = json!({
        "site_id": text(), "name": text(), "password": or_null("string"), "segment": or_null("integer"),
        "least_visitors": least_or_null(), "expires_at": or_null("string"),
    });
    object(&["site_id", "name"], properties)
}

fn role() -> Value {
    json!({ "enum": Role::ALL })
}

/// A member; the names are the field's.
fn guest() -> Value {
    let properties = json!({
        "email": text(), "role": role(), "every_site": { "type": "boolean" }, "status": { "const": "accepted" },
    });
    object(&["email", "role", "every_site", "status"], properties)
}

fn new_guest() -> Value {
    let properties = json!({ "site_id": text(), "email": text(), "role": role() });
    object(&["site_id", "email", "role"], properties)
}

/// A line of the log of reads.
fn read() -> Value {
    let kinds = ["owner", "token", "person", "link", "public", "nobody"];
    let reader = json!({ "kind": { "enum": kinds }, "id": text(), "name": text() });
    let properties = json!({
        "time": { "type": "string", "format": "date-time" },
        "reader": object(&["kind"], reader),
        "site": or_null("string"),
        "route": text(),
        "dimensions": list(text()),
        "status": whole(),
        "lost": whole(),
    });
    object(&["time", "reader", "site", "route", "dimensions", "status"], properties)
}

fn put_aside() -> Value {
    let named = json!({ "code": whole(), "site": or_null("string"), "name": or_null("string"), "events": whole() });
    object(&["code", "site", "name", "events"], named)
}

/// A goal, with so many fields more.
fn goal(more: &[&str]) -> Value {
    let texts =
        ["event_name", "page_path", "currency"].map(|name| (name.to_owned(), or_null("string")));
    let mut properties = Map::from_iter(texts);
    properties.insert("id".into(), text());
    properties.insert("goal_type".into(), json!({ "enum": ["event", "page"] }));
    properties.insert("scroll_threshold".into(), or_null("integer"));
    properties.insert("display_name".into(), text());
    properties.extend(more.iter().map(|name| ((*name).to_owned(), text())));
    let required: Vec<String> = properties.keys().cloned().collect();
    let required: Vec<&str> = required.iter().map(String::as_str).collect();
    object(&required, json!(properties))
}

fn new_goal() -> Value {
    let properties = json!({
        "site_id": text(),
        "goal_type": { "enum": ["event", "page"] },
        "event_name": or_null("string"),
        "page_path": or_null("string"),
        "scroll_threshold": { "type": ["integer", "null"], "minimum": 0, "maximum": 100 },
        "display_name": or_null("string"),
        "currency": or_null("string"),
    });
    object(&["site_id", "goal_type"], properties)
}

fn scope() -> Value {
    json!({ "enum": ["stats", "admin"] })
}

fn new_token() -> Value {
    let expires_at = json!({ "type": ["string", "null"], "format": "date-time" });
    let properties = json!({
        "scope": scope(), "sites": list(text()), "note": text(), "least_visitors": least_or_null(),
        "expires_at": expires_at,
    });
    object(&["scope"], properties)
}

fn token() -> Value {
    let properties = json!({
        "id": text(), "scope": scope(), "sites": list(text()), "note": text(), "created_at": text(),
        "least_visitors": least(), "expires_at": or_null("string"), "last_used": or_null("string"),
    });
    let required =
        ["id", "scope", "sites", "note", "least_visitors", "created_at", "expires_at", "last_used"];
    object(&required, properties)
}

fn health() -> Value {
    let part = json!({ "enum": ["ok", "error"] });
    let properties = json!({
        "ready": { "type": "boolean" }, "clickhouse": part, "reports": part, "tables": part, "spool": part,
        "catalog": part,
    });
    object(&["ready", "clickhouse", "reports", "tables", "spool", "catalog"], properties)
}
