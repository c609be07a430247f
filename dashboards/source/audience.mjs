// Audience: where visitors are, which language they read, and what with.
import { dashboard } from './dashboard.mjs';
import { map, series, table } from './panels.mjs';
import { EVENTS, INTERVAL, LABELS, SITE_VARIABLES, step } from './variables.mjs';

/** Visitors and visits by a field. @param {string} column @param {string} value @param {string} [beside] */
const by = (column, value, beside) => `SELECT
  ${value} AS "${column}",${beside ? `\n  ${beside},` : ''}
  uniqExact(visitor) AS "Visitors",
  uniqExact(visit) AS "Visits",
  countIf(name = 'pageview') AS "Page views"
${EVENTS}
GROUP BY "${column}"
ORDER BY "Visitors" DESC, "${column}"
LIMIT 100`;

const COUNTS = { Visitors: 'short', Visits: 'short', 'Page views': 'short' };
/** A field, or what the reports say instead of a blank. @param {string} field */
const labelled = (field) => `if(${field} = '', '(not set)', ${field})`;

export const audience = dashboard({
  uid: 'passerby-audience',
  title: 'Audience',
  description: 'Where visitors are, which language they read, and what with.',
  variables: [...SITE_VARIABLES, INTERVAL],
  rows: [
    {
      height: 11,
      panels: [
        map({
          title: 'Map',
          description: 'Visitors by country.',
          unit: 'short',
          empty: 'No place is known in this range',
          sql: `SELECT
  country AS "Country",
  uniqExact(visitor) AS "Visitors"
${EVENTS}
  AND country != ''
GROUP BY "Country"
ORDER BY "Visitors" DESC, "Country"`,
        }),
        table({
          title: 'Countries',
          description: 'Visitors by country, as ISO code.',
          units: COUNTS,
          sql: by('Country', LABELS.country),
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table({
          title: 'Regions',
          description: 'Visitors by region.',
          units: COUNTS,
          sql: by('Region', labelled('region'), 'any(region_name) AS "Name"'),
        }),
        table({
          title: 'Cities',
          description: 'Visitors by city, told apart by GeoNames id.',
          units: { ...COUNTS, City: 'none' },
          sql: by('City', 'city', 'any(city_name) AS "Name"'),
        }),
        table({
          title: 'Languages',
          description: 'Visitors by the language that their browser prefers.',
          units: COUNTS,
          sql: by('Language', labelled('language')),
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table({
          title: 'Browsers',
          description: 'Visitors by browser.',
          units: COUNTS,
          sql: by('Browser', labelled('browser')),
        }),
        table({
          title: 'Operating systems',
          description: 'Visitors by operating system.',
          units: COUNTS,
          sql: by('System', labelled('os')),
        }),
        table({
          title: 'Devices',
          description: 'Visitors by class of device.',
          units: COUNTS,
          sql: by('Device', LABELS.device),
        }),
      ],
    },
    {
      height: 8,
      panels: [
        series({
          title: 'Devices over time',
          description: 'Visitors in each step, by class of device.',
          unit: 'short',
          bars: true,
          stacked: true,
          sql: `SELECT
  ${step('timestamp')} AS time,
  ${LABELS.device} AS "Device",
  uniqExact(visitor) AS "Visitors"
${EVENTS}
GROUP BY time, "Device"
ORDER BY time`,
        }),
      ],
    },
  ],
});
