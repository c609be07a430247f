//! Runs the attack of `attack.rs` on an installation:
//!
//! ```sh
//! clickhouse client -q "SELECT DISTINCT visitor_id FROM passerby.events WHERE site_id = 7" > ids
//! cargo run --release --example attack -- 7 people ids /var/lib/passerby /dev/shm /var/backups
//! ```
//!
//! `people` has a line for each visitor whom you know: address, tab, user agent. The first one must
//! have visited the site.

#![expect(clippy::print_stdout, reason = "this is a program for a terminal")]

mod attack;

use std::error::Error;
use std::path::Path;

use attack::{Known, Person};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [site, people, ids, places @ ..] = arguments.as_slice() else {
        return Err("usage: attack SITE_ID PEOPLE_FILE IDS_FILE PLACE…".into());
    };
    let person = |line: &str| -> Result<Person, Box<dyn Error>> {
        let (address, agent) = line.split_once('\t').ok_or("a line of people has no tab")?;
        Ok(Person { address: address.parse()?, agent: agent.to_owned() })
    };
    let known = Known {
        site: site.parse()?,
        people: std::fs::read_to_string(people)?.lines().map(person).collect::<Result<_, _>>()?,
        ids: std::fs::read_to_string(ids)?.lines().map(str::parse).collect::<Result<_, _>>()?,
        prefixes: (24, 48),
    };
    let places: Vec<&Path> = places.iter().map(Path::new).collect();
    let recovered = attack::recovered(&known, &places);
    println!("{recovered} of {} visitor ids recovered", known.ids.len());
    Ok(())
}
