//! `passerby query`: a report in the terminal, in the words of the reporting API.

use anyhow::bail;
use axum::http::Method;
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use super::remote::with;
use super::{Context, output, table};

/// Show a report in the terminal.
///
/// Metrics: visitors, visits, pageviews, events, views_per_visit, bounce_rate, visit_duration.
/// Dimensions: time:day, visit:source, visit:country, event:page, … (docs/api.md has them all).
#[derive(Parser)]
pub(super) struct Args {
    /// The domain of the site
    site: String,
    /// What is counted
    #[arg(default_value = "visitors")]
    metrics: Vec<String>,
    /// What it is broken down by; can be given again
    #[arg(long = "by", value_name = "DIMENSION")]
    dimensions: Vec<String>,
    /// day, 7d, 30d, month, 12mo, all, …, or FROM,TO as dates
    #[arg(long, default_value = "30d", value_name = "RANGE")]
    period: String,
    /// A filter, such as is,visit:source,Google; can be given again, then all must hold
    #[arg(long = "filter", value_name = "OPERATOR,DIMENSION,VALUE…")]
    filters: Vec<String>,
    /// The most rows
    #[arg(long, default_value_t = 25)]
    limit: u32,
    /// Print the API's answer as it is; short for --format json
    #[arg(long, conflicts_with = "form")]
    json: bool,
    /// The form of the report
    #[arg(id = "form", long = "format", value_name = "FORMAT", default_value = "table")]
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// The API's answer
    Json,
    /// For spreadsheets
    Csv,
    /// A JSON object a line
    Ndjson,
    /// Apache Parquet
    Parquet,
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let query = query(&args)?;
    let path = match args.form {
        Form::Table | Form::Json => "/api/v2/query",
        Form::Csv => "/api/v2/query?format=csv",
        Form::Ndjson => "/api/v2/query?format=ndjson",
        Form::Parquet => "/api/v2/query?format=parquet",
    };
    let answer =
        with(&context, async |remote| remote.ask(Method::POST, path, Some(query.clone())).await);
    let answer = answer.await?;
    match args.form {
        Form::Table if !args.json => {
            let answer = serde_json::from_slice(&answer)?;
            output::made(table::render(&answer, terminal_width(&context)).trim_end())?;
        }
        Form::Table | Form::Json => {
            let answer: Value = serde_json::from_slice(&answer)?;
            output::made(serde_json::to_string_pretty(&answer)?)?;
        }
        Form::Csv | Form::Ndjson | Form::Parquet => output::bytes(&answer)?,
    }
    Ok(())
}

fn query(args: &Args) -> anyhow::Result<Value> {
    let date_range = match args.period.split_once(',') {
        Some((from, to)) => json!([from.trim(), to.trim()]),
        None => json!(args.period),
    };
    let filters = args.filters.iter().map(|filter| filter_of(filter));
    let filters = filters.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(json!({
        "site_id": args.site,
        "metrics": args.metrics,
        "date_range": date_range,
        "dimensions": args.dimensions,
        "filters": filters,
        "pagination": { "limit": args.limit },
    }))
}

/// The filter that `OPERATOR,DIMENSION,VALUE|…` is, as the API has it.
pub(super) fn filter_of(text: &str) -> anyhow::Result<Value> {
    let parts: Vec<_> = text.splitn(3, ',').map(str::trim).collect();
    let [operator, dimension, values] = parts[..] else {
        bail!("the filter `{text}` is not OPERATOR,DIMENSION,VALUE such as is,visit:source,Google")
    };
    let value = |text: &str| match text.parse::<u32>() {
        // Segments have numbers, everything else has texts.
        Ok(number) if dimension == "segment" => json!(number),
        _ => json!(text),
    };
    Ok(json!([operator, dimension, values.split('|').map(value).collect::<Vec<_>>()]))
}

/// The width of the terminal as the shell tells it; 100 where there is none.
fn terminal_width(context: &Context) -> usize {
    context.environment.get("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(100)
}
