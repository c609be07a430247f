//! Rows are sent as blocks of columns; what the table has then is what the rows said.

use clickhouse::insert_formatted::CompressedData;
use clickhouse::{Client, Compression};
use passerby::event::{Attributes, Event, Happening, SessionId, VisitorId};
use passerby::store::{Server, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{connect, servers, store};

fn columns() -> String {
    Event::columns().collect::<Vec<_>>().join(",")
}

/// A text that may be empty, long, or of any characters, and one of so many.
fn text(random: &mut StdRng, different: u32) -> String {
    let number = random.random_range(0..different);
    match random.random_range(0..4) {
        0 => String::new(),
        1 => number.to_string(),
        2 => format!("ä\0\n'\\{number}"),
        _ => number.to_string().repeat(40),
    }
}

/// An event of any values, at this place in the order of the table.
fn event(random: &mut StdRng, site_id: u32, day: u32, seq: u32, different: u32) -> Event {
    let text = |random: &mut StdRng| text(random, different);
    let props = (0..random.random_range(0..4)).map(|_| (text(random), text(random))).collect();
    let happening = Happening {
        site_id,
        timestamp: day * 86_400 + random.random_range(0..86_400),
        name: text(random),
        visitor_id: VisitorId(random.random()),
        session_id: SessionId(9),
        seq,
        event_id: random.random(),
        hostname: text(random),
        pathname: text(random),
        interactive: random.random(),
        engagement_ms: random.random(),
        scroll_depth: random.random(),
        props,
        revenue_amount: random.random_range(-999_999_999_999_999_999..=999_999_999_999_999_999),
        revenue_currency: text(random),
        entry_hostname: text(random),
        entry_pathname: text(random),
    };
    let attributes = Attributes {
        referrer: text(random),
        source: text(random),
        channel: text(random),
        utm_source: text(random),
        utm_medium: text(random),
        utm_campaign: text(random),
        utm_content: text(random),
        utm_term: text(random),
        click_id_kind: text(random),
        country: text(random),
        region: text(random),
        region_name: text(random),
        city: random.random(),
        city_name: text(random),
        browser: text(random),
        browser_version: text(random),
        os: text(random),
        os_version: text(random),
        device: text(random),
        language: text(random),
    };
    Event { happening, attributes: attributes.into() }
}

fn rows(seed: u64, site: u32, day: u32, count: u32, different: u32) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut rows = Vec::new();
    let mut before: Option<Event> = None;
    for seq in 0..count {
        let mut event = event(&mut random, site, day, seq, different);
        // Rows of a visit end alike, most of them.
        if let Some(before) = before.filter(|_| random.random()) {
            event.attributes = before.attributes;
            event.happening.revenue_amount = before.happening.revenue_amount;
            event.happening.revenue_currency = before.happening.revenue_currency;
            event.happening.entry_hostname = before.happening.entry_hostname;
            event.happening.entry_pathname = before.happening.entry_pathname;
        }
        event.encode(&mut rows);
        before = Some(event);
    }
    rows
}

async fn read_back(client: &Client, site: u32) -> Vec<u8> {
    let columns = columns();
    let sql = format!("SELECT {columns} FROM events FINAL WHERE site_id = ? ORDER BY seq");
    client
        .query(&sql)
        .bind(site)
        .fetch_bytes("RowBinary")
        .unwrap()
        .collect()
        .await
        .unwrap()
        .to_vec()
}

/// A table of its own, so that a test may change it.
async fn store_of(database: &str) -> std::sync::Arc<Store> {
    let of = |server: Server| Server { database: database.to_owned(), ..server };
    let (writer, reader) = servers();
    connect(&of(writer), &of(reader)).await
}

#[tokio::test]
async fn any_rows_are_read_back_byte_for_byte() {
    let store = store().await;
    // Dictionaries with places of one, two and four bytes; no map with anything in it; rows that are alike.
    let batches =
        [(1, 1), (1, 9), (40, 1), (300, 50), (2_000, 200), (3_000, 3_000), (50_000, 1 << 30)];
    for (site, (count, different)) in (95_000..).zip(batches) {
        let rows = rows(u64::from(site), site, 7_000, count, different);
        store.insert_events(&columns(), rows.clone()).await.unwrap();
        assert!(read_back(store.writer(), site).await == rows, "{count} rows of {different} texts");
        // The control: one bit of them is another.
        let mut others = rows;
        *others.last_mut().unwrap() ^= 1;
        assert!(read_back(store.writer(), site).await != others);
    }
}

/// The rows of a site as the table has them, and as reports read them, where equal ones are one.
async fn stored(client: &Client, site: u32) -> [u64; 2] {
    let client = client.clone().with_setting("do_not_merge_across_partitions_select_final", "1");
    let mut counts = [0; 2];
    for (count, table) in counts.iter_mut().zip(["events", "events FINAL"]) {
        let sql = format!("SELECT count() FROM {table} WHERE site_id = {site}");
        *count = client.query(&sql).fetch_one::<u64>().await.unwrap();
    }
    counts
}

#[tokio::test]
async fn a_batch_that_has_rows_twice_stores_them_once() {
    let store = store_of("of_rows_twice").await;
    let client = store.writer();
    client.query("SYSTEM STOP MERGES events").execute().await.unwrap();
    let twice = rows(4, 95_400, 6_800, 100, 5).repeat(2);
    store.insert_events(&columns(), twice).await.unwrap();
    assert_eq!(stored(client, 95_400).await, [100, 100]);
    // So are rows that no block is made of: the table has a column that this version does not know.
    client.query("ALTER TABLE events ADD COLUMN another UInt8").execute().await.unwrap();
    let columns = format!("{},another", columns());
    let two = [&rows(5, 95_401, 6_800, 1, 5)[..], b"\x07"].concat().repeat(2);
    store.insert_events(&columns, two.clone()).await.unwrap();
    assert_eq!(stored(client, 95_401).await, [1, 1]);
    // The control: ClickHouse does not look for them by itself, and reports read them once all the same.
    client.query("TRUNCATE TABLE events").execute().await.unwrap();
    let sql = format!("INSERT INTO events ({columns}) FORMAT RowBinary");
    let mut insert = client.insert_formatted_with(sql).with_setting("optimize_on_insert", "0");
    insert.send_compressed(CompressedData::new(&two, Compression::Lz4).unwrap()).await.unwrap();
    insert.end().await.unwrap();
    assert_eq!(stored(client, 95_401).await, [2, 1]);
}

#[tokio::test]
async fn a_batch_is_one_part() {
    let (store, day, count) = (store().await, 6_900, 100_000);
    store.insert_events(&columns(), rows(1, 95_100, day, count, 50)).await.unwrap();
    let parts = "SELECT rows, max_block_number - min_block_number FROM system.parts \
         WHERE database = currentDatabase() AND table = 'events' AND partition = '19881122' AND active";
    let parts = store.writer().query(parts).fetch_all::<(u64, i64)>().await.unwrap();
    assert_eq!(parts, [(u64::from(count), 0)]);
}

/// So it is isolated as any row that ClickHouse refuses.
#[tokio::test]
async fn what_no_block_can_be_made_of_is_sent_as_it_is_and_refused() {
    let store = store().await;
    let mut rows = rows(2, 95_200, 7_000, 3, 5);
    rows.pop();
    let refusal = store.insert_events(&columns(), rows).await.unwrap_err();
    // Which of the two it is hangs on where the last row was cut.
    assert!([Some(32), Some(33)].contains(&refusal.code()), "{refusal}");
    assert!(read_back(store.writer(), 95_200).await.is_empty());
}

#[tokio::test]
async fn a_table_of_other_types_takes_the_same_rows() {
    let store = store_of("of_other_types").await;
    for change in [
        "ALTER TABLE events MODIFY COLUMN device String",
        "ALTER TABLE events MODIFY COLUMN pathname LowCardinality(String)",
        "ALTER TABLE events MODIFY COLUMN props Map(String, String)",
        "ALTER TABLE events ADD COLUMN another String DEFAULT 'x'",
    ] {
        store.writer().query(change).execute().await.unwrap();
    }
    let rows = rows(3, 95_300, 7_000, 200, 50);
    store.insert_events(&columns(), rows.clone()).await.unwrap();
    assert!(read_back(store.writer(), 95_300).await == rows);
}
