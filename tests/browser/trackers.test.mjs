// Trackers that sites already have: unmodified, pointed here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Umami } from '@umami/node';
import { bundle } from './bundle.mjs';
import { CHROME, Collector, eventually, launch, servePages, visit } from './harness.mjs';

let collector, browser, pages;

before(async () => {
  collector = await Collector.start({ PASSERBY_SCRIPT_FEATURES: 'outbound-links' });
  browser = await launch();
  const official = await bundle(`
    import { init, track } from '@plausible-analytics/tracker';
    init({ domain: 'official.test', endpoint: '${collector.origin}/api/event', outboundLinks: true, customProperties: { plan: 'pro' } });
    track('Signup', { props: { size: 3 }, revenue: { amount: 12.5, currency: 'EUR' }, callback: (result) => { window.told = result; } });
  `);
  const older = await bundle(`
    import Plausible from 'plausible-tracker';
    const { trackEvent, enableAutoPageviews, enableAutoOutboundTracking } = Plausible({ domain: 'older.test', apiHost: '${collector.origin}' });
    enableAutoPageviews();
    enableAutoOutboundTracking();
    trackEvent('Signup', { props: { size: 3 }, callback: () => { window.told = true; } });
  `);
  const google = (config) => `<!doctype html>
    <script async data-domain="google.test" src="${collector.origin}/js/gtag.js"></script>
    <script>
      window.dataLayer = window.dataLayer || [];
      function gtag(){dataLayer.push(arguments);}
      gtag('js', new Date());
      gtag('config', 'G-XXXXXXX', ${config});
      gtag('event', 'sign_up', { method: 'letter' });
    </script><a id="away" href="http://elsewhere.test/">away</a>`;
  pages = await servePages({
    '/official': `<!doctype html><script>${official}</script><a id="away" href="http://elsewhere.test/a" target="_blank">away</a>`,
    '/older': `<!doctype html><a id="away" href="http://elsewhere.test/a" target="_blank">away</a><script>${older}</script>`,
    '/google': google(`{ debug_mode: true, campaign: { source: 'letter', medium: 'email', name: 'spring' } }`),
    '/google-manual': google('{ send_page_view: false }'),
  });
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
});

test('@plausible-analytics/tracker counts views, events, clicks and attention', async () => {
  const site = await collector.site('official.test');
  const { context, page, beacons } = await visit(browser);
  await page.goto(pages.at(site.domain, '/official?utm_source=letter'));
  await page.waitForFunction(() => window.told);
  assert.deepEqual(await page.evaluate(() => window.told), { status: 202 });
  await page.evaluate(() => history.pushState({}, '', '/app'));
  await page.click('#away', { button: 'middle' });
  await site.events(4);
  assert.deepEqual(await site.views(), { '/app': 1, '/official': 1 });
  assert.deepEqual(await site.by('event:name'), { 'Outbound Link: Click': 1, Signup: 1, pageview: 2 });
  assert.deepEqual(await site.by('visit:source', { metric: 'visits' }), { letter: 1 });
  assert.deepEqual([await site.property('Signup', 'plan'), await site.property('Signup', 'size')], [{ pro: 1 }, { 3: 1 }]);
  assert.ok(beacons.some(({ n, u }) => n === 'engagement' && u.includes('/official')));
  await context.close();
});

test('plausible-tracker counts views, events and clicks', async () => {
  const site = await collector.site('older.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/older'));
  await page.waitForFunction(() => window.told);
  await page.evaluate(() => history.pushState({}, '', '/app'));
  await page.click('#away');
  await site.events(4);
  assert.deepEqual(await site.views(), { '/app': 1, '/older': 1 });
  assert.deepEqual(await site.property('Signup', 'size'), { 3: 1 });
  assert.deepEqual(await site.property('Outbound Link: Click', 'url'), { 'http://elsewhere.test/a': 1 });
  await context.close();
});

test('a page that was written for Google Analytics is counted after a change of one tag', async () => {
  const site = await collector.site('google.test');
  const { context, page } = await visit(browser);
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  await page.goto(pages.at(site.domain, '/google'));
  await page.evaluate(() => {
    gtag('event', 'purchase', { value: 7.5, currency: 'EUR', items: [{ item_id: 'x' }] });
    gtag('consent', 'default', {});
    dataLayer.push({ event: 'layered', size: 3 }, { event: 'gtm.click' });
    history.pushState({}, '', '/app');
  });
  await page.click('#away', { button: 'middle' });
  await site.events(6);
  assert.deepEqual(await site.views(), { '/app': 1, '/google': 1 });
  assert.deepEqual(await site.by('event:name'), {
    'Outbound Link: Click': 1,
    layered: 1,
    pageview: 2,
    purchase: 1,
    sign_up: 1,
  });
  assert.deepEqual(await site.by('visit:utm_campaign', { metric: 'visits' }), { spring: 1 });
  assert.deepEqual(await site.property('sign_up', 'method'), { letter: 1 });
  assert.deepEqual(said.filter((line) => line.startsWith('gtag:')).map((line) => line.split(' ')[1]), ['items', 'consent', '{event:']);
  await page.goto(pages.at(site.domain, '/google-manual'));
  await page.evaluate(() => gtag('event', 'page_view', { page_path: '/virtual' }));
  await site.events(8);
  assert.deepEqual(await site.views(), { '/app': 1, '/google': 1, '/google-manual': 0, '/virtual': 1 });
  await context.close();
});

test('@umami/node and the documented payload of Umami are counted, and nothing comes back', async () => {
  const site = await collector.site('umami.test');
  const umami = new Umami({ websiteId: 'umami.test', hostUrl: collector.origin, userAgent: CHROME });
  const answer = await umami.track({ url: '/home', hostname: 'umami.test', referrer: 'https://www.google.com/' });
  assert.deepEqual([answer.status, await answer.text()], [200, '{}']);
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/'));
  const told = await page.evaluate(async (origin) => {
    const payload = {
      hostname: location.hostname, language: 'de-DE', referrer: '', screen: '1920x1080', title: 'A page', url: '/page?a=1',
      website: 'b59e9c65-ae32-47f1-8400-119fcf4861c4', name: 'signup-button', data: { plan: 'pro' },
    };
    const answer = await fetch(origin + '/api/send', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ type: 'event', payload }),
    });
    return [answer.status, await answer.text()];
  }, collector.origin);
  assert.deepEqual(told, [200, '{}']);
  assert.equal((await umami.identify({ email: 'somebody@example.com' })).status, 200);
  await site.events(2);
  assert.deepEqual(await site.views(), { '/home': 1, '/page': 0 });
  assert.deepEqual(await site.property('signup-button', 'plan'), { pro: 1 });
  await context.close();
});

test('the form of GoatCounter is counted for the site that the browser tells', async () => {
  const site = await collector.site('goat.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/'));
  await page.evaluate(async (origin) => {
    const count = (query) => `${origin}/count?${new URLSearchParams(query)}`;
    navigator.sendBeacon(count({ p: '/sent', r: 'https://www.google.com/', t: 'A page', s: '1920,1080,1', b: 0, q: '?a=1', rnd: 'abcde' }));
    const picture = new Image();
    const loaded = new Promise((done, failed) => Object.assign(picture, { onload: done, onerror: failed }));
    picture.src = count({ p: 'click-here', e: true, t: 'Click', rnd: 'fghij' });
    await loaded;
    new Image().src = count({ p: '/robot', b: 153 });
    new Image().src = `${origin}/count/goat.test?p=/named`;
  }, collector.origin);
  await site.events(3);
  const views = await site.views();
  assert.deepEqual([views['/sent'], views['/named'], views['/robot']], [1, 1, undefined]);
  assert.equal((await site.by('event:name'))['click-here'], 1);
  await context.close();
});
