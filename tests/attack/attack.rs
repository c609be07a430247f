//! The attack that a visitor id has to withstand, as strong as whoever holds all the data can make it.
//!
//! The attacker knows the true addresses and user agents of all visitors, the site's number, and all the
//! visitor ids that were stored; and has every file. What is missing is the salt. So every 32 bytes of
//! every file are tried for it, and all that is written as 64 hexadecimal digits: a key under which a
//! known visitor gets one of the ids is the salt, and with it everybody's id follows.
//!
//! This is written from the description in `src/privacy/visitor.rs`, and uses none of its code.

#![expect(clippy::disallowed_types, reason = "the attacker has the addresses")]

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// As many different bytes, or more, are among 32 random ones in all but one case of ten million.
const DIFFERENT_BYTES_MIN: u32 = 20;

/// A visitor whom the attacker knows.
pub(crate) struct Person {
    /// The true address.
    pub(crate) address: IpAddr,
    /// The true user agent.
    pub(crate) agent: String,
}

/// What the attacker knows of the stored data.
pub(crate) struct Known {
    /// The number of the site.
    pub(crate) site: u32,
    /// Everybody who may have visited it. The first one has: the salt is known by it.
    pub(crate) people: Vec<Person>,
    /// The stored ids.
    pub(crate) ids: HashSet<u64>,
    /// The bits that are used of an IPv4 and of an IPv6 address.
    pub(crate) prefixes: (u32, u32),
}

/// How many of the stored ids the attacker can put an address to, with the files in these places.
pub(crate) fn recovered(known: &Known, places: &[&Path]) -> usize {
    let mut files = Vec::new();
    for place in places {
        collect(place, &mut files);
    }
    let keys = files
        .iter()
        .filter_map(|file| std::fs::read(file).ok())
        .flat_map(|bytes| salts_in(known, &bytes));
    let names: HashMap<u64, &Person> = keys
        .flat_map(|key| known.people.iter().map(move |person| (id(known, &key, person), person)))
        .collect();
    known.ids.iter().filter(|id| names.contains_key(id)).count()
}

fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_file() {
        files.push(place.to_owned());
    }
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        collect(&entry.path(), files);
    }
}

/// The salts among everything in a file that could be one.
fn salts_in(known: &Known, bytes: &[u8]) -> HashSet<[u8; 32]> {
    let Some(first) = known.people.first() else { return HashSet::new() };
    let fits = |key: &[u8; 32]| known.ids.contains(&id(known, key, first));
    let raw = random_looking(bytes);
    let digits = bytes.windows(64).filter_map(unhex);
    raw.chain(digits).filter(fits).collect()
}

/// The places of 32 bytes that may be random ones.
fn random_looking(bytes: &[u8]) -> impl Iterator<Item = [u8; 32]> {
    let (mut counts, mut different) = ([0u8; 256], 0);
    bytes.iter().enumerate().filter_map(move |(at, &byte)| {
        let count = &mut counts[usize::from(byte)];
        different += u32::from(*count == 0);
        *count += 1;
        if let Some(gone) = at.checked_sub(32) {
            let count = &mut counts[usize::from(bytes[gone])];
            *count -= 1;
            different -= u32::from(*count == 0);
        }
        let from = at.checked_sub(31).filter(|_| different >= DIFFERENT_BYTES_MIN)?;
        bytes[from..=at].try_into().ok()
    })
}

fn unhex(digits: &[u8]) -> Option<[u8; 32]> {
    if !digits[0].is_ascii_hexdigit() {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(key)
}

/// The id that a person gets under a key.
fn id(known: &Known, key: &[u8; 32], person: &Person) -> u64 {
    let address = match person.address.to_canonical() {
        IpAddr::V4(address) => {
            (address.to_bits() & (u32::MAX << (32 - known.prefixes.0))).to_be_bytes().to_vec()
        }
        IpAddr::V6(address) => {
            (address.to_bits() & (u128::MAX << (128 - known.prefixes.1))).to_be_bytes().to_vec()
        }
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    for part in [known.site.to_be_bytes().as_slice(), &address, person.agent.as_bytes()] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    let digest = mac.finalize().into_bytes();
    // The lowest bit says that the visitor ends with the day; 0 is nobody.
    (u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes")) & !1).max(2)
}
