//! `passerby check`: what works and what does not, a line each. With the address of a page, what
//! `check_page` finds there.

use std::time::Duration;

use anyhow::bail;

use super::remote::with;
use super::{Context, check_page, output};
use crate::privacy::Geo;
use crate::store::engine::discover;
use axum::http::Method;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The address of a page: is it counted, and if not, why?
    url: Option<String>,
}

/// One thing that was looked at.
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) outcome: Result<String, String>,
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let findings = match args.url {
        Some(url) => check_page::findings(&context, &url).await,
        None => vec![
            configuration(&context),
            engine(&context),
            places(&context),
            collector(&context).await,
        ],
    };
    let mut has_failed = false;
    for Finding { what, outcome } in &findings {
        let (mark, text) = match outcome {
            Ok(text) => ("ok  ", text),
            Err(text) => ("FAIL", text),
        };
        has_failed |= outcome.is_err();
        output::made(format!("{mark}  {what:<13}  {text}"))?;
    }
    if has_failed {
        bail!("not everything works");
    }
    Ok(())
}

fn configuration(context: &Context) -> Finding {
    let misspelt: Vec<&str> = context.environment.misspelt().collect();
    let outcome = match misspelt.as_slice() {
        [] => Ok(format!(
            "listens on {}, keeps its data in {}",
            context.config.listen,
            context.config.data_dir.display()
        )),
        names => Err(format!("{} is none of Passerby's variables", names.join(", "))),
    };
    Finding { what: "configuration", outcome }
}

fn engine(context: &Context) -> Finding {
    let outcome = match &context.config.clickhouse.url {
        Some(url) => Ok(format!("the server at {url}")),
        None => discover(context.config.engine.path.as_deref(), context.environment.get("PATH"))
            .map(|source| format!("embedded: {}", source.path().display()))
            .map_err(|error| error.to_string()),
    };
    Finding { what: "engine", outcome }
}

fn places(context: &Context) -> Finding {
    let database = context.config.geo.database.as_deref();
    let outcome = match (database, Geo::open(database, context.clock.now())) {
        (None, _) => Ok("none: visits have no country (geo.database)".to_owned()),
        (Some(path), Ok(_)) => Ok(path.display().to_string()),
        (Some(_), Err(error)) => Err(error.to_string()),
    };
    Finding { what: "places", outcome }
}

/// The collector that runs, or one that is opened here: either way ClickHouse has to answer.
async fn collector(context: &Context) -> Finding {
    let asked = with(context, async |remote| {
        let kind = if remote.is_running() {
            "the running collector"
        } else {
            "no collector runs; ClickHouse"
        };
        let sites = remote.call(Method::GET, "/api/v1/sites", None).await?;
        let count = sites["sites"].as_array().map_or(0, Vec::len);
        Ok(format!("{kind} answers, {count} sites are registered"))
    });
    let outcome = match tokio::time::timeout(Duration::from_secs(30), asked).await {
        Ok(answer) => answer.map_err(|error| format!("{error:#}")),
        Err(_) => Err("no answer in 30 seconds".to_owned()),
    };
    Finding { what: "collector", outcome }
}
