//! What a report costs: every query of a site's page, and the page itself, over a year of one site.
//!
//! `cargo bench --bench reports -- --events 1000000 --events 10000000` has the demo's traffic generated, once
//! for each size, into `target/reports`, where it stays; then it asks the real collector over HTTP, as the
//! dashboard does. Cold is the first answer after the collector and its engine were started (the system's
//! own cache of files is left as it is), warm the median of the rounds after it.
//!
//! - `site`: a collector with its year of traffic, as a child process.
//! - `questions`: what is asked.
//! - `growth`: the chart of how the answers slow down with the number of events.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed, and its result is printed"
)]

mod growth;
mod questions;
mod site;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use questions::{Question, questions};
use site::Site;

/// Measures what a report costs.
#[derive(Parser)]
struct Args {
    /// How many events the year has; may be given several times
    #[arg(long, default_values_t = [1_000_000, 10_000_000])]
    events: Vec<u64>,
    /// Warm rounds; each asks every question once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where the years are kept
    #[arg(long, default_value = "target/reports")]
    data: PathBuf,
    /// Ask at once, though days that are over may not have been closed yet
    #[arg(long)]
    open: bool,
    /// The program that is measured
    #[arg(long, default_value = env!("CARGO_BIN_EXE_passerby"))]
    program: PathBuf,
    /// Where to draw the chart of growth, as SVG
    #[arg(long)]
    chart: Option<PathBuf>,
    /// Says that cargo runs this as a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one question cost, in milliseconds; nothing, if reports may not take as long or as much.
struct Cost {
    question: Question,
    cold: Option<f64>,
    warm: Option<f64>,
    /// Of the processors, on average over the warm rounds.
    cpu: f64,
}

/// What a year cost.
struct Year {
    events: u64,
    costs: Vec<Cost>,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if !args.bench {
        return println!("cargo bench --bench reports");
    }
    let mut years = Vec::new();
    for events in &args.events {
        let year = measure(&args, *events).await;
        print(&year);
        years.push(year);
    }
    if let Some(path) = &args.chart {
        std::fs::write(path, growth::chart(&years)).unwrap();
    }
}

async fn measure(args: &Args, events: u64) -> Year {
    let directory = args.data.join(events.to_string());
    site::generate(&args.program, &directory, events).await;
    let mut site = Site::start(&args.program, &directory).await;
    if !args.open {
        site.wait_until_closed().await;
        // With caches that are empty again.
        site = site.restart().await;
    }
    println!(
        "\n{} events of one site in a year; {:.1} bytes an event on disk; {} rounds",
        site.events(),
        site.bytes() as f64 / site.events() as f64,
        args.rounds
    );
    let mut costs: Vec<Asked> = questions()
        .into_iter()
        .map(|question| Asked { question, took: Vec::new(), cpu_seconds: 0.0 })
        .collect();
    for round in 0..=args.rounds {
        for asked in &mut costs {
            let before = site.cpu_seconds();
            asked.took.push(site.ask(&asked.question).await.map(milliseconds));
            if round > 0 {
                asked.cpu_seconds += site.cpu_seconds() - before;
            }
        }
    }
    let cost = |Asked { question, took, cpu_seconds }: Asked| {
        let mut warm: Vec<f64> = took[1..].iter().copied().flatten().collect();
        warm.sort_by(f64::total_cmp);
        let cpu = cpu_seconds * 1e3 / args.rounds as f64;
        Cost { question, cold: took[0], warm: warm.get(warm.len() / 2).copied(), cpu }
    };
    Year { events: site.events(), costs: costs.into_iter().map(cost).collect() }
}

/// A question that has been asked.
struct Asked {
    question: Question,
    took: Vec<Option<f64>>,
    /// In the warm rounds together.
    cpu_seconds: f64,
}

fn print(year: &Year) {
    println!("{:<52}{:>10}{:>10}{:>10}", "milliseconds", "cold", "warm", "CPU");
    for Cost { question, cold, warm, cpu } in &year.costs {
        let told = |cost: &Option<f64>| {
            cost.map_or_else(|| "stopped".to_owned(), |cost| format!("{cost:.0}"))
        };
        println!("{:<52}{:>10}{:>10}{cpu:>10.0}", question.name, told(cold), told(warm));
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
