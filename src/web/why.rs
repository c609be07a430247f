//! Why a number is what it is: what the metric means, the query behind it, how fresh it is, and what is not
//! counted.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::ask::{Asker, names, rows};
use super::columns::leave_no_bounces_of_nothing;
use super::figure::Figure;
use super::frame::{Frame, page};
use super::live::visitors_now;
use super::shell::Shell;
use super::site::totals_query;
use super::words::{Words, fill, names as called};
use crate::judge::DropReason;
use crate::query::metric::Metric;
use crate::report::AskError;
use crate::site::member::Role;

#[derive(Template)]
#[template(path = "why.html")]
struct WhyPage {
    frame: Frame,
    shell: Shell,
    title: &'static str,
    figure: Figure,
    definition: &'static str,
    query: String,
    command: String,
    newest: String,
    clock: String,
    back: String,
    /// What is not counted; for those who have signed in: it is of all sites.
    dropped: Option<Dropped>,
}

struct Dropped {
    summary: String,
    reasons: Vec<(&'static str, String)>,
}

pub(super) async fn show(asker: Asker) -> Response {
    match model(&asker).await {
        Ok(model) => page(StatusCode::OK, &model),
        Err(error) => asker.refuse(&error),
    }
}

async fn model(asker: &Asker) -> Result<WhyPage, AskError> {
    let metric = asker.askable(&[asker.view.metric, Metric::Visitors], &asker.query(json!({})))[0];
    let query = totals_query(asker, &[metric]);
    // Whether a rate is of anything, another number tells.
    let asked = match metric {
        Metric::BounceRate => vec![metric, Metric::Pageviews],
        _ => vec![metric],
    };
    let whole = totals_query(asker, &asked);
    let (mut answer, now, newest) =
        tokio::try_join!(asker.ask(&whole), visitors_now(asker), newest(asker))?;
    leave_no_bounces_of_nothing(&asked, &mut answer);
    let words = asker.words();
    let newest = newest.map(|label| asker.lang.long_time(&label, false));
    let clock = asker.local_now().strftime("%H:%M").to_string();
    let [compact, pretty] = [serde_json::to_string(&query), serde_json::to_string_pretty(&query)];
    let shell = Shell::of(asker, now);
    Ok(WhyPage {
        frame: asker.frame(),
        back: fill(words.back, &[&asker.site.domain]),
        title: called::metric(asker.lang, metric),
        figure: Figure::of(asker, metric, 0, &answer["results"][0], metric),
        definition: called::definition(asker.lang, metric),
        query: pretty.unwrap_or_default(),
        command: format!(
            "curl {}/api/v2/query -H 'Authorization: Bearer …' -d '{}'",
            asker.origin,
            // An apostrophe would end the shell's quotation.
            compact.unwrap_or_default().replace('\'', "'\\''")
        ),
        newest: match (newest, &shell.note) {
            (None, Some(note)) => note.clone(),
            (None, None) => words.no_event.to_owned(),
            (Some(at), _) => fill(words.newest_event, &[&at]),
        },
        clock: fill(words.clock_of, &[asker.site.timezone_name(), &clock]),
        dropped: (asker.may(Role::Viewer) && asker.floor.is_none()).then(|| dropped(asker)),
        shell,
    })
}

/// When the newest event was, as a label of time: to the minute if it is of the last day, else to the day.
/// It was one visitor's: where small numbers are not told, it is not.
async fn newest(asker: &Asker) -> Result<Option<String>, AskError> {
    if asker.floor.is_some() {
        return Ok(None);
    }
    for (range, dimension) in [("24h", "time:minute"), ("all", "time:day")] {
        let query = json!({
            "site_id": asker.site.domain, "metrics": names(&[Metric::Events]), "date_range": range,
            "dimensions": [dimension], "order_by": [[dimension, "desc"]], "pagination": {"limit": 1},
        });
        let answer = asker.ask(&query).await?;
        if let Some(label) =
            rows(&answer).first().and_then(|row: &Value| row["dimensions"][0].as_str())
        {
            return Ok(Some(label.to_owned()));
        }
    }
    Ok(None)
}

fn dropped(asker: &Asker) -> Dropped {
    let counters = &asker.services.counters;
    let whole = |number: u64| asker.lang.whole(number as f64);
    let words = asker.words();
    let count = |reason: DropReason| counters.rejected(reason.as_str());
    let row = |reason: DropReason| (told(reason, words), count(reason));
    let reasons = DropReason::ALL.into_iter().map(row).filter(|(_, count)| *count > 0);
    Dropped {
        summary: fill(
            words.dropped_advice,
            &[&whole(counters.received.get()), &whole(counters.accepted())],
        ),
        reasons: reasons.map(|(reason, count)| (reason, whole(count))).collect(),
    }
}

fn told(reason: DropReason, words: &Words) -> &'static str {
    match reason {
        DropReason::Bot => words.drop_bot,
        DropReason::DataCentre => words.drop_dc_ip,
        DropReason::NoSessionForEngagement => words.drop_no_session_for_engagement,
        DropReason::NoConsent => words.drop_no_consent,
        DropReason::Objection => words.drop_objection,
        DropReason::SeveralSites => words.drop_several_sites,
        DropReason::SpamReferrer => words.drop_spam_referrer,
        DropReason::ThrottleNetwork => words.drop_throttle_network,
        DropReason::ThrottleSite => words.drop_throttle_site,
        DropReason::UnknownSite => words.drop_unknown_site,
    }
}
