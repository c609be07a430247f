// What a person does in a real browser is what the report says, a moment later: the core of the page script.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CHROME, Collector, eventually, launch, person, servePages, visit } from './harness.mjs';

let collector, browser, pages;

before(async () => {
  collector = await Collector.start();
  browser = await launch();
  const script = (name) => `<script defer src="${collector.origin}/js/${name}.js"></script>`;
  const page = (body = '', name = 'script') =>
    `<!doctype html><title>A page</title>${script(name)}<body style="height:3000px;margin:0">${body}</body>`;
  pages = await servePages({
    '/': page('<a id="next" href="/second?utm_source=ignored#part">next</a>'),
    '/second': page('second'),
    '/third': page('third'),
    '/from': '<!doctype html><title>Elsewhere</title><a id="to" href="/">to</a>',
    '/doubled': page(script('script') + script('script')),
    '/hash': page('<a id="route" href="#/route">route</a>', 'script.hash'),
    '/navigation': page('', 'passerby'),
    '/replace': page('', 'script.replace-state'),
    '/own-navigation': page('<script>var navigation = { open: true };</script>', 'passerby'),
    '/own-element': page('<script>delete window.navigation;</script><nav id="navigation"></nav>', 'passerby'),
    '/manual': page('', 'script.manual'),
    '/queue': `<!doctype html><script>
      window.plausible = function () { (plausible.q = plausible.q || []).push(arguments) };
      plausible('Signup', { props: { plan: 'pro' }, callback: (result) => { window.told = result } });
    </script>${script('script')}`,
    '/domain': `<!doctype html><script defer data-domain="named.test,also.test" src="${collector.origin}/js/script.js"></script>`,
    '/no-script': `<!doctype html><img alt="" src="${collector.origin}/api/event.gif?site=pixel.test&url=http://pixel.test/no-script">`,
  });
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
});

test('a person who comes from a search and reads two pages is one visitor with two page views', async () => {
  const site = await collector.site('search.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain), { referer: 'https://www.google.com/' });
  await page.click('#next');
  await page.waitForURL('**/second**');
  await page.waitForLoadState('networkidle');
  const { ms } = await site.events(2);
  assert.ok(ms < 10_000, `the report had it after ${ms} ms`);
  const [{ metrics }] = await site.report({ metrics: ['visitors', 'visits', 'pageviews', 'views_per_visit'] });
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
    assert.deepEqual(await site.by(dimension, { metric: 'visitors' }), { [expected]: 1 });
  }
  assert.deepEqual(await context.cookies(), [], 'a cookie was set');
  const stored = await page.evaluate(async () =>
    localStorage.length + sessionStorage.length + document.cookie.length + (await indexedDB.databases()).length);
  assert.equal(stored, 0, 'something was stored');
  await context.close();
});

test('a page that pushes a path is viewed again, and one that changes its query or replaces its path is not', async () => {
  const site = await collector.site('push.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain));
  await page.evaluate(() => {
    history.pushState({}, '', '/app/one');
    history.pushState({}, '', '/app/one?tab=2');
    history.replaceState({}, '', '/app/replaced');
    history.pushState({}, '', '/app/two');
  });
  await page.goBack();
  await site.events(4);
  assert.deepEqual(await site.views(), { '/': 1, '/app/one': 1, '/app/replaced': 1, '/app/two': 1 });
  await context.close();
});

test('a page that replaces its path is viewed again where the site chose so', async () => {
  const site = await collector.site('replace.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/replace'));
  await page.evaluate(() => history.replaceState({}, '', '/replaced'));
  await site.events(2);
  assert.deepEqual(await site.views(), { '/replace': 1, '/replaced': 1 });
  await context.close();
});

test('a page that moves with the Navigation API is viewed again', async () => {
  const site = await collector.site('navigation.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/navigation'));
  await page.evaluate(async () => {
    navigation.addEventListener('navigate', (event) => event.intercept());
    await navigation.navigate('/intercepted').finished;
    await navigation.back().finished;
  });
  await site.events(3);
  assert.deepEqual(await site.views(), { '/intercepted': 1, '/navigation': 2 });
  await context.close();
});

test('a move that the history and the Navigation API both tell of is one view', async () => {
  const site = await collector.site('both.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/navigation'));
  await page.evaluate(async () => {
    const told = [];
    navigation.addEventListener('currententrychange', (event) => told.push(event.navigationType));
    navigation.addEventListener('navigate', (event) => event.canIntercept && event.intercept());
    history.pushState({}, '', '/pushed');
    await navigation.navigate('/navigated').finished;
    await navigation.navigate('/replaced', { history: 'replace' }).finished;
    history.pushState({}, '', '/pushed-again');
    if (told.join() !== 'push,push,replace,push') throw new Error(`the browser tells of ${told}`);
  });
  await site.events(4);
  assert.deepEqual(await site.views(), { '/navigated': 1, '/navigation': 1, '/pushed': 1, '/pushed-again': 1 });
  await context.close();
});

test('a page that replaces its path with the Navigation API is viewed again where the site chose so', async () => {
  const site = await collector.site('replaces.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/replace'));
  await page.evaluate(async () => {
    navigation.addEventListener('navigate', (event) => event.intercept());
    await navigation.navigate('/replaced', { history: 'replace' }).finished;
  });
  await site.events(2);
  assert.deepEqual(await site.views(), { '/replace': 1, '/replaced': 1 });
  await context.close();
});

test('a page that has something else under the name of the Navigation API is counted', async () => {
  const site = await collector.site('own.test');
  const { context, page } = await visit(browser);
  for (const path of ['/own-navigation', '/own-element']) {
    await page.goto(pages.at(site.domain, path));
    assert.equal(await page.evaluate(() => 'currentEntry' in navigation), false, 'the page has nothing of its own');
    await page.evaluate((path) => history.pushState({}, '', path + '/pushed'), path);
  }
  await site.events(4);
  assert.deepEqual(await site.views(),
    { '/own-element': 1, '/own-element/pushed': 1, '/own-navigation': 1, '/own-navigation/pushed': 1 });
  await context.close();
});

test('the fragment is the page where the site routes by it', async () => {
  const site = await collector.site('hash.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/hash'));
  await page.click('#route');
  await page.goBack();
  await site.events(3);
  assert.deepEqual(await site.views(), { '/hash': 2, '/hash#/route': 1 });
  await page.goto(pages.at(site.domain, '/'));
  await page.evaluate(() => { location.hash = '#part'; });
  await page.goto(pages.at(site.domain, '/second'));
  await site.events(5);
  assert.deepEqual(await site.views(), { '/': 1, '/hash': 2, '/hash#/route': 1, '/second': 1 });
  await context.close();
});

test('a page that comes back from the back/forward cache is viewed again', async () => {
  const site = await collector.site('bfcache.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/'));
  await page.evaluate(() => addEventListener('pageshow', (event) => { window.cameBack = event.persisted; }));
  await page.goto(pages.at(site.domain, '/second'));
  // Such a page does not load, so that nobody can wait for it to.
  await page.goBack({ waitUntil: 'commit' });
  await site.events(3);
  assert.equal(await page.evaluate(() => window.cameBack), true, 'it was loaded again');
  assert.deepEqual(await site.views(), { '/': 2, '/second': 1 });
  await context.close();
});

test('a page in a background tab, or one that was only prepared, is viewed when it is first seen', async () => {
  const site = await collector.site('background.test');
  const { context, page, beacons } = await visit(browser);
  // A browser without a window shows all its tabs, so that the page is told otherwise.
  await page.addInitScript(() => Object.defineProperty(document, 'hidden', { get: () => !window.isSeen }));
  await page.goto(pages.at(site.domain));
  await page.waitForLoadState('networkidle');
  assert.deepEqual(beacons, []);
  await page.evaluate(() => {
    window.isSeen = true;
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  await site.events(1);
  await context.close();
});

test('an event that was queued before the script came is counted with its properties, and its page is told', async () => {
  const site = await collector.site('queue.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/queue'));
  await page.waitForFunction(() => window.told);
  assert.deepEqual(await page.evaluate(() => window.told), { status: 202, dropped: null });
  await site.events(2);
  assert.deepEqual(await site.property('Signup', 'plan'), { pro: 1 });
  await context.close();
});

test('an event of an older page has the properties that it calls meta', async () => {
  const site = await collector.site('meta.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain));
  await page.evaluate(() => plausible('Signup', { meta: { plan: 'pro' } }));
  await page.evaluate(() => plausible('Signup', { meta: JSON.stringify({ plan: 'free' }) }));
  await site.events(3);
  assert.deepEqual(await site.property('Signup', 'plan'), { pro: 1, free: 1 });
  await context.close();
});

test('a page learns what became of its event, whatever that was', async () => {
  const site = await collector.site('outcome.test');
  const { context, page } = await visit(browser);
  const told = (...call) => page.evaluate((call) => plausible(...call), call);
  await page.goto(pages.at(site.domain));
  assert.deepEqual(await told('Signup'), { status: 202, dropped: null });
  assert.deepEqual(await told('Signup', null), { status: 202, dropped: null });
  assert.deepEqual(await told('x'.repeat(121)), { status: 400, dropped: 'invalid' });
  await page.goto(pages.at('unknown.test'));
  assert.deepEqual(await told('Signup'), { status: 202, dropped: 'unknown_site' });
  await page.route('**/api/event', (route) => route.abort());
  assert.ok((await told('Signup')).error);
  await page.evaluate(() => { localStorage.plausible_ignore = 'true'; });
  assert.deepEqual(await told('Signup'), { ignored: 'opted out' });
  const called = await page.evaluate(
    () => new Promise((called) => plausible('Signup', { callback: (...given) => called(given) })),
  );
  assert.deepEqual(called, []);
  await context.close();
});

test('one tag may count for several sites, and two tags count once', async () => {
  const [named, also] = [await collector.site('named.test'), await collector.site('also.test')];
  const { context, page } = await visit(browser);
  await page.goto(pages.at('other.test', '/domain'));
  await Promise.all([named.events(1), also.events(1)]);
  const doubled = await collector.site('doubled.test');
  await page.goto(pages.at('doubled.test', '/doubled'));
  await page.waitForLoadState('networkidle');
  await page.goto(pages.at('doubled.test', '/second'));
  await doubled.events(2);
  assert.deepEqual(await doubled.views(), { '/doubled': 1, '/second': 1 });
  await context.close();
});

test('a page that reports its views itself is viewed when and where it says', async () => {
  const site = await collector.site('manual.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/manual'));
  await page.evaluate(() => {
    history.pushState({}, '', '/elsewhere');
    return plausible('pageview', { u: location.origin + '/said' });
  });
  await site.events(1);
  assert.deepEqual(await site.views(), { '/said': 1 });
  await context.close();
});

test('a page without scripts is counted by its pixel', async () => {
  const site = await collector.site('pixel.test');
  const context = await person(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(pages.at(site.domain, '/no-script'));
  await site.events(1);
  assert.deepEqual(await site.views(), { '/no-script': 1 });
  await context.close();
});

test('a visitor who opted out, a machine, and a page of this machine send nothing', async () => {
  const optedOut = await person(browser);
  await optedOut.addInitScript(() => localStorage.setItem('plausible_ignore', 'true'));
  const machine = await browser.newContext({ userAgent: CHROME });
  for (const [context, host] of [[optedOut, 'out.test'], [machine, 'out.test'], [await person(browser), 'localhost']]) {
    const page = await context.newPage();
    const beacons = [];
    const warnings = [];
    page.on('request', (request) => request.url().includes('/api/event') && beacons.push(request.url()));
    page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
    await page.goto(pages.at(host));
    await page.waitForLoadState('networkidle');
    assert.deepEqual(beacons, []);
    assert.match(warnings.join(), /^ignored (opted out|automated|local page)$/);
    await context.close();
  }
});

test('leaving a page tells how far it was read', async () => {
  const site = await collector.site('attention.test');
  const { context, page } = await visit(browser, { viewport: { width: 800, height: 600 } });
  await page.goto(pages.at(site.domain));
  await page.evaluate(() => new Promise((seen) => {
    addEventListener('scroll', seen, { once: true });
    scrollTo(0, 900);
  }));
  // The page grows while it is read: what was half of it is a quarter in the end.
  await page.evaluate(() => { document.body.style.height = '6000px'; scrollTo(0, 0); });
  await page.goto(pages.at(site.domain, '/second'));
  await site.events(2);
  const { answer } = await eventually('the report has it', async () => {
    const [{ metrics }] = await site.report({
      metrics: ['scroll_depth'],
      filters: [['is', 'event:page', ['/']]],
    });
    return metrics[0];
  });
  assert.equal(answer, 25, 'percent of the page were seen');
  await context.close();
});

test('a page that stays in sight without new depth tells its attention again after three seconds only', async () => {
  const site = await collector.site('again.test');
  const { context, page, beacons } = await visit(browser);
  await page.clock.install();
  await page.goto(pages.at(site.domain));
  const reports = () => beacons.filter((beacon) => beacon.n === 'engagement').map((beacon) => beacon.e);
  const leave = () => page.evaluate(() => {
    document.hasFocus = () => false;
    dispatchEvent(new Event('blur'));
    document.hasFocus = () => true;
    dispatchEvent(new Event('focus'));
  });
  await leave();
  await page.clock.runFor(2000);
  await leave();
  await page.clock.runFor(2000);
  await leave();
  await eventually('both are reported', () => reports().length === 2);
  assert.ok(reports()[1] >= 4000, `the second report says ${reports()[1]} ms`);
  await context.close();
});

test('attention to a page ends where the next begins, also without loading', async () => {
  const site = await collector.site('turns.test');
  const { context, page, beacons } = await visit(browser);
  await page.goto(pages.at(site.domain));
  await page.evaluate(() => history.pushState({}, '', '/app'));
  await site.events(2);
  assert.deepEqual(beacons.map(({ n, u }) => [n, new URL(u).pathname]), [
    ['pageview', '/'],
    ['engagement', '/'],
    ['pageview', '/app'],
  ]);
  await context.close();
});
