// What stands in pages of other sites: the frame and the badge show what is public, and nothing else can be framed.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CHROME, Collector, eventually, launch, servePages } from './harness.mjs';

let pages, collector, choosy, browser, slug;

before(async () => {
  pages = await servePages({});
  // The frames of one collector are for everybody, those of the other for one site alone.
  collector = await Collector.start();
  choosy = await Collector.start({ PASSERBY_DASHBOARD_EMBED_IN: `http://friend.test:${pages.port}` });
  browser = await launch();
  for (const [to, domain, ...options] of [[collector, 'open.test', '--public', '--least-visitors', '1'], [collector, 'closed.test'], [choosy, 'open.test', '--public']]) {
    await to.run('site', 'add', domain, ...options);
  }
  slug = new URL(await collector.run('link', 'add', 'closed.test', 'press', '--least-visitors', '1')).searchParams.get('auth');
  const token = await collector.run('token', 'create', '--scope', 'stats');
  const lines = join(collector.directory, 'events.jsonl');
  for (const domain of ['open.test', 'closed.test']) {
    await fetch(collector.origin + '/api/event', {
      method: 'POST',
      headers: { 'user-agent': CHROME, 'content-type': 'text/plain' },
      body: JSON.stringify({ n: 'pageview', u: `https://${domain}/a-page`, d: domain }),
    });
    // The last 30 days are those before today.
    const timestamp = new Date(Date.now() - 3 * 86_400_000).toISOString();
    await writeFile(lines, JSON.stringify({ site: domain, timestamp, url: `https://${domain}/a-page`, visitor: 'somebody' }) + '\n');
    await collector.run('import', lines);
    await eventually('the events are in the report', async () => {
      const [{ metrics }] = await collector.results(token, { site_id: domain, metrics: ['events'], date_range: 'all' });
      return metrics[0] === 2;
    });
  }
});

after(async () => {
  await browser?.close();
  await collector?.stop();
  await choosy?.stop();
  await pages?.close();
});

/** A page of another site with a frame: what the frame says, or nothing if the browser does not show it. */
async function framed(address, { host = 'blog.test', context } = {}) {
  pages.pages['/'] = `<!doctype html><title>A page</title><iframe src="${address}" width="900" height="900"></iframe>`;
  const own = context ?? (await browser.newContext({ locale: 'en-GB' }));
  const page = await own.newPage();
  await page.goto(pages.at(host), { waitUntil: 'load' });
  const frame = page.frames().find((frame) => frame !== page.mainFrame());
  await frame.waitForLoadState();
  // In place of what it may not show the browser has a page of its own.
  const text = (await frame.locator('#main').count()) > 0 ? await frame.locator('body').innerText() : '';
  const cookies = await own.cookies();
  await page.close();
  if (!context) await own.close();
  return { text, cookies };
}

test('a public site is shown in a frame, with the panels that were chosen, and leaves no cookie', async () => {
  const { text, cookies } = await framed(`${collector.origin}/open.test/embed?panels=pages&period=24h`);
  assert.match(text, /open\.test/);
  assert.match(text, /Visitors\s+1\b/);
  assert.match(text, /Top pages|Pages/);
  assert.match(text, /\/a-page/);
  assert.doesNotMatch(text, /Sources|Sign/);
  assert.deepEqual(cookies, []);
});

test('a site that is not public is shown in a frame by a shared link alone, whoever has signed in', async () => {
  const admin = await collector.run('token', 'create', '--scope', 'admin');
  const context = await browser.newContext({ locale: 'en-GB' });
  await context.addCookies([{ name: 'passerby-token', value: admin, url: collector.origin }]);
  assert.equal((await framed(`${collector.origin}/closed.test/embed`, { context })).text, '');
  await context.close();
  const signedIn = { headers: { cookie: `passerby-token=${admin}; passerby-link=${slug}` } };
  assert.equal((await fetch(`${collector.origin}/closed.test/embed`, signedIn)).status, 404);
  assert.equal((await fetch(`${collector.origin}/closed.test/badge.svg`, signedIn)).status, 404);
  // What the cookies open elsewhere: the test would notice if they did here.
  assert.equal((await fetch(`${collector.origin}/closed.test`, signedIn)).status, 200);
  const { text } = await framed(`${collector.origin}/closed.test/embed?auth=${slug}&period=24h`);
  assert.match(text, /Visitors\s+1\b/);
  assert.equal((await framed(`${collector.origin}/closed.test/embed?auth=wrong`)).text, '');
  assert.equal((await framed(`${collector.origin}/open.test/embed?auth=${slug}`)).text.includes('open.test'), true);
});

test('no other page can be framed', async () => {
  for (const path of ['/', '/open.test', '/open.test/live', '/open.test/by/event:page', '/sign-in', '/nothing-here']) {
    assert.equal((await framed(collector.origin + path)).text, '', path);
  }
});

test('frames may be for some sites alone', async () => {
  const address = `${choosy.origin}/open.test/embed`;
  assert.match((await framed(address, { host: 'friend.test' })).text, /open\.test/);
  assert.equal((await framed(address, { host: 'blog.test' })).text, '');
});

test('a theme that was chosen holds whatever the system has', async () => {
  const ground = async (theme, colorScheme) => {
    const page = await browser.newPage({ colorScheme });
    await page.goto(`${collector.origin}/open.test/embed?theme=${theme}`);
    const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.close();
    return colour;
  };
  const [light, dark] = [await ground('system', 'light'), await ground('system', 'dark')];
  assert.notEqual(light, dark);
  assert.equal(await ground('light', 'dark'), light);
  assert.equal(await ground('dark', 'light'), dark);
});

test('the badge is a picture that says its number', async () => {
  const answer = await fetch(`${collector.origin}/open.test/badge.svg`);
  assert.match(answer.headers.get('cache-control'), /^public, max-age=\d+$/);
  assert.match(await answer.text(), /<title id="title">Visitors of open\.test in the last 30 days: 1<\/title>/);
  pages.pages['/'] = `<!doctype html><title>A page</title><img src="${collector.origin}/open.test/badge.svg" alt="open.test">`;
  const page = await browser.newPage();
  await page.goto(pages.at('blog.test'), { waitUntil: 'load' });
  const size = await page.locator('img').evaluate((image) => [image.naturalWidth > 60, image.naturalHeight]);
  assert.deepEqual(size, [true, 22]);
  await page.close();
  assert.equal((await fetch(`${collector.origin}/closed.test/badge.svg`)).status, 404);
  assert.equal((await fetch(`${collector.origin}/nothing.test/badge.svg`)).status, 404);
});

test('what is to be pasted stands in the settings of a public site', async () => {
  const admin = await collector.run('token', 'create', '--scope', 'admin');
  const context = await browser.newContext({ locale: 'en-GB' });
  await context.addCookies([{ name: 'passerby-token', value: admin, url: collector.origin }]);
  const page = await context.newPage();
  await page.goto(`${collector.origin}/open.test/settings`);
  const [frame, badge] = await page.locator('#elsewhere code').allTextContents();
  assert.ok(await page.locator('#elsewhere img').evaluate((image) => image.naturalWidth > 60), 'the badge is shown as it will be');
  pages.pages['/'] = `<!doctype html><title>A page</title>${frame}${badge}`;
  await page.goto(pages.at('blog.test'), { waitUntil: 'load' });
  await page.frameLocator('iframe').getByRole('link', { name: 'open.test' }).waitFor();
  assert.ok(await page.locator('img').evaluate((image) => image.naturalWidth > 60));
  await page.goto(`${collector.origin}/closed.test/settings`);
  assert.match(await page.locator('#elsewhere').innerText(), /once everybody may read/);
  await context.close();
});
