//! `passerby check`: what works and what does not, a line each. With the address of a page, what
//! `check_page` finds there.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::Value;

use super::remote::with;
use super::{Context, check_page, output};
use crate::privacy::Geo;
use crate::store::engine::discover;

/// How long a collector may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a collector that has just been started waits for its engine.
const A_MOMENT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

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
        None => {
            let mut findings = vec![configuration(&context), engine(&context), places(&context)];
            findings.extend(collector(&context).await);
            findings
        }
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

/// What is chosen for single sites, where there is no such site.
fn nobodys(context: &Context, sites: &[Value]) -> Option<Finding> {
    let is_site = |domain: &str| sites.iter().any(|site| site["domain"] == domain);
    let chosen = context.config.chosen_for_nobody(is_site);
    let named: Vec<_> =
        chosen.iter().map(|(table, domain)| format!("{table}.\"{domain}\"")).collect();
    let why = "no site has such a domain, so that what is chosen there holds for nobody";
    let outcome = Err(format!("{}: {why}", named.join(", ")));
    (!named.is_empty()).then_some(Finding { what: "sites", outcome })
}

/// The collector that runs, or one that is opened here, and what it says of its parts.
async fn collector(context: &Context) -> Vec<Finding> {
    let asked = with(context, async |remote| {
        let is_running = remote.is_running();
        let begun = Instant::now();
        let mut health = remote.health().await?;
        while health["clickhouse"] != "ok" && begun.elapsed() < A_MOMENT {
            tokio::time::sleep(PAUSE).await;
            health = remote.health().await?;
        }
        let sites = match health["catalog"] == "ok" {
            true => Some(remote.list("/api/v1/sites", "sites").await?),
            false => None,
        };
        Ok((is_running, sites, health))
    });
    let failed = |why: String| vec![Finding { what: "collector", outcome: Err(why) }];
    let (is_running, sites, health) = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return failed(format!("{error:#}")),
        Err(_) => return failed(format!("no answer in {} seconds", PATIENCE.as_secs())),
    };
    let kind = if is_running { "answers" } else { "does not run" };
    let outcome = match &sites {
        Some(sites) => Ok(format!("{kind}, {} sites are registered", sites.len())),
        None => Err(format!(
            "{kind}, and does not know its sites yet, so that it refuses every beacon: ClickHouse has not answered since the \
             first start"
        )),
    };
    let mut findings = vec![Finding { what: "collector", outcome }];
    findings
        .extend(nobodys(context, sites.as_deref().unwrap_or_default()).filter(|_| sites.is_some()));
    let parts = [
        ("clickhouse", "answers", "does not answer, or not as it should"),
        (
            "reports",
            "can be read",
            "can not be read: check clickhouse.reader_user and clickhouse.reader_password, and that this user may read the tables, \
             which have to be there",
        ),
        ("spool", "takes events", "takes none: the disk is full or fails, see the collector's log"),
    ];
    let is_asked = |what: &str| match what {
        "reports" => health["clickhouse"] == "ok",
        // Without a collector nothing is written to the spool.
        "spool" => is_running,
        _ => true,
    };
    for (what, well, ill) in parts.into_iter().filter(|(what, ..)| is_asked(what)) {
        let outcome = match (health[what] == "ok", health["why"][what].as_str()) {
            (true, _) => Ok(well.to_owned()),
            (false, Some(why)) => Err(format!("{ill}: {why}")),
            (false, None) => Err(ill.to_owned()),
        };
        findings.push(Finding { what, outcome });
    }
    findings
}
