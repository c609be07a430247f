//! The rules of the salts, one by one.

use static_assertions::assert_not_impl_any;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

use super::*;

assert_not_impl_any!(Salt: std::fmt::Debug, std::fmt::Display, Clone, Copy, PartialEq, serde::Serialize);
assert_not_impl_any!(Salts: std::fmt::Debug, Clone, serde::Serialize);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// What stands for the salts of a moment, without being them.
fn seen(salts: &Salts, timezone: &TimeZone, now: &str) -> ([u8; 32], Option<[u8; 32]>) {
    salts.with(timezone, at(now), |current, previous| {
        (current.hmac(&[]), previous.map(|salt| salt.hmac(&[])))
    })
}

fn salts() -> Salts {
    Salts::open(SaltStore::none(), Ledger::none(), at("2026-03-01T00:00:00Z"))
}

#[test]
fn a_salt_lives_one_local_day_and_half_an_hour() {
    let salts = salts();
    // 23:59 in Berlin, which is an hour ahead of UTC in winter.
    let (first, none) = seen(&salts, &berlin(), "2026-03-01T22:59:00Z");
    assert_eq!(none, None);
    assert_eq!(seen(&salts, &berlin(), "2026-03-01T22:59:59Z"), (first, None));
    let (second, previous) = seen(&salts, &berlin(), "2026-03-01T23:00:00Z");
    assert_ne!(second, first);
    assert_eq!(previous, Some(first));
    assert_eq!(seen(&salts, &berlin(), "2026-03-01T23:29:59Z"), (second, Some(first)));
    assert_eq!(seen(&salts, &berlin(), "2026-03-01T23:30:00Z"), (second, None));
}

#[test]
fn zones_have_salts_and_days_of_their_own() {
    let salts = salts();
    let (one, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    let (other, _) =
        seen(&salts, &TimeZone::get("Asia/Kathmandu").unwrap(), "2026-03-01T12:00:00Z");
    assert_ne!(one, other);
}

#[test]
fn the_timer_ends_a_salt_also_when_nobody_visits() {
    let salts = salts();
    let (first, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    salts.rotate(at("2026-03-01T23:00:10Z"));
    {
        let zones = salts.zones.read().unwrap();
        assert_eq!(
            zones["Europe/Berlin"].previous.as_ref().map(|dated| dated.salt.hmac(&[])),
            Some(first)
        );
    }
    salts.rotate(at("2026-03-01T23:30:10Z"));
    assert!(salts.zones.read().unwrap()["Europe/Berlin"].previous.is_none());
}

#[test]
fn a_day_never_gets_its_salt_back() {
    let salts = salts();
    let (first, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    let (later, previous) = seen(&salts, &berlin(), "2026-03-03T12:00:00Z");
    assert_eq!(previous, None, "a day that ended long ago is no previous one");
    let (again, previous) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    assert_eq!(previous, None);
    assert!(again != first && again != later);
    let (at_1970, _) = seen(&salts, &berlin(), "1970-01-01T00:00:00Z");
    assert!(![first, later, again].contains(&at_1970));
}

#[test]
fn a_request_that_is_late_at_midnight_has_the_salt_of_the_day_that_has_begun() {
    let salts = salts();
    let (first, _) = seen(&salts, &berlin(), "2026-03-01T22:59:59.998Z");
    let (second, previous) = seen(&salts, &berlin(), "2026-03-01T23:00:00.001Z");
    assert_eq!(previous, Some(first));
    for late in ["2026-03-01T22:59:59.999Z", "2026-03-01T22:59:55Z", "2026-03-01T23:00:00.002Z"] {
        assert_eq!(seen(&salts, &berlin(), late), (second, Some(first)), "{late}");
        salts.rotate(at(late));
    }
    assert_eq!(seen(&salts, &berlin(), "2026-03-01T23:00:01Z"), (second, Some(first)));
    let (third, _) = seen(&salts, &berlin(), "2026-03-01T22:59:54Z");
    assert!(third != first && third != second, "a clock that was set back got an old salt");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stands_still_does_not_keep_a_salt_alive() {
    let salts = salts();
    let (first, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    tokio::time::advance(AGE_MAX).await;
    salts.rotate(at("2026-03-01T12:00:00Z"));
    assert_ne!(seen(&salts, &berlin(), "2026-03-01T12:00:00Z").0, first);
}

#[test]
fn a_salt_survives_a_restart_within_its_day_and_not_beyond() {
    let directory = tempfile::tempdir().unwrap();
    let store = || SaltStore(Some(directory.path().join("salts")));
    let open = |now: &str| Salts::open(store(), Ledger::none(), at(now));
    let (first, _) = seen(&open("2026-03-01T12:00:00Z"), &berlin(), "2026-03-01T12:00:00Z");
    assert_eq!(
        seen(&open("2026-03-01T13:00:00Z"), &berlin(), "2026-03-01T13:00:00Z"),
        (first, None)
    );
    let (_, previous) = seen(&open("2026-03-01T23:10:00Z"), &berlin(), "2026-03-01T23:10:00Z");
    assert_eq!(previous, Some(first));
    let (fresh, none) = seen(&open("2026-03-02T12:00:00Z"), &berlin(), "2026-03-02T23:40:00Z");
    assert!(fresh != first && none.is_none());
}

#[test]
fn a_day_never_gets_its_salt_back_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = || SaltStore(Some(directory.path().join("salts")));
    let open = |now: &str| Salts::open(store(), Ledger::none(), at(now));
    let salts = open("2026-03-01T12:00:00Z");
    let (first, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    let (second, previous) = seen(&salts, &berlin(), "2026-03-01T23:10:00Z");
    assert_eq!(previous, Some(first));
    // The clock is set back into the day that ended, and the collector starts again.
    let (again, previous) = seen(&open("2026-03-01T22:00:00Z"), &berlin(), "2026-03-01T22:00:00Z");
    assert!(again != first && again != second && previous.is_none());
}

#[test]
fn an_ended_salt_leaves_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("salts");
    let salts =
        Salts::open(SaltStore(Some(file.clone())), Ledger::none(), at("2026-03-01T12:00:00Z"));
    seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    let first = std::fs::read_to_string(&file).unwrap();
    let key = first.rsplit(' ').next().unwrap().to_owned();
    assert_eq!(key.len(), 64);
    let old = File::open(&file).unwrap();
    salts.rotate(at("2026-03-01T23:30:10Z"));
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&key));
    let mut left = Vec::new();
    (&old).read_to_end(&mut left).unwrap();
    assert!(left.iter().all(|&byte| byte == 0), "the old contents are still there");
}

#[test]
fn a_file_that_can_not_be_read_begins_the_day_anew() {
    for text in [
        "",
        "passerby-salts 2",
        "passerby-salts 1\nEurope/Berlin",
        "passerby-salts 1\nMars/Base 2026-03-01 00",
    ] {
        assert!(store::parse(text).is_none(), "{text}");
    }
}

#[test]
fn a_directory_on_a_disk_is_not_used() {
    let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    assert!(SaltStore::open(Some(directory.path()), directory.path()).0.is_none());
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_in_memory_is_used() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    assert!(
        SaltStore::open(Some(&directory.path().join("passerby")), directory.path()).0.is_some()
    );
}

#[test]
fn a_directory_that_others_may_enter_is_not_used() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let open = directory.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(SaltStore::open(Some(&open), directory.path()).0.is_none());
    assert!(store::make(&open).is_err());
    let elsewhere = directory.path().join("elsewhere");
    symlink(directory.path(), &elsewhere).unwrap();
    assert!(SaltStore::open(Some(&elsewhere), directory.path()).0.is_none());
    // One of one's own in it is.
    assert!(SaltStore::open(Some(&open.join("own")), directory.path()).0.is_some());
}

#[test]
fn nothing_is_written_into_a_file_that_was_there_before() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("salts");
    std::fs::write(file.with_extension("new"), "what was left").unwrap();
    let watched = File::open(file.with_extension("new")).unwrap();
    let store = SaltStore(Some(file.clone()));
    let salts = Salts { zones: RwLock::default(), store, ledger: Ledger::none() };
    seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    assert!(std::fs::read_to_string(&file).unwrap().contains("Europe/Berlin 2026-03-01"));
    let mut left = Vec::new();
    (&watched).read_to_end(&mut left).unwrap();
    assert!(left.iter().all(|&byte| byte == 0), "the salt went into it");
}

/// The lines of the ledger, each without its moment and its commitment.
fn ledger_lines(directory: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(directory.join("salts.ledger")).unwrap();
    let line = |line: &str| {
        let words: Vec<&str> = line.splitn(6, ' ').collect();
        [&words[1..4], &words[5..]].concat().join(" ")
    };
    text.lines().skip(1).map(line).collect()
}

#[test]
fn every_salt_that_is_drawn_is_said_to_be_wiped_once_and_no_secret_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("salts");
    let open = |now: &str| {
        Salts::open(SaltStore(Some(file.clone())), Ledger::open(directory.path()), at(now))
    };
    let salts = open("2026-03-01T12:00:00Z");
    seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    let key = std::fs::read_to_string(&file).unwrap().rsplit(' ').next().unwrap().trim().to_owned();
    salts.rotate(at("2026-03-01T23:00:10Z"));
    salts.rotate(at("2026-03-01T23:30:10Z"));
    salts.rotate(at("2026-02-01T12:00:00Z"));
    drop(salts);
    drop(open("2026-02-02T12:00:00Z"));
    assert_eq!(
        ledger_lines(directory.path()),
        [
            "drawn Europe/Berlin 2026-03-01",
            "drawn Europe/Berlin 2026-03-02",
            "wiped Europe/Berlin 2026-03-01 at its end",
            "drawn Europe/Berlin 2026-02-01",
            "wiped Europe/Berlin 2026-03-02 because of the clock",
            "wiped Europe/Berlin 2026-02-01 found past its time, or gone with the memory, at a start",
        ]
    );
    let text = std::fs::read_to_string(directory.path().join("salts.ledger")).unwrap();
    assert!(!text.contains(&key) && key.len() == 64);
    let commitments: Vec<&str> =
        text.lines().skip(1).map(|line| line.split(' ').nth(4).unwrap()).collect();
    assert_eq!(commitments[0], commitments[2], "a wipe names another salt");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("Berlin"), "an old salt was kept");
}

#[test]
fn a_salt_that_was_kept_through_a_restart_is_not_said_to_be_wiped() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("salts");
    for hour in 10..13 {
        let now = format!("2026-03-01T{hour}:00:00Z");
        let salts =
            Salts::open(SaltStore(Some(file.clone())), Ledger::open(directory.path()), at(&now));
        seen(&salts, &berlin(), &now);
    }
    assert_eq!(ledger_lines(directory.path()), ["drawn Europe/Berlin 2026-03-01"]);
}

#[test]
fn what_can_not_be_kept_anew_is_not_kept_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("salts");
    let salts =
        Salts::open(SaltStore(Some(file.clone())), Ledger::none(), at("2026-03-01T12:00:00Z"));
    seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
    // Nothing can be written where a directory is.
    std::fs::create_dir(file.with_extension("new")).unwrap();
    salts.rotate(at("2026-03-01T23:30:10Z"));
    assert!(!file.exists(), "the salt of yesterday is still there");
}

#[test]
fn no_salt_outlives_its_bound_whatever_the_clock_does() {
    proptest::proptest!(|(jumps in proptest::collection::vec(-200_000i64..200_000, 1..40))| {
        let salts = salts();
        let mut now = at("2026-03-01T12:00:00Z");
        let mut seen_before: Vec<[u8; 32]> = Vec::new();
        for jump in jumps {
            now += SignedDuration::from_secs(jump);
            let (current, previous) = salts.with(&berlin(), now, |current, previous| {
                (current.hmac(&[]), previous.map(|salt| salt.hmac(&[])))
            });
            let zones = salts.zones.read().unwrap();
            let zone = &zones["Europe/Berlin"];
            proptest::prop_assert!(zone.current.is_current(now));
            proptest::prop_assert!(
                zone.previous.as_ref().is_none_or(|previous| now - previous.ends < OVERLAP && now >= previous.ends)
            );
            // What was given up never comes back.
            let is_known = seen_before.last() == Some(&current);
            proptest::prop_assert!(is_known || !seen_before.contains(&current));
            proptest::prop_assert!(previous.is_none_or(|previous| seen_before.contains(&previous)));
            if !is_known {
                seen_before.push(current);
            }
        }
    });
}

/// How often the bytes, which are given with every bit turned, are in the memory of this process.
/// What is read of it is wiped again, so that the next search does not find it.
#[cfg(target_os = "linux")]
fn in_memory(turned: &[u8]) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut buffer = zeroize::Zeroizing::new(vec![0; 1 << 20]);
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        while at + (turned.len() as u64) < to {
            let wanted = usize::try_from(to - at).unwrap().min(buffer.len());
            let count = memory.read_at(&mut buffer[..wanted], at).unwrap_or(0);
            if count < turned.len() {
                break;
            }
            let windows = buffer[..count].windows(turned.len());
            let is_it =
                |window: &[u8]| window.iter().zip(turned).all(|(one, other)| *one == !other);
            found += windows.filter(|window| is_it(window)).count();
            buffer.zeroize();
            buffer.resize(1 << 20, 0);
            // A copy may lie across two reads.
            at += (count - (turned.len() - 1)) as u64;
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[test]
fn a_wiped_salt_is_not_in_memory_any_more() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let file = directory.path().join("salts");
    let salts = Salts::open(SaltStore(Some(file)), Ledger::none(), at("2026-03-01T12:00:00Z"));
    for number in 0..100u8 {
        salts.with(&berlin(), at("2026-03-01T12:00:00Z"), |salt, _| salt.hmac(&[&[number]]));
    }
    let (digits, key) = {
        let zones = salts.zones.read().unwrap();
        let key = &zones["Europe/Berlin"].current.salt.0;
        let key: Vec<u8> = key.iter().map(|byte| !byte).collect();
        let digit = |nibble: u8| !b"0123456789abcdef"[usize::from(nibble)];
        let digits: Vec<u8> =
            key.iter().flat_map(|byte| [digit((!byte) >> 4), digit((!byte) & 15)]).collect();
        (digits, key)
    };
    assert!(in_memory(&key) > 0, "the search does not find a salt that lives");
    assert_eq!(in_memory(&digits), 0, "the text of the salts was left behind");
    salts.rotate(at("2026-03-01T23:00:10Z"));
    salts.rotate(at("2026-03-01T23:30:10Z"));
    assert_eq!(in_memory(&key), 0, "the salt is still in memory");
    assert_eq!(in_memory(&digits), 0);
}
