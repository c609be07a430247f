// Another browser than the other tests': what the page script sends arrives from Firefox, too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { Collector, eventually, servePages } from './harness.mjs';

let collector, browser, pages;

before(async () => {
  collector = await Collector.start();
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    extraPrefsFirefox: {
      // Every host is on this machine.
      'network.dns.forceResolve': '127.0.0.1',
      'intl.accept_languages': 'de-DE',
    },
  });
  const page = (body) =>
    `<!doctype html><title>A page</title><script defer src="${collector.origin}/js/passerby.js"></script>
    <body style="height:3000px;margin:0">${body}</body>`;
  pages = await servePages({
    '/': page('<a id="next" href="/second">next</a>'),
    '/second': page('second'),
    '/moves': page(''),
  });
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
});

/** A page of a person; the script says nothing to machines, unless they ask for it. */
async function person() {
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(() => { window.__plausible = true; });
  return page;
}

test('a person with Firefox is counted: pages, an event, and how far a page was read that is left', async () => {
  const site = await collector.site('firefox.test');
  const page = await person();
  await page.goto(pages.at(site.domain));
  const told = await page.evaluate(() => plausible('Signup', { props: { plan: 'pro' } }));
  assert.deepEqual(told, { status: 202, dropped: null });
  await site.events(2);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await Promise.all([page.waitForNavigation(), page.click('#next')]);
  await site.events(3);
  assert.deepEqual(await site.views(), { '/': 1, '/second': 1 });
  assert.deepEqual(await site.property('Signup', 'plan'), { pro: 1 });
  // Told by a request that outlives its page.
  await eventually('the page that was left says how far it was read', async () => {
    const filters = [['is', 'event:page', ['/']]];
    const [{ metrics: [depth] }] = await site.report({ metrics: ['scroll_depth'], filters });
    return depth === 100;
  });
  for (const [dimension, expected] of [['visit:browser', 'Firefox'], ['visit:language', 'de'], ['visit:exit_page', '/second']])
    assert.deepEqual(await site.by(dimension, { metric: 'visitors' }), { [expected]: 1 });
  await page.close();
});

test('an event that is told while its page is left arrives', async () => {
  const site = await collector.site('leaving.test');
  const page = await person();
  await page.goto(pages.at(site.domain));
  await page.evaluate(() => addEventListener('pagehide', () => plausible('Left')));
  await page.goto('about:blank');
  await site.events(2);
  assert.deepEqual(await site.by('event:name'), { Left: 1, pageview: 1 });
  await page.close();
});

test('a page that moves without loading is viewed once for each path', async () => {
  const site = await collector.site('moves.test');
  const page = await person();
  await page.goto(pages.at(site.domain, '/moves'));
  await page.evaluate(() => {
    history.pushState({}, '', '/one');
    history.pushState({}, '', '/one?tab=2');
    history.replaceState({}, '', '/replaced');
  });
  await page.goBack();
  const views = { '/moves': 1, '/one': 1 };
  if (await page.evaluate(() => 'navigation' in window)) {
    await page.evaluate(async () => {
      navigation.addEventListener('navigate', (event) => event.intercept());
      await navigation.navigate('/intercepted').finished;
    });
    views['/intercepted'] = 1;
  }
  await site.events(Object.values(views).reduce((sum, count) => sum + count));
  assert.deepEqual(await site.views(), views);
  await page.close();
});
