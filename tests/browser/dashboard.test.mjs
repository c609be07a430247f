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
  await collector.run('site', 'add', 'empty.test', '--public');
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
