// A site whose visitors are asked: what a real browser sends before, with and without consent, and what is stored of it.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Collector, launch, servePages, visit } from './harness.mjs';

const STUB = `<script>
  window.plausible = function () { (plausible.q = plausible.q || []).push(arguments) };
  plausible.init = function (given) { plausible.o = given || {} };
  plausible.consent = function (answer) { plausible.c = answer };
</script>`;

let collector, browser, pages, directory;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'passerby-consent-'));
  const configuration = join(directory, 'passerby.toml');
  await writeFile(configuration, `[privacy]
consent = "anonymous"
[privacy.sites."required.test"]
consent = "required"
`);
  collector = await Collector.start({ PASSERBY_CONFIG: configuration });
  browser = await launch();
  const page = (tag) => `<!doctype html><title>A page</title>${tag}<body style="height:3000px;margin:0">page</body>`;
  const script = (name, attributes = '') => `<script defer ${attributes} src="${collector.origin}/js/${name}.js"></script>`;
  const own = (site, answer = '') => page(`${STUB}<script>plausible.init({});${answer}</script>${script(`pa-${site}`)}`);
  pages = await servePages({
    '/required': own('required.test'),
    '/answered': own('required.test', 'plausible.consent(true)'),
    '/attribute': page(script('consent', 'data-consent="given"')),
    '/anonymous': page(script('passerby')),
    '/core': page(script('script')),
  });
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A page of a site, and the beacons that it has sent. */
async function opened(site, path) {
  const visited = await visit(browser);
  await visited.page.goto(pages.at(site.domain, path));
  await visited.page.waitForFunction(() => window.plausible?.l);
  return visited;
}

const settled = (page) => page.waitForLoadState('networkidle');
const stored = (page) => page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length);

test('nothing is sent before consent is given; then the view that waited is counted, and its visitor', async () => {
  const site = await collector.site('required.test');
  const { context, page, beacons } = await opened(site, '/required');
  const outcome = await page.evaluate(() => window.plausible('Before'));
  assert.deepEqual(outcome, { ignored: 'no consent' });
  await page.evaluate(() => scrollTo(0, 2000));
  await settled(page);
  assert.deepEqual(beacons, []);
  await page.evaluate(() => window.plausible.consent(true));
  await page.evaluate(() => window.plausible('After'));
  await site.events(2);
  assert.deepEqual(beacons.map(({ n, c }) => [n, c]), [['pageview', 1], ['After', 1]]);
  assert.deepEqual((await site.report({ metrics: ['visitors', 'visits', 'pageviews'] }))[0].metrics, [1, 1, 1]);
  await page.evaluate(() => window.plausible.consent(false));
  const again = await page.evaluate(() => window.plausible('Withdrawn'));
  assert.deepEqual(again, { ignored: 'no consent' });
  await page.evaluate(() => history.pushState({}, '', '/other'));
  await page.goto('about:blank');
  assert.deepEqual(beacons.map(({ n }) => n), ['pageview', 'After'], 'not even attention is told of');
  await context.close();
});

test('a page may know the answer before the script is there, by its stub or on the tag; the browser keeps nothing of it', async () => {
  const site = await collector.site('required.test');
  const before = (await site.report({ metrics: ['events'] }))[0].metrics[0];
  const answered = await opened(site, '/answered');
  const attribute = await opened(site, '/attribute');
  await site.events(before + 2);
  for (const { context, page, beacons } of [answered, attribute]) {
    assert.equal(beacons[0].c, 1);
    assert.equal(await stored(page), 0);
    await context.close();
  }
});

test('where it is enough to recognise nobody, a view is counted without consent, and a visitor with it', async () => {
  const site = await collector.site('anonymous.test');
  const { context, page, beacons } = await opened(site, '/anonymous');
  await site.events(1);
  assert.equal(beacons[0].c, undefined);
  assert.deepEqual((await site.report({ metrics: ['visitors', 'visits', 'pageviews'] }))[0].metrics, [0, 0, 1]);
  await page.evaluate(() => window.plausible.consent(true));
  await page.evaluate(() => history.pushState({}, '', '/second'));
  await site.events(2);
  assert.deepEqual((await site.report({ metrics: ['visitors', 'visits', 'pageviews'] }))[0].metrics, [1, 1, 2]);
  await context.close();
});

test('a script that does not know of consent is not counted where it is required', async () => {
  const site = await collector.site('required.test');
  const { context, page } = await opened(site, '/core');
  const outcome = await page.evaluate(() => window.plausible('Old'));
  assert.deepEqual(outcome, { status: 202, dropped: 'no_consent' });
  await context.close();
});
