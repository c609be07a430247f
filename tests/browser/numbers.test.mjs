// What a tile, a panel, a chart or a download shows is what the reporting API answers, with filters and without.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dayBefore, Demo, launch } from './harness.mjs';

let demo, browser;

before(async () => {
  demo = await Demo.start('--events', '12000', '--days', '70');
  const sites = await fetch(demo.origin + '/api/v1/sites', { headers: { authorization: `Bearer ${demo.token}` } });
  demo.timezone = (await sites.json()).sites.find(({ domain }) => domain === demo.site).timezone;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const VIEWS = [
  { query: '', filters: [] },
  {
    query: 'filter=is,visit:country_name,Germany&filter=contains,event:page,PRODUCTS&filter=is_not,visit:source,Google',
    filters: [
      ['is', 'visit:country_name', ['Germany']],
      ['contains', 'event:page', ['PRODUCTS'], { case_sensitive: false }],
      ['is_not', 'visit:source', ['Google']],
    ],
  },
  {
    query: 'filter=is,visit:source,Google&or=Bing&or=GitHub&filter=contains_not,event:page,ABOUT&or=docs',
    filters: [
      ['is', 'visit:source', ['Google', 'Bing', 'GitHub']],
      ['contains_not', 'event:page', ['ABOUT', 'docs'], { case_sensitive: false }],
    ],
  },
];
const METRICS = {
  Visitors: 'visitors',
  Visits: 'visits',
  'Page views': 'pageviews',
  Events: 'events',
  Share: 'percentage',
  'Views per visit': 'views_per_visit',
  'Bounce rate': 'bounce_rate',
  'Visit duration': 'visit_duration',
  'Time on page': 'time_on_page',
  'Scroll depth': 'scroll_depth',
  'Exit rate': 'exit_rate',
  'Conversion rate': 'conversion_rate',
  Revenue: 'total_revenue',
  'Average revenue': 'average_revenue',
};

/** A number as a person reads it: `5,936`, `47%`, `1m 56s`, `–` for none. */
function read(text) {
  if (text === '–' || text === '') return null;
  const time = /^(?:(\d+)h )?(?:(\d+)m ?)?(?:(\d+)s)?$/.exec(text);
  if (time) return Number(time[1] ?? 0) * 3600 + Number(time[2] ?? 0) * 60 + Number(time[3] ?? 0);
  return Number(text.replaceAll(',', '').replace(/[%€]/, ''));
}

/** Durations of an hour and more are shown to the minute, and money to the cent. */
function asShown(metric, value) {
  if (value?.long) return read(value.long);
  return /duration|time/.test(metric) && value >= 3600 ? value - (value % 60) : value;
}

/** Whether a metric came from nothing, which the query language calls 100 % more. Rates change by points. */
const isNew = (metric, before, now) => !/rate|percentage/.test(metric) && before === 0 && now > 0;

/** What a clock of a time zone shows at a moment, as `2027-01-31T13:00:00`. */
const local = (moment, timeZone) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(new Date(moment)).replace(' ', 'T');

/** The moment at which it shows this, with the offset. */
function zoned(text, timeZone) {
  const name = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'longOffset' }).formatToParts(new Date(text + 'Z'));
  const offset = name.find(({ type }) => type === 'timeZoneName').value.replace('GMT', '') || '+00:00';
  return text + offset;
}

// The lists that are about one kind of events: what they are by, and which events these are.
const LISTS_OF_EVENTS = {
  outbound: ['event:props:url', 'Outbound Link: Click'],
  downloads: ['event:props:url', 'File Download'],
  searches: ['event:props:search_query', 'Site Search'],
  missing: ['event:props:path', '404'],
};

// A version is told with what it is a version of.
const PRODUCTS = { 'visit:browser_version': ['visit:browser'], 'visit:os_version': ['visit:os'] };

async function page(path) {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
  const page = await context.newPage();
  const answer = await page.goto(`${demo.origin}/${demo.site}${path}`);
  assert.equal(answer.status(), 200, path);
  return page;
}

/** The table of a ranked list: the names of its metrics, its rows, and how the first metric of each has changed. */
const table = (scope) =>
  scope.locator('table.ranking').evaluate((table) => ({
    columns: [...table.querySelectorAll('thead th:not(.changed)')].slice(1).map((cell) => cell.textContent.trim()),
    // Much money is written briefly, and to the cent where the pointer is.
    rows: [...table.querySelectorAll('tbody tr')].map((row) =>
      [...row.querySelectorAll(':scope > :not(.changed)')].map((cell) => cell.getAttribute('title') ?? cell.textContent.trim())),
    changes: [...table.querySelectorAll('td.changed')].map((cell) => cell.textContent.trim()),
  }));

/** What is written of the change of a count in a list. */
function changeInList(now, { metrics: [before], change: [change] }) {
  if (before === 0 && now > 0) return 'new';
  if (change === null) return '';
  if (change > 999) return '> +999%';
  return `${change > 0 ? '+' : change < 0 ? '\u2212' : ''}${Math.abs(change)}%`;
}

/** The filters that a list has of itself. */
function own(dimension) {
  if (dimension === 'event:name') return [['is_not', dimension, ['pageview']]];
  if (dimension.startsWith('event:props:')) return [['is_not', dimension, ['(none)']]];
  if (dimension.startsWith('visit:utm_')) return [['is_not', dimension, ['(not set)']]];
  return [];
}

/** What the numbers of a list are: those of the API, but for shares, which are of all visitors of the view. */
async function shared(metrics, results, filters) {
  const [{ metrics: [all] }] = (await demo.ask({ metrics: ['visitors'], filters })).results;
  const share = (visitors) => Math.round((visitors / all) * 1000) / 10;
  return results.map(({ dimensions, metrics: values }) => ({
    dimensions, metrics: values.map((value, at) => (metrics[at] === 'percentage' ? share(values[metrics.indexOf('visitors')]) : value)),
  }));
}

const languages = { en: 'English', de: 'German', fr: 'French', es: 'Spanish', it: 'Italian', nl: 'Dutch', pl: 'Polish',
  pt: 'Portuguese', ja: 'Japanese', ko: 'Korean', zh: 'Chinese', sv: 'Swedish', da: 'Danish', nb: 'Norwegian', no: 'Norwegian',
  fi: 'Finnish', cs: 'Czech', hi: 'Hindi', id: 'Indonesian', th: 'Thai', vi: 'Vietnamese', tr: 'Turkish', he: 'Hebrew',
  ar: 'Arabic', uk: 'Ukrainian', el: 'Greek', hu: 'Hungarian', ro: 'Romanian' };
const named = (dimension, value) =>
  value === '' ? '(none)' : dimension === 'visit:referrer' && value === 'Direct / None' ? 'No referrer' : dimension === 'visit:language' ? languages[value] ?? value : value;

test('no number of a list is cut off, and much money is told to the cent at the pointer', async () => {
  const forms = {
    'en-GB': [/^€[\d.]+[KM]$/, /^€[\d,]+\.\d\d$/],
    'de-DE': [/^[\d,]+\u00a0(Tsd|Mio)\.\u00a0€$/, /^[\d.]+,\d\d\u00a0€$/],
  };
  for (const [locale, width] of Object.keys(forms).flatMap((locale) => [390, 820, 1300].map((width) => [locale, width]))) {
    const [brief, exact] = forms[locale];
    const context = await browser.newContext({ javaScriptEnabled: false, locale, viewport: { width, height: 900 } });
    const site = await context.newPage();
    await site.goto(`${demo.origin}/${demo.site}?period=12mo`);
    const cells = await site.locator('.ranking td').evaluateAll((cells) =>
      cells.map((cell) => ({ text: cell.textContent, title: cell.title, isCutOff: cell.scrollWidth > cell.clientWidth })));
    assert.deepEqual(cells.filter(({ isCutOff }) => isCutOff), [], `${locale} at ${width}`);
    const money = cells.filter(({ title }) => title !== '').map(({ text, title }) => [text, title]);
    assert.ok(money.length > 0 && money.every(([text, title]) => brief.test(text) && exact.test(title)), String(money));
    await context.close();
  }
});

for (const { query, filters } of VIEWS) {
  const view = query || 'no filter';

  test(`the headline figures are the API's, with ${view}`, async () => {
    const site = await page('?' + query);
    const figures = await site.locator('.figure').evaluateAll((figures) =>
      figures.map((figure) => ['.name', '.value', '.change'].map((part) => figure.querySelector(part)?.textContent ?? null)));
    assert.ok(figures.length >= 5);
    const metrics = figures.map(([name]) => METRICS[name]);
    const { results } = await demo.ask({ metrics, filters, include: { comparisons: { mode: 'previous_period' } } });
    assert.deepEqual(figures.map(([, value]) => read(value)), results[0].metrics.map((value, at) => asShown(metrics[at], value)));
    const changes = figures.map(([, , change]) =>
      change === 'no change' ? 0 : change === null || change === 'new' ? change : Number(change.replace('\u2212', '-').replace(/[^-\d.]/g, '')));
    const { change, metrics: before } = results[0].comparison;
    assert.deepEqual(changes, change.map((value, at) => isNew(metrics[at], before[at], results[0].metrics[at]) ? 'new' : value));
    await site.context().close();
  });

  test(`the headline figures of a period that goes on are compared with as much of the one before, with ${view}`, async () => {
    const metrics = ['visitors', 'pageviews'];
    for (const [period, goesOnForLong] of [[[dayBefore(20), dayBefore(-5)], true], [[dayBefore(8), dayBefore(-1)], false]]) {
      const totals = async (date_range) => (await demo.ask({ metrics, filters, date_range })).results[0].metrics;
      const { query: { date_range: [from, to] } } = await demo.ask({ metrics, filters, date_range: period });
      const days = Math.round((Date.parse(to) + 1000 - Date.parse(from)) / 86_400_000);
      // The clock of the site at a moment, so many days before.
      const before = (moment) => zoned(new Date(Date.parse(local(moment, demo.timezone) + 'Z') - days * 86_400_000).toISOString().slice(0, 19), demo.timezone);
      const now = new Date().toISOString();
      const [other, whole] = [await totals([before(from), before(now)]), await totals([before(from), before(to)])];
      const site = await page(`?period=${period.join()}&${query}`);
      const figures = await site.locator('.figure').evaluateAll((figures) =>
        figures.map((figure) => ['.name', '.value', '.change'].map((part) => figure.querySelector(part)?.textContent ?? null)));
      for (const [at, metric] of metrics.entries()) {
        const [, value, change] = figures.find(([name]) => METRICS[name] === metric);
        const shown = change === 'no change' ? 0 : change === 'new' ? 'new' : Number(change.replace('\u2212', '-').replace(/[^-\d.]/g, ''));
        const changed = (than) => (than === 0 ? (read(value) === 0 ? 0 : 'new') : Math.round(((read(value) - than) / than) * 100));
        assert.equal(shown, changed(other[at]), `${metric} of ${period}: ${value} after ${other[at]}, of ${whole[at]} in all`);
        // Of what few visits meet the filters the last hours of the other period may have none.
        assert.ok(goesOnForLong ? other[at] < whole[at] : other[at] <= whole[at], 'all of the other period would be another number');
      }
      assert.match(await site.locator('figcaption').textContent(), /compared with as much of the other one/);
      await site.context().close();
    }
  });

  test(`the chart and its download are the API's, with ${view}`, async () => {
    const site = await page(`?metric=pageviews&interval=week&${query}`);
    const rows = await site.locator('figure tbody tr').evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)));
    for (const week of await site.locator('figure tbody th').allTextContents()) {
      assert.match(week, /^(?:\d+ (?:\p{L}+ )?(?:\d{4} )?– )?\d+ \p{L}+ \d{4}$/u, 'its days');
    }
    const { results, meta } = await demo.ask({
      metrics: ['pageviews'], dimensions: ['time:week'], filters, include: { time_labels: true },
    });
    const value = (label) => results.find(({ dimensions }) => dimensions[0] === label)?.metrics[0] ?? 0;
    assert.deepEqual(rows.map(([now]) => read(now)), meta.time_labels.map(value));
    const csv = await (await fetch(`${demo.origin}/${demo.site}/csv/time?metric=pageviews&interval=week&${query}`)).text();
    const [head, ...lines] = csv.trim().split('\r\n').map((line) => line.split(','));
    assert.deepEqual(lines.map(([label]) => label), meta.time_labels);
    assert.deepEqual(head.slice(0, 3), ['time', 'pageviews', 'visitors'], 'the metric of the chart stands first');
    for (const metric of head.slice(1)) {
      // Each column is what a chart of it alone would show.
      const { results } = await demo.ask({ metrics: [metric], dimensions: ['time:week'], filters });
      const value = (label) => results.find(({ dimensions }) => dimensions[0] === label)?.metrics[0] ?? 0;
      assert.deepEqual(lines.map((line) => Number(line[head.indexOf(metric)])), meta.time_labels.map(value), metric);
    }
    await site.context().close();
  });

  test(`every tab of every panel shows the API's rows, with ${view}`, async () => {
    const first = await page('?' + query);
    const panels = await first.locator('.panel').evaluateAll((panels) =>
      panels.map((panel) => ({
        name: panel.id,
        tabs: [...panel.querySelectorAll('.tabs a')].map((tab) => new URL(tab.href).searchParams.get(`tab.${panel.id}`)),
      })));
    await first.context().close();
    const most = Math.max(...panels.map(({ tabs }) => tabs.length));
    let compared = 0;
    // Each page opens another tab of every panel.
    for (let at = 0; at < most; at += 1) {
      const open = panels.filter(({ tabs }) => tabs[at]).map(({ name, tabs }) => `tab.${name}=${tabs[at]}`);
      const site = await page(`?${[query, ...open].filter(Boolean).join('&')}`);
      for (const { name, tabs } of panels.filter(({ tabs }) => tabs[at] && tabs[at] !== 'map')) {
        const panel = site.locator(`#${name}`);
        const details = new URL(await panel.locator('.more').getAttribute('href'), demo.origin);
        const list = decodeURIComponent(details.pathname.split('/by/')[1]);
        const [dimension, event] = LISTS_OF_EVENTS[list] ?? [list];
        const dimensions = [...(PRODUCTS[dimension] ?? []), dimension];
        const all = [...filters, ...(event ? [['is', 'event:name', [event]]] : []), ...own(dimension)];
        const isEmpty = (await panel.locator('table').count()) === 0;
        const { columns, rows, changes } = isEmpty ? { columns: ['Visitors'], rows: [], changes: [] } : await table(panel);
        const metrics = columns.map((column) => METRICS[column]);
        const answer = await demo.ask({
          metrics, dimensions, filters: all, order_by: [['visitors', 'desc'], ...dimensions.map((name) => [name, 'asc'])], pagination: { limit: 9 },
          include: { comparisons: { mode: 'previous_period' } },
        });
        assert.deepEqual(changes, answer.results.map(({ metrics: [now], comparison }) => changeInList(now, comparison)), `${name}: ${tabs[at]}`);
        const results = await shared(metrics, answer.results, filters);
        assert.deepEqual(
          rows.map(([label, ...values]) => [label, ...values.map(read)]),
          results.map(({ dimensions: told, metrics: values }) =>
            [told.map((value, place) => named(dimensions[place], value)).join(' '), ...values]),
          `${name}: ${tabs[at]}`,
        );
        compared += rows.length;
      }
      await site.context().close();
    }
    assert.ok(compared > 40, `${compared} rows`);
  });

  test(`the whole list of pages and its download are the API's, in any order, with ${view}`, async () => {
    const list = await page(`/by/event:page?order=-pageviews&${query}`);
    const { columns, rows } = await table(list.locator('main'));
    const metrics = columns.map((column) => METRICS[column]);
    const { results } = await demo.ask({
      metrics, dimensions: ['event:page'], filters, order_by: [['pageviews', 'asc'], ['event:page', 'asc']], pagination: { limit: 50 },
    });
    const views = metrics.indexOf('pageviews');
    // Of no page view none has bounced: that is no rate.
    const told = (values, at) => (metrics[at] === 'bounce_rate' && values[views] === 0 ? null : asShown(metrics[at], values[at]));
    const expected = results.map(({ dimensions, metrics: values }) => [...dimensions, ...values.map((_, at) => told(values, at))]);
    assert.deepEqual(rows.map(([label, ...values]) => [label, ...values.map(read)]), expected);
    assert.ok(rows.length > 3);
    if (query === '') assert.ok(results.some(({ metrics }) => metrics[views] === 0), 'the demo has pages that were never viewed');
    const csv = await (await fetch(new URL(await list.locator('.csv').getAttribute('href'), demo.origin))).text();
    const lines = csv.trim().split('\r\n').map((line) => line.split(','));
    assert.deepEqual(lines[0], ['event:page', ...metrics]);
    assert.deepEqual(lines.slice(1).map(([page]) => page), rows.map(([page]) => page));
    await list.context().close();
  });
}

test('each row of a list tells how it has changed since what the page is compared with, and nothing without a comparison', async () => {
  for (const [compare, mode] of [['', 'previous_period'], ['&compare=year', 'year_over_year'], ['&compare=none', null]]) {
    for (const path of ['', '/by/visit:source']) {
      const site = await page(`${path}?period=7d&metric=pageviews${compare}`);
      const { rows, changes } = await table(site.locator(path === '' ? '#sources' : 'main'));
      const { results } = await demo.ask({
        metrics: ['visitors'], date_range: '7d', dimensions: ['visit:source'], pagination: { limit: rows.length },
        ...(mode ? { include: { comparisons: { mode } } } : {}),
      });
      const expected = Object.fromEntries(results.map(({ dimensions: [name], metrics: [now], comparison }) => [name, mode && changeInList(now, comparison)]));
      assert.ok(rows.length > 3);
      assert.deepEqual(changes, mode ? rows.map(([name]) => expected[name]) : []);
      const heading = await site.locator('th.changed').first().textContent({ timeout: 500 }).catch(() => null);
      assert.equal(heading, { previous_period: 'Change: Visitors, vs. period before', year_over_year: 'Change: Visitors, vs. year before' }[mode] ?? null);
      await site.context().close();
    }
  }
});

test('of a long period the whole list alone tells how its rows have changed', async () => {
  for (const [period, path, isTold] of [['91d', '', true], ['6mo', '', false], ['6mo', '/by/visit:source', true]]) {
    const site = await page(`${path}?period=${period}&compare=before`);
    const { rows, changes } = await table(site.locator(path === '' ? '#sources' : 'main'));
    assert.ok(rows.length > 3);
    assert.equal(changes.length, isTold ? rows.length : 0, `${period} ${path}`);
    await site.context().close();
  }
});

test('days that somebody chooses are what the page compares with, without a script', async () => {
  const site = await page('?period=7d&metric=pageviews');
  const days = [dayBefore(40), dayBefore(31)];
  await site.locator('summary', { hasText: 'vs. period before' }).click();
  // Filled in is what is compared with now.
  const { query: { date_range: period } } = await demo.ask({ metrics: ['visitors'], date_range: '7d' });
  const weekBefore = period.map((moment) => new Date(Date.parse(moment.slice(0, 10)) - 7 * 86_400_000).toISOString().slice(0, 10));
  assert.deepEqual([await site.getByLabel('First day').inputValue(), await site.getByLabel('Last day').inputValue()], weekBefore);
  await site.getByLabel('First day').fill(days[1]);
  await site.getByLabel('Last day').fill(days[0]);
  await site.getByRole('button', { name: 'Compare with these days' }).click();
  assert.equal(decodeURIComponent(new URL(site.url()).search), `?period=7d&compare=${days}&metric=pageviews`);
  const metrics = ['visitors', 'pageviews'];
  const comparisons = { mode: 'custom', date_range: days };
  const { results: [{ metrics: now, comparison: { change } }] } = await demo.ask({ metrics, date_range: '7d', include: { comparisons } });
  const [{ metrics: then }] = (await demo.ask({ metrics, date_range: days })).results;
  for (const [at, metric] of metrics.entries()) {
    const figure = site.locator('.figure', { has: site.locator(`.name:text-is("${metric === 'visitors' ? 'Visitors' : 'Page views'}")`) });
    assert.equal(read(await figure.locator('.value').getAttribute('title')), now[at]);
    const told = await figure.locator('.change').textContent();
    assert.equal(told === 'no change' ? 0 : Number(told.replace('\u2212', '-').replace(/[^-\d.]/g, '')), change[at]);
    assert.equal(change[at], Math.round(((now[at] - then[at]) / then[at]) * 100));
  }
  const { changes, rows } = await table(site.locator('#pages'));
  const { results } = await demo.ask({
    metrics: ['visitors'], date_range: '7d', dimensions: ['event:page'], order_by: [['visitors', 'desc'], ['event:page', 'asc']],
    pagination: { limit: rows.length }, include: { comparisons },
  });
  assert.deepEqual(changes, results.map(({ metrics: [now], comparison }) => changeInList(now, comparison)));
  // The menu, the chart's legend and its buckets say with which days.
  assert.match(await site.locator('summary[data-key=c]').textContent(), /vs\. \d+.* \d{4}$/);
  assert.match(await site.locator('.before-key').textContent(), /^\d+.* \d{4}$/);
  const chart = await demo.ask({ metrics: ['pageviews'], date_range: '7d', dimensions: ['time:day'], include: { comparisons, zero_fill: true } });
  const cells = await site.locator('figure tbody tr').evaluateAll((rows) => rows.map((row) => row.querySelectorAll('td')[1].textContent));
  assert.deepEqual(cells.map(read), chart.results.map(({ comparison }) => comparison.metrics[0]));
  // Another period is compared with the same days, and the menu leads away from them.
  await site.locator('summary[data-key=c]').click();
  await site.getByRole('link', { name: 'No comparison' }).click();
  assert.equal(await site.locator('.change, .before-key').count(), 0);
  await site.context().close();
});

test('goals have their conversion, and a goal to filter by changes what is told', async () => {
  const site = await page('');
  const { columns, rows } = await table(site.locator('#goals'));
  assert.deepEqual(columns.slice(0, 2), ['Visitors', 'Conversion rate']);
  assert.ok(rows.length >= 2);
  const metrics = columns.map((column) => METRICS[column]);
  const { results } = await demo.ask({ metrics, dimensions: ['event:goal'] });
  const expected = results.map(({ dimensions: [goal], metrics: values }) =>
    [goal, ...values.map((value, at) => asShown(metrics[at], value))]);
  assert.deepEqual(rows.map(([goal, ...values]) => [goal, ...values.map(read)]).sort(), expected.sort());
  await site.locator('#goals').getByRole('link', { name: rows[0][0], exact: true }).click();
  assert.match(await site.locator('.pills').textContent(), new RegExp(`Goal\\s+is\\s+${rows[0][0]}`));
  const figures = await site.locator('.figure').evaluateAll((figures) =>
    figures.map((figure) => [figure.querySelector('.name').textContent, figure.querySelector('.value').title]));
  assert.ok(figures.some(([name]) => name === 'Conversion rate'));
  const told = figures.map(([name]) => METRICS[name]);
  const filters = [['is', 'event:goal', [rows[0][0]]]];
  const [{ metrics: values }] = (await demo.ask({ metrics: told, filters })).results;
  assert.deepEqual(figures.map(([, value]) => read(value)), values.map((value, at) => asShown(told[at], value)));
  await site.context().close();
});

test('conversion over time is a share of the visitors of each day, in the chart and in its download', async () => {
  const view = 'filter=is,event:goal,Signup&metric=conversion_rate&interval=week';
  const site = await page('?' + view);
  const rows = await site.locator('figure tbody tr').evaluateAll((rows) => rows.map((row) => row.querySelector('td').textContent));
  const { results, meta } = await demo.ask({
    metrics: ['group_conversion_rate'], dimensions: ['time:week'], filters: [['is', 'event:goal', ['Signup']]], include: { time_labels: true },
  });
  const value = (label) => results.find(({ dimensions }) => dimensions[0] === label)?.metrics[0] ?? 0;
  assert.deepEqual(rows.map(read), meta.time_labels.map(value));
  assert.ok(rows.some((rate) => read(rate) > 0));
  const csv = await (await fetch(`${demo.origin}/${demo.site}/csv/time?${view}`)).text();
  const [head, ...lines] = csv.trim().split('\r\n').map((line) => line.split(','));
  assert.equal(head[1], 'conversion_rate');
  assert.deepEqual(lines.map((line) => Number(line[1])), meta.time_labels.map(value));
  await site.context().close();
});

test('goals stand in the order of the metric that was clicked, and have none by their names', async () => {
  for (const [path, order, at] of [['?order.goals=-visitors', 'asc', 0], ['/by/event:goal?order=events', 'desc', 1]]) {
    const site = await page(path);
    const list = site.locator(path.startsWith('?') ? '#goals' : 'main');
    const { columns, rows } = await table(list);
    const numbers = rows.map((row) => read(row[at + 1]));
    assert.ok(numbers.length >= 2);
    assert.deepEqual(numbers, [...numbers].sort((one, other) => (order === 'asc' ? one - other : other - one)), columns[at]);
    assert.equal(await list.locator('table.ranking thead th').first().locator('a').count(), 0);
    await site.context().close();
  }
  const csv = await (await fetch(`${demo.origin}/${demo.site}/csv/time?filter=is,event:goal,Purchase&metric=total_revenue`)).text();
  assert.match(csv, /^time,total_revenue,total_revenue_currency,visitors/);
});

test('the countries of the map are those of the API', async () => {
  const site = await page('?tab.places=map');
  const shown = await site.locator('.world a').evaluateAll((links) => links.map((link) => link.getAttribute('aria-label')));
  const { results } = await demo.ask({ metrics: ['visitors'], dimensions: ['visit:country_name'] });
  const expected = results.map(({ dimensions: [name], metrics: [visitors] }) => `${name}: ${visitors}`);
  assert.ok(shown.length > 10);
  for (const label of shown) assert.ok(expected.includes(label.replaceAll(',', '')), label);
  await site.context().close();
});

test('the legend of the map says what its shades stand for, and its countries can be skipped', async () => {
  for (const width of [390, 1280]) {
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB', viewport: { width, height: 900 } });
    const site = await context.newPage();
    await site.goto(`${demo.origin}/${demo.site}?tab.places=map`);
    const legend = await site.locator('.legend dd').evaluateAll((keys) =>
      keys.map((key) => [key.querySelector('rect').getAttribute('class'), key.textContent.replaceAll(',', '').split(' – ').map(Number)]));
    const countries = await site.locator('.world a').evaluateAll((links) =>
      links.map((link) => [link.querySelector('path').getAttribute('class'), Number(link.getAttribute('aria-label').replaceAll(',', '').split(': ').at(-1))]));
    assert.ok(countries.length > 10 && legend.length > 1);
    for (const [shade, visitors] of countries) {
      const [, ends] = legend.find(([key]) => key === shade);
      assert.ok(ends[0] <= visitors && visitors <= ends.at(-1), `${visitors} of ${shade} in ${ends}`);
    }
    await site.locator('#places .tabs a').last().focus();
    await site.keyboard.press('Tab');
    assert.equal(await site.evaluate(() => document.activeElement.textContent), 'Skip the countries of the map');
    assert.ok(await site.locator('.past').isVisible());
    await site.keyboard.press('Enter');
    await site.keyboard.press('Tab');
    assert.equal(await site.evaluate(() => document.activeElement.closest('.panel').id), 'devices');
    await context.close();
  }
});

test('a search finds a part of a name, and a list goes on to its end', async () => {
  const list = await page('/by/visit:city_name?search=BER');
  const { rows } = await table(list.locator('main'));
  assert.ok(rows.length > 0 && rows.every(([city]) => /ber/i.test(city)), rows.join());
  await list.goto(`${demo.origin}/${demo.site}/by/visit:city_name`);
  const seen = (await table(list.locator('main'))).rows.map(([city]) => city);
  await list.getByRole('link', { name: 'Next' }).click();
  seen.push(...(await table(list.locator('main'))).rows.map(([city]) => city));
  const { meta } = await demo.ask({ metrics: ['visitors'], dimensions: ['visit:city_name'], include: { total_rows: true } });
  assert.equal(seen.length, meta.total_rows);
  assert.equal(new Set(seen).size, seen.length, 'the pages of the list overlap');
  await list.context().close();
});

test("a funnel's page is the API's funnel, step by step, with a comparison", async () => {
  const steps = [{ page: '/' }, { page: '/pricing' }, { goal: 'Signup' }];
  const filters = [['is', 'visit:device', ['Desktop']]];
  const [{ steps: told, comparison }] = (await demo.ask({
    filters, steps, include: { comparisons: { mode: 'previous_period' } },
  }, 'funnel')).results;
  assert.ok(told[1].visitors > 0, 'the demo has such visits');
  const funnel = await page('/funnel?filter=is,visit:device,Desktop&step=page,/&step=page,/pricing&step=goal,Signup');
  const rows = await funnel.locator('table.funnel tbody tr').evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)));
  const rate = (value) => (value === null ? null : Number(value.toFixed(1)));
  assert.deepEqual(rows.map((row) => row.map(read)), told.map((step, at) => [
    step.visitors, rate(step.conversion_rate), rate(comparison.steps[at].conversion_rate), rate(step.step_conversion_rate), step.drop_off,
  ]));
  await funnel.getByRole('link', { name: 'Remove step 2' }).click();
  assert.deepEqual(await funnel.locator('.stop .what').allTextContents(), ['/', 'Signup']);
  await funnel.context().close();
});

test('a funnel is put together by clicks and by its form, without a script', async () => {
  const funnel = await page('/funnel');
  assert.equal(await funnel.locator('table.funnel').count(), 0);
  await funnel.getByRole('navigation', { name: 'Add step: What is looked at' }).getByRole('link', { name: '/pricing', exact: true }).click();
  await funnel.getByLabel('Kind').selectOption('goal');
  await funnel.getByLabel('Path').fill('Signup');
  await funnel.getByRole('button', { name: 'Add step' }).click();
  assert.deepEqual(new URL(funnel.url()).searchParams.getAll('step'), ['page,/pricing', 'goal,Signup']);
  assert.match(await funnel.locator('.result').textContent(), /%/);
  await funnel.context().close();
});

test("a journey's page is the API's journey, on and back, and every stop leads on", async () => {
  for (const [way, direction, next, none] of [['', 'forward', 'next', 'ended'], ['&way=back', 'backward', 'previous', 'began']]) {
    const { results } = await demo.ask({
      from: { page: '/pricing' }, direction, depth: 2, branches: 5,
    }, 'journey');
    const journey = await page(`/journey?step=page,/pricing${way}`);
    const shown = await journey.locator('.journey .stop b').allTextContents();
    const flat = (stop) => [...stop[next].flatMap((stop) => [stop.visits, ...(stop[next] ? flat(stop) : [])]), stop[none], stop.others];
    assert.deepEqual(shown.map(read), [results.visits, ...flat(results)].filter((visits) => visits > 0));
    const first = journey.locator('.journey li a.what').first();
    const name = await first.textContent();
    await first.click();
    assert.equal(await journey.locator('.journey > .stop .what').textContent(), name);
    await journey.context().close();
  }
});
