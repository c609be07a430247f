//! The control: a failure that is planted behind a comparison within the collector, and has to be found
//! soon. A fuzzer that does not see the collector's code would have to guess a word.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passerby::enrich::acquisition::Tags;

fuzz_target!(|input: &[u8]| {
    let query = String::from_utf8_lossy(input);
    assert!(Tags::from_query(&query).click_id.is_none(), "planted");
});
