// Live: what happens now.
import { dashboard } from './dashboard.mjs';
import { series, stat, table } from './panels.mjs';
import { EVENTS, LABELS, SITE, SITE_VARIABLES } from './variables.mjs';

/** The last five minutes of the range. */
const NOW = 'timestamp > $__toTime - INTERVAL 5 MINUTE';
const COUNTS = { Visitors: 'short', 'Page views': 'short' };

/** Visitors by a field. @param {string} column @param {string} value */
const by = (column, value) => `SELECT
  ${value} AS "${column}",
  uniqExact(visitor) AS "Visitors",
  countIf(name = 'pageview') AS "Page views"
${EVENTS}
GROUP BY "${column}"
ORDER BY "Visitors" DESC, "${column}"
LIMIT 20`;

export const live = dashboard({
  uid: 'passerby-live',
  title: 'Live',
  description: 'What happens now.',
  variables: SITE_VARIABLES,
  from: 'now-30m',
  refresh: '10s',
  rows: [
    {
      height: 5,
      panels: [
        stat({
          title: 'Visitors now',
          description: 'People with an event in the last five minutes.',
          unit: 'short',
          sql: `SELECT uniqExact(visitor) AS "Visitors"\n${EVENTS}\n  AND ${NOW}`,
        }),
        stat({
          title: 'Page views a minute',
          description: 'Page views a minute, over the last five minutes.',
          unit: 'short',
          decimals: 1,
          sql: `SELECT countIf(name = 'pageview') / 5 AS "Page views a minute"\n${EVENTS}\n  AND ${NOW}`,
        }),
        stat({
          title: 'Last event',
          description: 'How long ago the last event of the range happened. It takes some seconds to be stored.',
          unit: 's',
          empty: 'No event in this range',
          sql: `SELECT if(count() = 0, NULL, dateDiff('second', max(timestamp), $__toTime)) AS "Last event"\n${EVENTS}`,
        }),
      ],
    },
    {
      height: 8,
      panels: [
        series({
          title: 'Visitors and page views',
          description: 'Visitors and page views in each interval of the chart.',
          unit: 'short',
          bars: true,
          sql: `SELECT
  $__timeInterval(timestamp) AS time,
  uniqExact(visitor) AS "Visitors",
  countIf(name = 'pageview') AS "Page views"
${EVENTS}
GROUP BY time
ORDER BY time`,
        }),
        series({
          title: 'Events a second',
          description: 'Page views and custom events a second, over each interval of the chart.',
          unit: 'cps',
          sql: `SELECT
  $__timeInterval(timestamp) AS time,
  count() / $__interval_s AS "Events a second"
FROM report_events
WHERE ${SITE}
  AND $__timeFilter_ms(timestamp)
  AND name != 'engagement'
GROUP BY time
ORDER BY time`,
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table({ title: 'Pages', description: 'Pages that are being read.', units: COUNTS, sql: by('Page', 'pathname') }),
        table({ title: 'Sources', description: 'Where the visits came from.', units: COUNTS, sql: by('Source', LABELS.source) }),
        table({ title: 'Countries', description: 'Where the visitors are.', units: COUNTS, sql: by('Country', LABELS.country) }),
        table({
          title: 'Events',
          description: 'Custom events that happened.',
          units: COUNTS,
          empty: 'No custom event in this range',
          sql: by('Event', 'name').replace('\nGROUP BY', "\n  AND name != 'pageview'\nGROUP BY"),
        }),
      ],
    },
  ],
});
