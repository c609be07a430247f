// Traffic: how many came, how long they stayed, and when.
import { dashboard } from './dashboard.mjs';
import { bars, series, stat } from './panels.mjs';
import { EVENTS, INTERVAL, SITE_VARIABLES, VISITS, step } from './variables.mjs';

export const traffic = dashboard({
  uid: 'passerby-traffic',
  title: 'Traffic',
  description: 'How many people came, how long they stayed, and when.',
  variables: [...SITE_VARIABLES, INTERVAL],
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
          title: 'Visits',
          description: 'Visits with an event in the range. A visit ends after 30 minutes without activity.',
          unit: 'short',
          sql: `SELECT uniqExact(visit) AS "Visits"\n${EVENTS}`,
        }),
        stat({
          title: 'Page views',
          description: 'Pages viewed.',
          unit: 'short',
          sql: `SELECT countIf(name = 'pageview') AS "Page views"\n${EVENTS}`,
        }),
        stat({
          title: 'Views per visit',
          description: 'Page views of the visits, divided by the visits.',
          unit: 'none',
          decimals: 2,
          sql: `SELECT ifNotFinite(round(sum(pageviews) / count(), 2), 0) AS "Views per visit"\n${VISITS}`,
        }),
        stat({
          title: 'Bounce rate',
          description: 'Share of the visits that saw one page at most and did nothing there.',
          unit: 'percent',
          decimals: 0,
          sql: `SELECT ifNotFinite(round(100 * countIf(bounced) / count()), 0) AS "Bounce rate"\n${VISITS}`,
        }),
        stat({
          title: 'Visit duration',
          description: 'Mean time from the first event of a visit to its last.',
          unit: 's',
          decimals: 0,
          sql: `SELECT ifNotFinite(round(avg(duration)), 0) AS "Visit duration"\n${VISITS}`,
        }),
      ],
    },
    {
      height: 9,
      panels: [
        series({
          title: 'Visitors and visits over time',
          description: 'Visitors and visits with an event in each step. Those of steps shorter than a day do not add up.',
          unit: 'short',
          sql: `SELECT
  ${step('timestamp')} AS time,
  uniqExact(visitor) AS "Visitors",
  uniqExact(visit) AS "Visits"
${EVENTS}
GROUP BY time
ORDER BY time`,
        }),
      ],
    },
    {
      height: 8,
      panels: [
        series({
          title: 'Page views over time',
          description: 'Pages viewed in each step.',
          unit: 'short',
          bars: true,
          sql: `SELECT
  ${step('timestamp')} AS time,
  countIf(name = 'pageview') AS "Page views"
${EVENTS}
GROUP BY time
ORDER BY time`,
        }),
        series({
          title: 'Bounce rate over time',
          description: 'Share of the visits, by the step of their last activity, that saw one page at most and did nothing there.',
          unit: 'percent',
          sql: `SELECT
  ${step('least(ended, $__toTime)')} AS time,
  round(100 * countIf(bounced) / count()) AS "Bounce rate"
${VISITS}
GROUP BY time
ORDER BY time`,
        }),
        series({
          title: 'Visit duration over time',
          description: 'Mean time from the first event of a visit to its last, by the step of the last.',
          unit: 's',
          sql: `SELECT
  ${step('least(ended, $__toTime)')} AS time,
  round(avg(duration)) AS "Visit duration"
${VISITS}
GROUP BY time
ORDER BY time`,
        }),
      ],
    },
    {
      height: 8,
      panels: [
        bars({
          title: 'Hours of the day',
          description: "Page views by the hour of the site's clock.",
          unit: 'short',
          sql: `SELECT
  formatDateTime(timestamp, '%H', '$timezone') AS "Hour",
  countIf(name = 'pageview') AS "Page views"
${EVENTS}
GROUP BY "Hour"
ORDER BY "Hour"`,
        }),
        bars({
          title: 'Days of the week',
          description: "Page views by the day of the week in the site's calendar, from Monday.",
          unit: 'short',
          sql: `SELECT
  formatDateTime(timestamp, '%a', '$timezone') AS "Day",
  countIf(name = 'pageview') AS "Page views"
${EVENTS}
GROUP BY "Day", toDayOfWeek(timestamp, 0, '$timezone') AS place
ORDER BY place`,
        }),
      ],
    },
  ],
});
