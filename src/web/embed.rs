//! What stands in pages of other sites: `/{site}/embed`, in a frame, and `/{site}/badge.svg`, a picture with the
//! visitors of the last 30 days.
//!
//! Both show of a public site what everybody may see, and of another what the shared link shows whose slug is
//! in the address (`auth`). No cookie is read and none is set, and nothing can be changed or signed in to: so
//! whoever frames them gets nothing of the person who looks. All other pages refuse to be framed.

use askama::Template;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Viewer;
use super::annotations::Note;
use super::ask::{Asker, lang_of};
use super::assets::Theme;
use super::chart::{Chart, HEIGHT, WIDTH};
use super::columns::{headlines, leave_no_bounces_of_nothing};
use super::figure::Figure;
use super::frame::{Frame, page};
use super::panels::{PANELS, Panel};
use super::refusal::{self, refuse};
use super::series::Series;
use super::shell;
use super::site::{self, Shown};
use super::words::{Lang, fill, names};
use crate::http::Services;
use crate::query::metric::Metric;
use crate::report::AskError;

/// Whoever looks at a page of another site.
pub(super) struct Guest {
    asker: Asker,
    asked: Asked,
}

/// What an address says beyond the view.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// The slug of a shared link, for a site that is not public.
    auth: String,
    theme: Theme,
    /// The names of panels, with commas between them.
    panels: String,
}

impl FromRequestParts<Services> for Guest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Response> {
        let asked = Query::<Asked>::try_from_uri(&parts.uri);
        let Query(asked) = asked.unwrap_or_else(|_| Query(Asked::default()));
        let viewer = Viewer::of_link(services, &asked.auth);
        let Some(asker) = Asker::of(&viewer, parts, services).await? else {
            return Err(refuse(lang_of(parts), StatusCode::NOT_FOUND, refusal::NOT_FOUND));
        };
        Ok(Self { asker, asked })
    }
}

impl Guest {
    fn panels(&self) -> impl Iterator<Item = &'static Panel> {
        PANELS.iter().filter(|panel| self.asked.panels.split(',').any(|name| name == panel.name))
    }
}

#[derive(Template)]
#[template(path = "embed.html")]
struct EmbedPage {
    frame: Frame,
    theme: Theme,
    site: String,
    /// The site's page, where everybody may see it.
    home: Option<String>,
    period: String,
    /// What the reader is not told.
    note: Option<String>,
    figures: Vec<Figure>,
    chart: Option<Chart>,
    notes: Vec<Note>,
    shown: &'static str,
    over_time: String,
    days_of: String,
    compared: String,
    /// As on the site's page.
    unfinished: &'static str,
    /// None: a download is a page of its own.
    series_csv: String,
    panels: Vec<Shown>,
    size: (f64, f64),
}

pub(super) async fn show(guest: Guest) -> Response {
    match model(&guest).await {
        Ok(model) => framed(page(StatusCode::OK, &model), &guest.asker.services.embed_in),
        Err(error) => guest.asker.refuse(&error),
    }
}

/// Says who may frame a page, and that it is everybody's.
fn framed(mut answer: Response, embed_in: &[String]) -> Response {
    let sources = if embed_in.is_empty() { "'none'".to_owned() } else { embed_in.join(" ") };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {sources}"
    );
    let Ok(policy) = HeaderValue::try_from(policy) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

async fn model(guest: &Guest) -> Result<EmbedPage, AskError> {
    let asker = &guest.asker;
    let metrics = headlines(asker);
    let totals = site::totals_query(asker, &metrics);
    let panels = guest.panels().filter_map(|panel| Some((panel, panel.open(asker)?)));
    let panels = try_join_all(panels.map(|(panel, tab)| site::ask_for(asker, panel, tab)));
    let (mut totals, series, panels) =
        tokio::try_join!(asker.ask(&totals), Series::ask(asker), panels)?;
    leave_no_bounces_of_nothing(&metrics, &mut totals);
    let result = &totals["results"][0];
    let panels =
        panels.into_iter().map(|asked| site::filled(asker, asked, &metrics, result)).collect();
    let figure = |(place, metric): (usize, &Metric)| {
        Figure::of(asker, *metric, place, result, series.metric)
    };
    let words = asker.words();
    let shown = names::metric(asker.lang, series.metric);
    let [period, range] = shell::period(asker);
    Ok(EmbedPage {
        frame: Frame::bare(asker.lang),
        theme: guest.asked.theme,
        site: asker.site.domain.clone(),
        home: asker.site.public.then(|| asker.home() + &asker.view.url()),
        period: if range.is_empty() { period } else { format!("{period}: {range}") },
        note: shell::note(asker),
        figures: metrics.iter().enumerate().map(figure).collect(),
        chart: series.chart(asker),
        notes: series.notes().to_vec(),
        shown,
        over_time: fill(words.over_time, &[shown]),
        days_of: fill(words.days_of, &[asker.site.timezone_name()]),
        compared: site::compared_with(asker),
        unfinished: site::unfinished(asker, &series),
        series_csv: String::new(),
        panels,
        size: (WIDTH, HEIGHT),
    })
}

/// The width of a character of the badge, in pixels, about: the text is fitted to what comes of it.
const CHARACTER: usize = 7;
/// How long a badge may be kept: as a picture in a page that many see, it is asked for often.
const BADGE_KEPT: &str = "public, max-age=600";
/// A badge opened by itself is a document: it has its own style and loads nothing.
const BADGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

#[derive(Template)]
#[template(path = "badge.svg")]
struct Badge {
    title: String,
    label: &'static str,
    value: String,
    /// Pixels of both texts.
    widths: [usize; 2],
    /// When its colours are the dark ones, as a media query.
    dark: &'static str,
}

impl Badge {
    fn of(lang: Lang, site: &str, theme: Theme, visitors: &Value) -> Self {
        let words = lang.words();
        let value = lang.figure(Metric::Visitors, visitors);
        let (label, exact) = (words.badge, lang.exact(Metric::Visitors, visitors));
        let width = |text: &str| text.chars().count() * CHARACTER;
        Self {
            title: fill(words.badge_title, &[site, &exact]),
            widths: [width(label), width(&value)],
            label,
            value,
            dark: theme.dark_when(),
        }
    }
}

pub(super) async fn badge(guest: Guest) -> Response {
    let asker = &guest.asker;
    let visitors = match visitors(asker).await {
        Ok(visitors) => visitors,
        Err(error) => return asker.refuse(&error),
    };
    let badge = Badge::of(asker.lang, &asker.site.domain, guest.asked.theme, &visitors);
    let Ok(picture) = badge.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, BADGE_KEPT),
        (header::VARY, "accept-language"),
        (header::CONTENT_SECURITY_POLICY, BADGE_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Pages that admit only what says that it may be shown elsewhere show it, too.
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, picture).into_response()
}

/// The number of the badge: asked for as everything is that a reader without a token is told.
async fn visitors(asker: &Asker) -> Result<Value, AskError> {
    let query = asker.query(json!({ "metrics": ["visitors"], "date_range": "30d", "filters": [] }));
    let answer = asker.ask(&query).await?;
    Ok(answer["results"][0]["metrics"][0].clone())
}

/// What to paste into a page: the frame, and the badge.
pub(super) fn snippets(asker: &Asker) -> [String; 2] {
    let (site, home) = (&asker.site.domain, asker.origin.clone() + &asker.home());
    [
        format!(
            "<iframe src=\"{home}/embed?panels=pages,sources\" title=\"{site}\" loading=\"lazy\" \
             width=\"100%\" height=\"800\" style=\"border:0\"></iframe>"
        ),
        format!(
            "<a href=\"{home}\"><img src=\"{home}/badge.svg\" alt=\"{site}\" height=\"22\"></a>"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge(lang: Lang, visitors: Value) -> Badge {
        Badge::of(lang, "<a>&b", Theme::Light, &visitors)
    }

    fn policy(embed_in: &[&str]) -> String {
        let embed_in: Vec<_> = embed_in.iter().map(|&source| source.to_owned()).collect();
        let page = page(StatusCode::OK, &badge(Lang::English, json!(1)));
        let answer = framed(page, &embed_in);
        let policies = answer.headers().get_all(header::CONTENT_SECURITY_POLICY);
        let policies: Vec<_> = policies.iter().map(|policy| policy.to_str().unwrap()).collect();
        // Of several, the strictest holds.
        policies.join("; and ")
    }

    #[test]
    fn a_frame_says_who_may_show_it() {
        let ends = |embed_in: &[&str], end| {
            let policy = policy(embed_in);
            assert!(policy.ends_with(end) && !policy.contains("; and "), "{policy}");
        };
        ends(&["*"], "frame-ancestors *");
        ends(
            &["https://a.test", "https://*.b.test"],
            "frame-ancestors https://a.test https://*.b.test",
        );
        ends(&[], "frame-ancestors 'none'");
    }

    #[test]
    fn a_badge_tells_its_number_in_words_and_escapes_the_site() {
        let picture = |lang, visitors| badge(lang, visitors).render().unwrap();
        let english = picture(Lang::English, json!(12_345));
        assert!(english.contains("in the last 30 days: 12,345"), "{english}");
        assert!(!english.contains("<a>"), "{english}");
        let german = picture(Lang::German, json!(12_345));
        assert!(german.contains("in den letzten 30 Tagen: 12.345"), "{german}");
        assert!(picture(Lang::English, Value::Null).contains("–"), "a number that is not told");
    }
}
