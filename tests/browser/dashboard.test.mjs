// The dashboard in a real browser: it shows the report's numbers, needs no script, and loads nothing from elsewhere.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { CHROME, Collector, eventually, launch } from './harness.mjs';

let collector, browser, token;

before(async () => {
  collector = await Collector.start();
  browser = await launch();
  await collector.run('site', 'add', 'example.test', '--timezone', 'Europe/Berlin');
  await collector.run('site', 'add', 'empty.test', '--public', '--least-visitors', '1');
  token = await collector.run('token', 'create', '--scope', 'stats', '--site', 'example.test');
  for (const [path, referrer] of [['/', 'https://www.google.com/'], ['/a', null], ['/<script>alert(1)</script>', null]]) {
    await fetch(collector.origin + '/api/event', {
      method: 'POST',
      headers: { 'user-agent': CHROME, 'content-type': 'text/plain' },
      body: JSON.stringify({ n: 'pageview', u: `https://example.test${path}`, d: 'example.test', r: referrer }),
    });
  }
  await eventually('the events are in the report', async () => {
    const [{ metrics }] = await collector.results(token, { site_id: 'example.test', metrics: ['events'] });
    return metrics[0] === 3;
  });
  await mkdir('screenshots', { recursive: true });
});

after(async () => {
  await browser?.close();
  await collector?.stop();
});

/** A page that notes what goes wrong on it. */
async function open(context, problems) {
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(collector.origin)) problems.push(`loads ${request.url()}`);
  });
  return page;
}

test('page views are among the figures where a filter on the name of events leaves some', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  await context.addCookies([{ name: 'passerby-token', value: token, url: collector.origin }]);
  const page = await context.newPage();
  const figures = async (filter) => {
    await page.goto(`${collector.origin}/example.test?lang=en&period=24h&filter=${filter}`);
    return page.locator('.headlines li .name').allTextContents();
  };
  assert.deepEqual(await figures('is_not,event:name,Signup'), ['Visitors', 'Visits', 'Page views', 'Events']);
  assert.equal(await page.locator('.headlines li', { hasText: 'Page views' }).locator('.value').textContent(), '3');
  assert.deepEqual(await figures('is_not,event:name,pageview'), ['Visitors', 'Visits', 'Events']);
  assert.deepEqual(await figures('is,event:name,Signup'), ['Visitors', 'Visits', 'Events']);
  await context.close();
});

test('whoever signs in with a token sees the numbers of the site, and can look closer by links alone', async () => {
  const problems = [];
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  const page = await open(context, problems);
  await page.goto(`${collector.origin}/example.test?period=24h`);
  assert.match(page.url(), /\/sign-in\?next=/);
  await page.getByLabel('Token').fill('psb_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  problems.length = 0;
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/example.test?period=24h*');
  const figures = await page.locator('.headlines .value').allTextContents();
  assert.deepEqual(figures.slice(0, 3), ['1', '1', '3']);
  await page.screenshot({ path: 'screenshots/site.png', fullPage: true });
  await page.getByRole('link', { name: 'Google' }).click();
  assert.match(await page.locator('.pills').textContent(), /Source\s+is\s+Google/);
  await page.getByLabel(/Remove the filter/).click();
  await page.getByRole('link', { name: '/a', exact: true }).click();
  assert.equal(await page.locator('.headlines .value').first().textContent(), '1');
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a tab has the properties of the site, and each leads to its values', async () => {
  const domain = 'props.test';
  await collector.run('site', 'add', domain);
  const stats = await collector.run('token', 'create', '--scope', 'stats');
  for (const [n, p] of [['Signup', { plan: 'pro', 'a/b?': 'x' }], ['Signup', { plan: 'free' }], ['Plain', undefined]]) {
    await fetch(collector.origin + '/api/event', {
      method: 'POST',
      headers: { 'user-agent': CHROME, 'content-type': 'text/plain' },
      body: JSON.stringify({ n, u: `https://${domain}/`, d: domain, p }),
    });
  }
  const query = { site_id: domain, metrics: ['visitors', 'events'], dimensions: ['event:props'], order_by: [['events', 'desc']] };
  await eventually('the properties are in the report', async () => {
    const rows = await collector.results(stats, query);
    return JSON.stringify(rows.map(({ dimensions, metrics }) => [...dimensions, ...metrics])) === '[["plan",1,2],["a/b?",1,1]]';
  });
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
  await context.addCookies([{ name: 'passerby-token', value: stats, url: collector.origin }]);
  const page = await context.newPage();
  await page.goto(`${collector.origin}/${domain}?period=24h`);
  const events = page.locator('#events');
  await events.getByRole('link', { name: 'Properties', exact: true }).click();
  assert.deepEqual(await events.locator('tbody th').allTextContents(), ['a/b?', 'plan']);
  const listed = page.url();
  await events.getByRole('link', { name: 'a/b?' }).click();
  assert.deepEqual(await page.locator('tbody th').allTextContents(), ['x']);
  await page.goto(listed);
  await events.getByRole('link', { name: 'plan' }).click();
  assert.deepEqual((await page.locator('tbody th').allTextContents()).sort(), ['free', 'pro']);
  await context.close();
});

test('what visitors send is shown and not run', async () => {
  const problems = [];
  const context = await browser.newContext();
  await context.addCookies([{ name: 'passerby-token', value: token, url: collector.origin }]);
  const page = await open(context, problems);
  page.on('dialog', () => problems.push('a script of a visitor ran'));
  await page.goto(`${collector.origin}/example.test?period=24h`);
  await page.getByRole('link', { name: '/<script>alert(1)</script>' }).click();
  assert.match(await page.locator('.pills').textContent(), /<script>alert\(1\)<\/script>/);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a site without visits shows the tag that brings them, also on a telephone in the dark', async () => {
  const problems = [];
  const context = await browser.newContext({ colorScheme: 'dark', viewport: { width: 390, height: 800 } });
  const page = await open(context, problems);
  await page.goto(`${collector.origin}/empty.test`);
  assert.match(await page.locator('pre').textContent(), /data-domain="empty\.test" src="http:\/\/127\.0\.0\.1:\d+\/js\/script\.js"/);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the screen');
  await page.screenshot({ path: 'screenshots/empty-dark-phone.png', fullPage: true });
  await page.goto(collector.origin + '/');
  assert.deepEqual(await page.locator('.sites h2').allTextContents(), ['empty.test'], 'only public sites without signing in');
  const missing = await page.goto(`${collector.origin}/example.test`);
  assert.match(missing.url(), /sign-in/);
  assert.deepEqual(problems, []);
  await context.close();
});

/** Somebody who has signed in. */
async function signedIn(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
  await context.addCookies([{ name: 'passerby-token', value: token, url: collector.origin }]);
  const problems = [];
  return { context, problems, page: await open(context, problems) };
}

test('plain forms filter and choose days, without scripts; a link is the view, and Back goes back', async () => {
  const { context, page, problems } = await signedIn({ javaScriptEnabled: false });
  await page.goto(`${collector.origin}/example.test?period=24h`);
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByLabel('Filter by').selectOption({ label: 'Page' });
  await page.getByLabel('Relation').selectOption({ label: 'contains' });
  await page.getByLabel('Value').fill('SCRIPT');
  await page.getByRole('button', { name: 'Add filter' }).click();
  assert.match(await page.locator('.pills').textContent(), /Page\s+contains\s+SCRIPT/);
  const filtered = page.url();
  assert.equal(new URL(filtered).search, '?period=24h&filter=contains%2Cevent%3Apage%2CSCRIPT');
  const views = page.locator('.headlines li', { hasText: 'Page views' }).locator('.value');
  assert.equal(await views.textContent(), '1');
  await page.locator('.pills').getByRole('link', { name: 'contains', exact: true }).click();
  assert.equal(await views.textContent(), '2', 'the filter was turned round');
  // A page that comes out of the browser's memory is not loaded once more.
  await page.goBack({ waitUntil: 'commit' });
  assert.equal(page.url(), filtered);
  const today = new Date().toISOString().slice(0, 10);
  await page.locator('summary', { hasText: 'Last 24 hours' }).click();
  await page.getByLabel('From', { exact: true }).fill('2024-02-03');
  await page.getByLabel('To', { exact: true }).fill(today);
  await page.getByRole('button', { name: 'Show these days' }).click();
  assert.equal(new URL(page.url()).searchParams.get('period'), `2024-02-03,${today}`);
  assert.equal(await page.locator('.pills li').count(), 1, 'the filter was kept');
  assert.deepEqual(problems, []);
  await context.close();
});

test('a list keeps its order and what is searched in every other view of it, and takes them nowhere else', async () => {
  const { context, page } = await signedIn({ javaScriptEnabled: false });
  const kept = () => ['order', 'search', 'page'].map((name) => new URL(page.url()).searchParams.get(name));
  await page.goto(`${collector.origin}/example.test/by/event:page?period=24h&order=name&search=a&page=1`);
  await page.locator('summary', { hasText: 'Last 24 hours' }).click();
  await page.getByRole('link', { name: 'Last 7 days' }).click();
  assert.deepEqual(kept(), ['name', 'a', null]);
  await page.locator('summary', { hasText: 'Last 7 days' }).click();
  await page.getByRole('button', { name: 'Show these days' }).click();
  assert.deepEqual(kept(), ['name', 'a', null], 'after a form');
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByLabel('Value').fill('Google');
  await page.getByRole('button', { name: 'Add filter' }).click();
  assert.equal(new URL(page.url()).searchParams.get('filter'), 'is,visit:source,Google');
  assert.deepEqual(kept(), ['name', 'a', null], 'after a form');
  await page.getByLabel(/Remove the filter/).click();
  await page.getByRole('link', { name: 'Deutsch' }).click();
  assert.deepEqual(kept(), ['name', 'a', null], 'in another language');
  assert.equal(await page.locator('#search').inputValue(), 'a');
  for (const link of ['.site-name', '.now', '.tabs a:not([aria-current])']) {
    assert.doesNotMatch(await page.locator(link).first().getAttribute('href'), /order|search/, link);
  }
  await context.close();
});

test('the page speaks the language of the browser, until another is chosen', async () => {
  const { context, page } = await signedIn({ locale: 'de-AT' });
  await page.goto(`${collector.origin}/example.test?period=24h`);
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  assert.equal(await page.locator('.figure .name').first().textContent(), 'Besucher');
  await page.getByRole('link', { name: 'English' }).click();
  assert.equal(new URL(page.url()).search, '?lang=en&period=24h');
  assert.equal(await page.locator('.figure .name').first().textContent(), 'Visitors');
  await page.getByRole('link', { name: 'Google' }).click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en', 'a link keeps the language');
  await context.close();
});

test('what the program has named is read in German, and asked for, linked and downloaded as in English', async () => {
  const { context, page } = await signedIn({ locale: 'de-DE', javaScriptEnabled: false });
  await page.goto(`${collector.origin}/example.test/by/visit:channel?period=24h`);
  const [channel] = await page.locator('.ranking tbody th').allTextContents();
  assert.equal(channel, 'Organische Suche');
  const csv = await context.request.get(new URL(await page.locator('.csv').getAttribute('href'), page.url()).href);
  assert.match(await csv.text(), /Organic Search/);
  await page.getByRole('link', { name: channel }).click();
  assert.equal(new URL(page.url()).searchParams.get('filter'), 'is,visit:channel,Organic Search');
  assert.match(await page.locator('.pills').textContent(), /Kanal\s+ist\s+Organische Suche/);
  await page.goto(`${collector.origin}/example.test/by/visit:channel?period=24h&search=suche`);
  assert.deepEqual(await page.locator('.ranking tbody th').allTextContents(), [channel], 'searched as it is read');
  await page.goto(`${collector.origin}/example.test?period=24h&dimension=visit:channel&relation=is&value=organische+suche`);
  assert.equal(new URL(page.url()).searchParams.get('filter'), 'is,visit:channel,Organic Search', 'or written');
  await context.close();
});

test('the number at the pointer, the keys and the menus are there with the script', async () => {
  const { context, page, problems } = await signedIn();
  await page.goto(`${collector.origin}/example.test?period=24h`);
  await page.locator('.point').last().hover();
  assert.match(await page.locator('.tip').textContent(), /Visitors: \d/);
  await page.locator('.drawing').focus();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.locator('.point.shown').count(), 1);
  await page.keyboard.press('d');
  assert.equal(await page.locator('.menu[open]').count(), 1);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.menu[open]').count(), 0);
  // Whoever dictates, or touches keys by accident, can do without, and finds them off the next time.
  await page.getByRole('button', { name: 'Keyboard shortcuts f, c, d: switch off' }).click();
  await page.reload();
  await page.keyboard.press('d');
  assert.equal(await page.locator('.menu[open]').count(), 0);
  await page.getByRole('button', { name: 'Keyboard shortcuts: switch on' }).click();
  await page.keyboard.press('d');
  assert.equal(await page.locator('.menu[open]').count(), 1);
  assert.deepEqual(problems, []);
  await context.close();
});

test('whoever comes is seen on the open page a moment later, also when it came back as it was', async () => {
  const { context, page, problems } = await signedIn();
  await page.goto(`${collector.origin}/example.test/live`);
  assert.deepEqual(await page.locator('.labels text').allTextContents(), ['30 min ago', '15 min ago', 'now']);
  assert.deepEqual(await page.locator('.scale text').allTextContents(), ['0', '2', '4']);
  const before = Number((await page.locator('#now').textContent()).replace(/\D/g, ''));
  const come = (version) => fetch(collector.origin + '/api/event', {
    method: 'POST',
    // Another browser is another visitor.
    headers: { 'user-agent': CHROME.replace('131', version), 'content-type': 'text/plain' },
    body: JSON.stringify({ n: 'pageview', u: `https://example.test/live-visit-${version}`, d: 'example.test' }),
  });
  const seen = (count) =>
    page.waitForFunction((count) => document.getElementById('now').textContent.startsWith(`${count} `), count);
  await come('130');
  await seen(before + 1);
  await page.getByRole('link', { name: '/live-visit-130' }).waitFor();
  // Not every browser keeps pages that must not be stored: this is what the page hears of those that do.
  await page.evaluate(() => {
    for (const name of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(name, { persisted: true }));
  });
  await come('129');
  await seen(before + 2);
  await page.getByRole('link', { name: '/live-visit-129' }).waitFor();
  // Under a filter those are counted whom it leaves; the bar tells of the whole site.
  for (const [path, visitors] of [['/live-visit-129', '1 visitor'], ['/nowhere', '0 visitors']]) {
    await page.goto(`${collector.origin}/example.test/live?filter=is,event:page,${path}`);
    assert.equal(await page.locator('.big').textContent(), `${visitors} in the last five minutes`, path);
    assert.match(await page.locator('#now').textContent(), new RegExp(`^${before + 2} `));
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test('a filter that a link has lost a part of is told to be left out', async () => {
  const { context, page } = await signedIn({ javaScriptEnabled: false });
  for (const [filter, notices] of [['is,visit:source', 1], ['is,visit:source,Google', 0]]) {
    await page.goto(`${collector.origin}/example.test?period=24h&filter=${filter}`);
    assert.equal(await page.locator('main > .notice').count(), notices, filter);
  }
  await context.close();
});

test('the first day of a site is not told to be without visits', async () => {
  await collector.run('site', 'add', 'fresh.test', '--public', '--least-visitors', '1');
  const { context, page } = await signedIn({ javaScriptEnabled: false });
  await page.goto(`${collector.origin}/fresh.test`);
  assert.match(await page.locator('.empty').textContent(), /Put this tag/);
  await fetch(collector.origin + '/api/event', {
    method: 'POST',
    headers: { 'user-agent': CHROME, 'content-type': 'text/plain' },
    body: JSON.stringify({ n: 'pageview', u: 'https://fresh.test/', d: 'fresh.test' }),
  });
  await eventually('it is seen', async () => {
    await page.goto(`${collector.origin}/fresh.test`);
    return (await page.getByRole('link', { name: 'See today' }).count()) > 0;
  });
  assert.equal(await page.locator('.empty pre').count(), 0);
  await page.getByRole('link', { name: 'See today' }).click();
  assert.match(await page.locator('.headlines li').first().textContent(), /Visitors\s*1\s*new/);
  await context.close();
});

test('why a number is what it is: its definition, its query, and what was left out', async () => {
  await fetch(collector.origin + '/api/event', {
    method: 'POST',
    headers: { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)', 'content-type': 'text/plain' },
    body: JSON.stringify({ n: 'pageview', u: 'https://example.test/', d: 'example.test' }),
  });
  const { context, page } = await signedIn({ javaScriptEnabled: false });
  await page.goto(`${collector.origin}/example.test?period=24h`);
  await page.getByRole('link', { name: 'Page views: why this number?' }).click();
  const text = await page.locator('main').textContent();
  assert.match(text, /Page views\./);
  assert.match(text, /The newest event of this site is from \w{3} \d+ \w+ \d{4}, \d\d:\d\d\./);
  assert.match(text, /The browser says that it is a bot\s*[1-9]/);
  await page.locator('summary', { hasText: 'JSON' }).click();
  const query = JSON.parse(await page.locator('details code').textContent());
  const [{ metrics }] = await collector.results(token, { ...query });
  assert.equal(await page.locator('.big .value').textContent(), String(metrics[0]), 'the query has the same answer');
  await context.close();
});

test('an administrator sets goals and segments up by plain forms, and nobody else does', async () => {
  const admin = await collector.run('token', 'create', '--scope', 'admin');
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
  await context.addCookies([{ name: 'passerby-token', value: admin, url: collector.origin }]);
  const page = await context.newPage();
  await page.goto(`${collector.origin}/example.test?period=24h&filter=contains,event:page,/a`);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.locator('#goals').getByLabel('Reached by').selectOption({ label: 'a view of a page' });
  await page.locator('#goals').getByLabel('Name of the event').fill('a');
  await page.getByRole('button', { name: 'Add goal' }).click();
  assert.match(await page.locator('#goals').getByRole('alert').textContent(), /begins with \//, 'beside the form');
  assert.match(page.url(), /#goals$/);
  // What was typed is still there.
  assert.equal(await page.locator('#goals').getByLabel('Reached by').inputValue(), 'page');
  assert.equal(await page.locator('#goals').getByLabel('Name of the event').inputValue(), 'a');
  await page.locator('#goals').getByLabel('Name of the event').fill('/a');
  await page.getByRole('button', { name: 'Add goal' }).click();
  assert.match(await page.locator('#goals .entries').textContent(), /Visit \/a/);
  assert.deepEqual(await page.getByRole('status').allTextContents(), ['Saved.']);
  assert.equal(await page.locator('#goals').getByRole('status').count(), 1, 'where it was saved');
  for (const link of await page.getByRole('link').all()) assert.doesNotMatch(await link.getAttribute('href'), /saved/);
  await page.locator('#segments').getByLabel('Name').fill('Readers of a');
  await page.getByRole('button', { name: 'Save these filters' }).click();
  await page.goto(`${collector.origin}/example.test?period=24h`);
  assert.match(await page.locator('#goals').textContent(), /Visit \/a\s*1\s*new\s*\d+\.\d\d%/);
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByRole('link', { name: 'Readers of a' }).click();
  assert.match(await page.locator('.pills').textContent(), /Segment is Readers of a/);
  assert.equal(await page.locator('.headlines li', { hasText: 'Page views' }).locator('.value').textContent(), '1');
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.goto(`${collector.origin}/example.test/funnel?lang=en&period=24h&step=page,/a&step=goal,Visit+/a`);
  await page.getByPlaceholder('Name', { exact: true }).fill('Twice at a');
  await page.getByRole('button', { name: 'Save funnel' }).click();
  assert.equal(await page.locator('.list > .tabs a[aria-current]').first().textContent(), 'Twice at a', 'it is the one that is seen');
  const { searchParams } = new URL(page.url());
  assert.deepEqual(['lang', 'period'].map((name) => searchParams.get(name)), ['en', '24h'], 'the view goes along');
  await page.goto(`${collector.origin}/example.test/funnel`);
  await page.getByRole('link', { name: 'Twice at a' }).click();
  assert.deepEqual(await page.locator('.stop .what').allTextContents(), ['/a', 'Visit /a']);
  await page.goto(`${collector.origin}/example.test/settings`);
  assert.match(await page.locator('#funnels .entries').textContent(), /Twice at a/);
  await page.getByRole('button', { name: 'Remove: Twice at a' }).click();
  assert.equal(await page.locator('#funnels .entries').count(), 0);
  await page.getByRole('button', { name: 'Remove: Visit /a' }).click();
  assert.equal(await page.locator('#goals .entries').count(), 0);
  assert.deepEqual(await page.getByRole('status').allTextContents(), ['Removed.']);
  const told = new URL(page.url()).href;
  await context.close();
  const scripted = await browser.newContext({ locale: 'de-DE' });
  await scripted.addCookies([{ name: 'passerby-token', value: admin, url: collector.origin }]);
  const again = await scripted.newPage();
  await again.goto(told);
  // What the copy buttons have done is told by others, which are empty.
  const outcome = again.locator('.done[role=status]');
  assert.deepEqual(await outcome.allTextContents(), ['Entfernt.']);
  await again.reload();
  assert.equal(await outcome.count(), 0, 'it is said once');
  await scripted.close();

  const settings = `${collector.origin}/example.test/settings`;
  const send = (cookie, origin) =>
    fetch(settings, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: `passerby-token=${cookie}`, origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'action=goal&kind=event&target=Signup',
    });
  assert.equal((await send(token, collector.origin)).status, 404, 'a token for reports changes nothing');
  assert.equal((await send(admin, 'https://evil.test')).status, 403, 'nor does a form of another page');
  assert.equal((await send(admin, collector.origin)).status, 303);
});

test('what an administrator writes beside a day is on the chart there, in both languages, without scripts', async () => {
  const admin = await collector.run('token', 'create', '--scope', 'admin');
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
  await context.addCookies([{ name: 'passerby-token', value: admin, url: collector.origin }]);
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  const settings = `${collector.origin}/example.test/settings`;
  const write = async (day, text) => {
    await page.goto(settings);
    await page.locator('#annotation-day').fill(day);
    await page.locator('#annotation-text').fill(text);
    await page.getByRole('button', { name: 'Add annotation' }).click();
  };
  await write('2024-03-05', 'Campaign <b>started</b>');
  await write('2024-03-05', 'Newsletter sent');
  await write('2024-04-01', 'Of another month');
  // A rule that changes writes itself down, in words of whoever reads.
  await collector.run('goal', 'add', 'example.test', '--event', 'Noted');
  const { annotations } = await (
    await fetch(`${collector.origin}/api/v1/sites/example.test/annotations`, { headers: { authorization: `Bearer ${admin}` } })
  ).json();
  const noted = annotations.find(({ kind, text }) => kind === 'goal_added' && text === 'Noted');

  const march = `${collector.origin}/example.test?period=2024-03-01,2024-03-31&filter=contains,event:page,/`;
  for (const [lang, date] of [['en', '5 March 2024'], ['de', '5. März 2024']]) {
    await page.goto(`${march}&lang=${lang}`);
    const marks = page.locator('.marks a');
    assert.equal(await marks.count(), 1, 'one day has annotations');
    assert.equal(await marks.getAttribute('aria-label'), `${date}: Campaign <b>started</b>; ${date}: Newsletter sent`);
    // It stands below the fifth of 31 days.
    const [plot, mark] = await Promise.all(['.plot', '.marks circle'].map((part) => page.locator(part).boundingBox()));
    const share = (mark.x + mark.width / 2 - plot.x) / plot.width;
    assert.ok(Math.abs(share - 4 / 30) < 0.005, `the mark is at ${share}`);
    assert.deepEqual(await page.locator('.noted-list time').allTextContents(), [date, date]);
    assert.match(await page.locator('.point title').nth(4).textContent(), /\nCampaign <b>started<\/b>\nNewsletter sent$/);
    await page.locator('summary', { hasText: lang === 'en' ? 'As a table' : 'Als Tabelle' }).click();
    const said = await page.locator('figure tbody tr td.said').allTextContents();
    assert.deepEqual(said.map((text, place) => text && place).filter(Boolean), [4], 'the row of the day has it');
  }
  // The keyboard reaches the mark, and what it leads to.
  await page.locator('.marks a').focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.noted-list li:target').textContent(), '5. März 2024 Campaign <b>started</b>');
  for (const [lang, text] of [['en', 'Goal added: Noted'], ['de', 'Ziel angelegt: Noted']]) {
    await page.goto(`${collector.origin}/example.test?period=${noted.date},${noted.date}&interval=hour&lang=${lang}`);
    assert.ok((await page.locator('.noted-list').textContent()).includes(text), text);
    await page.goto(`${settings}?lang=${lang}`);
    assert.ok((await page.locator('#annotations .entries').textContent()).includes(text), text);
  }

  await page.goto(settings);
  const entry = page.locator('#annotations .entries li', { hasText: 'Newsletter sent' });
  await entry.locator('summary').click();
  await entry.getByLabel('Day').fill('2024-03-31');
  await entry.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Remove: Campaign <b>started</b>' }).click();
  await page.goto(march);
  assert.equal(await page.locator('.marks a').getAttribute('aria-label'), '31 March 2024: Newsletter sent');

  // Whoever reads the reports reads it, and changes nothing.
  await context.addCookies([{ name: 'passerby-token', value: token, url: collector.origin }]);
  await page.goto(march);
  assert.equal(await page.locator('.marks a').count(), 1);
  const answer = await fetch(settings, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: `passerby-token=${token}`, origin: collector.origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'action=annotation&day=2024-03-05&text=x',
  });
  assert.equal(answer.status, 404);
  assert.deepEqual(problems, []);
  await context.close();
});

test('an annotation is told at the pointer and at the focus, where there are scripts', async () => {
  const { context, problems, page } = await signedIn();
  await collector.run('annotation', 'add', 'example.test', 'Relaunch', '--date', '2024-05-02');
  await page.goto(`${collector.origin}/example.test?period=2024-05-01,2024-05-31&filter=contains,event:page,/`);
  await page.locator('.marks a').focus();
  assert.match(await page.locator('.tip').textContent(), /2 May 2024.*Relaunch$/);
  await page.locator('.marks a').blur();
  await page.locator('.marks rect').hover();
  assert.match(await page.locator('.tip').textContent(), /Relaunch$/);
  assert.deepEqual(problems, []);
  await context.close();
});

test('marks of neighbouring days are as far apart as fingers need, and say all that happened', async () => {
  const days = ['01', '02', '03', '06', '20', '21', '30'];
  for (const day of days) await collector.run('annotation', 'add', 'example.test', `On ${day}`, '--date', `2024-06-${day}`);
  for (const [width, expected] of [[320, 4], [390, 4], [800, 5], [1280, 7]]) {
    const { context, problems, page } = await signedIn({ viewport: { width, height: 900 } });
    await page.goto(`${collector.origin}/example.test?period=2024-06-01,2024-06-30&filter=contains,event:page,/`);
    const marks = page.locator('.marks a:visible');
    assert.equal(await marks.count(), expected, `at ${width}`);
    const boxes = await Promise.all((await marks.locator('rect').all()).map((mark) => mark.boundingBox()));
    const gaps = boxes.slice(1).map((box, place) => box.x - boxes[place].x);
    assert.ok(gaps.every((gap) => gap >= 23.9), `at ${width} they are ${gaps} apart`);
    const labels = await marks.evaluateAll((all) => all.map((mark) => mark.getAttribute('aria-label')));
    assert.deepEqual(labels.join().match(/On \d\d/g), days.map((day) => `On ${day}`), 'nothing is left out');
    // One that stands for several days tells of them, and not of one of their numbers.
    await marks.first().focus();
    const tip = await page.locator('.tip').textContent();
    assert.equal(tip.includes('On 02'), width < 1280, tip);
    assert.equal(tip.includes('Visitors'), width === 1280, tip);
    const lines = await page.locator('.noted').evaluateAll((all) => all.map((line) => line.getBoundingClientRect().x));
    assert.equal(lines.length, days.length, 'each day has its line');
    const astray = boxes.filter((box) => !lines.some((line) => Math.abs(box.x + box.width / 2 - line) < 1));
    assert.deepEqual(astray, [], `at ${width} each mark stands at a line`);
    assert.deepEqual(problems, []);
    await page.screenshot({ path: `screenshots/marks-${width}.png` });
    await context.close();
  }
});

test('a period without visits tells what happened in it', async () => {
  await collector.run('annotation', 'add', 'example.test', 'Before the first visit', '--date', '2024-07-02');
  const { context, problems, page } = await signedIn({ javaScriptEnabled: false });
  await page.goto(`${collector.origin}/example.test?period=2024-07-01,2024-07-31`);
  assert.equal(await page.locator('figure').count(), 0, 'there is no chart');
  assert.match(await page.locator('.noted-list').textContent(), /2 July 2024\s*Before the first visit/);
  await page.screenshot({ path: 'screenshots/noted-alone.png', fullPage: true });
  await page.goto(`${collector.origin}/example.test?period=2024-08-01,2024-08-31`);
  assert.equal(await page.locator('.noted-list').count(), 0, 'what happened elsewhere is not told');
  assert.deepEqual(problems, []);
  await context.close();
});

test('more sites than a page has are on the next one, and are found by a part of their domain, without scripts', async () => {
  const admin = await collector.run('token', 'create', '--scope', 'admin');
  const domains = Array.from({ length: 63 }, (_, place) => `shop-${String(place + 1).padStart(2, '0')}.test`);
  for (const domain of domains) {
    const added = await fetch(`${collector.origin}/api/v1/sites`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ domain, timezone: 'UTC' }),
    });
    assert.equal(added.status, 200, await added.text());
  }
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'de-DE', javaScriptEnabled: false });
  await context.addCookies([{ name: 'passerby-token', value: admin, url: collector.origin }]);
  const problems = [];
  const page = await open(context, problems);
  const shown = () => page.locator('.sites h2').allTextContents();
  await page.goto(`${collector.origin}/?lang=en`);
  const first = await shown();
  const [, total] = /^1 to 60 of (\d+)/.exec(await page.locator('.pages').textContent());
  await page.screenshot({ path: 'screenshots/sites-many.png' });
  await page.getByRole('link', { name: 'Next' }).click();
  const second = await shown();
  assert.match(await page.locator('.pages').textContent(), new RegExp(`^61 to ${total} of ${total}`));
  const all = [...first, ...second];
  assert.deepEqual([first.length, all.length], [60, Number(total)]);
  assert.deepEqual(all, [...new Set(all)].sort(), 'each is there once, in their order');
  assert.deepEqual(all.filter((domain) => domain.startsWith('shop-')), domains);
  await page.screenshot({ path: 'screenshots/sites-last.png' });
  await page.getByLabel('Search sites').fill('Shop-6');
  await page.getByRole('button', { name: 'Search' }).click();
  assert.deepEqual(await shown(), ['shop-60.test', 'shop-61.test', 'shop-62.test', 'shop-63.test'], 'from the first page on');
  assert.equal(await page.locator('.pages').count(), 0, 'that is all of them');
  assert.match(page.url(), /lang=en/);
  await page.screenshot({ path: 'screenshots/sites-searched.png' });
  await page.getByLabel('Search sites').fill('nowhere');
  await page.getByRole('button', { name: 'Search' }).click();
  assert.match(await page.locator('main').textContent(), /Nothing matches/);
  assert.equal(await page.locator('#add-site').count(), 1, 'a site can still be added');
  await page.screenshot({ path: 'screenshots/sites-none.png' });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${collector.origin}/`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the screen');
  await page.screenshot({ path: 'screenshots/sites-dark-phone.png' });
  await page.locator('.pages').scrollIntoViewIfNeeded();
  await page.screenshot({ path: 'screenshots/sites-dark-phone-end.png' });
  assert.deepEqual(problems, []);
  await context.close();
});
