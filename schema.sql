-- Passerby's tables: the only DDL there is. Applied at every start (`passerby migrate` does it by
-- hand), so each statement may be run again and again. `{replacing}` is the one thing that differs
-- between installations: a ReplacingMergeTree on one machine, a replicated one on a cluster.
-- Statements end in a semicolon at the end of a line.

-- One row an event. The rows of one visit lie together, in the order in which they arrived; what is
-- true of the visit as a whole stands on each of its rows, so that most reports read this table alone.
-- The last four key columns name an event: a row that is sent twice becomes one row, and reports
-- read the table with FINAL until it has. A batch holds the rows of one day only, so that it is
-- inserted whole or not at all, and so that a day can be dropped when a site's retention ends.
CREATE TABLE IF NOT EXISTS events
(
    site_id          UInt32                            COMMENT 'The site, see sites.site_id',
    timestamp        DateTime('UTC')                   COMMENT 'When it happened, to the second',
    name             LowCardinality(String)            COMMENT 'pageview, engagement, or the name of a custom event',
    visitor_id       UInt64                            COMMENT 'Keyed hash of site, truncated address and user agent; its key lives one day. 0: nobody',
    session_id       UInt64                            COMMENT 'The visit: its first second in the high 32 bits. 0: none',
    seq              UInt32                            COMMENT 'Place in the visit in order of arrival, from 1',
    event_id         UInt64                            COMMENT 'Tells two events apart that are alike in everything else',
    hostname         LowCardinality(String)            COMMENT 'Host of the page, without www.',
    pathname         String                            COMMENT 'Path of the page, decoded, without its query string',
    interactive      Bool                              COMMENT 'False for custom events that nobody caused',
    engagement_ms    UInt32                            COMMENT 'Milliseconds the page was visible and focused since the last such event',
    scroll_depth     UInt8                             COMMENT 'Deepest scroll in percent; 255: not told',
    props            Map(LowCardinality(String), String) COMMENT 'Custom properties, at most 30',
    revenue_amount   Decimal(18, 3)                    COMMENT 'Revenue in revenue_currency',
    revenue_currency LowCardinality(String)            COMMENT 'ISO 4217 code; empty: no revenue',
    entry_hostname   LowCardinality(String)            COMMENT 'Host of the first page of the visit, once there was one',
    entry_pathname   String                            COMMENT 'Path of the first page of the visit, once there was one',
    referrer         String                            COMMENT 'Referring page: host and path. Fixed by the first event of the visit, as all below',
    source           LowCardinality(String)            COMMENT 'Name of where the visit came from; empty: direct',
    channel          LowCardinality(String)            COMMENT 'Marketing channel',
    utm_source       LowCardinality(String)            COMMENT 'utm_source',
    utm_medium       LowCardinality(String)            COMMENT 'utm_medium',
    utm_campaign     LowCardinality(String)            COMMENT 'utm_campaign',
    utm_content      LowCardinality(String)            COMMENT 'utm_content',
    utm_term         LowCardinality(String)            COMMENT 'utm_term',
    click_id_kind    LowCardinality(String)            COMMENT 'Kind of advertising click id, never its value',
    country          LowCardinality(String)            COMMENT 'ISO 3166-1 alpha-2; empty: not known',
    region           LowCardinality(String)            COMMENT 'ISO 3166-2; empty: not known',
    region_name      LowCardinality(String)            COMMENT 'English name of the region',
    city             UInt32                            COMMENT 'GeoNames id; 0: not known',
    city_name        LowCardinality(String)            COMMENT 'English name of the city',
    browser          LowCardinality(String)            COMMENT 'Browser',
    browser_version  LowCardinality(String)            COMMENT 'Browser version, at most major.minor',
    os               LowCardinality(String)            COMMENT 'Operating system',
    os_version       LowCardinality(String)            COMMENT 'Operating system version, at most major.minor',
    device           LowCardinality(String)            COMMENT 'Desktop, Mobile or Tablet; empty: not known',
    language         LowCardinality(String)            COMMENT 'Primary tag of the preferred language'
)
ENGINE = {replacing}()
PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (site_id, session_id, seq, event_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row an event; the truth that every report is computed from';

-- The sites. The row with the highest version is the one that holds.
CREATE TABLE IF NOT EXISTS sites
(
    site_id        UInt32                 COMMENT 'What rows call the site; never reused',
    domain         String                 COMMENT 'Host name without www.',
    timezone       String                 COMMENT 'IANA name: where the site''s days begin and end',
    retention_days UInt32                 COMMENT 'Days that events are kept; 0: until erased',
    public         Bool                   COMMENT 'Whether reports are open to everybody',
    created_at     DateTime('UTC')        COMMENT 'When the site was registered',
    removed        Bool                   COMMENT 'Whether the site has been removed',
    version        UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY site_id
COMMENT 'Registered sites, one row a change';

-- The tokens that open reports and administration. A token itself is never stored.
CREATE TABLE IF NOT EXISTS tokens
(
    token_id   String                 COMMENT 'Public name of the token: its first characters',
    hash       String                 COMMENT 'SHA-256 of the token, in hexadecimal',
    scope      LowCardinality(String) COMMENT 'admin or stats',
    site_ids   Array(UInt32)          COMMENT 'The sites it is limited to; empty: every site',
    note       String                 COMMENT 'What it is for, in the words of whoever made it',
    created_at DateTime('UTC')        COMMENT 'When it was made',
    expires_at DateTime('UTC')        COMMENT 'When it ends; 1970-01-01: never',
    revoked    Bool                   COMMENT 'Whether it has been revoked',
    version    UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY token_id
COMMENT 'Tokens, one row a change';

-- The keys of rows that are being erased, in memory only: an erasure names rows by this table, so that
-- what it looked for is in no file of the database, not even in that of the erasure.
CREATE TABLE IF NOT EXISTS doomed
(
    erasure    UInt64 COMMENT 'A random number of the erasure that is under way',
    site_id    UInt32 COMMENT 'As in events',
    session_id UInt64 COMMENT 'As in events',
    seq        UInt32 COMMENT 'As in events',
    event_id   UInt64 COMMENT 'As in events'
)
ENGINE = Memory
COMMENT 'Keys of rows that are being erased; empty otherwise';
