//! What it costs to ship events: CPU seconds of the collector's part and of the engine, for a million.
//!
//! `cargo bench --bench shipping` inserts the same events into the real engine, in turns: row by row (RowBinary, as the
//! spool has them), and as the loader does it, in blocks of columns (`store::block`). It prints the medians of the
//! rounds and their ratio: a machine's speed drifts, the ratio does not. This process is the collector, from the
//! rows of the spool on: it makes the block, compresses it and sends it. The engine takes, sorts and writes it;
//! it merges nothing meanwhile, for when it does is chance.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed, and its result is printed"
)]

use std::time::{Duration, Instant};

use clap::Parser;
use clickhouse::Compression;
use clickhouse::insert_formatted::CompressedData;
use jiff::tz::TimeZone;
use passerby::demo::{self, Amount};
use passerby::event::Event;
use passerby::site::{Site, SiteId};
use passerby::store::Store;
use passerby::store::engine::{Analyst, Engine, EngineSettings, discover};

/// Memory is wiped as the collector wipes it.
#[global_allocator]
static MEMORY: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// How long the engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures what it costs to ship events.
#[derive(Parser)]
struct Args {
    /// Rounds; each ships all events in each way
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Events of a round
    #[arg(long, default_value_t = 500_000)]
    events: usize,
    /// Rows of an insert
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000])]
    batch: Vec<usize>,
    /// Says that cargo runs this as a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy)]
enum Way {
    Rows,
    Columns,
}

/// CPU seconds for a million events.
#[derive(Clone, Copy)]
struct Cost {
    collector: f64,
    engine: f64,
}

fn main() {
    let args = Args::parse();
    if args.bench {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(measure(&args));
    } else {
        println!("cargo bench --bench shipping");
    }
}

async fn measure(args: &Args) {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(EngineSettings {
        directory: directory.path().to_owned(),
        source: discover(None, None).unwrap(),
        program: Some(env!("CARGO_BIN_EXE_passerby").into()),
        memory_bytes_max: None,
        port: None,
        analyst: Analyst::default(),
    })
    .unwrap();
    let store = Store::connect(&engine.writer(), &engine.reader());
    let begun = Instant::now();
    while let Err(error) = store.apply_schema().await {
        assert!(begun.elapsed() < PATIENCE, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let events = events_of_a_day(args.events);
    println!("{} rounds of {} events; CPU seconds a million", args.rounds, events.len());
    println!("{:<44}{:>12}{:>12}{:>9}", "median of the rounds", "RowBinary", "Native", "ratio");
    for &rows in &args.batch {
        let batches: Vec<Vec<u8>> = events.chunks(rows).map(encode).collect();
        let cost = async |way| {
            execute(&store, "TRUNCATE TABLE events").await;
            execute(&store, "SYSTEM STOP MERGES events").await;
            let before = cpu_seconds(engine.pid().unwrap());
            for batch in &batches {
                insert(&store, way, batch).await;
            }
            let after = cpu_seconds(engine.pid().unwrap());
            let there = store.writer().query("SELECT count() FROM events").fetch_one::<u64>();
            assert_eq!(there.await.unwrap(), events.len() as u64);
            let millions = events.len() as f64 / 1e6;
            let [collector, engine] = [0, 1].map(|which| (after[which] - before[which]) / millions);
            Cost { collector, engine }
        };
        // A first round that does not count.
        cost(Way::Rows).await;
        cost(Way::Columns).await;
        let (mut of_rows, mut of_columns) = (Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            of_rows.push(cost(Way::Rows).await);
            of_columns.push(cost(Way::Columns).await);
        }
        let figure = |name: &str, of: &dyn Fn(&Cost) -> f64| {
            let (rows_cost, columns_cost) = (median(&of_rows, of), median(&of_columns, of));
            let name = format!("batches of {rows}: {name}");
            println!(
                "{name:<44}{rows_cost:>12.2}{columns_cost:>12.2}{:>9.2}",
                columns_cost / rows_cost
            );
        };
        figure("collector", &|cost| cost.collector);
        figure("engine", &|cost| cost.engine);
        figure("both", &|cost| cost.collector + cost.engine);
    }
    engine.stop().await;
}

/// The demo's traffic on one day, in the order in which it arrives.
fn events_of_a_day(events: usize) -> Vec<Event> {
    let site = Site::new(SiteId(1), demo::DOMAIN, TimeZone::UTC);
    let end = "2026-11-25T23:59:59Z".parse().unwrap();
    let amount = Amount { days: 1, events: events as u64, seed: 1 };
    let mut events: Vec<Event> = demo::days(&site, amount, end).flatten().collect();
    events.sort_by_key(|event| event.happening.timestamp);
    events
}

fn encode(events: &[Event]) -> Vec<u8> {
    let mut rows = Vec::new();
    events.iter().for_each(|event| event.encode(&mut rows));
    rows
}

async fn insert(store: &Store, way: Way, rows: &[u8]) {
    let columns = Event::columns().collect::<Vec<_>>().join(",");
    match way {
        Way::Columns => store.insert_events(&columns, rows.to_vec()).await.unwrap(),
        Way::Rows => {
            let data = CompressedData::new(rows, Compression::Lz4).unwrap();
            let sql = format!("INSERT INTO events ({columns}) FORMAT RowBinary");
            let mut insert = store.writer().insert_formatted_with(sql);
            insert.send_compressed(data).await.unwrap();
            insert.end().await.unwrap();
        }
    }
}

async fn execute(store: &Store, sql: &str) {
    store.writer().query(sql).execute().await.unwrap();
}

/// Of this process and the engine's, in the kernel and outside of it.
fn cpu_seconds(engine: u32) -> [f64; 2] {
    // Fields 14 and 15, in hundredths of a second.
    [std::process::id(), engine].map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1.split_whitespace();
        let ticks = after_name.skip(11).take(2).map(|field| field.parse::<f64>().unwrap());
        ticks.sum::<f64>() / 100.0
    })
}

fn median(costs: &[Cost], of: &dyn Fn(&Cost) -> f64) -> f64 {
    let mut figures: Vec<f64> = costs.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
