//! The fields of a request that sets something up: of a JSON object, of a form in either encoding, or of
//! the query string. A form has texts only: what must be a number or a truth value is read as one.
//!
//! What is wrong with a field is said with its name and the rule.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::Services;
use super::answer::Refused;
use crate::beacon::decode::multipart;

/// The fields, by name.
pub(super) struct Fields(Map<String, Value>);

impl FromRequest<Services> for Fields {
    type Rejection = Refused;

    async fn from_request(request: Request, services: &Services) -> Result<Self, Refused> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, services).await;
        let body = body.map_err(|error| Refused::new(error.status(), error.body_text()))?;
        Self::of_body(&headers, body).await
    }
}

impl Fields {
    /// The parameters of a query string.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self::of_pairs(pairs.into_owned())
    }

    async fn of_body(headers: &HeaderMap, body: Bytes) -> Result<Self, Refused> {
        let content_type =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let is_json = body.trim_ascii_start().starts_with(b"{");
        match content_type.split(';').next().unwrap_or("").trim() {
            "multipart/form-data" => {
                let pairs = multipart(content_type, body).await.map_err(|error| {
                    Refused::bad_request(format!("The multipart form can not be read: {error}"))
                })?;
                Ok(Self::of_pairs(pairs))
            }
            // What a command line sends when nobody tells it the type; no form begins like this.
            "application/x-www-form-urlencoded" if !is_json => {
                Ok(Self::of_pairs(url::form_urlencoded::parse(&body).into_owned()))
            }
            _ => Self::of_json(&body),
        }
    }

    fn of_json(body: &[u8]) -> Result<Self, Refused> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        let fields = serde_json::from_slice(body).map_err(|error| {
            Refused::bad_request(format!("The body is not a JSON object: {error}"))
        })?;
        Ok(Self(fields))
    }

    fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
    }

    /// Refuses fields that nobody would read.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, Refused> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(self),
            Some(name) => Err(Refused::bad_request(format!(
                "Unknown field `{name}`: the fields are {}.",
                known.join(", ")
            ))),
        }
    }

    /// The value of a field; null is as missing.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refused> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong(name, other, "a string")),
        }
    }

    /// A text that must be there; `meaning` says what it is.
    pub(super) fn required(&self, name: &str, meaning: &str) -> Result<String, Refused> {
        let missing = || Refused::bad_request(format!("{name} is missing: {meaning}."));
        self.text(name)?.ok_or_else(missing)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, Refused> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        number.map(Some).ok_or_else(|| wrong(name, value, "a whole number that is not negative"))
    }

    pub(super) fn truth(&self, name: &str) -> Result<Option<bool>, Refused> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let truth = match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_bool(),
        };
        truth.map(Some).ok_or_else(|| wrong(name, value, "true or false"))
    }
}

fn wrong(name: &str, value: &Value, rule: &str) -> Refused {
    Refused::bad_request(format!("{name} {value} must be {rule}."))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    async fn fields(content_type: &'static str, body: &'static str) -> Result<Fields, Refused> {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Fields::of_body(&headers, Bytes::from_static(body.as_bytes())).await
    }

    #[tokio::test]
    async fn json_and_forms_say_the_same() {
        let multipart = "--b\r\nContent-Disposition: form-data; name=\"domain\"\r\n\r\na.test\r\n--b\r\n\
             Content-Disposition: form-data; name=\"days\"\r\n\r\n7\r\n--b\r\n\
             Content-Disposition: form-data; name=\"public\"\r\n\r\ntrue\r\n--b--\r\n";
        let json = r#"{"domain": "a.test", "days": 7, "public": true, "note": null}"#;
        for (content_type, body) in [
            ("application/json", json),
            ("application/x-www-form-urlencoded", json),
            ("application/x-www-form-urlencoded", "domain=a.test&days=7&public=true"),
            ("multipart/form-data; boundary=b", multipart),
        ] {
            let fields = fields(content_type, body).await.unwrap();
            assert_eq!(fields.required("domain", "").unwrap(), "a.test", "{content_type}");
            assert_eq!(fields.number("days").unwrap(), Some(7), "{content_type}");
            assert_eq!(fields.truth("public").unwrap(), Some(true), "{content_type}");
            assert_eq!(fields.text("note").unwrap(), None, "{content_type}");
        }
    }

    #[tokio::test]
    async fn a_field_that_is_wrong_is_named_with_the_rule() {
        let fields =
            fields("application/json", r#"{"domain": 7, "days": -1, "public": "perhaps"}"#);
        let fields = fields.await.unwrap();
        let says = |refused: Refused, expected: &str| assert_eq!(refused.message(), expected);
        says(fields.text("domain").unwrap_err(), "domain 7 must be a string.");
        says(
            fields.number("days").unwrap_err(),
            "days -1 must be a whole number that is not negative.",
        );
        says(fields.truth("public").unwrap_err(), "public \"perhaps\" must be true or false.");
        says(fields.required("x", "what it is").unwrap_err(), "x is missing: what it is.");
        let unknown = fields.only(&["domain", "days"]).err().unwrap();
        says(unknown, "Unknown field `public`: the fields are domain, days.");
    }

    #[tokio::test]
    async fn a_body_that_is_neither_is_refused() {
        for (content_type, body) in
            [("application/json", "[]"), ("", "{"), ("multipart/form-data", "x")]
        {
            assert!(fields(content_type, body).await.is_err(), "{content_type} {body}");
        }
        assert!(fields("", " ").await.is_ok());
    }
}
