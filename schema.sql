-- Passerby's tables: the only DDL there is. Applied at every start (`passerby migrate` does it by
-- hand), so each statement may be run again and again. `{random}` is a number that is drawn each time. Two things differ between installations:
-- `{replacing}` is a ReplacingMergeTree, or one that is replicated; `{shard by: …}` is nothing on one
-- machine, and on a cluster which shard a row goes to (`src/store/cluster.rs`). Rows that are alike go to
-- the same, and so do the rows of a visit; an event of nobody goes by itself.
-- Statements end in a semicolon at the end of a line.

-- One row an event. The rows of one visit lie together, in the order in which they arrived; what is
-- true of the visit as a whole stands on each of its rows, so that most reports read this table alone.
-- The last four key columns name an event: a row that is sent twice becomes one row, and reports
-- read the table with FINAL until it has. A batch holds the rows of one day only, so that it is
-- inserted whole or not at all, and so that a day can be dropped when a site's retention ends.
-- Packing well is for days that are over: what is inserted now is merged several times yet.
CREATE TABLE IF NOT EXISTS events
(
    site_id          UInt32                            COMMENT 'The site, see sites.site_id',
    timestamp        DateTime('UTC')                   COMMENT 'When it happened, to the second' CODEC(Delta, ZSTD(1)),
    name             LowCardinality(String)            COMMENT 'pageview, engagement, or the name of a custom event',
    visitor_id       UInt64                            COMMENT 'Keyed hash of site, truncated address and user agent; its key lives one day. 0: nobody',
    session_id       UInt64                            COMMENT 'The visit: its first second in the high 32 bits. 0: none' CODEC(Delta, ZSTD(1)),
    seq              UInt32                            COMMENT 'Place in the visit in order of arrival, from 1' CODEC(Delta, ZSTD(1)),
    event_id         UInt64                            COMMENT 'Tells two events apart that are alike in everything else',
    hostname         LowCardinality(String)            COMMENT 'Host of the page, without www.',
    pathname         LowCardinality(String)            COMMENT 'Path of the page, decoded, without its query string',
    interactive      Bool                              COMMENT 'False for custom events that nobody caused',
    engagement_ms    UInt32                            COMMENT 'Milliseconds the page was visible and focused since the last such event',
    scroll_depth     UInt8                             COMMENT 'Deepest scroll in percent; 255: not told',
    props            Map(LowCardinality(String), String) COMMENT 'Custom properties, at most 30',
    revenue_amount   Decimal(18, 3)                    COMMENT 'Revenue in revenue_currency',
    revenue_currency LowCardinality(String)            COMMENT 'ISO 4217 code; empty: no revenue',
    entry_hostname   LowCardinality(String)            COMMENT 'Host of the first page of the visit, once there was one',
    entry_pathname   LowCardinality(String)            COMMENT 'Path of the first page of the visit, once there was one',
    referrer         LowCardinality(String)            COMMENT 'Referring page: host and path. Fixed by the first event of the visit, as all below',
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
TTL timestamp + INTERVAL 1 DAY RECOMPRESS CODEC(ZSTD(1))
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
{shard by: cityHash64(site_id, if(session_id = 0, event_id, session_id))}
COMMENT 'One row an event; the truth that every report is computed from';

-- What happened on each of a site's days that are over, in whole numbers: what reports add up instead of
-- counting events again. No row is ever changed: a day that is counted anew has another version, and
-- `closed_days` says which one holds; numbers by goal may be of a later counting. A row tells of events, of the visits that ended on the day, or of
-- attention, and of these only some numbers, or those of each hour. What is carried is counted on the day before as well. It is partitioned so that a
-- report over a year reads few parts, and a deletion rewrites few.
CREATE TABLE IF NOT EXISTS daily
(
    site_id          UInt32                 COMMENT 'The site, see sites.site_id',
    counted          LowCardinality(String) COMMENT 'events, visits or attention: what the numbers are of',
    dimension        LowCardinality(String) COMMENT 'By what, as queries call it; empty: all of the site',
    day              Date                   COMMENT 'The day of the site''s calendar',
    version          UInt64                 COMMENT 'Which counting of the day it is of, see closed_days.version',
    value            String                 COMMENT 'The value of the dimension',
    visitors         UInt32                 COMMENT 'Visitors',
    visitors_carried UInt32                 COMMENT 'Those who have the same value on the day before',
    visits           UInt32                 COMMENT 'Visits; of attention, those that reported any',
    visits_carried   UInt32                 COMMENT 'Those that have the same value on the day before',
    pageviews        UInt32                 COMMENT 'Page views',
    events           UInt32                 COMMENT 'Page views and custom events',
    entered          UInt32                 COMMENT 'Visits of which those that bounced are a share: by page those that entered there, otherwise all',
    bounces          UInt32                 COMMENT 'Visits of these that bounced',
    seconds          UInt64                 COMMENT 'How long the visits lasted together',
    attention_ms     UInt64                 COMMENT 'Milliseconds of attention',
    told             UInt32                 COMMENT 'Visits that told how far they scrolled',
    told_carried     UInt32                 COMMENT 'Those that told of the same value on the day before',
    depth            UInt64                 COMMENT 'The deepest scroll of each of them, added up, in percent',
    depth_carried    UInt64                 COMMENT 'What of it is of visits that scrolled no deeper than on the other day',
    paid             UInt32                 COMMENT 'By goal: events that brought revenue in its currency',
    revenue          Decimal(38, 3)         COMMENT 'By goal: what they brought',
    hours            Array(Tuple(hour UInt8, visitors UInt32, visits UInt32)) COMMENT 'By a dimension and the hour: visitors and visits in each hour of the day that had any'
)
ENGINE = {replacing}()
PARTITION BY (toYear(day), site_id % 16)
ORDER BY (site_id, counted, dimension, day, version, value)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(3)'
{shard by: cityHash64(site_id)}
COMMENT 'Numbers of days that are over, by dimension';

-- The visits of days that are over, a row for each visit and each of a site's days on which anything of it happened: what
-- reports read instead of the events of these days where no number in `daily` answers. Versions are those of `daily`. Visits of a
-- day are in the order of their sources, for filters on these, and all that goes with them, to read less; the columns that most
-- of these reports read are packed so that they are read soon, which T64 does in less room than ZSTD.
CREATE TABLE IF NOT EXISTS visit_days
(
    site_id             UInt32                 COMMENT 'The site, see sites.site_id',
    day                 Date                   COMMENT 'The day of the site''s calendar',
    version             UInt64                 COMMENT 'Which counting of the day it is of, see closed_days.version',
    session_id          UInt64                 COMMENT 'The visit, see events.session_id; 0: none' CODEC(T64, LZ4),
    event_id            UInt64                 COMMENT 'Tells the events that belong to no visit apart; 0: it is of a visit',
    visitor_id          UInt64                 COMMENT 'The visitor, see events.visitor_id; 0: nobody, or one who is known to have this visit alone, and on this day alone' CODEC(LZ4),
    ended               Bool                   COMMENT 'Whether the visit ended on this day',
    first               DateTime('UTC')        COMMENT 'When the visit began' CODEC(T64, LZ4),
    duration            UInt32                 COMMENT 'Seconds from its first event to its last' CODEC(T64, LZ4),
    views               UInt32                 COMMENT 'Pages that it viewed' CODEC(T64, LZ4),
    bounced             Bool                   COMMENT 'Whether it viewed one page at most and did nothing there',
    entry_page          LowCardinality(String) COMMENT 'Path of its first page; empty: it viewed none',
    exit_page           LowCardinality(String) COMMENT 'Path of its last page',
    entry_page_hostname LowCardinality(String) COMMENT 'Host of its first page',
    exit_page_hostname  LowCardinality(String) COMMENT 'Host of its last page',
    referrer            LowCardinality(String) COMMENT 'Referring page: host and path',
    source              LowCardinality(String) COMMENT 'Name of where the visit came from; empty: direct',
    channel             LowCardinality(String) COMMENT 'Marketing channel',
    utm_source          LowCardinality(String) COMMENT 'utm_source of the first page',
    utm_medium          LowCardinality(String) COMMENT 'utm_medium of the first page',
    utm_campaign        LowCardinality(String) COMMENT 'utm_campaign of the first page',
    utm_content         LowCardinality(String) COMMENT 'utm_content of the first page',
    utm_term            LowCardinality(String) COMMENT 'utm_term of the first page',
    country             LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2; empty: not known',
    region              LowCardinality(String) COMMENT 'ISO 3166-2; empty: not known',
    region_name         LowCardinality(String) COMMENT 'English name of the region',
    city                UInt32                 COMMENT 'GeoNames id; 0: not known',
    city_name           LowCardinality(String) COMMENT 'English name of the city',
    browser             LowCardinality(String) COMMENT 'Browser',
    browser_version     LowCardinality(String) COMMENT 'Browser version, at most major.minor',
    os                  LowCardinality(String) COMMENT 'Operating system',
    os_version          LowCardinality(String) COMMENT 'Operating system version, at most major.minor',
    device              LowCardinality(String) COMMENT 'Desktop, Mobile or Tablet; empty: not known',
    language            LowCardinality(String) COMMENT 'Primary tag of the preferred language',
    day_views           UInt32                 COMMENT 'Pages that it viewed on this day' CODEC(T64, LZ4),
    day_events          UInt32                 COMMENT 'Page views and custom events of it on this day' CODEC(T64, LZ4),
    by_page             Array(Tuple(pathname LowCardinality(String), views UInt32, events UInt32)) COMMENT 'Its page views and custom events on this day, by the page on which they happened: views of it, and events, views among them' CODEC(LZ4),
    hours_by_page       Array(UInt32)          COMMENT 'The hours of the day in which that was, for each element of by_page: the lowest bit for the one from midnight',
    by_name             Array(Tuple(name LowCardinality(String), views UInt32, events UInt32)) COMMENT 'The same by the name of the event',
    attention_pages     Array(LowCardinality(String)) COMMENT 'The pages that it attended to on this day' CODEC(LZ4),
    attention_ms        Array(UInt64)          COMMENT 'For how many milliseconds it did, for each element of attention_pages' CODEC(T64, LZ4),
    attention_depths    Array(UInt8)           COMMENT 'How far down it scrolled at most, in percent, for each element of attention_pages; 255: not told' CODEC(LZ4),
    happened            Array(Tuple(name LowCardinality(String), hostname LowCardinality(String), pathname LowCardinality(String), times UInt32, engagement_ms UInt64, scroll_depth UInt8, revenue_currency LowCardinality(String), revenue_amount Decimal(38, 3))) COMMENT 'What happened of it on this day, see events: events that are alike, and how often; their attention added up, and the deepest scroll',
    hours_happened      Array(UInt32)          COMMENT 'The hours of the day in which that was, for each element of happened, as in hours_by_page',
    props_happened      Array(Map(LowCardinality(String), String)) COMMENT 'Its custom properties, for each element of happened',
    apart               UInt64                 COMMENT 'The visitor, if to be told apart from others; 0: nobody, or one who is told by earlier visits' CODEC(LZ4),
    earlier             UInt16                 COMMENT 'The earlier visits of the same visitor on this day, a bit each: the lowest for the first; every bit: it is not told',
    earlier_entry_page  UInt16                 COMMENT 'Those of them with the same entry page',
    earlier_exit_page   UInt16                 COMMENT 'Those of them with the same exit page',
    earlier_entry_page_hostname UInt16 COMMENT 'Those of them with the same entry host',
    earlier_exit_page_hostname UInt16 COMMENT 'Those of them with the same exit host',
    earlier_referrer    UInt16                 COMMENT 'Those of them with the same referrer',
    earlier_source      UInt16                 COMMENT 'Those of them with the same source',
    earlier_channel     UInt16                 COMMENT 'Those of them with the same channel',
    earlier_utm_source  UInt16                 COMMENT 'Those of them with the same utm_source',
    earlier_utm_medium  UInt16                 COMMENT 'Those of them with the same utm_medium',
    earlier_utm_campaign UInt16                 COMMENT 'Those of them with the same utm_campaign',
    earlier_utm_content UInt16                 COMMENT 'Those of them with the same utm_content',
    earlier_utm_term    UInt16                 COMMENT 'Those of them with the same utm_term',
    earlier_language    UInt16                 COMMENT 'Those of them with the same language',
    earlier_with_utm_source UInt16 COMMENT 'Those of them with any utm_source',
    earlier_with_utm_medium UInt16 COMMENT 'Those of them with any utm_medium',
    earlier_with_utm_campaign UInt16 COMMENT 'Those of them with any utm_campaign',
    earlier_with_utm_content UInt16 COMMENT 'Those of them with any utm_content',
    earlier_with_utm_term UInt16 COMMENT 'Those of them with any utm_term'
)
ENGINE = {replacing}()
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, day, version, source, session_id, event_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(3)'
{shard by: cityHash64(site_id)}
COMMENT 'Visits of days that are over, one row a visit and day';

-- Of days that are over, the events that are notable: custom events, all that meets a goal of the site, and all that has properties. What
-- reports read instead of `visit_days` where they count nothing else: they are few. Rows are made of those of `visit_days`, and made anew
-- when the site has other goals.
CREATE TABLE IF NOT EXISTS notable_events
(
    site_id             UInt32                 COMMENT 'The site, see sites.site_id',
    day                 Date                   COMMENT 'The day of the site''s calendar',
    version             UInt64                 COMMENT 'Which counting of the day it is of, see closed_days.goals_version',
    session_id          UInt64                 COMMENT 'The visit, see events.session_id; 0: none' CODEC(T64, LZ4),
    event_id            UInt64                 COMMENT 'Tells the events that belong to no visit apart; 0: it is of a visit',
    visitor_id          UInt64                 COMMENT 'The visitor, see events.visitor_id; 0: nobody, or one who is known to have this visit alone, and on this day alone' CODEC(LZ4),
    last                DateTime('UTC')        COMMENT 'When the visit ended' CODEC(T64, LZ4),
    entry_page          LowCardinality(String) COMMENT 'Path of its first page; empty: it viewed none',
    exit_page           LowCardinality(String) COMMENT 'Path of its last page',
    entry_page_hostname LowCardinality(String) COMMENT 'Host of its first page',
    exit_page_hostname  LowCardinality(String) COMMENT 'Host of its last page',
    referrer            LowCardinality(String) COMMENT 'Referring page: host and path',
    source              LowCardinality(String) COMMENT 'Name of where the visit came from; empty: direct',
    channel             LowCardinality(String) COMMENT 'Marketing channel',
    utm_source          LowCardinality(String) COMMENT 'utm_source of the first page',
    utm_medium          LowCardinality(String) COMMENT 'utm_medium of the first page',
    utm_campaign        LowCardinality(String) COMMENT 'utm_campaign of the first page',
    utm_content         LowCardinality(String) COMMENT 'utm_content of the first page',
    utm_term            LowCardinality(String) COMMENT 'utm_term of the first page',
    country             LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2; empty: not known',
    region              LowCardinality(String) COMMENT 'ISO 3166-2; empty: not known',
    region_name         LowCardinality(String) COMMENT 'English name of the region',
    city                UInt32                 COMMENT 'GeoNames id; 0: not known',
    city_name           LowCardinality(String) COMMENT 'English name of the city',
    browser             LowCardinality(String) COMMENT 'Browser',
    browser_version     LowCardinality(String) COMMENT 'Browser version, at most major.minor',
    os                  LowCardinality(String) COMMENT 'Operating system',
    os_version          LowCardinality(String) COMMENT 'Operating system version, at most major.minor',
    device              LowCardinality(String) COMMENT 'Desktop, Mobile or Tablet; empty: not known',
    language            LowCardinality(String) COMMENT 'Primary tag of the preferred language',
    name                LowCardinality(String) COMMENT 'Event name, see events.name',
    hostname            LowCardinality(String) COMMENT 'Host of the page',
    pathname            LowCardinality(String) COMMENT 'Path of the page',
    times               UInt32                 COMMENT 'How often it happened on this day: events that are alike are one row' CODEC(T64, LZ4),
    engagement_ms       UInt64                 COMMENT 'Milliseconds of attention, added up' CODEC(T64, LZ4),
    scroll_depth        UInt8                  COMMENT 'The deepest scroll in percent; 255: not known',
    revenue_currency    LowCardinality(String) COMMENT 'ISO 4217 code; empty: no revenue',
    revenue_amount      Decimal(38, 3)         COMMENT 'What they brought together',
    hours               UInt32                 COMMENT 'The hours of the day in which it happened: the lowest bit for the one from midnight' CODEC(T64, LZ4),
    props               Map(LowCardinality(String), String) COMMENT 'Custom properties',
    place               UInt32                 COMMENT 'Its place in visit_days.happened, which tells rows apart that differ in properties alone' CODEC(T64, LZ4),
    name_again          Bool                   COMMENT 'Whether an element before it in visit_days.happened has the same name',
    goal_again          Bool                   COMMENT 'Whether an element before it there meets the same goal; false where an event may meet several goals'
)
ENGINE = {replacing}()
PARTITION BY toYYYYMM(day)
PRIMARY KEY (site_id, day, version, source)
ORDER BY (site_id, day, version, source, session_id, event_id, name, hostname, pathname, revenue_currency, place)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(3)'
{shard by: cityHash64(site_id)}
COMMENT 'Custom events of days that are over, what met a goal then, and what had properties';

-- The days whose numbers in `daily`, and whose rows in `visit_days` and `notable_events`, hold, as long as nothing was inserted since into the partitions of
-- `events` that they were made of. The row with the latest `made` is the one that counts.
CREATE TABLE IF NOT EXISTS closed_days
(
    site_id  UInt32                 COMMENT 'The site, see sites.site_id',
    day      Date                   COMMENT 'The day of the site''s calendar',
    timezone LowCardinality(String) COMMENT 'The time zone in which the day was counted',
    version  UInt64                 COMMENT 'Which of its numbers hold; 0: none, for the day stays open',
    inserts  UInt64                 COMMENT 'A hash of which inserts the events had seen that were counted',
    made     DateTime64(6, 'UTC')   COMMENT 'When counting began; in the future where the day must stay open until then',
    goes_on  Bool                   COMMENT 'Whether visits of the day could go on then: its numbers of visits have not been counted yet',
    afterwards    UInt64            COMMENT 'Where its visits had ended, but more could be inserted into the partition after those: a hash of what they did in that; 0: inserts tell of that as well',
    goals         UInt64            COMMENT 'A hash of the goals of which the day has numbers; 0: of none',
    goals_version UInt64            COMMENT 'Which of these numbers hold, see daily.version'
)
ENGINE = {replacing}(made)
ORDER BY (site_id, day)
{shard by: cityHash64(site_id)}
COMMENT 'Which days are closed, one row a change';

-- The sites. The row with the highest version is the one that holds.
CREATE TABLE IF NOT EXISTS sites
(
    site_id        UInt32                 COMMENT 'What rows call the site; never reused',
    domain         String                 COMMENT 'Host name without www.',
    former_domain  String                 COMMENT 'The domain before the last renaming, which goes on to be understood; empty: none',
    timezone       String                 COMMENT 'IANA name: where the site''s days begin and end',
    retention_days UInt32                 COMMENT 'Days that events are kept; 0: until erased',
    public         Bool                   COMMENT 'Whether reports are open to everybody',
    least_visitors UInt32                 COMMENT 'The least number of visitors that everybody is told then; 1: every number; 0: the default',
    created_at     DateTime('UTC')        COMMENT 'When the site was registered',
    removed        Bool                   COMMENT 'Whether the site has been removed',
    version        UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY site_id
{shard by: cityHash64(site_id)}
COMMENT 'Registered sites, one row a change';

-- The tokens that open reports and administration. A token itself is never stored.
CREATE TABLE IF NOT EXISTS tokens
(
    token_id       String                 COMMENT 'Public name of the token: its first characters',
    hash           String                 COMMENT 'SHA-256 of the token, in hexadecimal',
    scope          LowCardinality(String) COMMENT 'admin or stats',
    site_ids       Array(UInt32)          COMMENT 'The sites it is limited to; empty: every site',
    note           String                 COMMENT 'What it is for, in the words of whoever made it',
    least_visitors UInt32                 COMMENT 'The least number of visitors that it is told; 0 or 1: every number',
    created_at     DateTime('UTC')        COMMENT 'When it was made',
    expires_at     DateTime('UTC')        COMMENT 'When it ends; 1970-01-01: never',
    revoked        Bool                   COMMENT 'Whether it has been revoked',
    version        UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY token_id
{shard by: cityHash64(token_id)}
COMMENT 'Tokens, one row a change';

-- What sites want their visitors to do.
CREATE TABLE IF NOT EXISTS goals
(
    goal_id          UInt32                 COMMENT 'The goal; never reused',
    site_id          UInt32                 COMMENT 'The site, see sites.site_id',
    kind             LowCardinality(String) COMMENT 'event, page or scroll',
    event_name       String                 COMMENT 'The custom event that meets a goal of this kind',
    page_path        String                 COMMENT 'The page that meets one of the other kinds; * is any characters',
    scroll_threshold UInt8                  COMMENT 'How far down, in percent, the page must be scrolled',
    display_name     String                 COMMENT 'What reports call the goal; unique within the site',
    currency         LowCardinality(String) COMMENT 'ISO 4217 code that revenue is reported in; empty: it brings none',
    created_at       DateTime('UTC')        COMMENT 'When the goal was set up',
    removed          Bool                   COMMENT 'Whether the goal has been removed',
    version          UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY goal_id
{shard by: cityHash64(goal_id)}
COMMENT 'Goals of sites, one row a change';

-- Sets of filters that sites have given names.
CREATE TABLE IF NOT EXISTS segments
(
    segment_id UInt32          COMMENT 'What queries call the segment; never reused',
    site_id    UInt32          COMMENT 'The site, see sites.site_id',
    name       String          COMMENT 'What people call the segment; unique within the site',
    filters    String          COMMENT 'Its filters, as queries write them: a list in JSON',
    created_at DateTime('UTC') COMMENT 'When the segment was saved first',
    removed    Bool            COMMENT 'Whether the segment has been removed',
    version    UInt64          COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY segment_id
{shard by: cityHash64(segment_id)}
COMMENT 'Segments of sites, one row a change';

CREATE TABLE IF NOT EXISTS funnels
(
    funnel_id  UInt32          COMMENT 'Never reused',
    site_id    UInt32          COMMENT 'The site, see sites.site_id',
    name       String          COMMENT 'What people call the funnel; unique within the site',
    steps      String          COMMENT 'Its steps, as questions write them: a list in JSON',
    created_at DateTime('UTC') COMMENT 'When the funnel was saved first',
    removed    Bool            COMMENT 'Whether the funnel has been removed',
    version    UInt64          COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY funnel_id
{shard by: cityHash64(funnel_id)}
COMMENT 'Funnels of sites, one row a change';

-- What happened on a site's days: written by its members, or by the collector where a rule changed.
CREATE TABLE IF NOT EXISTS annotations
(
    annotation_id UInt32                 COMMENT 'Never reused, but for the oldest of too many that the collector wrote',
    site_id       UInt32                 COMMENT 'The site, see sites.site_id',
    day           Date                   COMMENT 'The day of the calendar of the site',
    kind          LowCardinality(String) COMMENT 'note: somebody wrote it; or which rule changed',
    text          String                 COMMENT 'What happened; what the rule is now, or which goal it is about',
    created_at    DateTime('UTC')        COMMENT 'When it was made',
    removed       Bool                   COMMENT 'Whether it has been removed',
    version       UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY annotation_id
{shard by: cityHash64(annotation_id)}
COMMENT 'Annotations of sites, one row a change';

-- Which rules of the configuration collectors last ran with: where one is another, an annotation says so.
CREATE TABLE IF NOT EXISTS rules
(
    domain  String                 COMMENT 'The site that the configuration names; empty for all others',
    rule    LowCardinality(String) COMMENT 'Which rule: the kind of annotation that tells of it',
    value   LowCardinality(String) COMMENT 'What it says, as the configuration calls it',
    removed Bool                   COMMENT 'Whether the configuration says it no more',
    version UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY (domain, rule)
{shard by: cityHash64(domain, rule)}
COMMENT 'Rules of the configuration that numbers come of, one row a change';

-- Links that open a site's page to whoever has them. Unlike a token, a link can be shown again.
CREATE TABLE IF NOT EXISTS shared_links
(
    link_id        UInt32          COMMENT 'The link; never reused',
    site_id        UInt32          COMMENT 'The site, see sites.site_id',
    name           String          COMMENT 'What it is for; unique within the site',
    slug           String          COMMENT 'What opens the page, at random; a part of the link',
    password_hash  String          COMMENT 'argon2id of the password that it takes besides; empty: none',
    segment_id     UInt32          COMMENT 'The segment that it is limited to, see segments.segment_id; 0: the whole site',
    least_visitors UInt32          COMMENT 'The least number of visitors that it tells; 1: every number; 0: the default',
    expires_at     DateTime('UTC') COMMENT 'When it ends; 1970-01-01: never',
    created_at     DateTime('UTC') COMMENT 'When it was made',
    removed        Bool            COMMENT 'Whether it has been removed',
    version        UInt64          COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY link_id
{shard by: cityHash64(link_id)}
COMMENT 'Shared links of sites, one row a change';

-- Which person may do what with which site. Whoever is removed leaves a row without a name.
CREATE TABLE IF NOT EXISTS members
(
    member_id  UInt32                 COMMENT 'The member; never reused',
    person     String                 COMMENT 'The name that the person signs in with, mostly an address of mail; empty: removed',
    site_id    UInt32                 COMMENT 'The site, see sites.site_id; 0: every site',
    role       LowCardinality(String) COMMENT 'viewer, editor or owner',
    created_at DateTime('UTC')        COMMENT 'When the person became a member',
    removed    Bool                   COMMENT 'Whether the member has been removed',
    version    UInt64                 COMMENT 'Microseconds since 1970 of this change'
)
ENGINE = {replacing}(version)
ORDER BY member_id
{shard by: cityHash64(member_id)}
COMMENT 'Members of sites, one row a change';

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

-- The views: what analysts and Grafana read, as a user who sees nothing else. Their names and columns
-- are stable: new ones may come, none changes its meaning. They are made anew at every start.
--
-- They run with the rights of the user who made them, so that reading one needs no right to a table.
-- They show what the reports count: no site that was removed, nothing that a site's retention has
-- ended, an event that is stored twice once. Conditions on `site_id` and on `timestamp` or `started` reach
-- the tables' own order, so that a view reads no more than the range that is asked for.
--
-- No id of a visitor or a visit leaves the tables. `visitor` and `visit` are numbers that stand for one
-- within one query: good for counting, different in the next query. NULL stands for nobody, as
-- uniqExact() expects. They are hashes of the id under the query, and under a key that those who ask do not
-- know: whoever chooses the query's own id could try out all that a visit's may be.

-- Drawn anew at every start, and for nobody to read: a view, whose text is a secret, because no right to it is given.
CREATE OR REPLACE VIEW pseudonym_key
(
    k0 UInt64 COMMENT 'Half of the key of the numbers that stand for visitors and visits',
    k1 UInt64 COMMENT 'The other half'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT toUInt64({random}) AS k0, toUInt64({random}) AS k1
COMMENT 'The key of the numbers that stand for visitors and visits in the other views';

CREATE OR REPLACE VIEW report_sites
(
    site_id   UInt32          COMMENT 'The site''s number',
    site      String          COMMENT 'The site''s domain',
    timezone  String          COMMENT 'IANA name: where the site''s days begin and end',
    kept_from DateTime('UTC') COMMENT 'When the oldest day begins that the site still keeps; 1970-01-01: everything'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS WITH
    -- The oldest day's midnight, were the site's clock that of UTC; then less what its clock is ahead.
    toDateTime(toDate(formatDateTime(now('UTC'), '%F', timezone)) - (least(greatest(retention_days, 1), 10000) - 1), 'UTC') AS midnight,
    midnight - (toDateTime(formatDateTime(midnight, '%F %T', timezone), 'UTC') - midnight) AS nearly,
    midnight - (toDateTime(formatDateTime(nearly, '%F %T', timezone), 'UTC') - nearly) AS oldest
SELECT site_id, domain AS site, timezone, if(retention_days = 0, toDateTime(0, 'UTC'), oldest) AS kept_from
FROM sites FINAL
WHERE NOT removed
COMMENT 'The sites that are counted, one row a site';

CREATE OR REPLACE VIEW report_events
(
    site             String                              COMMENT 'The site''s domain',
    site_id          UInt32                              COMMENT 'The site''s number: comparing with it is quickest',
    timestamp        DateTime('UTC')                     COMMENT 'When it happened, to the second',
    day              Date                                COMMENT 'The same as a day of the site''s calendar',
    name             LowCardinality(String)              COMMENT 'pageview, engagement (attention to a page: no event in reports), or the name of a custom event',
    visitor          Nullable(UInt64)                    COMMENT 'Stands for the visitor in this query; NULL: nobody',
    visit            Nullable(UInt64)                    COMMENT 'Stands for the visit in this query; NULL: none',
    hostname         LowCardinality(String)              COMMENT 'Host of the page, without www.',
    pathname         String                              COMMENT 'Path of the page, decoded, without its query string',
    interactive      Bool                                COMMENT 'False for custom events that nobody caused',
    engagement_ms    UInt32                              COMMENT 'Milliseconds the page was visible and focused since the last such event',
    scroll_depth     Nullable(UInt8)                     COMMENT 'Deepest scroll in percent; NULL: not told',
    props            Map(LowCardinality(String), String) COMMENT 'Custom properties',
    revenue_amount   Decimal(18, 3)                      COMMENT 'Revenue in revenue_currency',
    revenue_currency LowCardinality(String)              COMMENT 'ISO 4217 code; empty: no revenue',
    entry_hostname   LowCardinality(String)              COMMENT 'Host of the first page of the visit',
    entry_pathname   String                              COMMENT 'Path of the first page of the visit',
    referrer         String                              COMMENT 'Referring page: host and path',
    source           LowCardinality(String)              COMMENT 'Name of where the visit came from; empty: direct',
    channel          LowCardinality(String)              COMMENT 'Marketing channel',
    utm_source       LowCardinality(String)              COMMENT 'utm_source of the first page',
    utm_medium       LowCardinality(String)              COMMENT 'utm_medium of the first page',
    utm_campaign     LowCardinality(String)              COMMENT 'utm_campaign of the first page',
    utm_content      LowCardinality(String)              COMMENT 'utm_content of the first page',
    utm_term         LowCardinality(String)              COMMENT 'utm_term of the first page',
    click_id_kind    LowCardinality(String)              COMMENT 'Kind of advertising click id of the first page',
    country          LowCardinality(String)              COMMENT 'ISO 3166-1 alpha-2; empty: not known',
    region           LowCardinality(String)              COMMENT 'ISO 3166-2; empty: not known',
    region_name      LowCardinality(String)              COMMENT 'English name of the region',
    city             UInt32                              COMMENT 'GeoNames id; 0: not known',
    city_name        LowCardinality(String)              COMMENT 'English name of the city',
    browser          LowCardinality(String)              COMMENT 'Browser',
    browser_version  LowCardinality(String)              COMMENT 'Browser version, at most major.minor',
    os               LowCardinality(String)              COMMENT 'Operating system',
    os_version       LowCardinality(String)              COMMENT 'Operating system version, at most major.minor',
    device           LowCardinality(String)              COMMENT 'Desktop, Mobile or Tablet; empty: not known',
    language         LowCardinality(String)              COMMENT 'Primary tag of the preferred language'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS WITH
    (assumeNotNull((SELECT k0 FROM pseudonym_key)), assumeNotNull((SELECT k1 FROM pseudonym_key))) AS secret_key,
    (sipHash64Keyed(secret_key, initialQueryID(), initialQueryStartTime()), secret_key.2) AS query_key
SELECT
    site, site_id, timestamp,
    toDate(formatDateTime(timestamp, '%F', timezone)) AS day,
    name,
    if(visitor_id = 0, NULL, sipHash64Keyed(query_key, visitor_id)) AS visitor,
    if(session_id = 0, NULL, sipHash64Keyed(query_key, session_id)) AS visit,
    hostname, pathname, interactive, engagement_ms, nullIf(scroll_depth, 255) AS scroll_depth, props,
    revenue_amount, revenue_currency, entry_hostname, entry_pathname,
    referrer, source, channel, utm_source, utm_medium, utm_campaign, utm_content, utm_term,
    click_id_kind, country, region, region_name, city, city_name, browser, browser_version, os,
    os_version, device, language
FROM (SELECT * FROM events FINAL SETTINGS do_not_merge_across_partitions_select_final = 1) AS e
INNER JOIN report_sites AS s USING (site_id)
WHERE timestamp >= kept_from
COMMENT 'One row an event, engagement included';

CREATE OR REPLACE VIEW report_visits
(
    site            String                 COMMENT 'The site''s domain',
    site_id         UInt32                 COMMENT 'The site''s number: comparing with it is quickest',
    started         DateTime('UTC')        COMMENT 'When the visit began',
    ended           DateTime('UTC')        COMMENT 'When its last event happened; a visit is under way in a range if it began before the end and ended after the beginning',
    day             Date                   COMMENT 'The day of its last event in the site''s calendar',
    visit           UInt64                 COMMENT 'Stands for the visit in this query',
    visitor         Nullable(UInt64)       COMMENT 'Stands for the visitor in this query',
    duration        Int64                  COMMENT 'Seconds from its first event to its last',
    pageviews       UInt64                 COMMENT 'Pages viewed',
    events          UInt64                 COMMENT 'Pages viewed and custom events',
    bounced         Bool                   COMMENT 'Whether it saw one page at most and did nothing there',
    entry_hostname  String                 COMMENT 'Host of its first page',
    entry_page      String                 COMMENT 'Path of its first page; empty: it viewed none',
    exit_hostname   String                 COMMENT 'Host of its last page',
    exit_page       String                 COMMENT 'Path of its last page; empty: it viewed none',
    referrer        String                 COMMENT 'Referring page: host and path',
    source          LowCardinality(String) COMMENT 'Name of where the visit came from; empty: direct',
    channel         LowCardinality(String) COMMENT 'Marketing channel',
    utm_source      LowCardinality(String) COMMENT 'utm_source of the first page',
    utm_medium      LowCardinality(String) COMMENT 'utm_medium of the first page',
    utm_campaign    LowCardinality(String) COMMENT 'utm_campaign of the first page',
    utm_content     LowCardinality(String) COMMENT 'utm_content of the first page',
    utm_term        LowCardinality(String) COMMENT 'utm_term of the first page',
    click_id_kind   LowCardinality(String) COMMENT 'Kind of advertising click id of the first page',
    country         LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2; empty: not known',
    region          LowCardinality(String) COMMENT 'ISO 3166-2; empty: not known',
    region_name     LowCardinality(String) COMMENT 'English name of the region',
    city            UInt32                 COMMENT 'GeoNames id; 0: not known',
    city_name       LowCardinality(String) COMMENT 'English name of the city',
    browser         LowCardinality(String) COMMENT 'Browser',
    browser_version LowCardinality(String) COMMENT 'Browser version, at most major.minor',
    os              LowCardinality(String) COMMENT 'Operating system',
    os_version      LowCardinality(String) COMMENT 'Operating system version, at most major.minor',
    device          LowCardinality(String) COMMENT 'Desktop, Mobile or Tablet; empty: not known',
    language        LowCardinality(String) COMMENT 'Primary tag of the preferred language'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS WITH
    (assumeNotNull((SELECT k0 FROM pseudonym_key)), assumeNotNull((SELECT k1 FROM pseudonym_key))) AS secret_key,
    (sipHash64Keyed(secret_key, initialQueryID(), initialQueryStartTime()), secret_key.2) AS query_key
SELECT
    site, site_id, started, ended,
    toDate(formatDateTime(ended, '%F', timezone)) AS day,
    sipHash64Keyed(query_key, session_id) AS visit,
    if(visitor_id = 0, NULL, sipHash64Keyed(query_key, visitor_id)) AS visitor,
    duration, pageviews, events, bounced, entry_hostname, entry_page, exit_hostname, exit_page,
    referrer, source, channel, utm_source, utm_medium, utm_campaign, utm_content, utm_term,
    click_id_kind, country, region, region_name, city, city_name, browser, browser_version, os,
    os_version, device, language
FROM
(
    SELECT
        site_id,
        session_id,
        -- A visit's id begins with its first second, so this is the order of the table.
        toDateTime(intDiv(session_id, 4294967296), 'UTC') AS started,
        any(e.visitor_id) AS visitor_id,
        argMin(timestamp, seq) AS arrival,
        argMax(timestamp, seq) AS departure,
        greatest(arrival, departure) AS ended,
        toInt64(ended) - toInt64(least(arrival, departure)) AS duration,
        countIf(name = 'pageview') AS pageviews,
        count() AS events,
        pageviews < 2 AND countIf(name != 'pageview' AND interactive) = 0 AS bounced,
        argMinIf(e.hostname, seq, name = 'pageview') AS entry_hostname,
        argMinIf(e.pathname, seq, name = 'pageview') AS entry_page,
        argMaxIf(e.hostname, seq, name = 'pageview') AS exit_hostname,
        argMaxIf(e.pathname, seq, name = 'pageview') AS exit_page,
        any(e.referrer) AS referrer, any(e.source) AS source, any(e.channel) AS channel,
        any(e.utm_source) AS utm_source, any(e.utm_medium) AS utm_medium, any(e.utm_campaign) AS
        utm_campaign, any(e.utm_content) AS utm_content, any(e.utm_term) AS utm_term,
        any(e.click_id_kind) AS click_id_kind, any(e.country) AS country, any(e.region) AS region,
        any(e.region_name) AS region_name, any(e.city) AS city, any(e.city_name) AS city_name,
        any(e.browser) AS browser, any(e.browser_version) AS browser_version, any(e.os) AS os,
        any(e.os_version) AS os_version, any(e.device) AS device, any(e.language) AS language
    FROM events AS e FINAL
    WHERE session_id != 0 AND name != 'engagement'
    GROUP BY site_id, session_id
) AS v
INNER JOIN report_sites AS s USING (site_id)
WHERE ended >= kept_from
COMMENT 'One row a visit, made of its events; those of nobody belong to none';

CREATE OR REPLACE VIEW report_hours
(
    site      String          COMMENT 'The site''s domain',
    site_id   UInt32          COMMENT 'The site''s number: comparing with it is quickest',
    hour      DateTime('UTC') COMMENT 'The hour, of UTC, by its beginning',
    visitors  UInt64          COMMENT 'People, as far as they can be told apart',
    visits    UInt64          COMMENT 'Visits with an event then',
    pageviews UInt64          COMMENT 'Page views',
    events    UInt64          COMMENT 'Page views and custom events'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    site, site_id,
    toStartOfHour(timestamp) AS hour,
    uniqExact(visitor) AS visitors,
    uniqExact(visit) AS visits,
    countIf(name = 'pageview') AS pageviews,
    count() AS events
FROM report_events
WHERE name != 'engagement'
GROUP BY site, site_id, hour
COMMENT 'What happened in each hour; visitors and visits of hours do not add up';

CREATE OR REPLACE VIEW report_days
(
    site             String COMMENT 'The site''s domain',
    site_id          UInt32 COMMENT 'The site''s number: comparing with it is quickest',
    day              Date   COMMENT 'The day of the site''s calendar',
    visitors         UInt64 COMMENT 'People, as far as they can be told apart',
    visits           UInt64 COMMENT 'Visits with an event then',
    pageviews        UInt64 COMMENT 'Page views',
    events           UInt64 COMMENT 'Page views and custom events',
    visits_ended     UInt64 COMMENT 'Visits whose last event was on the day: what the next three are of',
    visits_bounced   UInt64 COMMENT 'Those that bounced: bounce rate = visits_bounced / visits_ended',
    visits_seconds   Int64  COMMENT 'How long they lasted together: visit duration = visits_seconds / visits_ended',
    visits_pageviews UInt64 COMMENT 'Pages that they viewed together: views per visit = visits_pageviews / visits_ended'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    site, site_id, day, visitors, visits, pageviews, events,
    visits_ended, visits_bounced, visits_seconds, visits_pageviews
FROM
(
    SELECT
        site, site_id, day,
        uniqExact(visitor) AS visitors,
        uniqExact(visit) AS visits,
        countIf(name = 'pageview') AS pageviews,
        count() AS events
    FROM report_events
    WHERE name != 'engagement'
    GROUP BY site, site_id, day
) AS of_events
LEFT JOIN
(
    SELECT
        site, site_id, day,
        count() AS visits_ended,
        countIf(bounced) AS visits_bounced,
        sum(duration) AS visits_seconds,
        sum(v.pageviews) AS visits_pageviews
    FROM report_visits AS v
    GROUP BY site, site_id, day
) AS of_visits USING (site, site_id, day)
COMMENT 'What happened on each day; people count once a day, so that days may be added up';
