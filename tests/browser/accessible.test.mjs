// Every page, in light and dark, on a wide screen and on a telephone: axe finds nothing at level AA, nothing is wider
// than the screen, nothing fails, and the page is short.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Collector, dayBefore, Demo, launch } from './harness.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
// What is sent for the first view of a site's page, compressed.
const FIRST_LOAD_BYTES_MAX = 100_000;

let demo, browser, admin;

before(async () => {
  demo = await Demo.start('--events', '6000', '--days', '40');
  admin = await demo.run('token', 'create', '--scope', 'admin');
  // On neighbouring days, too: their marks would be in each other's way.
  for (const [daysAgo, text] of [[20, 'Campaign started'], [6, 'Newsletter sent'], [5, 'And again'], [4, 'And again'], [3, 'Relaunch of the shop'], [3, `A long one, ${'word '.repeat(37)}`]]) {
    await demo.run('annotation', 'add', demo.site, text, '--date', dayBefore(daysAgo));
  }
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const PAGES = (site) => [
  '/',
  '/sign-in',
  '/nothing-here',
  `/${site}`,
  `/${site}?lang=de&period=month&filter=is,visit:country_name,Germany&or=France&filter=contains,event:page,/&tab.events=outbound`,
  `/${site}?period=all&metric=bounce_rate&compare=none&tab.places=visit:language`,
  `/${site}?filter=is,visit:source,Nobody`,
  `/${site}/by/event:page`,
  `/${site}/by/event:props:url?search=nothing-like-it`,
  `/${site}/funnel`,
  `/${site}/funnel?lang=de&period=month&step=page,/&step=page,/pricing&step=goal,Signup`,
  `/${site}/journey`,
  `/${site}/journey?step=page,/pricing&way=back&filter=is,visit:source,Google`,
  `/${site}/live`,
  `/${site}/why?metric=bounce_rate`,
  `/${site}/embed?panels=sources,pages,places,devices`,
  `/${site}/settings?filter=is,visit:source,Google`,
];

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    test(`axe finds nothing in the ${colorScheme} on a screen of ${width}`, async () => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
      await context.addCookies([{ name: 'passerby-token', value: admin, url: demo.origin }]);
      const page = await context.newPage();
      const problems = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('request', (request) => request.url().startsWith(demo.origin) || problems.push(`loads ${request.url()}`));
      for (const path of PAGES(demo.site)) {
        await page.goto(demo.origin + path);
        // What is folded away is looked at too.
        await page.evaluate(() => document.querySelectorAll('details:not(.menu)').forEach((details) => { details.open = true; }));
        await look(page, 'html', `${path} ${colorScheme} ${width}`);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is wider than ${width}`);
      }
      // Forms that were filled in wrongly.
      await page.goto(demo.origin + '/');
      await page.locator('#add-site summary').click();
      await page.getByLabel('Domain').fill('a b');
      await page.locator('#add-site button').click();
      await look(page, 'html', `a wrong domain ${colorScheme} ${width}`);
      await page.goto(`${demo.origin}/${demo.site}/settings`);
      await page.getByLabel('To remove it').fill('a b');
      await page.locator('#remove button').click();
      await page.getByRole('alert').waitFor();
      await look(page, 'html', `a removal that is not confirmed ${colorScheme} ${width}`);
      await page.goto(`${demo.origin}/${demo.site}`);
      for (const menu of await page.locator('.menu > summary').all()) {
        await menu.click();
        await look(page, '.menu[open]', `menu ${await menu.textContent()} ${colorScheme} ${width}`);
      }
      assert.deepEqual(problems, []);
      await context.close();
    });
  }
}

test('axe finds nothing where there is no site yet, nor where a site has no visits', async () => {
  const collector = await Collector.start();
  try {
    const token = await collector.run('token', 'create', '--scope', 'admin');
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 900 } });
      const page = await context.newPage();
      const paths = ['/sign-in', '/'];
      if (colorScheme === 'dark') {
        await collector.run('site', 'add', 'empty.test');
        await collector.run('annotation', 'add', 'empty.test', 'Relaunch');
        paths.push('/empty.test');
      }
      for (const path of paths) {
        await page.goto(collector.origin + path);
        await look(page, 'html', `${path} without sites ${colorScheme}`);
        await context.addCookies([{ name: 'passerby-token', value: token, url: collector.origin }]);
      }
      await context.close();
    }
  } finally {
    await collector.stop();
  }
});

/** Lets axe look at a part of a page. */
async function look(page, part, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(
    ([part, values]) => window.axe.run(part, { runOnly: { type: 'tag', values } }),
    [part, RULES],
  );
  const found = violations.map(({ id, nodes }) =>
    `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => html + failureSummary).join(' ')}`);
  assert.deepEqual(found, [], where);
}

test('the first view of a site comes in one round, and is short', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  const initiators = new Map();
  session.on('Network.requestWillBeSent', ({ request, initiator }) => initiators.set(new URL(request.url).pathname, initiator.type));
  session.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(`${demo.origin}/${demo.site}`, { waitUntil: 'load' });
  assert.ok(bytes > 10_000 && bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
  // All that is loaded, the page itself names; only live numbers come later.
  const later = [...initiators].filter(([path, type]) => type === 'script' && !path.endsWith('/live/now'));
  assert.deepEqual(later, []);
  await context.close();
});
