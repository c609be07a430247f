// Collector health: whether beacons are taken, and whether they get to where they are counted.
import { VariableHide, VariableRefresh } from '@grafana/schema';
import { dashboard } from './dashboard.mjs';
import { series, stat } from './panels.mjs';
import { datasource } from './variables.mjs';

/** @import { Panel } from '@grafana/schema' */

const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };
const OF = '{job=~"$job", instance=~"$instance"}';

/**
 * A panel that asks Prometheus instead of ClickHouse.
 * @param {Panel} panel @param {Record<string, string>} queries what each line is called, and its expression
 * @returns {Panel}
 */
function asked(panel, queries) {
  const targets = Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: PROMETHEUS,
    editorMode: 'code',
    expr,
    legendFormat,
    range: panel.type === 'timeseries',
    instant: panel.type !== 'timeseries',
  }));
  return { ...panel, datasource: PROMETHEUS, targets };
}

/** @param {string} title @param {string} description @param {string} unit @param {string} expr */
const number = (title, description, unit, expr) =>
  asked(stat({ title, description, unit, sql: '', empty: 'No collector is scraped' }), { [title]: expr });

/** @param {string} title @param {string} description @param {string} unit @param {Record<string, string>} queries */
const lines = (title, description, unit, queries) =>
  asked(series({ title, description, unit, sql: '', empty: 'No collector is scraped' }), queries);

/** @param {string} name @param {string} label @param {string} query @returns {import('@grafana/schema').VariableModel} */
const label = (name, label, query) => ({
  name,
  type: 'query',
  label,
  description: `Collectors of these only`,
  datasource: PROMETHEUS,
  query: { query, refId: name },
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all', selected: true },
  refresh: VariableRefresh.onTimeRangeChanged,
  hide: VariableHide.dontHide,
});

export const collector = dashboard({
  uid: 'passerby-collector',
  title: 'Collector health',
  description: 'Whether beacons are taken, and whether they get to where they are counted.',
  from: 'now-6h',
  refresh: '30s',
  variables: [
    datasource('prometheus', 'Prometheus'),
    label('job', 'Job', 'label_values(passerby_events_received_total, job)'),
    label('instance', 'Collector', 'label_values(passerby_events_received_total{job=~"$job"}, instance)'),
  ],
  rows: [
    {
      height: 4,
      panels: [
        number('Collectors', 'Collectors that answer.', 'none', `count(passerby_events_received_total${OF})`),
        number('Events a second', 'Events that arrive.', 'cps', `sum(rate(passerby_events_received_total${OF}[5m]))`),
        number('Waiting', 'Events on disk that ClickHouse does not have yet.', 'short', `sum(passerby_events_waiting${OF})`),
        number('Spool', 'What the spools take on disk.', 'bytes', `sum(passerby_spool_bytes${OF})`),
        number('Put aside', 'Events that ClickHouse refuses, and that are aside now: see `passerby quarantine list`.', 'short', `sum(passerby_quarantine_rows${OF})`),
        number('Open visits', 'Visits that are open.', 'short', `sum(passerby_visits_open${OF})`),
      ],
    },
    {
      height: 9,
      panels: [
        lines('Events', 'Events that arrive, that are kept, and that are not.', 'cps', {
          received: `sum(rate(passerby_events_received_total${OF}[$__rate_interval]))`,
          accepted: `sum(rate(passerby_events_accepted_total${OF}[$__rate_interval]))`,
          rejected: `sum(rate(passerby_events_rejected_total${OF}[$__rate_interval]))`,
        }),
        lines('Rejected, by reason', 'Events that are not kept, by why. Bots and unknown sites are everyday; disk and overload are not.', 'cps', {
          '{{reason}}': `sum by (reason) (rate(passerby_events_rejected_total${OF}[$__rate_interval]))`,
        }),
      ],
    },
    {
      height: 8,
      panels: [
        lines('Waiting over time', 'Events on disk that ClickHouse does not have yet.', 'short', { '{{instance}}': `passerby_events_waiting${OF}` }),
        lines('Spool over time', 'What the spool takes on disk.', 'bytes', { '{{instance}}': `passerby_spool_bytes${OF}` }),
        lines('Inserts', 'Batches that ClickHouse takes, and inserts that fail.', 'cps', {
          batches: `sum(rate(passerby_insert_seconds_count${OF}[$__rate_interval]))`,
          failures: `sum(rate(passerby_insert_failures_total${OF}[$__rate_interval]))`,
        }),
      ],
    },
    {
      height: 8,
      panels: [
        lines('Syncs', 'Syncs of the disk of the spool: each is shared by the events that wait for it.', 'cps', {
          '{{instance}}': `rate(passerby_spool_syncs_total${OF}[$__rate_interval])`,
        }),
        lines('Visits', 'Visits that are open, and those forgotten before they ended for want of room.', 'short', {
          open: `sum(passerby_visits_open${OF})`,
          evicted: `sum(passerby_visits_evicted_total${OF})`,
        }),
        lines('Damage and quarantine', 'Damaged places found in the spool at the start, and events that are aside. Both should be 0.', 'short', {
          damaged: `sum(passerby_spool_damaged_total${OF})`,
          'put aside': `sum(passerby_quarantine_rows${OF})`,
        }),
        lines('Quarantine', 'What the events that are aside take of the room that they have. When it is full, what ClickHouse refuses waits in the spool.', 'percentunit', {
          '{{instance}}': `passerby_quarantine_bytes${OF} / passerby_quarantine_bytes_max${OF}`,
        }),
      ],
    },
    {
      height: 8,
      panels: [
        lines('The disk', 'For how long the write that is under way has been. Beyond 5 seconds the disk does not answer, and beacons are refused.', 's', {
          '{{instance}}': `passerby_spool_write_seconds${OF}`,
        }),
        lines('Held back', 'Events wait for something that a person has to mend, or nothing is removed because the clock may be wrong. Both should be 0.', 'short', {
          'inserts {{instance}}': `passerby_inserts_held${OF}`,
          'removals {{instance}}': `passerby_retention_held${OF}`,
        }),
      ],
    },
  ],
});
