// Menus, filters, periods and lists as people come upon them: what is offered can be had, and what went wrong is said where it
// was typed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CHROME, dayBefore, Demo, eventually, launch } from './harness.mjs';

let demo, browser, admin, reader;

before(async () => {
  demo = await Demo.start('--events', '12000', '--days', '70');
  admin = await demo.run('token', 'create', '--scope', 'admin');
  reader = await demo.run('token', 'create', '--scope', 'stats', '--site', demo.site);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** A page of somebody, without scripts unless they are wanted. */
async function as(token, options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
  if (token) await context.addCookies([{ name: 'passerby-token', value: token, url: demo.origin }]);
  const page = await context.newPage();
  const open = (path) => page.goto(`${demo.origin}/${demo.site}${path}`);
  return { context, page, open };
}

test('every menu of an owner is on the screen of a telephone, and nothing is wider than it', async () => {
  for (const [width, locale] of [[390, 'en-GB'], [320, 'en-GB'], [320, 'de-DE'], [740, 'de-DE']]) {
    const { context, page, open } = await as(admin, { viewport: { width, height: 900 }, locale });
    for (const path of ['', '/journey', '/funnel', '/by/event:page', '/settings']) {
      await open(path);
      const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.ok(!isWider, `${path} is wider than ${width}`);
      for (const summary of await page.locator('.menu > summary').all()) {
        await summary.click();
        const box = await page.locator('.menu[open] .drop').boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= width, `${await summary.textContent()} at ${width}: ${JSON.stringify(box)}`);
        await summary.click();
      }
    }
    await context.close();
  }
});

test('what is clicked often is large enough for fingers, and labels of an axis keep apart', async () => {
  for (const [width, locale] of [[320, 'de-DE'], [390, 'en-GB'], [1280, 'de-DE']]) {
    const { context, page, open } = await as(admin, { viewport: { width, height: 900 }, locale });
    for (const view of ['', '?period=12mo', '?period=7d&interval=hour', '?period=all', '?period=24h']) {
      await open(view);
      const small = await page.locator('.ways a:visible, .ranking thead a:visible, .tabs a:visible').evaluateAll((links) =>
        links.map((link) => [link.textContent, link.getBoundingClientRect().height]).filter(([, height]) => height < 23.9));
      assert.deepEqual(small, [], `${view} at ${width}`);
      const labels = await page.locator('.labels text:visible').evaluateAll((labels) =>
        labels.map((label) => [label.textContent, label.getBoundingClientRect().left, label.getBoundingClientRect().right]));
      const overlapping = labels.slice(1).filter(([, left], place) => left < labels[place][2] + 3);
      assert.deepEqual(overlapping, [], `${view} at ${width} of ${JSON.stringify(labels)}`);
    }
    await context.close();
  }
});

test('a list of one kind of events has its own heading, and leaves the view as it was', async () => {
  const { context, page, open } = await as(admin);
  for (const [tab, heading] of [['outbound', 'Links'], ['downloads', 'Downloads'], ['searches', 'Searches'], ['missing', '404']]) {
    await open(`?period=91d&tab.events=${tab}`);
    const shown = await page.locator('#events tbody th').allTextContents();
    assert.ok(shown.length > 0, tab);
    await page.locator('#events .more').click();
    assert.equal(await page.locator('h1').textContent(), heading);
    assert.equal(await page.locator('.pills').count(), 0);
    assert.deepEqual((await page.locator('tbody th').allTextContents()).slice(0, shown.length), shown);
    const csv = await (await page.request.get(new URL(await page.locator('.csv').getAttribute('href'), demo.origin).href)).text();
    assert.equal(csv.trim().split('\r\n').length, 1 + (await page.locator('tbody tr').count()), tab);
    await page.locator('.site-name').click();
    assert.equal(new URL(page.url()).search, `?period=91d&tab.events=${tab}`);
  }
  await context.close();
});

test('versions are those of a product, and a click asks for both', async () => {
  const { context, page, open } = await as(admin);
  for (const [tab, product] of [['visit:os_version', /^(Windows|Mac|iOS|Android)/], ['visit:browser_version', /^(Chrome|Safari|Firefox)/]]) {
    await open(`?period=91d&tab.devices=${tab}`);
    const [first] = await page.locator('#devices tbody th').allTextContents();
    assert.match(first, product);
    const visitors = await page.locator('#devices tbody td').first().textContent();
    await page.locator('#devices tbody th a').first().click();
    assert.equal(await page.locator('.pills li:not(.all)').count(), 2);
    assert.equal(await page.locator('.headlines .value').first().textContent(), visitors);
    await open(`/by/${tab}?period=91d&search=${first.slice(0, 4)}`);
    assert.ok((await page.locator('tbody th').allTextContents()).every((name) => name.startsWith(first.slice(0, 4))));
  }
  await context.close();
});

test('the file of one period does not take the place of another', async () => {
  const { context, page } = await as(admin);
  const names = [];
  for (const query of ['period=7d', 'period=30d', 'period=all']) {
    const answer = await page.request.get(`${demo.origin}/${demo.site}/csv/event:page?${query}`);
    names.push(/filename="(.*)"/.exec(answer.headers()['content-disposition'])[1]);
  }
  assert.equal(new Set(names).size, 3, names.join());
  assert.match(names[0], /^demo\.example-event-page-\d{4}-\d\d-\d\d-to-\d{4}-\d\d-\d\d\.csv$/);
  await context.close();
});
