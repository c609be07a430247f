// Shared links, public sites and tokens as people make and use them: in a real browser, without scripts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Demo, launch } from './harness.mjs';

const PASSWORD = 'correct horse';
let demo, browser, admin;

before(async () => {
  demo = await Demo.start('--events', '20000', '--days', '120');
  browser = await launch();
  admin = await demo.run('token', 'create', '--scope', 'admin', '--note', 'the boss');
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const person = (options = {}) =>
  browser.newContext({ javaScriptEnabled: false, locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });

/** The settings of the site, for whoever administers it. */
async function settings(options) {
  const context = await person(options);
  await context.addCookies([{ name: 'passerby-token', value: admin, url: demo.origin }]);
  const page = await context.newPage();
  await page.goto(`${demo.origin}/${demo.site}/settings`);
  return page;
}

/** Makes a link in the settings. */
async function saveLink(page, name, password) {
  const links = page.locator('#links');
  await links.getByLabel('What it is for').fill(name);
  if (password) await links.getByLabel('Password').fill(password);
  await links.getByRole('button', { name: 'Save link' }).click();
}

/** Makes a link in the settings; its address. */
async function makeLink(page, name, password) {
  await saveLink(page, name, password);
  return page.locator('#links li', { hasText: name }).locator('code').textContent();
}

test('a link with a password is made, opened, seen to be used, and removed', async () => {
  const page = await settings();
  const url = await makeLink(page, 'The press', PASSWORD);
  const entry = page.locator('#links li', { hasText: 'The press' });
  assert.match(await entry.textContent(), /with password · tells 5 visitors or more · not used yet/);

  const reader = await (await person()).newPage();
  await reader.goto(url);
  await reader.getByLabel('Password').fill('wrong horse');
  await reader.getByRole('button', { name: 'Show the reports' }).click();
  assert.match(await reader.getByRole('alert').textContent(), /not the password/);
  await reader.getByLabel('Password').fill(PASSWORD);
  await reader.getByRole('button', { name: 'Show the reports' }).click();
  await reader.waitForURL(`${demo.origin}/${demo.site}`);
  assert.equal(await reader.locator('.note').count(), 1);
  assert.equal(await reader.locator('#now').count(), 0, 'nothing of this moment');
  assert.equal(await reader.getByText('Filter', { exact: true }).count(), 0, 'no filters');

  await page.reload();
  assert.match(await entry.textContent(), /last used \d+ \p{L}+ \d{4}, \d\d:\d\d/u);
  const used = new Date(await entry.locator('time').getAttribute('datetime'));
  assert.ok(Math.abs(Date.now() - used) < 600_000, `${used}: the moment itself`);
  await page.getByRole('button', { name: 'Remove: The press' }).click();
  assert.equal(await entry.count(), 0);
  const gone = await reader.goto(url);
  assert.equal(gone.status(), 404);
});

test('a reader of a link is told multiples of five, and all small numbers together', async () => {
  const page = await settings();
  const url = await makeLink(page, 'Readers');
  const reader = await (await person()).newPage();
  await reader.goto(url);
  const figure = await reader.locator('.headlines .value').first().getAttribute('title');
  assert.equal(Number(figure.replace(/\D/g, '')) % 5, 0, figure);
  for (const dimension of ['visit:source', 'event:page', 'visit:country', 'visit:browser', 'visit:utm_campaign']) {
    await reader.goto(`${demo.origin}/${demo.site}/by/${dimension}?period=91d`);
    const numbers = await reader.locator('tbody tr td:nth-child(2)').allTextContents();
    assert.ok(numbers.every((text) => Number(text.replace(/\D/g, '')) % 5 === 0), numbers.join());
  }
  await reader.goto(`${demo.origin}/${demo.site}/by/visit:source?period=91d`);
  await reader.getByText('Small numbers together').waitFor();
  // The bar of a row is behind its name.
  const onTop = await reader.locator('tbody th').first().evaluate((cell) => {
    const name = cell.querySelector('span').getBoundingClientRect();
    return document.elementFromPoint(name.x + 12, name.y + name.height / 2).tagName;
  });
  assert.equal(onTop, 'SPAN');
  await reader.goto(`${demo.origin}/${demo.site}/by/visit:source?period=91d&lang=de`);
  await reader.getByText('Kleine Zahlen zusammen').waitFor();
  // The site is public and tells everybody every number: the administrator, too.
  await page.goto(`${demo.origin}/${demo.site}/by/visit:source?period=91d`);
  assert.equal(await page.locator('.note').count(), 0);
});

test('a token is made in the settings, shown once, signs in, and is removed', async () => {
  const page = await settings();
  const tokens = page.locator('#tokens');
  await tokens.getByLabel('What it is for').fill('The board');
  await tokens.getByLabel('Hide numbers below').fill('7');
  await tokens.getByRole('button', { name: 'Make token' }).click();
  const made = await tokens.locator('pre code').textContent();
  assert.match(made, /^psb_[0-9a-f]{64}$/);
  await page.goto(`${demo.origin}/${demo.site}/settings`);
  assert.equal(await tokens.locator('pre code').count(), 0);
  assert.match(await tokens.locator('li', { hasText: 'The board' }).textContent(), /tells 7 visitors or more/);

  const reader = await (await person()).newPage();
  await reader.goto(`${demo.origin}/sign-in?next=/${demo.site}`);
  await reader.getByLabel('Token').fill(made);
  await reader.getByRole('button', { name: 'Sign in' }).click();
  assert.match(await reader.locator('.note').textContent(), /fewer than 7 visitors/);
  await page.getByRole('button', { name: 'Remove: The board' }).click();
  assert.equal(await tokens.locator('li', { hasText: 'The board' }).count(), 0);
});

test('a password that is too short is refused in the form, and one that gets past it by the collector', async () => {
  const page = await settings();
  await page.locator('#link-password').evaluate((field) => field.removeAttribute('minlength'));
  await saveLink(page, 'Short', 'short');
  assert.match(await page.getByRole('alert').textContent(), /at least 8 characters/);
});
