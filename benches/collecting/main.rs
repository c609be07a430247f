//! What a beacon costs: the collector beside a bare hyper server with the same connections' settings.
//!
//! `cargo bench --bench collecting` loads the two in turns, round by round, and prints the medians and
//! their ratio: a machine's speed drifts, the ratio does not. Both answer the same requests of the same
//! load; the bare server reads the body and says 202. The collector does all that it does: it decodes,
//! judges, hashes, places the event in its visit, and answers when the event is synced to disk.
//!
//! - `load`: connections that send beacons as fast as they are answered, or at a given rate.
//! - `servers`: the two as child processes, and what the system says that they used.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed, and its result is printed"
)]

mod load;
mod servers;

use clap::Parser;

use load::{Load, Outcome};
use servers::{Server, Usage};

/// Measures what a beacon costs.
#[derive(Parser)]
struct Args {
    /// Rounds; each loads both servers once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Beacons of a server and round
    #[arg(long, default_value_t = 300_000)]
    events: usize,
    /// Connections at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Beacons a second; as fast as they are answered, if 0
    #[arg(long, default_value_t = 0)]
    rate: usize,
    /// Says that cargo runs this as a benchmark
    #[arg(long, hide = true)]
    bench: bool,
    /// Runs the bare server, as the child process that the measurement starts
    #[arg(long, hide = true)]
    bare: bool,
}

/// One server's round.
struct Round {
    outcome: Outcome,
    usage: Usage,
}

fn main() {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if args.bare {
        runtime.block_on(servers::run_bare());
    } else if args.bench {
        runtime.block_on(measure(&args));
    } else {
        println!("cargo bench --bench collecting");
    }
}

async fn measure(args: &Args) {
    let bare = Server::bare();
    let collector = Server::collector();
    let load = Load { events: args.events, connections: args.connections, rate: args.rate };
    // A first round that does not count: caches, visits, and the first segments.
    for server in [&bare, &collector] {
        round(server, &Load { events: args.events / 10, ..load }).await;
    }
    let (mut of_bare, mut of_collector) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        of_bare.push(round(&bare, &load).await);
        of_collector.push(round(&collector, &load).await);
    }
    println!(
        "{} rounds of {} beacons over {} connections",
        args.rounds, args.events, args.connections
    );
    println!("{:<44}{:>12}{:>12}{:>9}", "median of the rounds", "bare hyper", "collector", "ratio");
    let figure = |name: &str, of: &dyn Fn(&Round) -> f64| {
        let (bare, collector) = (median(&of_bare, of), median(&of_collector, of));
        println!("{name:<44}{bare:>12.2}{collector:>12.2}{:>9.2}", collector / bare);
    };
    figure("CPU seconds a million events", &|round| {
        round.usage.cpu_seconds * 1e6 / round.outcome.accepted as f64
    });
    figure("events a second", &|round| round.outcome.accepted as f64 / round.outcome.seconds);
    figure("latency, median, ms", &|round| round.outcome.latency_ms(0.5));
    figure("latency, 99 of 100, ms", &|round| round.outcome.latency_ms(0.99));
    figure("memory, MiB", &|round| round.usage.resident_mib);
    let refused: usize = of_collector.iter().map(|round| round.outcome.refused).sum();
    println!("{:<44}{:>12}{refused:>12}", "refused, in all rounds", "");
}

async fn round(server: &Server, load: &Load) -> Round {
    let before = server.usage();
    let outcome = load.run(server.address()).await;
    let after = server.usage();
    Round { outcome, usage: Usage { cpu_seconds: after.cpu_seconds - before.cpu_seconds, ..after } }
}

fn median(rounds: &[Round], of: &dyn Fn(&Round) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
