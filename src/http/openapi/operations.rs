//! The routes of the API, one entry a method. A new route gets its entry here.

use serde_json::{Value, json};

use super::schemas::{by_name, text};
use crate::query::measure::Statistic;
use crate::query::metric::Metric;
use crate::report::format::Format;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Anybody,
    /// Who has a token that reads the site.
    Reader,
    /// Who has an administrator's token.
    Administrator,
}

/// Status, what it means, and media types with their schemas.
pub(super) type Answer = (u16, &'static str, Vec<(&'static str, Value)>);

/// A method of a path.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) access: Access,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    /// Statuses of refusals, beside those that its access brings with it.
    also: &'static [u16],
}

/// A parameter of the query string or the path.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) required: bool,
    pub(super) doc: &'static str,
    pub(super) schema: Value,
}

/// What is sent.
pub(super) struct Body {
    pub(super) required: bool,
    /// Media types with their schemas.
    pub(super) forms: Vec<(&'static str, Value)>,
}

const JSON: &[&str] = &["application/json"];
const FORMS: &[&str] = &["application/x-www-form-urlencoded", "multipart/form-data"];
/// What sets something up comes as JSON or as a form.
const FIELDS: &[&str] = &["application/json", "application/x-www-form-urlencoded"];

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation {
        method: "get",
        path,
        id,
        summary,
        access: Access::Anybody,
        parameters: Vec::new(),
        body: None,
        answers: Vec::new(),
        also: &[],
    }
}

fn with(method: &'static str, operation: Operation) -> Operation {
    Operation { method, ..operation }
}

impl Operation {
    fn reader(self) -> Self {
        Self { access: Access::Reader, ..self }
    }

    fn administrator(self) -> Self {
        Self { access: Access::Administrator, ..self }
    }

    fn takes(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    fn sends(self, media_types: &'static [&'static str], required: bool, schema: Value) -> Self {
        let forms = media_types.iter().map(|media_type| (*media_type, schema.clone())).collect();
        Self { body: Some(Body { required, forms }), ..self }
    }

    /// The same body in other forms.
    fn or_sends(mut self, media_types: &'static [&'static str], schema: &Value) -> Self {
        let forms = media_types.iter().map(|media_type| (*media_type, schema.clone()));
        self.body.iter_mut().for_each(|body| body.forms.extend(forms.clone()));
        self
    }

    fn answers(
        mut self,
        status: u16,
        doc: &'static str,
        media_type: &'static str,
        schema: Value,
    ) -> Self {
        self.answers.push((status, doc, vec![(media_type, schema)]));
        self
    }

    /// 200 with JSON.
    fn gives(self, doc: &'static str, schema: Value) -> Self {
        self.answers(200, doc, "application/json", schema)
    }

    /// 200 without a body.
    fn gives_nothing(mut self) -> Self {
        self.answers.push((200, "Nothing.", Vec::new()));
        self
    }

    /// A report in any of its forms, and 304.
    fn reports(mut self, schema: Value) -> Self {
        let form = |format: Format| {
            let media_type = format.media_type().split(';').next().unwrap_or_default();
            (media_type, if format == Format::Json { schema.clone() } else { text() })
        };
        let forms = Format::ALL.into_iter().map(form).collect();
        self.answers.push((200, "The report, in the form that was asked for.", forms));
        self.answers.push((304, "The report is the one that the client has.", Vec::new()));
        let names: Vec<_> = Format::ALL.into_iter().map(Format::name).collect();
        let doc = "The form of the answer; it wins over the header Accept.";
        self.takes([query("format", doc, json!({ "enum": names }))]).also(&[400, 406, 422, 503])
    }

    fn also(self, also: &'static [u16]) -> Self {
        Self { also, ..self }
    }

    /// The statuses of its refusals.
    pub(super) fn refusals(&self) -> Vec<u16> {
        let by_access: &[u16] = match self.access {
            Access::Anybody => &[],
            Access::Reader => &[401],
            Access::Administrator => &[401, 403],
        };
        by_access.iter().chain(self.also).copied().collect()
    }
}

fn query(name: &'static str, doc: &'static str, schema: Value) -> Parameter {
    Parameter { name, place: "query", required: false, doc, schema }
}

fn required(parameter: Parameter) -> Parameter {
    Parameter { required: true, ..parameter }
}

fn in_path(name: &'static str, doc: &'static str) -> Parameter {
    Parameter {
        name,
        place: "path",
        required: true,
        doc,
        schema: json!({ "type": "string", "minLength": 1 }),
    }
}

fn site_id() -> Parameter {
    required(query(
        "site_id",
        "The domain of the site.",
        json!({ "type": "string", "minLength": 1 }),
    ))
}

/// Every route of the API.
pub(super) fn operations() -> Vec<Operation> {
    let parts = [
        beacons(),
        reports(),
        files(),
        sites(),
        goals(),
        segments(),
        annotations(),
        shared_links(),
        members(),
        tokens(),
        access_log(),
        quarantine(),
        health(),
        documents(),
    ];
    parts.into_iter().flatten().collect()
}

fn beacons() -> Vec<Operation> {
    let headers = "Understood; the headers `x-plausible-dropped` and `x-passerby-dropped` say how many of its events were not counted, and why.";
    let errors = "It breaks a rule: the field and the rule.";
    let field = |name, doc| query(name, doc, json!({ "type": "string" }));
    vec![
        with("post", get("/api/event", "sendBeacon", "Takes a beacon in."))
            .sends(&["application/json", "text/plain"], true, by_name("Beacon"))
            .or_sends(FORMS, &by_name("BeaconForm"))
            .answers(202, headers, "text/plain", text())
            .answers(400, errors, "application/json", by_name("BeaconErrors"))
            .answers(415, "The body is compressed.", "text/plain", text())
            .answers(503, "It can not be kept now; send it again.", "text/plain", text()),
        get("/api/event.gif", "sendPixel", "Takes a beacon in as the address of a picture.")
            .takes([
                field("site", "The domain of the site."),
                field("url", "The page's URL; the header Referer without it."),
                field("referrer", "The page that linked there."),
                field("name", "The name of the event; `pageview` without it."),
            ])
            .answers(202, headers, "image/gif", text())
            .answers(400, errors, "image/gif", text())
            .answers(503, "It can not be kept now.", "image/gif", text()),
        get("/js/{name}", "script", "The page script.")
            .takes([in_path("name", "`script.js`, or a name that tags in the field have.")])
            .answers(200, "The script.", "text/javascript", text())
            .also(&[400, 404]),
    ]
}

fn reports() -> Vec<Operation> {
    let post = with("post", get("/api/v2/query", "query", "Answers a query."));
    vec![
        post.reader()
            .sends(JSON, true, json!({ "anyOf": [by_name("Query"), by_name("Queries")] }))
            .reports(json!({ "anyOf": [by_name("Answer"), by_name("Answers")] }))
            .also(&[400, 406, 413, 415, 422, 503]),
        ask(
            "/api/v2/funnel",
            "funnel",
            "How many go through some steps.",
            "Funnel",
            "FunnelAnswer",
        ),
        ask(
            "/api/v2/journey",
            "journey",
            "Where visits go from a step.",
            "Journey",
            "JourneyAnswer",
        ),
        get(
            "/api/v1/stats/realtime/visitors",
            "visitorsNow",
            "Who did something in the last five minutes.",
        )
        .reader()
        .takes([site_id()])
        .gives("How many visitors.", json!({ "type": "integer", "minimum": 0 }))
        .also(&[400, 422, 503]),
        older("/api/v1/stats/aggregate", "aggregate", "A number a metric, for a period.")
            .takes([query(
                "compare",
                "What it is compared with.",
                json!({ "const": "previous_period" }),
            )])
            .reports(by_name("Aggregate")),
        older("/api/v1/stats/timeseries", "timeseries", "A row for each bucket of a period.")
            .takes([query(
                "interval",
                "The length of a bucket.",
                json!({ "enum": ["day", "date", "month"] }),
            )])
            .reports(by_name("Rows")),
        older("/api/v1/stats/breakdown", "breakdown", "A row for each value of a property.")
            .takes([
                required(query("property", "What it is broken down by.", by_name("Property"))),
                query(
                    "limit",
                    "The most rows.",
                    json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
                ),
                query("page", "Which of the pages.", json!({ "type": "integer", "minimum": 1 })),
            ])
            .reports(by_name("Rows")),
    ]
}

/// A question of its own.
fn ask(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    question: &str,
    answer: &str,
) -> Operation {
    let post = with("post", get(path, id, summary)).reader().sends(JSON, true, by_name(question));
    post.reports(by_name(answer)).also(&[400, 406, 413, 415, 422, 503])
}

/// What the routes of the older dialect share.
fn older(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let metrics = Metric::ALL.iter().map(|metric| metric.spec().name.to_owned());
    let of_property =
        Statistic::ALL.iter().map(|statistic| format!("{}:event:props:[^,]+", statistic.name()));
    let metrics: Vec<_> = metrics.chain(of_property).collect();
    let metrics = format!("^ *({0}) *(, *({0}) *)*$", metrics.join("|"));
    get(path, id, summary).reader().takes([
        site_id(),
        query("period", "Of what time.", json!({ "enum": ["day", "7d", "30d", "month", "6mo", "12mo", "custom"] })),
        query("date", "The day that it ends on, or the first and the last.", json!({
            "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}( *, *[0-9]{4}-[0-9]{2}-[0-9]{2})?$",
        })),
        query("metrics", "What is counted, with commas between.", json!({ "type": "string", "pattern": metrics })),
        query("filters", "`visit:source==Google|Bing;event:page!=/blog/**`", json!({ "type": "string" })),
        query("with_imported", "Has no effect: imported events count in any case.", json!({ "type": "string" })),
    ])
}

fn files() -> Vec<Operation> {
    let day = || json!({ "type": "string", "format": "date" });
    let import = with("post", get("/api/v1/import", "import", "Takes in events from JSON lines."));
    let only = query(
        "site_id",
        "Puts all events on this site.",
        json!({ "type": "string", "minLength": 1 }),
    );
    vec![
        import
            .administrator()
            .takes([only])
            .sends(&["application/x-ndjson"], true, by_name("ImportLines"))
            .gives("What became of the lines.", by_name("ImportSummary"))
            .also(&[400, 404, 503]),
        with("post", get("/api/v1/erase", "erase", "Takes events out of everything."))
            .administrator()
            .sends(JSON, true, by_name("Erasure"))
            .gives("What is gone, and what remains where.", by_name("Erased"))
            .also(&[400, 404, 413, 503]),
        get("/api/v1/export", "export", "The events of a site as JSON lines that an import reads.")
            .administrator()
            .takes([
                site_id(),
                query("from", "The first day on which a visit may have begun.", day()),
                query("to", "The last.", day()),
            ])
            .answers(200, "A line an event.", "application/x-ndjson", text())
            .also(&[400, 404, 422, 503]),
    ]
}

/// Which part of a list.
fn paging() -> [Parameter; 3] {
    let cursor = || json!({ "type": "string" });
    [
        query(
            "limit",
            "The most entries.",
            json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
        ),
        query("after", "The entry before the first, as `meta` of an answer has it.", cursor()),
        query("before", "The entry after the last.", cursor()),
    ]
}

fn sites() -> Vec<Operation> {
    let at = "/api/v1/sites/{domain}";
    let change = || by_name("SiteChange");
    vec![
        get("/api/v1/sites", "sites", "The sites that the token reads.")
            .reader()
            .takes(paging())
            .gives("The sites.", by_name("Sites"))
            .also(&[400, 503]),
        with("post", get("/api/v1/sites", "createSite", "Registers a site."))
            .administrator()
            .sends(FIELDS, true, by_name("NewSite"))
            .gives("The site.", by_name("Site"))
            .also(&[400, 413, 503]),
        get(at, "site", "A site.")
            .reader()
            .takes([domain()])
            .gives("The site.", by_name("Site"))
            .also(&[400, 503]),
        with("put", get(at, "putSite", "Registers a site, or changes it."))
            .administrator()
            .takes([domain()])
            .sends(FIELDS, false, change())
            .gives("The site.", by_name("Site"))
            .also(&[400, 404, 413, 503]),
        with("delete", get(at, "removeSite", "Takes a site off the register."))
            .administrator()
            .takes([domain()])
            .gives("It is gone.", by_name("Deleted"))
            .also(&[400, 404, 503]),
    ]
}

fn domain() -> Parameter {
    in_path("domain", "The domain of the site.")
}

fn id() -> Parameter {
    in_path("id", "Its number, as in the list.")
}

fn goals() -> Vec<Operation> {
    let all = "/api/v1/sites/goals";
    vec![
        get(all, "goals", "The goals of a site.")
            .reader()
            .takes([site_id()])
            .takes(paging())
            .gives("The goals.", by_name("Goals"))
            .also(&[400, 503]),
        with("put", get(all, "putGoal", "Sets a goal up, or changes it."))
            .administrator()
            .sends(FIELDS, true, by_name("NewGoal"))
            .gives("The goal.", by_name("SavedGoal"))
            .also(&[400, 404, 413, 503]),
        with("delete", get("/api/v1/sites/goals/{id}", "removeGoal", "Removes a goal."))
            .administrator()
            .takes([
                id(),
                query("site_id", "The site that it must be of.", json!({ "type": "string" })),
            ])
            .gives("It is gone.", by_name("Deleted"))
            .also(&[400, 404, 413, 503]),
    ]
}

fn annotations() -> Vec<Operation> {
    let all = "/api/v1/sites/{domain}/annotations";
    let one = "/api/v1/sites/{domain}/annotations/{id}";
    let saving = |method, path, id, summary| {
        with(method, get(path, id, summary))
            .administrator()
            .sends(FIELDS, true, by_name("AnnotationChange"))
            .gives("The annotation.", by_name("Annotation"))
            .also(&[400, 404, 413, 503])
    };
    vec![
        get(all, "annotations", "The annotations of a site, by date.")
            .reader()
            .takes([domain()])
            .takes(paging())
            .gives("The annotations.", by_name("Annotations"))
            .also(&[400, 403, 503]),
        saving("post", all, "createAnnotation", "Writes an annotation beside a date, or today.")
            .takes([domain()]),
        get(one, "annotation", "An annotation.")
            .reader()
            .takes([domain(), id()])
            .gives("The annotation.", by_name("Annotation"))
            .also(&[400, 403, 404, 503]),
        saving("put", one, "changeAnnotation", "Changes an annotation that somebody wrote.")
            .takes([domain(), id()]),
        with("delete", get(one, "removeAnnotation", "Removes an annotation."))
            .administrator()
            .takes([domain(), id()])
            .gives("It is gone.", by_name("Deleted"))
            .also(&[400, 404, 503]),
    ]
}

fn segments() -> Vec<Operation> {
    let all = "/api/v1/sites/{domain}/segments";
    let one = "/api/v1/sites/{domain}/segments/{id}";
    let saving = |method, path, id, summary| {
        with(method, get(path, id, summary))
            .administrator()
            .sends(FIELDS, true, by_name("SegmentChange"))
            .gives("The segment.", by_name("Segment"))
            .also(&[400, 404, 413, 503])
    };
    vec![
        get(all, "segments", "The segments of a site.")
            .reader()
            .takes([domain()])
            .takes(paging())
            .gives("The segments.", by_name("Segments"))
            .also(&[400, 503]),
        saving("post", all, "createSegment", "Saves a new segment.").takes([domain()]),
        saving("put", all, "putSegment", "Saves the segment of its name.").takes([domain()]),
        get(one, "segment", "A segment.")
            .reader()
            .takes([domain(), id()])
            .gives("The segment.", by_name("Segment"))
            .also(&[400, 404, 503]),
        saving("put", one, "changeSegment", "Changes a segment.").takes([domain(), id()]),
        with("delete", get(one, "removeSegment", "Removes a segment."))
            .administrator()
            .takes([domain(), id()])
            .gives("It is gone.", by_name("Deleted"))
            .also(&[400, 404, 503]),
    ]
}

fn shared_links() -> Vec<Operation> {
    let at = "/api/v1/sites/shared-links";
    let named = |operation: Operation, fields: &str| {
        operation.administrator().sends(FIELDS, true, by_name(fields)).also(&[400, 404, 413, 503])
    };
    vec![
        get(at, "sharedLinks", "The shared links of a site.")
            .administrator()
            .takes([site_id()])
            .takes(paging())
            .gives("The links.", by_name("SharedLinks"))
            .also(&[400, 404, 503]),
        named(
            with("put", get(at, "putSharedLink", "The link of this name, made or changed.")),
            "LinkChange",
        )
        .gives("The link.", by_name("SharedLink")),
        named(with("delete", get(at, "removeSharedLink", "Removes a shared link.")), "LinkName")
            .gives("It opens nothing any more.", by_name("Deleted")),
    ]
}

fn members() -> Vec<Operation> {
    let at = "/api/v1/sites/guests";
    let site = || {
        let doc = "The domain of the site, or `*` for every site.";
        required(query("site_id", doc, json!({ "type": "string", "minLength": 1 })))
    };
    vec![
        get(at, "guests", "The members of a site, those of every site among them.")
            .administrator()
            .takes([site()])
            .takes(paging())
            .gives("The members.", by_name("Guests"))
            .also(&[400, 404, 503]),
        with(
            "put",
            get(at, "putGuest", "Makes somebody a member, or gives a member another role."),
        )
        .administrator()
        .sends(FIELDS, true, by_name("NewGuest"))
        .gives("The member.", by_name("Guest"))
        .also(&[400, 404, 413, 503]),
        with("delete", get("/api/v1/sites/guests/{email}", "removeGuest", "Takes a role away."))
            .administrator()
            .takes([in_path("email", "The name that the person signs in with."), site()])
            .gives("The person has no role there any more.", by_name("Deleted"))
            .also(&[400, 404, 503]),
    ]
}

fn tokens() -> Vec<Operation> {
    vec![
        get("/api/v1/tokens", "tokens", "The tokens, without their secrets.")
            .administrator()
            .gives("The tokens.", by_name("Tokens"))
            .also(&[503]),
        with("post", get("/api/v1/tokens", "createToken", "Makes a token."))
            .administrator()
            .sends(JSON, true, by_name("NewToken"))
            .gives("Its secret, which is told this once.", by_name("Secret"))
            .also(&[400, 404, 413, 503]),
        with("delete", get("/api/v1/tokens/{id}", "revokeToken", "Ends a token."))
            .administrator()
            .takes([in_path("id", "Its name, as in the list of tokens.")])
            .gives("It opens nothing any more.", by_name("Revoked"))
            .also(&[400, 404, 503]),
    ]
}

fn access_log() -> Vec<Operation> {
    let site = "Of this site alone.";
    vec![
        get("/api/v1/access-log", "accessLog", "Who read which report, and when.")
            .administrator()
            .takes([
                query("site_id", site, json!({ "type": "string", "minLength": 1 })),
                query(
                    "from",
                    "From this moment on.",
                    json!({ "type": "string", "format": "date-time" }),
                ),
                query(
                    "limit",
                    "So many, the latest; 100 by default.",
                    json!({ "type": "integer", "minimum": 1, "maximum": 10_000 }),
                ),
            ])
            .gives("The reads, the latest last.", by_name("Reads"))
            .also(&[400]),
    ]
}

fn quarantine() -> Vec<Operation> {
    let at = "/api/v1/quarantine";
    vec![
        get(at, "quarantine", "The events that ClickHouse refuses, by reason.")
            .administrator()
            .gives("What was put aside.", by_name("Quarantine")),
        with(
            "post",
            get("/api/v1/quarantine/replay", "replayQuarantine", "Loads these events again."),
        )
        .administrator()
        .gives("What is refused once more stays.", by_name("Replayed"))
        .also(&[503]),
    ]
}

fn health() -> Vec<Operation> {
    let probe =
        |path, id, summary| get(path, id, summary).answers(200, "Yes.", "text/plain", text());
    let ready = |path, id| {
        probe(path, id, "Whether beacons can be accepted.").answers(
            503,
            "No.",
            "text/plain",
            text(),
        )
    };
    vec![
        probe("/livez", "live", "Whether the process answers."),
        ready("/readyz", "ready"),
        get("/api/system", "system", "What runs here, without its version.")
            .gives("Its name.", json!({ "type": "object", "required": ["build"] })),
        probe("/api/system/health/live", "systemLive", "Whether the process answers."),
        ready("/api/system/health/ready", "systemReady"),
        get("/api/error", "error", "Nothing, where trackers of the field report their errors.")
            .gives_nothing(),
        get("/api/health", "health", "How the parts are.")
            .gives("Beacons can be accepted.", by_name("Health"))
            .answers(503, "They can not.", "application/json", by_name("Health")),
    ]
}

fn documents() -> Vec<Operation> {
    let document = || json!({ "type": "object" });
    vec![
        get("/openapi.json", "openapi", "This document.").gives("It.", document()),
        get("/api/docs/query/schema.json", "querySchema", "The JSON schema of a query.")
            .gives("It.", document()),
        get(
            "/api/docs/queries/schema.json",
            "queriesSchema",
            "The JSON schema of several queries.",
        )
        .gives("It.", document()),
        get("/api/docs/funnel/schema.json", "funnelSchema", "The JSON schema of a funnel.")
            .gives("It.", document()),
        get("/api/docs/journey/schema.json", "journeySchema", "The JSON schema of a journey.")
            .gives("It.", document()),
    ]
}
