//! From the bytes of a request to a [`Beacon`].
//!
//! The content type decides who reads the body; each reader gives the same fields, and one function
//! holds the rules.

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use serde_json::{Map, Value};

use super::fields::{Chosen, Fields};
use super::{
    Beacon, BeaconError, Consent, DOMAINS_MAX, Field, Kind, NAME_CHARS_MAX, PATH_BYTES_MAX, Props,
    REFERRER_CHARS_MAX, Revenue, URL_BYTES_MAX, json as json_text,
};
use crate::enrich::page::{Page, PageError};
use crate::enrich::scrub::scrub;
use crate::enrich::text::{cleaned, is_blank};
use crate::event::{ENGAGEMENT, PAGEVIEW, SCROLL_DEPTH_UNKNOWN};
use crate::site::domain::bare_domain;

/// Fields that are objects: a form has their parts one by one, as `props[plan]`.
const OBJECTS: [&str; 6] = ["m", "meta", "p", "props", "revenue", "$"];
/// Engagement of this many milliseconds (30 days) or more is not believed.
const ENGAGEMENT_MS_LIMIT: u64 = 30 * 24 * 60 * 60 * 1000;

/// Decodes the body of `POST /api/event`.
///
/// # Errors
/// The first field that breaks a rule, and the rule.
pub async fn body(content_type: &str, body: Bytes) -> Result<Beacon, BeaconError> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    // What a command line sends is called a form when nobody tells it the type; no form begins like this.
    let is_json = || json_text::unmarked(&body).starts_with(b"{");
    let fields = if essence.eq_ignore_ascii_case("multipart/form-data") {
        let broken = |_| BeaconError::new(Field::Request, "the multipart form can not be read");
        form(multipart(content_type, body).await.map_err(broken)?.into_iter())?
    } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") && !is_json() {
        form(url::form_urlencoded::parse(&body))?
    } else {
        json(&body)?
    };
    beacon(fields.into())
}

/// Decodes the parameters of `GET /api/event.gif`; without a `url` the page is the one that
/// `referer` names, which for a picture is the page that it stands on.
///
/// # Errors
/// The first field that breaks a rule, and the rule.
pub fn pixel(query: &str, referer: Option<&str>) -> Result<Beacon, BeaconError> {
    let renamed = url::form_urlencoded::parse(query.as_bytes())
        .map(|(key, value)| (if key == "site" { "domain".into() } else { key }, value));
    let mut fields: Chosen = form(renamed)?.into();
    fields.url = fields.url.or_else(|| referer.map(Value::from));
    fields.name = fields.name.or_else(|| Some(PAGEVIEW.into()));
    beacon(fields)
}

fn json(body: &[u8]) -> Result<Fields, BeaconError> {
    let wrong = |rule| BeaconError::new(Field::Request, rule);
    // A struct also reads from a list; a beacon does not.
    match json_text::unmarked(body).first() {
        Some(b'{') => json_text::read(body).map_err(|error| match error.is_data() {
            // Fields take any value: of what is well-formed they refuse nothing else.
            true => wrong("a name must not be in the object twice"),
            false => wrong("is no JSON: it must be one well-formed object in UTF-8"),
        }),
        _ => Err(wrong("the body must be one JSON object")),
    }
}

/// A form has texts only: what must be a truth value or a number is read as one.
fn form<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl Iterator<Item = (K, V)>,
) -> Result<Fields, BeaconError> {
    let typed = |key: &str, value: &str| match (key, value) {
        ("i" | "interactive", "true") => Value::Bool(true),
        ("i" | "interactive", "false") => Value::Bool(false),
        ("c" | "consent", "true") => Value::Bool(true),
        ("c" | "consent", "false") => Value::Bool(false),
        ("c" | "consent" | "h" | "hashMode", digits) => {
            digits.parse::<i64>().map_or_else(|_| digits.into(), Value::from)
        }
        (_, text) => text.into(),
    };
    let mut map = Map::new();
    for (key, value) in pairs {
        let (key, value) = (key.as_ref(), value.as_ref());
        match part_of_object(key) {
            Some((object, part)) => {
                let object = map.entry(object).or_insert(Value::Null);
                match object {
                    Value::Object(parts) => {
                        parts.insert(part.to_owned(), value.into());
                    }
                    other => *other = Map::from_iter([(part.to_owned(), value.into())]).into(),
                }
            }
            None => {
                map.insert(key.to_owned(), typed(key, value));
            }
        }
    }
    serde_json::from_value(Value::Object(map))
        .map_err(|_| BeaconError::new(Field::Request, "the form can not be read"))
}

/// The object and the name in it of a field such as `props[plan]`.
fn part_of_object(key: &str) -> Option<(&str, &str)> {
    let (object, part) = key.strip_suffix(']')?.split_once('[')?;
    (OBJECTS.contains(&object) && !part.contains(['[', ']'])).then_some((object, part))
}

/// The fields of a form as `multipart/form-data` has them, in its order.
pub(crate) async fn multipart(
    content_type: &str,
    body: Bytes,
) -> Result<Vec<(String, String)>, multer::Error> {
    let boundary = multer::parse_boundary(content_type)?;
    let chunks = BodyDataStream::new(Full::new(body));
    let mut parts = multer::Multipart::new(chunks, boundary);
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        pairs.push((name, part.text().await?));
    }
    Ok(pairs)
}

/// The rules, whatever the wire form.
pub(super) fn beacon(fields: Chosen) -> Result<Beacon, BeaconError> {
    let name = name(fields.name)?;
    let hash_mode = hash_mode(fields.hash_mode.as_ref())?;
    let (page, query) = page(fields.url, hash_mode)?;
    let domains = domains(fields.domain, &page)?;
    let kind = match name.as_str() {
        PAGEVIEW => Kind::Pageview,
        ENGAGEMENT => engagement(fields.engagement_ms.as_ref(), fields.scroll_depth.as_ref())?,
        _ => Kind::Custom { name: masked(&name), interactive: fields.interactive },
    };
    let props = Props::read(fields.props)?.with_path(kind.name(), &page.pathname);
    Ok(Beacon {
        domains,
        query,
        referrer: referrer(fields.referrer),
        props,
        // Attention repeats what its page view said, and is worth nothing more.
        revenue: match kind {
            Kind::Engagement { .. } => None,
            Kind::Pageview | Kind::Custom { .. } => fields.revenue.and_then(Revenue::read),
        },
        kind,
        page,
        consent: Consent::of(&fields.consent),
    })
}

fn name(sent: Option<Value>) -> Result<String, BeaconError> {
    let name = match sent {
        None => return Err(BeaconError::new(Field::EventName, "is required")),
        Some(Value::String(name)) => cleaned(name),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
        Some(_) => return Err(BeaconError::new(Field::EventName, "must be a text")),
    };
    if is_blank(&name) {
        return Err(BeaconError::new(Field::EventName, "can't be blank"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(BeaconError::new(Field::EventName, "must not exceed 120 characters"));
    }
    Ok(name)
}

/// A mask may be longer than what it masks.
fn masked(name: &str) -> String {
    scrub(name).chars().take(NAME_CHARS_MAX).collect()
}

fn hash_mode(sent: Option<&Value>) -> Result<bool, BeaconError> {
    match sent {
        None => Ok(false),
        Some(value) => match value.as_i64() {
            Some(mode) => Ok(mode == 1),
            None => Err(BeaconError::new(Field::HashMode, "is invalid: it must be an integer")),
        },
    }
}

fn page(sent: Option<Value>, hash_mode: bool) -> Result<(Page, String), BeaconError> {
    const INVALID: &str = "must be a valid url";
    let url = match sent {
        None => return Err(BeaconError::new(Field::Url, "is required")),
        Some(Value::String(url)) => url,
        Some(_) => return Err(BeaconError::new(Field::Url, INVALID)),
    };
    if url.len() > URL_BYTES_MAX {
        return Err(BeaconError::new(Field::Url, "must not exceed 16384 bytes"));
    }
    if url.len() > PATH_BYTES_MAX && Page::path_bytes(&url, hash_mode) > PATH_BYTES_MAX {
        return Err(BeaconError::new(Field::Url, "its path must not exceed 2000 bytes"));
    }
    Page::parse(&url, hash_mode).map_err(|error| {
        BeaconError::new(
            Field::Url,
            match error {
                PageError::Scheme => "scheme is not allowed",
                PageError::Invalid => INVALID,
            },
        )
    })
}

fn domains(sent: Option<Value>, page: &Page) -> Result<Vec<String>, BeaconError> {
    let list = match sent {
        None => return Ok(vec![page.hostname.clone()]),
        Some(Value::String(list)) => list,
        Some(_) => return Err(BeaconError::new(Field::Domain, "must be a text")),
    };
    let mut domains = Vec::with_capacity(1);
    // A site that is named twice was visited once.
    for domain in list.split(',').map(bare_domain).filter(|domain| !domain.is_empty()) {
        if domains.len() <= DOMAINS_MAX && !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    match domains.len() {
        0 => Err(BeaconError::new(Field::Domain, "can't be blank")),
        count if count > DOMAINS_MAX => {
            Err(BeaconError::new(Field::Domain, "must not list more than 100 sites"))
        }
        _ => Ok(domains),
    }
}

/// Both measures are optional, but without either there is nothing to report.
fn engagement(ms: Option<&Value>, scroll_depth: Option<&Value>) -> Result<Kind, BeaconError> {
    let ms = ms.and_then(whole_number).filter(|&ms| ms < ENGAGEMENT_MS_LIMIT);
    let scroll_depth = scroll_depth.and_then(whole_number).map(|depth| depth.min(100) as u8);
    if ms.is_none() && scroll_depth.is_none() {
        return Err(BeaconError::new(Field::EventName, "engagement needs a valid sd or e"));
    }
    // Under 30 days, milliseconds fit in 32 bits.
    let ms = ms.and_then(|ms| u32::try_from(ms).ok()).unwrap_or(0);
    Ok(Kind::Engagement { ms, scroll_depth: scroll_depth.unwrap_or(SCROLL_DEPTH_UNKNOWN) })
}

fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::String(digits) => digits.trim().parse().ok(),
        value => value.as_u64(),
    }
}

impl Consent {
    /// Only what says it plainly is an answer.
    fn of(sent: &Value) -> Self {
        match sent {
            Value::Bool(true) => Self::Given,
            Value::Bool(false) => Self::Refused,
            value => match value.as_u64() {
                Some(1) => Self::Given,
                Some(0) => Self::Refused,
                _ => Self::NotTold,
            },
        }
    }
}

fn referrer(sent: Option<Value>) -> Option<String> {
    let Some(Value::String(mut referrer)) = sent else { return None };
    if let Some((end, _)) = referrer.char_indices().nth(REFERRER_CHARS_MAX) {
        referrer.truncate(end);
    }
    Some(referrer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use serde_json::json;

    use super::*;
    use crate::enrich::acquisition::{Acquisition, Tags};
    use crate::event::Attributes;

    fn decoded(sent: &Value) -> Result<Beacon, BeaconError> {
        beacon(json(sent.to_string().as_bytes())?.into())
    }

    #[track_caller]
    fn refused(sent: Value, field: &str, rule: &str) {
        match decoded(&sent) {
            Err(error) => assert_eq!((error.field.as_str(), error.rule), (field, rule), "{sent}"),
            Ok(_) => panic!("{sent} was taken"),
        }
    }

    #[track_caller]
    fn taken(sent: Value) -> Beacon {
        decoded(&sent).unwrap_or_else(|error| panic!("{sent}: {error}"))
    }

    fn page_view(with: Value) -> Value {
        let mut sent =
            json!({"n": "pageview", "u": "https://www.example.com/p%C3%A4th?utm_source=x#part"});
        sent.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        sent
    }

    #[test]
    fn a_page_view_tells_page_and_site() {
        let beacon = taken(page_view(json!({})));
        assert_eq!(beacon.kind, Kind::Pageview);
        assert_eq!(
            (beacon.page.hostname.as_str(), beacon.page.pathname.as_str()),
            ("example.com", "/päth")
        );
        assert_eq!(beacon.domains, ["example.com"]);
        assert_eq!(beacon.query, "utm_source=x");
    }

    #[test]
    fn an_encoded_domain_is_the_site_that_people_read() {
        let sent = json!({"n": "pageview", "u": "https://www.xn--mller-kva.test/"});
        assert_eq!(taken(sent).domains, ["müller.test"]);
        let named = json!({"n": "pageview", "u": "https://a.test/", "d": "XN--MLLER-KVA.test."});
        assert_eq!(taken(named).domains, ["müller.test"]);
    }

    #[test]
    fn a_field_that_is_missing_or_wrong_is_named() {
        refused(json!({"u": "https://a.test/"}), "event_name", "is required");
        refused(json!({"n": "", "u": "https://a.test/"}), "event_name", "can't be blank");
        refused(json!({"n": "\0", "u": "https://a.test/"}), "event_name", "can't be blank");
        refused(json!({"n": " \u{200b}", "u": "https://a.test/"}), "event_name", "can't be blank");
        refused(json!({"n": [], "u": "https://a.test/"}), "event_name", "must be a text");
        refused(
            json!({"n": "x".repeat(121), "u": "https://a.test/"}),
            "event_name",
            "must not exceed 120 characters",
        );
        refused(json!({"n": "pageview"}), "url", "is required");
        refused(page_view(json!({"u": 7})), "url", "must be a valid url");
        refused(page_view(json!({"u": "data:text/html,x"})), "url", "scheme is not allowed");
        for (long, rule) in [
            (format!("https://a.test/{}", "x".repeat(2000)), "its path must not exceed 2000 bytes"),
            (format!("https://a.test/?{}", "x".repeat(16_369)), "must not exceed 16384 bytes"),
        ] {
            refused(page_view(json!({"u": long})), "url", rule);
        }
        let long = format!("https://a.test/#{}", "x".repeat(2000));
        refused(
            page_view(json!({"u": long, "h": 1})),
            "url",
            "its path must not exceed 2000 bytes",
        );
        refused(page_view(json!({"d": " "})), "domain", "can't be blank");
        refused(page_view(json!({"h": "x"})), "hash_mode", "is invalid: it must be an integer");
        refused(
            page_view(json!({"p": {"k".repeat(301): 1}})),
            "props",
            "keys must not exceed 300 bytes",
        );
        refused(json!([]), "request", "the body must be one JSON object");
        refused(json!("x"), "request", "the body must be one JSON object");
    }

    #[test]
    fn a_name_that_is_there_twice_is_told_of_and_is_no_lack_of_an_object() {
        let rule = |body: &'static str| json(body.as_bytes()).err().unwrap().rule;
        assert_eq!(rule(r#"{"n": "a", "n": "b"}"#), "a name must not be in the object twice");
        for body in ["{", r#"{"n": "a"} {}"#, r#"{"n": 1e999}"#, r#"{"n": "\x"}"#] {
            assert_eq!(
                rule(body),
                "is no JSON: it must be one well-formed object in UTF-8",
                "{body}"
            );
        }
        for body in ["7", "", "[{}]"] {
            assert_eq!(rule(body), "the body must be one JSON object", "{body}");
        }
    }

    #[test]
    fn half_a_sign_in_a_text_costs_no_event() {
        let sent =
            "\u{feff}{\"n\": \"Buy\", \"u\": \"https://a.test/\", \"p\": {\"of\": \"a\\ud83d\"}}";
        let beacon = json(sent.as_bytes()).and_then(|fields| beacon(fields.into()));
        let props = beacon.unwrap_or_else(|error| panic!("{error}")).props;
        assert_eq!(props.into_pairs(), [("of".to_owned(), "a\u{fffd}".to_owned())]);
    }

    #[test]
    fn the_longest_allowed_url_and_name_are_taken() {
        taken(page_view(json!({"u": format!("https://a.test/{}", "x".repeat(1999))})));
        taken(page_view(json!({"u": format!("https://a.test/{}", "%D0%AF".repeat(999))})));
        taken(page_view(json!({"u": format!("https://a.test/#{}", "x".repeat(2000))})));
        let query = "x".repeat(16_368);
        let long = taken(page_view(json!({"u": format!("https://a.test/?{query}")})));
        assert_eq!((long.page.pathname.as_str(), long.query), ("/", query));
        taken(page_view(json!({"n": "ü".repeat(120)})));
        assert_eq!(taken(page_view(json!({"n": 404}))).kind.name(), "404");
    }

    #[test]
    fn the_left_most_name_of_a_field_wins() {
        let sent = page_view(
            json!({"name": "Other", "url": "https://other.test/", "p": {"a": 1}, "m": r#"{"b": 2}"#}),
        );
        let beacon = taken(sent);
        assert_eq!(beacon.kind, Kind::Pageview);
        assert_eq!(beacon.props.into_pairs(), [("b".to_owned(), "2".to_owned())]);
        assert_eq!(
            taken(json!({"n": null, "name": "A", "u": false, "url": "https://a.test/"}))
                .kind
                .name(),
            "A"
        );
    }

    #[test]
    fn both_names_of_interactive_are_honoured() {
        for (with, expected) in [
            (json!({}), true),
            (json!({"i": false}), false),
            (json!({"interactive": false}), false),
            (json!({"i": true}), true),
            (json!({"i": "no"}), true),
        ] {
            let mut sent = page_view(with.clone());
            sent["n"] = json!("Signup");
            let Kind::Custom { interactive, .. } = taken(sent).kind else { panic!("not custom") };
            assert_eq!(interactive, expected, "{with}");
        }
    }

    #[test]
    fn consent_is_what_says_so_plainly() {
        for (with, expected) in [
            (json!({}), Consent::NotTold),
            (json!({"c": null}), Consent::NotTold),
            (json!({"c": true}), Consent::Given),
            (json!({"consent": 1}), Consent::Given),
            (json!({"c": false}), Consent::Refused),
            (json!({"c": 0, "consent": true}), Consent::Refused),
            (json!({"c": 2}), Consent::NotTold),
            (json!({"c": "yes"}), Consent::NotTold),
            (json!({"c": [true]}), Consent::NotTold),
        ] {
            assert_eq!(taken(page_view(with.clone())).consent, expected, "{with}");
        }
    }

    #[test]
    fn one_beacon_may_be_for_several_sites() {
        assert_eq!(taken(page_view(json!({"d": "a.com, www.B.com"}))).domains, ["a.com", "b.com"]);
        let again = page_view(json!({"d": "a.test,a.test, www.A.test, b.test"}));
        assert_eq!(taken(again).domains, ["a.test", "b.test"]);
        let many: Vec<String> = (0..101).map(|n| format!("a{n}.test")).collect();
        refused(
            page_view(json!({"d": many.join(",")})),
            "domain",
            "must not list more than 100 sites",
        );
        assert_eq!(taken(page_view(json!({"d": "a.test,".repeat(200)}))).domains, ["a.test"]);
    }

    #[test]
    fn a_form_may_tell_an_object_part_by_part() {
        for object in ["m", "meta", "p", "props"] {
            let sent = format!(
                "n=Buy&u=https://a.test/&{object}[plan]=pro&{object}%5Bin+all%5D=2&{object}[a][b]=x&{object}[]=y&d[x]=z"
            );
            let fields = form(url::form_urlencoded::parse(sent.as_bytes()));
            let beacon = fields.and_then(|fields| beacon(fields.into()));
            let beacon = beacon.unwrap_or_else(|error| panic!("{sent}: {error}"));
            let expected = [("plan", "pro"), ("in all", "2")];
            let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(beacon.props.into_pairs(), expected, "{sent}");
        }
        let sent = "site=a.test&n=Buy&url=https://a.test/&revenue[amount]=.5&revenue[currency]=EUR";
        let beacon = pixel(sent, None).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(beacon.revenue.map(|revenue| revenue.thousandths), Some(500));
    }

    #[test]
    fn the_fragment_is_part_of_the_path_in_hash_mode_only() {
        let sent = |h: Value| page_view(json!({"u": "https://a.test/x#/y", "h": h}));
        assert_eq!(taken(sent(json!(1))).page.pathname, "/x#/y");
        assert_eq!(taken(sent(json!(0))).page.pathname, "/x");
        assert_eq!(taken(sent(Value::Null)).page.pathname, "/x");
    }

    #[test]
    fn a_referrer_that_is_no_text_is_ignored_and_a_long_one_is_cut() {
        assert_eq!(taken(page_view(json!({"r": 7}))).referrer, None);
        let long = taken(page_view(json!({"r": "ü".repeat(3000)}))).referrer.unwrap();
        assert_eq!(long.chars().count(), 2000);
    }

    #[test]
    fn engagement_needs_one_valid_measure() {
        let engagement = |with: Value| {
            let mut sent = page_view(with);
            sent["n"] = json!("engagement");
            sent
        };
        let kind = |with| taken(engagement(with)).kind;
        assert_eq!(kind(json!({"sd": "120"})), Kind::Engagement { ms: 0, scroll_depth: 100 });
        assert_eq!(kind(json!({"e": -1, "sd": 10})), Kind::Engagement { ms: 0, scroll_depth: 10 });
        assert_eq!(kind(json!({"e": "1500"})), Kind::Engagement { ms: 1500, scroll_depth: 255 });
        assert_eq!(kind(json!({"e": 0})), Kind::Engagement { ms: 0, scroll_depth: 255 });
        for with in
            [json!({}), json!({"e": -1}), json!({"e": 30u64 * 86_400_000}), json!({"sd": "x"})]
        {
            refused(engagement(with), "event_name", "engagement needs a valid sd or e");
        }
    }

    #[tokio::test]
    async fn text_json_and_forms_of_one_event_say_the_same() {
        let text =
            r#"{"n":"Signup","u":"https://a.test/x","i":false,"p":"{\"plan\":\"pro\"}","h":1}"#;
        let form = "n=Signup&u=https%3A%2F%2Fa.test%2Fx&i=false&p=%7B%22plan%22%3A%22pro%22%7D&h=1";
        let parts = [
            ("n", "Signup"),
            ("u", "https://a.test/x"),
            ("i", "false"),
            ("p", r#"{"plan":"pro"}"#),
            ("h", "1"),
        ];
        let multipart: String = parts
            .iter()
            .map(|(name, value)| {
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            })
            .chain(["--b--\r\n".to_owned()])
            .collect();
        for (content_type, sent) in [
            ("text/plain", text.to_owned()),
            ("application/json; charset=utf-8", text.to_owned()),
            ("application/x-www-form-urlencoded", form.to_owned()),
            ("application/x-www-form-urlencoded", text.to_owned()),
            ("multipart/form-data; boundary=b", multipart),
        ] {
            let beacon = body(content_type, Bytes::from(sent))
                .await
                .unwrap_or_else(|e| panic!("{content_type}: {e}"));
            assert_eq!(
                beacon.kind,
                Kind::Custom { name: "Signup".into(), interactive: false },
                "{content_type}"
            );
            assert_eq!(beacon.page.pathname, "/x", "{content_type}");
            assert_eq!(
                beacon.props.into_pairs(),
                [("plan".to_owned(), "pro".to_owned())],
                "{content_type}"
            );
        }
    }

    #[test]
    fn a_pixel_takes_its_page_from_the_parameters_or_from_the_referer() {
        let told = pixel(
            "site=a.test&url=https%3A%2F%2Fa.test%2Fx&referrer=https%3A%2F%2Fb.test%2F",
            Some("https://z.test/"),
        );
        let told = told.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (told.page.pathname.as_str(), told.referrer.as_deref()),
            ("/x", Some("https://b.test/"))
        );
        let fallen_back = pixel("site=a.test", Some("https://a.test/y"))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((fallen_back.page.pathname.as_str(), fallen_back.kind), ("/y", Kind::Pageview));
        assert_eq!(pixel("site=a.test", None).err().map(|error| error.field), Some(Field::Url));
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_the_decoder_panic(bytes: Vec<u8>) {
            let _ = json(&bytes).map(|fields| beacon(fields.into()).is_ok());
        }
    }

    /// Texts with what may not be stored among what may.
    fn any_text() -> impl Strategy<Value = String> {
        let harmful =
            "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{feff}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]";
        prop::collection::vec(prop_oneof![".{0,8}", harmful, "%[0-9a-fA-F]{2}"], 0..12)
            .prop_map(|parts| parts.concat())
    }

    #[test]
    fn the_texts_of_these_tests_have_what_may_not_be_stored() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let mut harmful = 0;
        for _ in 0..200 {
            let text = any_text().new_tree(&mut runner).unwrap().current();
            harmful += usize::from(cleaned(text.clone()) != text);
        }
        assert!(harmful > 100, "{harmful}");
    }

    /// Numbers as JSON has them, at every edge, and what is none.
    fn any_number() -> impl Strategy<Value = Value> {
        let edges = [0, 1, -1, 100, 101, 255, 256, i64::from(i32::MAX), i64::MIN, i64::MAX];
        prop_oneof![
            prop::sample::select(edges.to_vec()).prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(|number| number.to_string().into()),
            any::<f64>().prop_map(|number| number.to_string().into()),
            prop::sample::select(vec![
                "NaN",
                "inf",
                "-0",
                "1e400",
                "0x10",
                "٣",
                "",
                "99999999999999999999"
            ])
            .prop_map(Value::from),
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
        ]
    }

    /// Every text that a beacon keeps.
    fn kept(beacon: Beacon) -> Vec<String> {
        let tags = Tags::from_query(&beacon.query);
        let visit = Acquisition::of(&tags, beacon.referrer.as_deref(), &beacon.page.hostname)
            .onto(Attributes::default());
        let of_visit = [
            visit.referrer,
            visit.source,
            visit.channel,
            visit.utm_source,
            visit.utm_medium,
            visit.utm_campaign,
            visit.utm_content,
            visit.utm_term,
            visit.click_id_kind,
        ];
        let props = beacon.props.into_pairs().into_iter().flat_map(|(key, value)| [key, value]);
        let of_event = [beacon.kind.name().to_owned(), beacon.page.hostname, beacon.page.pathname];
        of_visit.into_iter().chain(of_event).chain(props).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn no_text_that_is_kept_has_what_can_not_be_seen(
            name in any_text(), path in any_text(), query in any_text(), referrer in any_text(),
            key in any_text(), value in any_text(),
        ) {
            let sent = json!({
                "n": name,
                "u": format!("https://a.test/{path}?utm_source={query}&utm_campaign={query}&ref={query}"),
                "r": format!("https://b.test/{referrer}"),
                "p": { key: value },
            });
            if let Ok(beacon) = decoded(&sent) {
                for text in kept(beacon) {
                    prop_assert_eq!(&cleaned(text.clone()), &text);
                }
            }
        }

        #[test]
        fn every_number_is_refused_ignored_or_within_its_bounds(
            e in any_number(), sd in any_number(), h in any_number(), amount in any_number(),
            v in any_number(), prop in any_number(), name in prop::sample::select(vec!["engagement", "Sale"]),
        ) {
            let sent = json!({
                "n": name, "u": "https://a.test/", "e": e, "sd": sd, "h": h, "v": v,
                "$": { "amount": amount, "currency": "EUR" }, "p": { "number": prop },
            });
            if let Ok(beacon) = decoded(&sent) {
                if let Kind::Engagement { ms, scroll_depth } = beacon.kind {
                    prop_assert!(u64::from(ms) < ENGAGEMENT_MS_LIMIT);
                    prop_assert!(scroll_depth <= 100 || scroll_depth == SCROLL_DEPTH_UNKNOWN);
                }
                for (_, value) in beacon.props.into_pairs() {
                    prop_assert!(prop.is_string() || !value.contains("NaN") && !value.contains("inf"));
                }
            }
        }
    }
}
