// The register of sites on pages: whoever owns every site adds one, gives it another domain and removes it, by plain
// forms and without scripts; nobody else does.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { CHROME, Collector, eventually, launch } from './harness.mjs';

let collector, browser, admin;

before(async () => {
  collector = await Collector.start();
  browser = await launch();
  admin = await collector.run('token', 'create', '--scope', 'admin');
  await mkdir('screenshots', { recursive: true });
});

after(async () => {
  await browser?.close();
  await collector?.stop();
});

/** The page of somebody who has signed in. */
async function signedIn(token, options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
  if (token) await context.addCookies([{ name: 'passerby-token', value: token, url: collector.origin }]);
  return context.newPage();
}

/** What is sent by a form, as the program answers it. */
const send = (path, token, fields, origin = collector.origin) =>
  fetch(collector.origin + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: `passerby-token=${token}`, origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields),
  });

/** The sites that there are, by their domain. */
async function sites() {
  const answer = await fetch(collector.origin + '/api/v1/sites', { headers: { authorization: `Bearer ${admin}` } });
  return Object.fromEntries((await answer.json()).sites.map((site) => [site.domain, site]));
}

/** Sends a view of a page, as the tag of this domain does. */
const view = (domain) =>
  fetch(collector.origin + '/api/event', {
    method: 'POST',
    headers: { 'user-agent': CHROME, 'content-type': 'text/plain' },
    body: JSON.stringify({ n: 'pageview', u: `https://${domain}/`, d: domain }),
  });

/** Sees that the pages of a site count so many views. */
const counts = (page, path, views) =>
  eventually(`${path} has ${views} views`, async () => {
    await page.goto(`${collector.origin}/${path}?period=24h`);
    const figure = page.locator('.headlines li', { hasText: 'Page views' }).locator('.value');
    return (await figure.count()) === 1 && (await figure.textContent()) === String(views);
  });

test('a first-time user is led from nothing to the tag of the first site', async () => {
  const page = await signedIn();
  await page.goto(collector.origin + '/');
  assert.match(await page.locator('main').textContent(), /No site is set up here yet.*passerby token create --scope admin/s);
  await page.screenshot({ path: 'screenshots/first-sign-in.png' });
  await page.getByLabel('Token').fill(admin);
  await page.getByRole('button', { name: 'Sign in' }).click();
  assert.equal(new URL(page.url()).pathname, '/');
  assert.equal(await page.getByRole('heading', { name: 'No site is registered yet' }).count(), 1);
  await page.screenshot({ path: 'screenshots/first-site.png', fullPage: true });

  // What is wrong is named, and what was typed stays.
  await page.getByLabel('Domain').fill('https://first.test/');
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.getByRole('button', { name: 'Add site' }).click();
  assert.match(await page.getByRole('alert').textContent(), /^https:\/\/first\.test\/ is not a host name/);
  assert.equal(await page.getByLabel('Domain').inputValue(), 'https://first.test/');
  assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Berlin');
  await page.getByLabel('Domain').fill('www.First.test');
  await page.getByLabel('Time zone').fill('Europe/Atlantis');
  await page.getByRole('button', { name: 'Add site' }).click();
  assert.match(await page.getByRole('alert').textContent(), /^Europe\/Atlantis is not a time zone/);
  assert.deepEqual(await sites(), {});
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.getByRole('button', { name: 'Add site' }).click();
  assert.equal(new URL(page.url()).pathname, '/first.test/settings');
  assert.match(await page.locator('pre').first().textContent(), /data-domain="first\.test" src="http:\/\/127\.0\.0\.1:\d+\/js\/script\.js"/);
  assert.equal((await sites())['first.test'].timezone, 'Europe/Berlin');

  // Another one is added below the list; a domain that is taken is not.
  await page.goto(collector.origin + '/?lang=de');
  await page.getByText('Website hinzufügen').first().click();
  await page.getByLabel('Domain').fill('first.test');
  await page.getByRole('button', { name: 'Website hinzufügen' }).click();
  assert.equal(await page.getByRole('alert').textContent(), 'first.test ist schon die Domain einer Website.');
  await page.screenshot({ path: 'screenshots/add-site-wrong.png', fullPage: true });
  await page.getByLabel('Domain').fill('second.test');
  await page.getByRole('button', { name: 'Website hinzufügen' }).click();
  assert.equal(page.url(), `${collector.origin}/second.test/settings?lang=de`);
  assert.equal((await sites())['second.test'].timezone, 'UTC');
  await page.context().close();
});

test('with the script the time zone of the browser is offered, and nothing else is sent', async () => {
  const page = await signedIn(admin, { javaScriptEnabled: true, timezoneId: 'Asia/Kathmandu' });
  await page.goto(collector.origin + '/');
  await page.locator('#add-site summary').click();
  assert.match(await page.getByLabel('Time zone').inputValue(), /^Asia\/Kat[h]?mandu$/);
  await page.getByLabel('Domain').fill('a b');
  await page.getByLabel('Time zone').fill('Europe/Paris');
  await page.getByRole('button', { name: 'Add site' }).click();
  assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Paris', 'what was chosen stays');
  await page.context().close();
});

test('a site that gets another domain keeps its numbers, and the former domain still leads to it', async () => {
  await collector.run('site', 'add', 'old.test');
  await collector.run('site', 'add', 'taken.test');
  await view('old.test');
  const page = await signedIn(admin);
  await counts(page, 'old.test', 1);
  await page.goto(`${collector.origin}/old.test/settings?lang=en&period=24h`);
  const form = page.locator('#domain');
  assert.match(await form.textContent(), /What tags send for old\.test is still counted/);
  await form.getByLabel('Domain').fill('taken.test');
  await form.getByRole('button', { name: 'Change domain' }).click();
  assert.equal(await page.getByRole('alert').textContent(), 'taken.test is the domain of a site already.');
  await form.getByLabel('Domain').fill('new.test');
  await form.getByRole('button', { name: 'Change domain' }).click();
  assert.equal(page.url(), `${collector.origin}/new.test/settings?lang=en&period=24h&saved=domain#domain`);
  await view('old.test');
  await view('new.test');
  await counts(page, 'new.test', 3);
  await counts(page, 'old.test', 3);
  assert.deepEqual(Object.keys(await sites()).filter((domain) => /old|new/.test(domain)), ['new.test']);
  await page.context().close();
});

test('a site is removed by typing its domain, and is gone then', async () => {
  await collector.run('site', 'add', 'gone.test', '--retention-days', '30');
  const page = await signedIn(admin);
  await page.goto(`${collector.origin}/gone.test/settings`);
  const form = page.locator('#remove');
  assert.match(await form.textContent(), /visits are no longer counted.*for 30 days each.*passerby erase gone\.test/s);
  await form.getByLabel('To remove it, type gone.test').fill('gone');
  await form.getByRole('button', { name: 'Remove site' }).click();
  assert.match(await page.getByRole('alert').textContent(), /not removed.*gone\.test/);
  assert.ok('gone.test' in (await sites()));
  await form.getByLabel('To remove it').fill('gone.test');
  await form.getByRole('button', { name: 'Remove site' }).click();
  assert.equal(new URL(page.url()).pathname, '/');
  assert.ok(!(await page.locator('.sites h2').allTextContents()).includes('gone.test'));
  assert.ok(!('gone.test' in (await sites())));
  assert.equal((await page.goto(`${collector.origin}/gone.test`)).status(), 404);
  await page.context().close();
});

test('nobody else sees these forms, or is heard when they send them', async () => {
  await collector.run('site', 'add', 'kept.test');
  const stats = await collector.run('token', 'create', '--scope', 'stats');
  const ofOne = await collector.run('token', 'create', '--scope', 'admin', '--site', 'kept.test');
  for (const token of [stats, ofOne]) {
    const page = await signedIn(token);
    await page.goto(collector.origin + '/');
    assert.ok((await page.locator('.sites h2').allTextContents()).includes('kept.test'));
    assert.equal(await page.getByLabel('Domain').count(), 0);
    await page.goto(`${collector.origin}/kept.test/settings`);
    assert.equal(await page.locator('#domain, #remove').count(), 0);
    await page.context().close();
  }
  const forms = [
    ['/', { domain: 'added.test', timezone: 'UTC' }],
    ['/kept.test/settings', { action: 'domain', domain: 'added.test' }],
    ['/kept.test/settings', { action: 'remove-site', domain: 'kept.test' }],
  ];
  for (const [path, fields] of forms) {
    for (const token of ['', stats, ofOne]) {
      assert.ok([303, 404].includes((await send(path, token, fields)).status), `${path} for ${token}`);
    }
    assert.equal((await send(path, admin, fields, 'https://evil.test')).status, 403, `${path} of another page`);
  }
  const there = await sites();
  assert.ok('kept.test' in there && !('added.test' in there));
  // The same, of whoever may: the forms are what they are taken for.
  for (const [path, fields] of forms.slice(0, 1).concat([['/added.test/settings', { action: 'remove-site', domain: 'added.test' }]])) {
    assert.equal((await send(path, admin, fields)).status, 303);
  }
});

test('on a telephone in the dark the forms fit the screen', async () => {
  await collector.run('site', 'add', 'dark.test');
  const page = await signedIn(admin, { colorScheme: 'dark', viewport: { width: 390, height: 800 } });
  for (const [path, name] of [['/', 'add-site'], ['/dark.test/settings', 'register']]) {
    await page.goto(collector.origin + path);
    for (const summary of await page.locator('#add-site summary').all()) await summary.click();
    await page.screenshot({ path: `screenshots/${name}-dark-390.png`, fullPage: true });
    assert.ok((await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth)) <= 0, `${path} is wider than the screen`);
  }
  await page.context().close();
});
