// What a person does in a real browser is what the report says, a moment later.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Collector, eventually, launch, person, servePages } from './harness.mjs';

let collector, browser, token, pages;

before(async () => {
  collector = await Collector.start();
  browser = await launch();
  const tag = (attributes = '') =>
    `<script defer data-domain="example.test" ${attributes} src="${collector.origin}/js/script.js"></script>`;
  const page = (body) => `<!doctype html><title>A page</title>${tag()}<body style="height:3000px">${body}</body>`;
  pages = await servePages({
    '/': page('<a id="next" href="/second?utm_source=ignored#part">next</a>'),
    '/second': page('second'),
    '/from': '<!doctype html><title>Elsewhere</title><a id="to" href="/">to</a>',
    '/queue': `<!doctype html><script>
      window.plausible = function () { (plausible.q = plausible.q || []).push(arguments) };
      plausible('Signup', { props: { plan: 'pro' }, callback: (result) => { window.told = result } });
    </script>${tag()}`,
    '/no-script': `<!doctype html><img alt="" src="${collector.origin}/api/event.gif?site=example.test&url=http://example.test/no-script">`,
  });
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
});

/** Each test has a site of its own under the same name. */
async function freshSite() {
  if (token) await collector.run('site', 'remove', 'example.test');
  await collector.run('site', 'add', 'example.test', '--timezone', 'Europe/Berlin');
  token = await collector.run('token', 'create', '--scope', 'stats', '--site', 'example.test');
}

const at = (path, host = 'example.test') => `http://${host}:${pages.port}${path}`;
const report = (query) => collector.results(token, { site_id: 'example.test', ...query });
const events = (count) =>
  eventually(`${count} events are in the report`, async () => {
    const [{ metrics }] = await report({ metrics: ['events'] });
    return metrics[0] === count;
  });

test('a person who comes from a search and reads two pages is one visitor with two page views', async () => {
  await freshSite();
  const context = await person(browser);
  const page = await context.newPage();
  await page.goto(at('/'), { referer: 'https://www.google.com/' });
  await page.click('#next');
  await page.waitForURL('**/second**');
  await page.waitForLoadState('networkidle');
  const { ms } = await events(2);
  assert.ok(ms < 3000, `the report had it after ${ms} ms`);
  const [{ metrics }] = await report({ metrics: ['visitors', 'visits', 'pageviews', 'views_per_visit'] });
  assert.deepEqual(metrics, [1, 1, 2, 2]);
  for (const [dimension, expected] of [
    ['visit:source', 'Google'],
    ['visit:channel', 'Organic Search'],
    ['visit:language', 'de'],
    ['visit:browser', 'Chrome'],
    ['visit:os', 'Windows'],
    ['visit:entry_page', '/'],
    ['visit:exit_page', '/second'],
  ]) {
    assert.deepEqual(await report({ metrics: ['visitors'], dimensions: [dimension] }), [
      { metrics: [1], dimensions: [expected] },
    ]);
  }
  assert.deepEqual(await context.cookies(), [], 'a cookie was set');
  const stored = await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length);
  assert.equal(stored, 0, 'something was stored');
  await context.close();
});

test('a page that changes its path without loading is viewed again, and one that changes its query is not', async () => {
  await freshSite();
  const context = await person(browser);
  const page = await context.newPage();
  await page.goto(at('/'));
  await page.evaluate(() => {
    history.pushState({}, '', '/app/one');
    history.pushState({}, '', '/app/one?tab=2');
    history.replaceState({}, '', '/app/replaced');
    history.pushState({}, '', '/app/two');
  });
  await page.goBack();
  await events(4);
  const rows = await report({ metrics: ['pageviews'], dimensions: ['event:page'], order_by: [['event:page', 'asc']] });
  assert.deepEqual(rows.map((row) => [row.dimensions[0], row.metrics[0]]), [
    ['/', 1],
    ['/app/one', 1],
    ['/app/replaced', 1],
    ['/app/two', 1],
  ]);
  await context.close();
});

test('an event that was queued before the script came is counted with its properties, and its page is told', async () => {
  await freshSite();
  const context = await person(browser);
  const page = await context.newPage();
  await page.goto(at('/queue'));
  await page.waitForFunction(() => window.told);
  assert.deepEqual(await page.evaluate(() => window.told), { status: 202 });
  await events(2);
  assert.deepEqual(
    await report({ metrics: ['events'], dimensions: ['event:props:plan'], filters: [['is', 'event:name', ['Signup']]] }),
    [{ metrics: [1], dimensions: ['pro'] }],
  );
  await context.close();
});

test('a page without scripts is counted by its pixel', async () => {
  await freshSite();
  const context = await person(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(at('/no-script'));
  await events(1);
  assert.deepEqual(await report({ metrics: ['pageviews'], dimensions: ['event:page'] }), [
    { metrics: [1], dimensions: ['/no-script'] },
  ]);
  await context.close();
});

test('a visitor who opted out, and a machine, send nothing', async () => {
  await freshSite();
  const optedOut = await person(browser);
  await optedOut.addInitScript(() => localStorage.setItem('plausible_ignore', 'true'));
  const machine = await browser.newContext({ userAgent: (await import('./harness.mjs')).CHROME });
  for (const context of [optedOut, machine]) {
    const page = await context.newPage();
    const beacons = [];
    page.on('request', (request) => request.url().includes('/api/event') && beacons.push(request.url()));
    await page.goto(at('/'));
    await page.waitForLoadState('networkidle');
    assert.deepEqual(beacons, []);
    await context.close();
  }
});

test('leaving a page tells how long and how far it was read', async () => {
  await freshSite();
  const context = await person(browser);
  const page = await context.newPage();
  await page.goto(at('/'));
  await page.evaluate(() => scrollTo(0, 2000));
  const engagement = page.waitForRequest((request) => request.postData()?.includes('"n":"engagement"'));
  await page.waitForTimeout(300);
  await page.click('#next', { force: true }).catch(() => page.goto(at('/second')));
  const sent = JSON.parse((await engagement).postData());
  assert.ok(sent.sd > 50 && sent.sd <= 100, `scrolled ${sent.sd} %`);
  assert.ok(sent.e >= 0 && sent.e < 60_000, `engaged ${sent.e} ms`);
  await context.close();
});
