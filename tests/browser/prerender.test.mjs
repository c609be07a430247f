// Pages that Chromium prepares before they are asked for: nothing has happened there until they are. The browser is
// driven by another library here, because the other tests' forbids it to prepare pages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { CHROME, Collector, eventually, servePages } from './harness.mjs';

let collector, browser, pages;

before(async () => {
  collector = await Collector.start();
  browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP *.test 127.0.0.1', `--user-agent=${CHROME}`],
  });
  const prepares = (path) => JSON.stringify({ prerender: [{ urls: [path], eagerness: 'immediate' }] });
  const page = (name, body) => `<!doctype html><title>A page</title>
    <script>
      window.__plausible = true;
      window.plausible = function () { (plausible.q = plausible.q || []).push(arguments) };
    </script>
    <script defer src="${collector.origin}/js/${name}.js"></script>${body}`;
  const first = (name) => page(name, `
    <script type="speculationrules">${prepares(`/${name}/prepared`)}</script>
    <a id="prepared" href="/${name}/prepared">next</a> <a id="other" href="/${name}/other">another</a>`);
  // The server hears of a page that is prepared, from the page itself.
  const prepared = (name) => page(name, `
    <script>
      plausible('Prepared', { props: { early: document.prerendering } });
      addEventListener('load', () => fetch('/prepared/' + document.prerendering));
    </script>`);
  pages = await servePages(Object.fromEntries(['script', 'passerby'].flatMap((name) => [
    [`/${name}/`, first(name)],
    [`/${name}/prepared`, prepared(name)],
    [`/${name}/other`, page(name, '')],
  ])));
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
});

/** A page on which another has been prepared, by the script of this name. */
async function withPrepared(site, name) {
  const page = await browser.newPage();
  pages.asked.length = 0;
  await page.goto(pages.at(site.domain, `/${name}/`));
  await eventually('the next page is prepared', () => pages.asked.includes('/prepared/true'));
  await site.events(1);
  return page;
}

for (const name of ['script', 'passerby']) {
  test(`a page that was prepared is viewed when it is asked for, and not before: ${name}.js`, async () => {
    const site = await collector.site(`asked-${name}.test`);
    const page = await withPrepared(site, name);
    await Promise.all([page.waitForNavigation(), page.click('#prepared')]);
    const { activationStart } = await page.evaluate(() => performance.getEntriesByType('navigation')[0].toJSON());
    assert.ok(activationStart > 0, 'the page was not prepared, but loaded');
    await site.events(3);
    assert.deepEqual(await site.views(), { [`/${name}/`]: 1, [`/${name}/prepared`]: 1 });
    assert.deepEqual(await site.property('Prepared', 'early'), { true: 1 });
    await page.close();
  });

  test(`a page that was prepared and never asked for counts nothing: ${name}.js`, async () => {
    const site = await collector.site(`unasked-${name}.test`);
    const page = await withPrepared(site, name);
    await Promise.all([page.waitForNavigation(), page.click('#other')]);
    await site.events(2);
    assert.deepEqual(await site.by('event:name'), { pageview: 2 });
    assert.deepEqual(await site.views(), { [`/${name}/`]: 1, [`/${name}/other`]: 1 });
    await page.close();
  });
}
