//! `passerby audit`: looks whether a running installation keeps its promises, a line each.
//!
//! A visitor who does not exist visits a site; afterwards nothing of that visitor may be found in any file of
//! the data directory, and the visit itself must be, or the search would be worth nothing. Then the visit is
//! erased, and may not be found in the spool any more either.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context as _, bail};
use axum::http::Method;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::remote::{Remote, with};
use super::{Context, output};
use crate::privacy::Canary;
use crate::site::day::end_of;
use crate::spool;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The site that the visitor of the audit visits; by default the first one
    #[arg(long)]
    site: Option<String>,
}

type Finding = Result<String, String>;

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let data_dir = context.config.data_dir.clone();
    let findings = with(&context, async |remote| {
        if !remote.is_running() {
            bail!("the audit is of a running collector: start it first");
        }
        let stored = remote.call(Method::GET, "/api/v1/audit", None).await?;
        Ok([
            ("visitor", visitor(&context, remote, args.site).await?),
            ("columns", columns(&stored)),
            ("retention", retention(&stored)),
            ("profile", profile(&stored)),
            ("salts", salts(&data_dir, context.clock.now())),
            ("directory", directory(&data_dir)),
            ("swap", swap()),
        ])
    })
    .await?;
    let has_failed = findings.iter().any(|(_, finding)| finding.is_err());
    for (what, finding) in findings {
        let (mark, text) = match finding {
            Ok(text) => ("pass", text),
            Err(text) => ("FAIL", text),
        };
        output::made(format!("{mark}  {what:<10}  {text}"))?;
    }
    if has_failed {
        bail!("not every promise is kept");
    }
    Ok(())
}

/// Nothing of a visitor is found in any file, and the visit is.
async fn visitor(
    context: &Context,
    remote: &mut Remote,
    site: Option<String>,
) -> anyhow::Result<Finding> {
    let data_dir = &context.config.data_dir;
    let sites = remote.call(Method::GET, "/api/v1/sites", None).await?;
    let first = sites["sites"][0]["domain"].as_str().map(str::to_owned);
    let Some(site) = site.or(first) else {
        return Ok(Err("there is no site to visit: passerby site add".to_owned()));
    };
    if context.config.tls.certificate.is_some() {
        let advice = "a visitor comes without TLS, which the listener has: start the collector once without tls.certificate and \
                      tls.key, and audit it then";
        return Ok(Err(advice.to_owned()));
    }
    let canary = Canary::new().context("the system gives no random numbers")?;
    if let Err(error) = canary.visit(context.config.listen, &site).await {
        return Ok(Err(error.to_string()));
    }
    let found = files_with(data_dir, &[&canary.secret, &canary.event]);
    let [leaked, kept] = found.as_slice() else { bail!("two words were searched for") };
    let (leaked, kept) = (leaked.clone(), kept.len());
    let wanted = json!({ "site_id": site, "event": canary.event });
    let erased = remote.call(Method::POST, "/api/v1/erase", Some(wanted)).await?;
    let left = files_with(&spool::directory(data_dir), &[&canary.event]).concat().len();
    Ok(match (leaked.first(), kept, &erased["events"], left) {
        (Some(file), ..) => Err(format!("user agent, query or address of e-mail is in {file}")),
        (None, 0, ..) => Err("the search does not find what must be there".to_owned()),
        (None, _, events, left) if *events != json!(1) || left > 0 => Err(format!(
            "its event was not erased: {events} of 1, {left} files of the spool have it"
        )),
        _ => Ok(format!("visited {site}; is in no file; its event was in {kept}, and is erased")),
    })
}

/// For each word, the files that hold it.
fn files_with(directory: &Path, words: &[&str]) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new(); words.len()];
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    // The engine removes files as it goes.
                    let Ok(bytes) = std::fs::read(entry.path()) else { continue };
                    for (word, found) in words.iter().zip(&mut found) {
                        if bytes.windows(word.len()).any(|window| window == word.as_bytes()) {
                            found.push(entry.path().display().to_string());
                        }
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn columns(stored: &Value) -> Finding {
    let found = stored["columns_with_addresses"].as_array().map(Vec::as_slice).unwrap_or_default();
    if found.is_empty() {
        return Ok("no stored text looks like an address".to_owned());
    }
    let each = found
        .iter()
        .map(|pair| format!("{} ({} rows)", pair[0].as_str().unwrap_or_default(), pair[1]));
    Err(format!("what looks like an address is in {}", each.collect::<Vec<_>>().join(", ")))
}

fn retention(stored: &Value) -> Finding {
    let set_aside = stored["set_aside"].as_u64();
    match stored["overdue"].as_u64() {
        Some(0) if set_aside > Some(0) => Err(format!(
            "{} parts of the database that it could not read are kept beside it for 30 days, where no retention and no erasure \
             reaches them: see system.detached_parts",
            set_aside.unwrap_or_default()
        )),
        Some(0) => Ok("nothing is there that its site keeps no longer".to_owned()),
        Some(count) => Err(format!("{count} events are there that their sites keep no longer")),
        None => Err("the collector did not say".to_owned()),
    }
}

/// Sites under the strict profile hold nothing that it leaves out, and for no longer than it allows.
fn profile(stored: &Value) -> Finding {
    let list = |name: &str| stored[name].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(site) = list("kept_too_long").first().and_then(Value::as_str) {
        return Err(format!("{site} keeps its events for longer than the profile cnil allows"));
    }
    let excluded: Vec<String> = list("excluded_by_profiles")
        .iter()
        .map(|pair| format!("{} ({} rows)", pair[0].as_str().unwrap_or_default(), pair[1]))
        .collect();
    match (excluded.as_slice(), stored["strict_sites"].as_u64()) {
        ([], Some(0)) => Ok("no site has the profile cnil".to_owned()),
        ([], Some(sites)) => {
            Ok(format!("{sites} sites have the profile cnil, and nothing that it leaves out"))
        }
        ([], None) => Err("the collector did not say".to_owned()),
        (found, _) => Err(format!(
            "sites with the profile cnil have {} from before: erase it",
            found.join(", ")
        )),
    }
}

/// No salt is older than its day, the overlap, and what the time zones of the earth come to.
fn salts(data_dir: &Path, now: Timestamp) -> Finding {
    let path = data_dir.join("salts.ledger");
    let text =
        std::fs::read_to_string(&path).map_err(|_| format!("there is no {}", path.display()))?;
    let mut open: Vec<(&str, &str)> = Vec::new();
    let mut wiped = 0;
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [_, "drawn", _, day, hash] => open.push((hash, day)),
            [_, "wiped", _, _, hash, ..] => {
                open.retain(|(drawn, _)| drawn != hash);
                wiped += 1;
            }
            _ => return Err(format!("{} has a line that is none", path.display())),
        }
    }
    let is_old = |day: &str| {
        let end = day.parse::<Date>().ok().and_then(|day| end_of(day, &TimeZone::UTC));
        end.is_none_or(|end| now.duration_since(end) > SignedDuration::from_hours(13))
    };
    match open.iter().find(|(_, day)| is_old(day)) {
        Some((_, day)) => Err(format!("the salt of {day} was never wiped")),
        None => Ok(format!("{} live, {wiped} were wiped", open.len())),
    }
}

fn directory(data_dir: &Path) -> Finding {
    let metadata = std::fs::metadata(data_dir).map_err(|error| error.to_string())?;
    match metadata.mode() & 0o077 {
        0 => Ok(format!("{} is its owner's alone", data_dir.display())),
        _ => Err(format!("others may enter {}: chmod 700 it", data_dir.display())),
    }
}

/// Memory that is swapped out is on a disk. Whether that is encrypted can not be seen.
fn swap() -> Finding {
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    Ok(match swaps.lines().skip(1).count() {
        0 => "there is none".to_owned(),
        _ => "there is some: see that it is encrypted, for the day's salt may be in it".to_owned(),
    })
}
