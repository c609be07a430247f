// What a page reports without code of its own, and the hooks for its code: the whole script, and its modules.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Collector, eventually, launch, servePages, visit } from './harness.mjs';

let collector, browser, pages;

before(async () => {
  collector = await Collector.start({
    PASSERBY_SCRIPT_FEATURES: 'outbound-links,file-downloads,form-submissions,404',
    PASSERBY_SCRIPT_SEARCH_PARAMETERS: 'q,query',
    PASSERBY_SCRIPT_EXCLUDE: '/admin/***,/*/draft,/über/**',
    PASSERBY_SCRIPT_PATHS: '/lib/app.js',
    PASSERBY_SCRIPT_EVENT_PATHS: '/lib/e',
  });
  browser = await launch();
  const script = (path, attributes = '') => `<script defer ${attributes} src="${collector.origin}${path}"></script>`;
  const page = (body = '', path = '/js/passerby.js', attributes = '') =>
    `<!doctype html><title>A page</title>${script(path, attributes)}<body>${body}</body>`;
  const legacy = page('<a id="file" href="/a.xyz">file</a>', '/js/script.exclusions.pageview-props.file-downloads.js',
    'data-exclude="/admin/***, /weit/ü*" event-author="Ada" add-file-types="xyz"');
  pages = await servePages({
    '/': page(`
      <a id="away" href="http://elsewhere.test/path?a=1#b" target="_blank"><b>away</b></a>
      <a id="file" href="/files/Report.PDF?version=2">file</a> <a id="near" href="/second">near</a>
      <a id="mail" href="mailto:somebody@example.com">mail</a>
      <form id="form" action="/second" onsubmit="event.preventDefault()"><input name="secret" value="hunter2"><button id="send">send</button></form>
      <div class="plausible-event-name=Sign+Up plausible-event-plan=pro+plus"><i><b id="tagged">sign up</b></i></div>
      <a id="bought" class="plausible-event-name--Purchase plausible-revenue-amount--12.5 plausible-revenue-currency--EUR" href="#bought">buy</a>
      <form class="plausible-event-name=Ask" onsubmit="event.preventDefault()"><button id="ask">ask</button></form>`),
    '/second': page('second'),
    '/404': page('not here'),
    '/admin/a/b': page(),
    '/post/draft': page(),
    '/%C3%BCber/uns': page(),
    '/post/done': page(),
    '/alias': page('', '/lib/app.js'),
    '/plain': page('<a id="away" href="http://elsewhere.test/">away</a>', '/js/script.js'),
    '/legacy': legacy,
    '/weit/%C3%BCber': legacy,
    '/files/Report.PDF': '%PDF-1.4',
    '/a.xyz': 'a file',
    '/site': `<!doctype html><script async src="${collector.origin}/js/pa-own.test.js"></script><script>
      window.plausible=window.plausible||function(){(plausible.q=plausible.q||[]).push(arguments)},plausible.init=plausible.init||function(i){plausible.o=i||{}};
      plausible.init({
        customProperties: (name) => ({ kind: name === 'pageview' ? 'view' : 'event' }),
        transformRequest: (payload) => payload.n === 'Secret' ? null : { ...payload, u: payload.u.replace(/id=\\w+/, 'id=x') },
      });
      plausible('Early', { props: { kind: 'own' } });
    </script>`,
    '/modules': page(`<button id="slow" onclick="const end = performance.now() + 60; while (performance.now() < end);">slow</button>
      ${script('/js/vitals.js')}${script('/js/errors.js')}`),
  });
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
});

test('links that lead away, files and forms are events without any code', async () => {
  const site = await collector.site('auto.test');
  const { context, page, beacons } = await visit(browser);
  await page.goto(pages.at(site.domain));
  await page.click('#away b', { button: 'middle' });
  await page.evaluate(() => document.querySelector('#mail').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true })));
  await page.click('#send');
  await page.evaluate(() => document.querySelector('#file').setAttribute('download', ''));
  await page.click('#file');
  await page.click('#near');
  await page.waitForURL('**/second');
  await site.events(5);
  assert.deepEqual(await site.by('event:name'), { 'File Download': 1, 'Form: Submission': 1, 'Outbound Link: Click': 1, pageview: 2 });
  assert.deepEqual(await site.property('Outbound Link: Click', 'url'), { 'http://elsewhere.test/path?a=1#b': 1 });
  assert.deepEqual(await site.property('File Download', 'url'), { [pages.at(site.domain, '/files/Report.PDF')]: 1 });
  assert.deepEqual(await site.property('Form: Submission', 'path'), { '/': 1 });
  assert.ok(!JSON.stringify(beacons).includes('hunter2'), 'a value of a field was sent');
  await context.close();
});

test('a class makes an element an event, with properties and worth', async () => {
  const site = await collector.site('tagged.test');
  const { context, page, beacons } = await visit(browser);
  await page.goto(pages.at(site.domain));
  for (const id of ['tagged', 'bought', 'ask']) await page.click('#' + id);
  await site.events(4);
  assert.deepEqual(await site.by('event:name'), { Ask: 1, Purchase: 1, 'Sign Up': 1, pageview: 1 });
  assert.deepEqual(await site.property('Sign Up', 'plan'), { 'pro plus': 1 });
  assert.deepEqual(await site.property('Purchase', 'url'), { [pages.at(site.domain, '/#bought')]: 1 });
  const { $ } = beacons.find(({ n }) => n === 'Purchase');
  assert.deepEqual($, { amount: '12.5', currency: 'EUR' });
  await context.close();
});

test('a page that is not there says so by the status of its answer', async () => {
  const site = await collector.site('gone.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/gone'));
  await page.goto(pages.at(site.domain, '/second'));
  await site.events(3);
  assert.deepEqual(await site.property('404', 'path'), { '/gone': 1 });
  assert.deepEqual(await site.by('event:name'), { 404: 1, pageview: 2 });
  await context.close();
});

test('a search on the site is an event, once for each', async () => {
  const site = await collector.site('searches.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/second?query=red+shoes'));
  await page.evaluate(() => {
    history.pushState({}, '', '?query=red+shoes&page=2');
    history.pushState({}, '', '?q=hats');
  });
  await site.events(3);
  assert.deepEqual(await site.property('Site Search', 'search_query'), { hats: 1, 'red shoes': 1 });
  await context.close();
});

test('excluded paths are not viewed, and get no attention', async () => {
  const site = await collector.site('excluded.test');
  const { context, page, beacons } = await visit(browser);
  for (const path of ['/admin/a/b', '/post/draft', '/über/uns', '/post/done']) await page.goto(pages.at(site.domain, path));
  await site.events(1);
  assert.deepEqual(await site.views(), { '/post/done': 1 });
  assert.deepEqual(beacons.map(({ n }) => n), ['pageview']);
  await context.close();
});

test('script and endpoint have the paths that the operator chose', async () => {
  const site = await collector.site('alias.test');
  const { context, page } = await visit(browser);
  const requests = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(pages.at(site.domain, '/alias'));
  await site.events(1);
  assert.deepEqual(requests, ['/alias', '/lib/app.js', '/lib/e']);
  await context.close();
});

test('the tag of another collector keeps its attributes, and a name without words reports no clicks', async () => {
  const site = await collector.site('legacy.test');
  const { context, page } = await visit(browser);
  await page.goto(pages.at(site.domain, '/plain'));
  await page.click('#away', { button: 'middle' });
  await page.goto(pages.at(site.domain, '/weit/über'));
  await page.goto(pages.at(site.domain, '/legacy'));
  await page.click('#file');
  await site.events(3);
  assert.deepEqual(await site.property('pageview', 'author'), { '(none)': 1, Ada: 1 });
  assert.deepEqual(await site.property('File Download', 'author'), { Ada: 1 });
  await context.close();
});

test('a site has a script of its own that waits for the page to choose', async () => {
  const site = await collector.site('own.test');
  const { context, page } = await visit(browser);
  // The page can not say that it is another site than its script.
  await page.goto(pages.at('elsewhere.test', '/site?id=abc'));
  assert.deepEqual(await page.evaluate(() => plausible('Secret')), { ignored: 'excluded' });
  await page.evaluate(() => plausible('Late'));
  await site.events(3);
  assert.deepEqual(await site.by('event:name'), { Early: 1, Late: 1, pageview: 1 });
  assert.deepEqual(await site.by('event:props:kind'), { event: 1, own: 1, view: 1 });
  assert.equal((await fetch(collector.origin + '/js/pa-unknown.test.js')).status, 404);
  await context.close();
});

test('vitals and errors of a page come with modules of their own', async () => {
  const site = await collector.site('modules.test');
  const { context, page, beacons } = await visit(browser);
  await page.goto(pages.at(site.domain, '/modules'));
  await page.click('#slow');
  await page.evaluate(() => {
    setTimeout(() => { throw new Error('broken at https://a.test/x?token=secret'); });
    Promise.reject(new Error('rejected'));
  });
  await site.events(3);
  assert.deepEqual(await site.property('Script Error', 'message'), { 'broken at https://a.test/x?…': 1, rejected: 1 });
  await page.goto(pages.at(site.domain, '/second'));
  await site.events(5);
  const rows = await site.by('event:props:TTFB', { filters: [['is', 'event:name', ['Web Vitals']]] });
  assert.match(Object.keys(rows).join(), /^\d+$/);
  for (const rated of ['TTFB', 'CLS', 'INP'])
    assert.match(Object.keys(await site.property('Web Vitals', `${rated} rating`)).join(), /^(good|needs improvement|poor)$/, rated);
  assert.ok(!JSON.stringify(beacons).includes('secret'));
  await context.close();
});

test('a page that was opened behind another does not tell when its visitor looked at it', async () => {
  const site = await collector.site('behind.test');
  for (const isHidden of [false, true]) {
    const { context, page, beacons } = await visit(browser);
    await page.addInitScript((hidden) => {
      Object.defineProperty(document, 'hidden', { get: () => hidden });
      window.becomes = (state) => {
        hidden = state === 'hidden';
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      };
    }, isHidden);
    await page.goto(pages.at(site.domain, '/modules'));
    await page.waitForTimeout(300);
    await page.evaluate(() => { becomes('shown'); becomes('hidden'); });
    const told = () => beacons.find(({ n }) => n === 'Web Vitals');
    for (const until = Date.now() + 10_000; !told() && Date.now() < until;) await page.waitForTimeout(20);
    assert.equal('LCP' in told().p, !isHidden);
    await context.close();
  }
});

test('a pinned script runs under its integrity, and a wrong one does not', async () => {
  const site = await collector.site('pinned.test');
  const tag = await collector.run('tag', site.domain, '--with', 'hash,404', '--pinned', '--url', collector.origin);
  assert.match(tag, /src="http:\/\/127\.0\.0\.1:\d+\/js\/script\.hash\.404\.[0-9a-f]{16}\.js" integrity="sha384-[^"]+" crossorigin/);
  const { context, page } = await visit(browser);
  pages.pages['/pinned'] = tag;
  await page.goto(pages.at(site.domain, '/pinned'));
  await site.events(1);
  const answer = await fetch(/src="([^"]+)"/.exec(tag)[1]);
  assert.match(answer.headers.get('cache-control'), /immutable/);
  pages.pages['/pinned'] = tag.replace(/sha384-..../, 'sha384-AAAA');
  const refused = new Promise((told) => page.on('console', (message) => /integrity/.test(message.text()) && told()));
  await page.goto(pages.at(site.domain, '/pinned'));
  await refused;
  await context.close();
});
