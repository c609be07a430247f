// Menus, filters, periods and lists as people come upon them: what is offered can be had, and what went wrong is said where it
// was typed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CHROME, dayBefore, Demo, eventually, launch } from './harness.mjs';

let demo, browser, admin, reader;

before(async () => {
  demo = await Demo.start('--events', '12000', '--days', '70');
  admin = await demo.run('token', 'create', '--scope', 'admin');
  reader = await demo.run('token', 'create', '--scope', 'stats', '--site', demo.site);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** A page of somebody, without scripts unless they are wanted. */
async function as(token, options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
  if (token) await context.addCookies([{ name: 'passerby-token', value: token, url: demo.origin }]);
  const page = await context.newPage();
  const open = (path) => page.goto(`${demo.origin}/${demo.site}${path}`);
  return { context, page, open };
}

test('every menu of an owner is on the screen of a telephone, and nothing is wider than it', async () => {
  for (const [width, locale] of [[390, 'en-GB'], [320, 'en-GB'], [320, 'de-DE'], [740, 'de-DE']]) {
    const { context, page, open } = await as(admin, { viewport: { width, height: 900 }, locale });
    for (const path of ['', '/journey', '/funnel', '/by/event:page', '/settings']) {
      await open(path);
      const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.ok(!isWider, `${path} is wider than ${width}`);
      for (const summary of await page.locator('.menu > summary').all()) {
        await summary.click();
        const box = await page.locator('.menu[open] .drop').boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= width, `${await summary.textContent()} at ${width}: ${JSON.stringify(box)}`);
        await summary.click();
      }
    }
    await context.close();
  }
});

test('what is clicked often is large enough for fingers, and labels of an axis keep apart', async () => {
  for (const [width, locale] of [[320, 'de-DE'], [390, 'en-GB'], [1280, 'de-DE']]) {
    const { context, page, open } = await as(admin, { viewport: { width, height: 900 }, locale });
    for (const view of ['', '?period=12mo', '?period=7d&interval=hour', '?period=all', '?period=24h']) {
      await open(view);
      const small = await page.locator('.ways a:visible, .ranking thead a:visible, .tabs a:visible').evaluateAll((links) =>
        links.map((link) => [link.textContent, link.getBoundingClientRect().height]).filter(([, height]) => height < 23.9));
      assert.deepEqual(small, [], `${view} at ${width}`);
      const labels = await page.locator('.labels text:visible').evaluateAll((labels) =>
        labels.map((label) => [label.textContent, label.getBoundingClientRect().left, label.getBoundingClientRect().right]));
      const overlapping = labels.slice(1).filter(([, left], place) => left < labels[place][2] + 3);
      assert.deepEqual(overlapping, [], `${view} at ${width} of ${JSON.stringify(labels)}`);
    }
    await context.close();
  }
});

test('an axis says which day or year it has come to, and all time which days it is of', async () => {
  const { context, page, open } = await as(admin);
  await open('?period=7d&interval=hour');
  const labels = await page.locator('.labels text').allTextContents();
  assert.ok(labels.length === 7 && labels.every((label) => /^\d+ \w{3}$/.test(label)), labels.join());
  await open('?period=2025-11-01,2026-03-31&interval=week&filter=contains,event:page,/');
  const years = (await page.locator('.labels text').allTextContents()).filter((label) => /\d{4}$/.test(label));
  assert.deepEqual(years.map((label) => label.slice(-4)), ['2025', '2026']);
  await open('?period=all');
  assert.match(await page.locator('.chart-head .range').textContent(), /^\d+ \w+.* – \d+ \w+ \d{4}$/);
  await context.close();
});

test('what the form for filters offers can be asked for, and a value that is none stands in it again', async () => {
  const { context, page, open } = await as(admin);
  await open('?period=91d&filter=is,visit:device,Desktop');
  const offered = await page.locator('#filter-dimension option').evaluateAll((all) => all.map(({ value }) => value));
  assert.ok(offered.length > 15 && !offered.includes('event:goal'));
  for (const dimension of offered) {
    for (const relation of ['is', 'is_not', 'contains', 'contains_not']) {
      const answer = await page.request.get(`${page.url()}&dimension=${dimension}&relation=${relation}&value=x`, { maxRedirects: 0 });
      assert.equal(answer.status(), 303, `${dimension} ${relation}`);
    }
  }
  // Goals are chosen.
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByLabel('Goal', { exact: true }).selectOption('Signup');
  await page.getByRole('button', { name: 'Filter by this goal' }).click();
  assert.match(await page.locator('.pills').textContent(), /Device is Desktop.*Goal is Signup/s);
  await page.goto(`${demo.origin}/${demo.site}?period=91d&dimension=event:goal&relation=is&value=signup`);
  assert.match(await page.locator('.pills').textContent(), /Goal is Signup/, 'also in lower case');
  // What can not be asked for is said there, and the view stays.
  const answer = await open('?period=91d&filter=is,visit:device,Desktop&dimension=event:goal&relation=is_not&value=Signup');
  assert.equal(answer.status(), 200);
  assert.match(await page.getByRole('alert').textContent(), /did not meet a goal/);
  assert.ok(await page.getByRole('alert').isVisible());
  assert.equal(await page.getByLabel('Value').inputValue(), 'Signup');
  assert.equal(await page.getByLabel('Relation').inputValue(), 'is_not');
  assert.match(await page.locator('.pills').textContent(), /Device is Desktop/);
  assert.match(await page.locator('#pages .more').getAttribute('href'), /period=91d&filter=is%2Cvisit%3Adevice%2CDesktop$/);
  await context.close();
});

test('a value that is written as it is not leads on to what was meant', async () => {
  const { context, page, open } = await as(admin, { javaScriptEnabled: true });
  await open('?period=91d');
  await page.keyboard.press('f');
  const values = () => page.locator('#filter-values option').evaluateAll((all) => all.map(({ value }) => value));
  assert.ok((await values()).includes('Google') && !(await values()).includes('/pricing'));
  await page.getByLabel('Filter by').selectOption({ label: 'Page' });
  assert.ok((await values()).includes('/pricing') && !(await values()).includes('Google'));
  await page.getByLabel('Value').fill('pricing');
  await page.getByRole('button', { name: 'Add filter' }).click();
  const notice = page.locator('.unmatched');
  assert.match(await notice.textContent(), /Nothing in this period matches/);
  await notice.getByRole('link', { name: 'Page contains pricing' }).click();
  assert.match(await page.locator('.pills').textContent(), /Page contains pricing/);
  assert.notEqual(await page.locator('.headlines .value').first().textContent(), '0');
  assert.equal(await notice.count(), 0);
  await open('/by/event:page?filter=is,visit:source,google');
  await page.locator('.unmatched').getByRole('link', { name: 'Without “Source is google”' }).click();
  assert.equal(await page.locator('.pills').count(), 0);
  assert.ok((await page.locator('tbody tr').count()) > 3);
  for (const country of ['germany', 'DE', 'deutschland']) {
    await open(`?period=91d&dimension=visit:country_name&relation=is&value=${country}`);
    assert.match(await page.locator('.pills').textContent(), /Country is Germany/);
  }
  await context.close();
});

test('a filter has several values: typed at once, added to it and taken out of it, without a script', async () => {
  const { context, page, open } = await as(admin);
  const filters = () => new URL(page.url()).search.slice(1).split('&').filter((pair) => !pair.startsWith('period')).map(decodeURIComponent);
  const pills = () => page.locator('.pills .asked').allTextContents();
  const visitors = async () => Number((await page.locator('.headlines .value').first().getAttribute('title')).replaceAll(',', ''));
  await open('?period=91d');
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByLabel('Value').fill('Google');
  await page.getByText('Several values').click();
  await page.getByLabel('or 2', { exact: true }).fill('Bing');
  await page.getByLabel('or 5', { exact: true }).fill('Google');
  await page.getByRole('button', { name: 'Add filter' }).click();
  assert.deepEqual(filters(), ['filter=is,visit:source,Google', 'or=Bing']);
  assert.deepEqual(await pills(), ['Source is Google× or Bing×']);
  const both = await visitors();
  // One more is added to the same filter, where it is and in the form.
  await page.locator('.pills summary').click();
  await page.getByLabel('Add to “Source is Google or Bing”').last().fill('Newsletter, A|B & C');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  assert.deepEqual(filters(), ['filter=is,visit:source,Google', 'or=Bing', 'or=Newsletter,+A|B+&+C']);
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByLabel('Value').fill('DuckDuckGo');
  await page.getByRole('button', { name: 'Add filter' }).click();
  assert.deepEqual(await pills(), ['Source is Google× or Bing× or Newsletter, A|B & C× or DuckDuckGo×']);
  await page.getByRole('link', { name: 'Take Newsletter, A|B & C out of the filter Source' }).click();
  await page.getByRole('link', { name: /^Take DuckDuckGo out/ }).click();
  assert.equal(await visitors(), both);
  // All other ways keep it whole.
  for (const link of ['.tabs a:not([aria-current])', '#pages .more', 'li:not(.current) a.figure', '.now', '.ways a:text-is("CSV")', '.set-up', '.menus nav a']) {
    assert.match(await page.locator(link).first().getAttribute('href'), /filter=is%2Cvisit%3Asource%2CGoogle&or=Bing/, link);
  }
  const list = await page.request.get(await page.locator('#sources .ways a', { hasText: 'CSV' }).evaluate(({ href }) => href));
  assert.deepEqual((await list.text()).trim().split('\r\n').slice(1).map((line) => line.split(',')[0]).sort(), ['Bing', 'Google']);
  // Turned round it leaves the others, and saved it is a segment.
  await page.locator('.pills').getByRole('link', { name: 'is', exact: true }).click();
  assert.deepEqual(filters(), ['filter=is_not,visit:source,Google', 'or=Bing']);
  const others = await page.locator('#sources tbody th').allTextContents();
  assert.ok(others.length > 2 && !others.includes('Google') && !others.includes('Bing'));
  await page.goBack({ waitUntil: 'commit' });
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.locator('#segments').getByLabel('Name').fill('Two engines');
  await page.getByRole('button', { name: 'Save these filters' }).click();
  const entry = page.locator('#segments .entries li', { hasText: 'Two engines' });
  assert.match(await entry.textContent(), /Two engines Source is Google or Bing/);
  await open('?period=91d');
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByRole('navigation', { name: 'Segments' }).getByRole('link', { name: 'Two engines' }).click();
  assert.equal(await visitors(), both);
  // Of two values one is left, and a row of the list stands for itself alone.
  await open('?period=91d&filter=is,visit:source,Google&or=Bing');
  await page.locator('#sources').getByRole('link', { name: 'Bing', exact: true }).click();
  assert.deepEqual(filters(), ['filter=is,visit:source,Bing']);
  await open('?period=91d&filter=is,visit:source,Google&or=Bing');
  await page.getByRole('link', { name: 'Take Google out of the filter Source' }).click();
  assert.deepEqual(await pills(), ['Source is Bing']);
  await context.close();
});

test('goals and segments are added to a filter by choice, and of too many values it is said', async () => {
  const { context, page, open } = await as(admin);
  await open('?period=91d&filter=is,event:goal,Signup');
  await page.locator('.pills summary').click();
  const choices = page.getByLabel('Add to “Goal is Signup”').last();
  assert.ok(!(await choices.locator('option').allTextContents()).includes('Signup'));
  await choices.selectOption('Purchase');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  assert.match(await page.locator('.pills').textContent(), /Goal is Signup× or Purchase/);
  const twenty = Array.from({ length: 19 }, (_, place) => `&or=${place}`).join('');
  await open(`?filter=contains,event:page,x${twenty}`);
  assert.equal(await page.locator('.pills summary').count(), 0, 'there is no room for one more');
  await open(`?filter=is,event:page,x${twenty}&dimension=event:page&relation=is&value=y&value=z`);
  assert.match(await page.getByRole('alert').textContent(), /20 values at most/);
  assert.equal(await page.getByLabel('Value').inputValue(), 'y');
  assert.equal(await page.getByLabel('or 2', { exact: true }).inputValue(), 'z');
  await open(`?filter=is,event:page,x${twenty}&or=y`);
  assert.match(await page.locator('.notice').first().textContent(), /left out/);
  // What was typed for one filter goes there when it is sent again.
  await open('?filter=is,visit:os,Linux&filter=is,event:goal,Signup&among=1&dimension=event:goal&relation=is&value=Sinup');
  assert.match(await page.getByRole('alert').textContent(), /no goal Sinup/);
  assert.equal(await page.locator('form:has(#filter-value) [name=among]').inputValue(), '1');
  await context.close();
});

test('with a script a filter offers the values that it leaves out, and the last field brings another', async () => {
  const { context, page, open } = await as(admin, { javaScriptEnabled: true });
  await open('?period=91d&filter=is,visit:source,Google');
  const offered = () => page.locator('#others-0 option').evaluateAll((all) => all.map(({ value }) => value));
  assert.ok(!(await offered()).includes('Bing'));
  await page.locator('.pills summary').click();
  await eventually('the others are offered', async () => (await offered()).includes('Bing'));
  await page.keyboard.press('Escape');
  await page.keyboard.press('f');
  await page.getByText('Several values').click();
  assert.equal(await page.locator('.values input').count(), 4);
  await page.getByLabel('or 5', { exact: true }).fill('Bing');
  await page.getByLabel('or 6', { exact: true }).fill('DuckDuckGo');
  assert.equal(await page.locator('.values input').count(), 6);
  await page.getByLabel('Value').fill('Ecosia');
  await page.getByRole('button', { name: 'Add filter' }).click();
  assert.equal(await page.locator('.pills .asked').textContent(), 'Source is Google× or Ecosia× or Bing× or DuckDuckGo×');
  await context.close();
});

test('a reader of a shared link is told that its filters are left out', async () => {
  const { page, open, context } = await as(admin);
  await open('/settings');
  await page.locator('#links').getByLabel('What it is for').fill('Guests');
  await page.locator('#links').getByRole('button', { name: 'Save link' }).click();
  const url = await page.locator('#links li', { hasText: 'Guests' }).locator('code').textContent();
  const guest = await as(undefined);
  await guest.page.goto(url);
  assert.equal(await guest.page.locator('.notice').count(), 0);
  await guest.open('?filter=is,visit:source,Google');
  assert.match(await guest.page.locator('.notice').textContent(), /Filters of this link|filters of this link/);
  const gone = await guest.page.goto(url.slice(0, -2));
  assert.equal(gone.status(), 404);
  assert.match(await guest.page.locator('main').textContent(), /does not exist, or was removed.*whoever sent it/s);
  await guest.context.close();
  await context.close();
});

test('a list of one kind of events has its own heading, and leaves the view as it was', async () => {
  const { context, page, open } = await as(admin);
  for (const [tab, heading] of [['outbound', 'Links'], ['downloads', 'Downloads'], ['searches', 'Searches'], ['missing', '404']]) {
    await open(`?period=91d&tab.events=${tab}`);
    const shown = await page.locator('#events tbody th').allTextContents();
    assert.ok(shown.length > 0, tab);
    await page.locator('#events .more').click();
    assert.equal(await page.locator('h1').textContent(), heading);
    assert.equal(await page.locator('.pills').count(), 0);
    assert.deepEqual((await page.locator('tbody th').allTextContents()).slice(0, shown.length), shown);
    const csv = await (await page.request.get(new URL(await page.locator('.csv').getAttribute('href'), demo.origin).href)).text();
    assert.equal(csv.trim().split('\r\n').length, 1 + (await page.locator('tbody tr').count()), tab);
    await page.locator('.site-name').click();
    assert.equal(new URL(page.url()).search, `?period=91d&tab.events=${tab}`);
  }
  await context.close();
});

test('versions are those of a product, and a click asks for both', async () => {
  const { context, page, open } = await as(admin);
  for (const [tab, product] of [['visit:os_version', /^(Windows|Mac|iOS|Android)/], ['visit:browser_version', /^(Chrome|Safari|Firefox)/]]) {
    await open(`?period=91d&tab.devices=${tab}`);
    const [first] = await page.locator('#devices tbody th').allTextContents();
    assert.match(first, product);
    const visitors = await page.locator('#devices tbody td').first().textContent();
    await page.locator('#devices tbody th a').first().click();
    assert.equal(await page.locator('.pills li:not(.all)').count(), 2);
    assert.equal(await page.locator('.headlines .value').first().textContent(), visitors);
    await open(`/by/${tab}?period=91d&search=${first.slice(0, 4)}`);
    assert.ok((await page.locator('tbody th').allTextContents()).every((name) => name.startsWith(first.slice(0, 4))));
  }
  await context.close();
});

test('a period without visits says whether it is over, or to come', async () => {
  const { context, page, open } = await as(admin);
  await open('?from=2020-01-01&to=2020-02-01');
  assert.match(await page.locator('.empty').textContent(), /before the first visit, which came on \d+ \w+ \d{4}/);
  await page.getByRole('link', { name: 'See all time' }).click();
  assert.equal(new URL(page.url()).search, '?period=all');
  await open(`?from=${dayBefore(-30)}&to=${dayBefore(-40)}`);
  assert.match(await page.locator('.empty').textContent(), /still to come/);
  assert.equal(await page.locator('.empty pre').count(), 0);
  await context.close();
});

test('what is not compared offers no comparison, and a funnel of nobody has no shares', async () => {
  const { context, page, open } = await as(admin);
  for (const [path, menus] of [['', 3], ['/funnel', 3], ['/by/event:page', 3], ['/journey', 2]]) {
    await open(path);
    assert.equal(await page.locator('.menu').count(), menus, path);
  }
  await open('/funnel?period=7d&compare=year&step=page,/nowhere&step=page,/pricing');
  assert.match(await page.locator('.result').textContent(), /Nobody began/);
  assert.ok((await page.locator('thead').textContent()).includes('In the year before'));
  assert.doesNotMatch(await page.locator('table.funnel tbody').textContent(), /%/);
  await context.close();
});

test('yesterday and the month before are in the menu, and arrows lead from period to period', async () => {
  const { context, page, open } = await as(admin);
  await open('?period=7d&interval=hour');
  assert.equal(await page.locator('.steps [rel=next]').count(), 0, 'that has not come yet');
  await page.locator('.steps [rel=prev]').click();
  const [from, to] = new URL(page.url()).searchParams.get('period').split(',').map(Date.parse);
  assert.equal((to - from) / 86_400_000, 6);
  assert.equal(new URL(page.url()).searchParams.get('interval'), 'hour');
  await page.locator('.steps [rel=next]').click();
  await page.locator('.steps [rel=prev]').focus();
  const before = new Date(from).toISOString().slice(0, 10);
  await Promise.all([page.waitForURL((url) => url.searchParams.get('period').startsWith(before)), page.keyboard.press('Enter')]);
  for (const name of ['Yesterday', 'Last month']) {
    await page.locator('.steps summary').click();
    await page.getByRole('link', { name, exact: true }).click();
    assert.match(await page.locator('.steps summary').textContent(), new RegExp(name));
    assert.notEqual(await page.locator('.chart-head .range').textContent(), '');
  }
  await page.locator('.steps [rel=next]').click();
  assert.equal(new URL(page.url()).searchParams.get('period'), 'month');
  await context.close();
});

test('the file of one period does not take the place of another', async () => {
  const { context, page } = await as(admin);
  const names = [];
  for (const query of ['period=7d', 'period=30d', 'period=all']) {
    const answer = await page.request.get(`${demo.origin}/${demo.site}/csv/event:page?${query}`);
    names.push(/filename="(.*)"/.exec(answer.headers()['content-disposition'])[1]);
  }
  assert.equal(new Set(names).size, 3, names.join());
  assert.match(names[0], /^demo\.example-event-page-\d{4}-\d\d-\d\d-to-\d{4}-\d\d-\d\d\.csv$/);
  await context.close();
});

test('segments and funnels are told in words, and a funnel that was saved is the one that is seen', async () => {
  const { context, page, open } = await as(admin);
  await open('/settings?filter=is,visit:source,Google&filter=contains,event:page,blog');
  await page.locator('#segments').getByLabel('Name').fill('Searchers');
  await page.getByRole('button', { name: 'Save these filters' }).click();
  const entry = page.locator('#segments .entries li', { hasText: 'Searchers' });
  assert.match(await entry.textContent(), /Searchers Source is Google · Page contains blog/);
  await entry.getByRole('link').click();
  assert.match(await page.locator('.pills').textContent(), /Segment is Searchers/);
  await open('/funnel?period=7d&step=page,/&step=goal,Signup');
  await page.getByPlaceholder('Name', { exact: true }).fill('To the signup');
  await page.getByRole('button', { name: 'Save funnel' }).click();
  assert.match(page.url(), /\/funnel\?period=7d&step=page/);
  assert.equal(await page.locator('.tabs a[aria-current]').first().textContent(), 'To the signup');
  await open('/settings');
  assert.match(await page.locator('#funnels .entries').textContent(), /To the signup \/ → Goal Signup/);
  await page.locator('#goals').getByLabel('Name of the event').fill('Scrolled');
  await page.locator('#goals').getByLabel('scrolled down so far').fill('50');
  await page.getByRole('button', { name: 'Add goal' }).click();
  assert.match(await page.locator('#goals').getByRole('alert').textContent(), /Only pages are scrolled/);
  await page.locator('#tokens').getByLabel('What it is for').fill('Until the end of the year');
  await page.locator('#tokens').getByLabel('Last day').fill('2027-12-31');
  await page.getByRole('button', { name: 'Make token' }).click();
  assert.match(await page.locator('#tokens li', { hasText: 'Until the end' }).textContent(), /until 31 December 2027/);
  await context.close();
});

test('whoever may not change a site is told so, and learns of no site', async () => {
  const viewer = await as(reader);
  assert.equal((await viewer.open('/settings')).status(), 403);
  assert.match(await viewer.page.locator('main').textContent(), /change nothing/);
  await viewer.context.close();
  const stranger = await as(undefined);
  for (const site of [demo.site, 'nowhere.test']) {
    await stranger.page.goto(`${demo.origin}/${site}/settings`);
    assert.equal(stranger.page.url(), `${demo.origin}/sign-in?next=%2F${site}%2Fsettings`);
  }
  const missing = await stranger.open('/anything');
  assert.deepEqual([missing.status(), await stranger.page.locator('h1').textContent()], [404, 'There is nothing here']);
  const machine = await fetch(`${demo.origin}/${demo.site}/anything`);
  assert.deepEqual([machine.status, await machine.json()], [404, { error: 'There is nothing here.' }]);
  await stranger.context.close();
});

test('the settings begin with a way to each of their parts, for whoever has it', async () => {
  const editor = await demo.run('token', 'create', '--scope', 'stats', '--site', demo.site);
  for (const [token, least] of [[admin, 11], [editor, 0]]) {
    const { context, page, open } = await as(token);
    await open('/settings?lang=de');
    const parts = await page.locator('section.settings').evaluateAll((all) => all.map((part) => ['#' + part.id, part.querySelector('h2').textContent]));
    const ways = await page.locator('.contents a').evaluateAll((all) => all.map((way) => [way.getAttribute('href'), way.textContent]));
    assert.deepEqual(ways, parts);
    assert.ok(parts.length >= least);
    if (least > 0) {
      await page.getByRole('navigation', { name: 'Auf dieser Seite' }).getByRole('link', { name: 'Ziele' }).click();
      assert.ok(await page.locator('#goals h2').evaluate((heading) => heading.getBoundingClientRect().top < innerHeight / 2));
    }
    await context.close();
  }
});

test('the tag is copied by a button, which tells that it did', async () => {
  const { context, page, open } = await as(admin, { javaScriptEnabled: true });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: demo.origin });
  await open('/settings');
  const button = page.getByRole('button', { name: 'Copy: The tag for every page of the site' });
  await button.focus();
  await page.keyboard.press('Enter');
  await page.locator('#site [role=status]', { hasText: 'Copied' }).waitFor({ state: 'attached' });
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^<script defer data-domain="demo\.example"/);
  await context.close();
  const without = await as(admin);
  await without.open('/settings');
  assert.equal(await without.page.getByRole('button', { name: 'Copy' }).count(), 0);
  await without.context.close();
});

test('a site without goals leads whoever edits it to the form, and others to whoever does', async () => {
  await demo.run('site', 'add', 'goalless.test', '--public', '--least-visitors', '1');
  await fetch(demo.origin + '/api/event', {
    method: 'POST',
    headers: { 'user-agent': CHROME, 'content-type': 'text/plain' },
    body: JSON.stringify({ n: 'pageview', u: 'https://goalless.test/', d: 'goalless.test' }),
  });
  const { context, page } = await as(admin);
  const goals = page.locator('#goals');
  await eventually('the visit is seen', async () => {
    await page.goto(`${demo.origin}/goalless.test?period=day`);
    return (await goals.count()) > 0;
  });
  await goals.getByRole('link', { name: 'Add the first goal' }).click();
  assert.match(page.url(), /\/goalless\.test\/settings\?period=day#goals$/);
  await context.close();
  const stranger = await as(undefined);
  await stranger.page.goto(`${demo.origin}/goalless.test?period=day`);
  assert.match(await stranger.page.locator('#goals').textContent(), /Whoever edits this site can add some/);
  await stranger.context.close();
});
