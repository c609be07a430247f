// Content: which pages are read, for how long, and what is done on them.
import { dashboard } from './dashboard.mjs';
import { series, stat, table } from './panels.mjs';
import { ALL_ROWS, EVENTS, INTERVAL, SITE_VARIABLES, VISITS, step } from './variables.mjs';

/** The events of a name, by the value of one of their properties. @param {string} name @param {string} prop @param {string} column */
const byProperty = (name, prop, column) => `SELECT
  props['${prop}'] AS "${column}",
  uniqExact(visitor) AS "Visitors",
  count() AS "Events"
${EVENTS}
  AND name = '${name}'
GROUP BY "${column}"
ORDER BY "Visitors" DESC, "${column}"
LIMIT 100`;

/** The visits by the page where they began or ended. @param {string} page @param {string} column */
const byEnd = (page, column) => `SELECT
  ${page} AS "${column}",
  uniqExact(visitor) AS "Visitors",
  count() AS "Visits",
  round(100 * countIf(bounced) / count()) AS "Bounce rate"
${VISITS}
  AND ${page} != ''
GROUP BY "${column}"
ORDER BY "Visits" DESC, "${column}"
LIMIT 100`;

const COUNTS = { Visitors: 'short', Events: 'short' };
const ENDS = { Visitors: 'short', Visits: 'short', 'Bounce rate': 'percent' };

export const content = dashboard({
  uid: 'passerby-content',
  title: 'Content',
  description: 'Which pages are read, for how long, and what is done on them.',
  variables: [...SITE_VARIABLES, INTERVAL],
  rows: [
    {
      height: 4,
      panels: [
        stat({
          title: 'Page views',
          description: 'Pages viewed.',
          unit: 'short',
          sql: `SELECT countIf(name = 'pageview') AS "Page views"\n${EVENTS}`,
        }),
        stat({
          title: 'Different pages',
          description: 'Different pages that were viewed.',
          unit: 'short',
          sql: `SELECT uniqExactIf((hostname, pathname), name = 'pageview') AS "Pages"\n${EVENTS}`,
        }),
        stat({
          title: 'Searches',
          description: 'Searches on the site: events of the name Site Search.',
          unit: 'short',
          sql: `SELECT countIf(name = 'Site Search') AS "Searches"\n${EVENTS}`,
        }),
        stat({
          title: 'Downloads',
          description: 'Files downloaded: events of the name File Download.',
          unit: 'short',
          sql: `SELECT countIf(name = 'File Download') AS "Downloads"\n${EVENTS}`,
        }),
        stat({
          title: 'Pages not found',
          description: 'Views of pages that are not there: events of the name 404.',
          unit: 'short',
          sql: `SELECT countIf(name = '404') AS "Pages not found"\n${EVENTS}`,
        }),
      ],
    },
    {
      height: 10,
      panels: [
        table({
          title: 'Pages',
          description:
            'Pages by visitors. Time on page is the mean time for which a visit had it visible and focused; scroll depth the mean of how far down each visit scrolled at most.',
          units: { Visitors: 'short', 'Page views': 'short', 'Time on page': 's', 'Scroll depth': 'percent' },
          sql: `WITH attention AS
(
  SELECT pathname, visit, sum(engagement_ms) AS attention_ms, max(scroll_depth) AS depth
  ${ALL_ROWS.replaceAll('\n', '\n  ')}
    AND name = 'engagement' AND visit IS NOT NULL
  GROUP BY pathname, visit
)
SELECT
  page AS "Page",
  visitors AS "Visitors",
  views AS "Page views",
  round(seconds) AS "Time on page",
  round(depth) AS "Scroll depth"
FROM
(
  SELECT pathname AS page, uniqExact(visitor) AS visitors, countIf(name = 'pageview') AS views
  ${EVENTS.replaceAll('\n', '\n  ')}
  GROUP BY page
) AS seen
LEFT JOIN
(
  SELECT pathname AS page, toNullable(sum(attention_ms) / 1000 / count()) AS seconds, avg(depth) AS depth
  FROM attention
  GROUP BY page
) AS read USING (page)
ORDER BY "Visitors" DESC, "Page"
LIMIT 100`,
        }),
        series({
          title: 'Custom events over time',
          description: 'Custom events in each step, by name.',
          unit: 'short',
          bars: true,
          stacked: true,
          empty: 'No custom event in this range',
          sql: `SELECT
  ${step('timestamp')} AS time,
  name AS "Event",
  count() AS "Events"
${EVENTS}
  AND name != 'pageview'
GROUP BY time, "Event"
ORDER BY time`,
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table({
          title: 'Entry pages',
          description: 'The pages on which visits began.',
          units: ENDS,
          sql: byEnd('entry_page', 'Entry page'),
        }),
        table({
          title: 'Exit pages',
          description: 'The pages on which visits ended.',
          units: ENDS,
          sql: byEnd('exit_page', 'Exit page'),
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table({
          title: 'Site search',
          description: 'What was searched for: the property search_query of events of the name Site Search.',
          units: COUNTS,
          empty: 'No search in this range',
          sql: byProperty('Site Search', 'search_query', 'Query'),
        }),
        table({
          title: 'Downloaded files',
          description: 'Which files were downloaded: the property url of events of the name File Download.',
          units: COUNTS,
          empty: 'No download in this range',
          sql: byProperty('File Download', 'url', 'File'),
        }),
        table({
          title: 'Outbound links',
          description: 'Which links led away: the property url of events of the name Outbound Link: Click.',
          units: COUNTS,
          empty: 'No click on such a link in this range',
          sql: byProperty('Outbound Link: Click', 'url', 'Link'),
        }),
        table({
          title: 'Missing pages',
          description: 'Which pages are not there: the property path of events of the name 404.',
          units: COUNTS,
          empty: 'No missing page in this range',
          sql: byProperty('404', 'path', 'Path'),
        }),
      ],
    },
  ],
});
