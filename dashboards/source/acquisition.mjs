// Acquisition: where visits came from, what they led to, and what that brought.
import { VariableHide, VariableRefresh } from '@grafana/schema';
import { dashboard } from './dashboard.mjs';
import { series, stat, table } from './panels.mjs';
import { CLICKHOUSE, EVENTS, INTERVAL, LABELS, SITE, SITE_VARIABLES, step } from './variables.mjs';

/** @import { VariableModel } from '@grafana/schema' */

/** What counts as a conversion. @type {VariableModel} */
const GOAL = {
  name: 'goal',
  type: 'query',
  label: 'Conversion',
  description: 'The custom events that count as a conversion',
  datasource: CLICKHOUSE,
  multi: true,
  includeAll: true,
  current: { text: 'All', value: '$__all', selected: true },
  refresh: VariableRefresh.onTimeRangeChanged,
  hide: VariableHide.dontHide,
  query: `SELECT name
FROM report_events
WHERE ${SITE} AND $__timeFilter(timestamp) AND name NOT IN ('pageview', 'engagement')
GROUP BY name
ORDER BY count() DESC
LIMIT 200`,
};

const MET = "name != 'pageview' AND $__conditionalAll(name IN (${goal:singlequote}), $goal)";
const RATE = `round(100 * uniqExactIf(visitor, ${MET}) / uniqExact(visitor), 2)`;
const PAID = "revenue_currency != ''";

/** What there is to know of each value of a field. @param {string} column @param {string} label */
const by = (column, label) => `SELECT
  ${label} AS "${column}",
  uniqExact(visitor) AS "Visitors",
  uniqExact(visit) AS "Visits",
  uniqExactIf(visitor, ${MET}) AS "Converted",
  ifNotFinite(${RATE}, 0) AS "Conversion rate"
${EVENTS}
GROUP BY "${column}"
ORDER BY "Visitors" DESC, "${column}"
LIMIT 100`;

const UNITS = { Visitors: 'short', Visits: 'short', Converted: 'short', 'Conversion rate': 'percent' };

export const acquisition = dashboard({
  uid: 'passerby-acquisition',
  title: 'Acquisition',
  description: 'Where visits came from, what they led to, and what that brought.',
  variables: [...SITE_VARIABLES, INTERVAL, GOAL],
  rows: [
    {
      height: 4,
      panels: [
        stat({
          title: 'Visitors',
          description: 'People, as far as they can be told apart: a person counts once a day of the site.',
          unit: 'short',
          sql: `SELECT uniqExact(visitor) AS "Visitors"\n${EVENTS}`,
        }),
        stat({
          title: 'Conversions',
          description: 'Visitors with one of the events that count as a conversion.',
          unit: 'short',
          sql: `SELECT uniqExactIf(visitor, ${MET}) AS "Conversions"\n${EVENTS}`,
        }),
        stat({
          title: 'Conversion rate',
          description: 'Converted visitors as a share of all visitors.',
          unit: 'percent',
          decimals: 2,
          sql: `SELECT ifNotFinite(${RATE}, 0) AS "Conversion rate"\n${EVENTS}`,
        }),
        stat({
          title: 'Revenue',
          description: 'The revenue of the events in the range, by currency.',
          unit: 'none',
          decimals: 2,
          rows: true,
          empty: 'No revenue in this range',
          sql: `SELECT
  revenue_currency AS "Currency",
  toFloat64(sum(revenue_amount)) AS "Revenue"
${EVENTS}
  AND ${PAID}
GROUP BY "Currency"
ORDER BY "Revenue" DESC`,
        }),
      ],
    },
    {
      height: 9,
      panels: [
        series({
          title: 'Visitors by channel',
          description: 'Visitors in each step, by the marketing channel of their visit.',
          unit: 'short',
          bars: true,
          stacked: true,
          sql: `SELECT
  ${step('timestamp')} AS time,
  ${LABELS.channel} AS "Channel",
  uniqExact(visitor) AS "Visitors"
${EVENTS}
GROUP BY time, "Channel"
ORDER BY time`,
        }),
        series({
          title: 'Revenue over time',
          description: 'The revenue of the events in each step, by currency.',
          unit: 'none',
          bars: true,
          empty: 'No revenue in this range',
          sql: `SELECT
  ${step('timestamp')} AS time,
  revenue_currency AS "Currency",
  toFloat64(sum(revenue_amount)) AS "Revenue"
${EVENTS}
  AND ${PAID}
GROUP BY time, "Currency"
ORDER BY time`,
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table({
          title: 'Channels',
          description: 'Marketing channels: how many came by each, and how many of them converted.',
          units: UNITS,
          sql: by('Channel', LABELS.channel),
        }),
        table({
          title: 'Sources',
          description: 'Where visits came from by name, and how many of the visitors converted.',
          units: UNITS,
          sql: by('Source', LABELS.source),
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table({
          title: 'Campaigns',
          description: 'Campaigns by utm_campaign, and how many of the visitors converted.',
          units: UNITS,
          empty: 'No campaign in this range',
          sql: by('Campaign', 'utm_campaign').replace('\nGROUP BY', "\n  AND utm_campaign != ''\nGROUP BY"),
        }),
        table({
          title: 'Referring pages',
          description: 'The pages that linked to the site.',
          units: UNITS,
          empty: 'No link in this range',
          sql: by('Referrer', 'referrer').replace('\nGROUP BY', "\n  AND referrer != ''\nGROUP BY"),
        }),
        table({
          title: 'Revenue by source',
          description: 'The revenue of the events in the range, by where the visit came from.',
          units: { Revenue: 'none', Events: 'short' },
          empty: 'No revenue in this range',
          sql: `SELECT
  ${LABELS.source} AS "Source",
  revenue_currency AS "Currency",
  toFloat64(sum(revenue_amount)) AS "Revenue",
  count() AS "Events"
${EVENTS}
  AND ${PAID}
GROUP BY "Source", "Currency"
ORDER BY "Revenue" DESC, "Source"
LIMIT 100`,
        }),
      ],
    },
  ],
});
