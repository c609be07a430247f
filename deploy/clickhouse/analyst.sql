-- The analyst of a ClickHouse server whose users are made by statements: sees the views of schema.sql and
-- nothing else. Run it once, after the collector has made the views, as a user who may make users.
-- Statements end in a semicolon at the end of a line.
CREATE SETTINGS PROFILE IF NOT EXISTS passerby_analyst SETTINGS
    readonly = 2,
    max_execution_time = 10 MIN 1 MAX 30,
    max_memory_usage = 1073741824 MIN 1 MAX 1073741824,
    max_rows_to_read = 2000000000 MIN 1 MAX 2000000000,
    max_result_rows = 1000000 MIN 1 MAX 1000000;

-- Choose a password of your own: `openssl rand -hex 32` makes one.
CREATE USER IF NOT EXISTS passerby_analyst
    IDENTIFIED WITH sha256_password BY 'choose-one'
    SETTINGS PROFILE 'passerby_analyst';

GRANT SELECT ON passerby.report_sites TO passerby_analyst;
GRANT SELECT ON passerby.report_events TO passerby_analyst;
GRANT SELECT ON passerby.report_visits TO passerby_analyst;
GRANT SELECT ON passerby.report_hours TO passerby_analyst;
GRANT SELECT ON passerby.report_days TO passerby_analyst;

-- An analyst of some sites alone has a policy on each view:
-- CREATE ROW POLICY some_sites ON passerby.report_sites, passerby.report_events, passerby.report_visits,
--     passerby.report_hours, passerby.report_days
--     FOR SELECT USING site IN ('example.com') TO passerby_analyst;
