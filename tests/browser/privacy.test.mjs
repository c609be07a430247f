// The visitor's own page in a real browser: with scripts switched off but for the objection, in both themes, on a
// narrow and on a wide window.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CHROME, Collector, eventually, launch } from './harness.mjs';

let collector, browser;

before(async () => {
  collector = await Collector.start();
  await collector.run('site', 'add', 'example.com');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await collector?.stop();
});

const open = (options = {}) => browser.newContext({ userAgent: CHROME, ...options }).then((context) => context.newPage());

/** Views a page of the site, as the browser of the tests, and waits until the visitor's page knows of it. */
const view = async (path) => {
  const headers = { 'user-agent': CHROME, 'content-type': 'text/plain' };
  const body = JSON.stringify({ n: 'pageview', u: `https://example.com${path}`, r: 'https://duckduckgo.com/' });
  await fetch(collector.origin + '/api/event', { method: 'POST', headers, body });
  const data = collector.origin + '/privacy/data.json?site=example.com';
  await eventually('the view is there', async () => (await (await fetch(data, { headers })).text()).includes(path));
};

test('without scripts a visitor sees what is counted, and erases it', async () => {
  await view('/letters/an-evening-in-march');
  await view('/about');
  const page = await open({ javaScriptEnabled: false });
  await page.goto(collector.origin + '/privacy');
  assert.match(await page.textContent('main'), /example\.com\/letters\/an-evening-in-march/);
  assert.match(await page.textContent('main'), /DuckDuckGo/);
  assert.match(await page.textContent('noscript'), /Global Privacy Control/);
  await page.click('text="Erase"');
  assert.equal(await page.textContent('[role=status]'), 'It is erased.');
  assert.doesNotMatch(await page.textContent('main'), /an-evening-in-march/);
  // What comes in the next second is not shown yet, and can be erased.
  assert.equal(await page.isEnabled('form button'), true);
  // Only the answer to the form says so; its address leads to the page, and no link makes the page say it.
  await page.goto(page.url());
  assert.equal(new URL(page.url()).pathname, '/privacy');
  await page.goto(collector.origin + '/privacy?erased=1');
  assert.equal(await page.locator('[role=status]').count(), 0);
});

test('an objection is kept in the browser alone, and taken back', async () => {
  const page = await open();
  const sent = [];
  await page.goto(collector.origin + '/privacy');
  // The icon comes when the browser likes.
  page.on('request', (request) => request.url().endsWith('/icon.svg') || sent.push(request.url()));
  const button = page.locator('[data-passerby-objection]');
  assert.equal(await button.textContent(), 'Object');
  await button.click();
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  assert.equal(await page.evaluate(() => localStorage.plausible_ignore), 'true');
  await button.click();
  assert.equal(await page.evaluate(() => localStorage.plausible_ignore), undefined);
  assert.deepEqual(sent, []);
  assert.deepEqual(await page.context().cookies(), []);
});

test('the page speaks the language of the browser, or the one that its address names', async () => {
  await view('/a-letter-in-german');
  const page = await open({ locale: 'de-AT', javaScriptEnabled: false });
  await page.goto(collector.origin + '/privacy');
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  assert.match(await page.textContent('main'), /example\.com\/a-letter-in-german\s*aufgerufen/);
  const [day] = (await page.textContent('main .quiet')).split('· ').slice(-1);
  assert.match(day, /^\d+\. \p{L}+ \d{4}$/u);
  await page.goto(collector.origin + '/privacy?lang=en');
  assert.equal(await page.textContent('h1'), 'What is counted about this browser today');
  // The foot of the page has the other language, of the same site.
  await page.goto(collector.origin + '/privacy?site=nowhere.test');
  await page.getByRole('link', { name: 'English' }).click();
  assert.match(await page.textContent('main'), /No visit of this browser to nowhere\.test/);
  assert.equal(await page.getAttribute('footer [aria-current]', 'href'), '/privacy?site=nowhere.test&lang=en');
  // What the address names goes on with what is done there.
  await page.goto(collector.origin + '/privacy?lang=de');
  const erase = async () => {
    await page.click('button:text-is("Löschen")');
    return page.textContent('[role=status]');
  };
  // An earlier test has erased as well, and there is a pause after it.
  const busy = /^Gerade werden die Daten von jemand anderem gelöscht/;
  let told = '';
  await eventually('nobody else erases', async () => !busy.test((told = await erase())));
  assert.equal(told, 'Es wurde gelöscht.');
  assert.match(page.url(), /lang=de/);
});

test('nothing is wider than the window, in either theme and language', async () => {
  await view('/a-page-with-a-rather-long-path/that-goes-on-and-on/and-does-not-want-to-end/at-all.html');
  await view('/about');
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [380, 1200]) {
      for (const locale of ['en-GB', 'de-DE']) {
        const page = await open({ colorScheme, locale, viewport: { width, height: 900 } });
        await page.goto(collector.origin + '/privacy');
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${wide} pixels in a window of ${width}`);
        const shot = `${process.env.SHOTS}/${locale}-${colorScheme}-${width}.png`;
        if (process.env.SHOTS) await page.screenshot({ path: shot, fullPage: true });
        await page.context().close();
      }
    }
  }
});
