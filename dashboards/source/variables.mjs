// The variables above a dashboard, and the conditions that they come to in a query.
//
// A blank is shown as the reports show it, and is filtered by that label, because a variable can not
// have an empty value.
import { VariableHide, VariableRefresh, VariableSort } from '@grafana/schema';

/** @import { VariableModel } from '@grafana/schema' */

/** The data source that the reader chooses: none is fixed. */
export const CLICKHOUSE = { type: 'grafana-clickhouse-datasource', uid: '${datasource}' };

/** The site, whatever is chosen: without any there are no rows, but no error either. */
export const SITE = "site_id = toUInt32OrZero('$site')";

/** The fields that are filtered by, as the reports label them. */
export const LABELS = {
  channel: "if(channel = '', 'Direct', channel)",
  source: "if(source = '', 'Direct / None', source)",
  country: "if(country = '', '(not set)', country)",
  device: "if(device = '', '(not set)', device)",
};

/** @param {string} plugin @param {string} label @returns {VariableModel} */
export function datasource(plugin, label) {
  return {
    name: 'datasource',
    type: 'datasource',
    label,
    description: 'Where the numbers come from',
    query: plugin,
    refresh: VariableRefresh.onDashboardLoad,
    hide: VariableHide.dontHide,
  };
}

/**
 * @param {Partial<VariableModel> & { name: string, query: string }} parts
 * @returns {VariableModel}
 */
function query(parts) {
  return {
    type: 'query',
    datasource: CLICKHOUSE,
    refresh: VariableRefresh.onDashboardLoad,
    sort: VariableSort.disabled,
    hide: VariableHide.dontHide,
    ...parts,
  };
}

/** A field to filter by: several values, or all of them. @param {keyof LABELS} name @param {string} label */
function filter(name, label) {
  return query({
    name,
    label,
    description: `Visits of these only`,
    multi: true,
    includeAll: true,
    current: { text: 'All', value: '$__all', selected: true },
    refresh: VariableRefresh.onTimeRangeChanged,
    query:
      `SELECT ${LABELS[name]} AS label\nFROM report_events\nWHERE ${SITE} AND $__timeFilter(timestamp)\n` +
      'GROUP BY label\nORDER BY uniqExact(visit) DESC\nLIMIT 200',
  });
}

/** Which site, in which steps, and which of its visits. */
export const SITE_VARIABLES = [
  datasource('grafana-clickhouse-datasource', 'ClickHouse'),
  query({
    name: 'site',
    label: 'Site',
    description: 'The site that is shown',
    query: 'SELECT site_id, site\nFROM report_sites\nORDER BY site',
  }),
  query({
    name: 'timezone',
    description: "The site's time zone, by which days begin",
    hide: VariableHide.hideVariable,
    query: `SELECT if(count() = 0, 'UTC', any(timezone))\nFROM report_sites\nWHERE ${SITE}`,
  }),
  filter('channel', 'Channel'),
  filter('source', 'Source'),
  filter('country', 'Country'),
  filter('device', 'Device'),
];

/** The steps of charts. @type {VariableModel} */
export const INTERVAL = {
  name: 'interval',
  type: 'custom',
  label: 'Interval',
  description: "The steps of charts: hours, days, weeks or months of the site's calendar",
  query: 'hour,day,week,month',
  options: ['hour', 'day', 'week', 'month'].map((value) => ({ text: value, value, selected: value === 'day' })),
  current: { text: 'day', value: 'day', selected: true },
  multi: false,
  includeAll: false,
  hide: VariableHide.dontHide,
};

const FILTERED = Object.entries(LABELS)
  .map(([name, label]) => `  AND $__conditionalAll(${label} IN (\${${name}:singlequote}), $${name})`)
  .join('\n');

/** The events of the range that pass the filters, attention to pages included. */
export const ALL_ROWS = `FROM report_events
WHERE ${SITE}
  AND $__timeFilter(timestamp)
${FILTERED}`;

/** The events of the range that pass the filters, as reports count them. */
export const EVENTS = `${ALL_ROWS}
  AND name != 'engagement'`;

/** The visits that were under way in the range and pass the filters. A visit lasts a day at most. */
export const VISITS = `FROM report_visits
WHERE ${SITE}
  AND started >= $__fromTime - INTERVAL 25 HOUR AND started <= $__toTime
  AND ended >= $__fromTime
${FILTERED}`;

/** The beginning of the step that a moment falls into. @param {string} moment */
export const step = (moment) => `toDateTime(toStartOfInterval(${moment}, INTERVAL 1 $interval, '$timezone'), '$timezone')`;
