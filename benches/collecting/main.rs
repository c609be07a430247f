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
#[expect(dead_code, reason = "this asks no collector that has its engine")]
mod servers;

use std::path::PathBuf;

use clap::Parser;

use load::{Load, Outcome};
use servers::{PROGRAM, Server, Usage};

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
    /// Visitors of the day
    #[arg(long, default_value_t = 100_000)]
    visitors: usize,
    /// The program of another build, to be loaded in the same turns
    #[arg(long, value_name = "PROGRAM")]
    before: Option<PathBuf>,
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

/// A server and its rounds.
struct Measured {
    name: &'static str,
    server: Server,
    rounds: Vec<Round>,
}

async fn measure(args: &Args) {
    let measured = |name, server| Measured { name, server, rounds: Vec::new() };
    let mut all = vec![measured("bare hyper", Server::bare())];
    all.extend(args.before.iter().map(|program| measured("before", Server::collector(program))));
    all.push(measured("collector", Server::collector(PROGRAM.as_ref())));
    let load = Load {
        events: args.events,
        connections: args.connections,
        rate: args.rate,
        visitors: args.visitors,
    };
    // A first round that does not count: caches, visits, and the first segments.
    for one in &all {
        round(&one.server, &Load { events: args.events / 10, ..load }).await;
    }
    for _ in 0..args.rounds {
        for one in &mut all {
            one.rounds.push(round(&one.server, &load).await);
        }
    }
    println!(
        "{} rounds of {} beacons of {} visitors over {} connections",
        args.rounds, args.events, args.visitors, args.connections
    );
    let names = all.iter().map(|one| format!("{:>12}", one.name)).collect::<String>();
    println!("{:<36}{names}{:>9}", "median of the rounds", "ratio");
    let figure = |name: &str, of: &dyn Fn(&Round) -> f64| {
        let medians: Vec<f64> = all.iter().map(|one| median(&one.rounds, of)).collect();
        let columns = medians.iter().map(|median| format!("{median:>12.2}")).collect::<String>();
        println!("{name:<36}{columns}{:>9.2}", medians[medians.len() - 1] / medians[0]);
    };
    figure("CPU seconds a million events", &|round| {
        round.usage.cpu_seconds * 1e6 / round.outcome.accepted.len() as f64
    });
    figure("events a second", &|round| round.outcome.accepted.len() as f64 / round.outcome.seconds);
    figure("latency, median, ms", &|round| round.outcome.latency_ms(0.5));
    figure("latency, 99 of 100, ms", &|round| round.outcome.latency_ms(0.99));
    figure("memory, MiB", &|round| round.usage.resident_mib);
    let refused: usize =
        all.iter().flat_map(|one| &one.rounds).map(|round| round.outcome.refused).sum();
    println!("refused, in all rounds: {refused}");
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
