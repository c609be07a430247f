// What visitors send to be run in the dashboard: it is shown, on every page that shows it, and nothing of it runs, even
// in a browser that ignores the policy of the pages. The same texts, written into a page as they are, do run.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CHROME, Collector, eventually, launch, servePages } from './harness.mjs';

/** Ways to run something without anybody's help. */
const RUNNING = [
  (call) => `<script>${call}</script>`,
  (call) => `<ScRiPt >${call}</sCrIpT>`,
  (call) => `<script/x>${call}</script>`,
  (call) => `<img src=x onerror=${call}>`,
  (call) => `<img src=x onerror="${call}">`,
  (call) => `<img/src=x/onerror=${call}>`,
  (call) => `<svg onload=${call}>`,
  (call) => `<svg/onload=${call}//`,
  (call) => `<svg><script>${call}</script></svg>`,
  (call) => `<svg><animate onbegin=${call} attributeName=x dur=1s>`,
  (call) => `<math><mtext><img src=x onerror=${call}></mtext></math>`,
  (call) => `<body onload=${call}>`,
  (call) => `<details open ontoggle=${call}>x</details>`,
  (call) => `<video><source onerror=${call}></video>`,
  (call) => `<audio src=x onerror=${call}>`,
  (call) => `<object data=x onerror=${call}></object>`,
  (call) => `<input autofocus onfocus=${call}>`,
  (call) => `<select autofocus onfocus=${call}></select>`,
  (call) => `<iframe srcdoc="<script>parent.${call}</script>"></iframe>`,
  (call) => `<iframe src="javascript:parent.${call}"></iframe>`,
  (call) => `<a href="javascript:${call}">x</a>`,
  (call) => `<form action="javascript:${call}"><button>x</button></form>`,
  (call) => `<style>@keyframes x{}</style><b style="animation-name:x" onanimationstart="${call}"></b>`,
  (call) => `<noscript><p title="</noscript><img src=x onerror=${call}>">`,
  (call) => `javascript:${call}`,
  (call) => `{{constructor.constructor('${call}')()}}`,
  (call) => `\${${call}}`,
  (call) => `<%= ${call} %>`,
];

/** Ways out of where a text may stand. */
const ESCAPING = [
  (text) => text,
  (text) => `">${text}`,
  (text) => `'>${text}`,
  (text) => `"/>${text}<i x="`,
  (text) => `</script>${text}`,
  (text) => `</title></style></textarea>${text}`,
  (text) => `-->${text}<!--`,
  (text) => `]]>${text}`,
  (text) => `\\">${text}`,
  (text) => `" autofocus onfocus=x x="${text}`,
  (text) => `&lt;/b&gt;${text}`,
  (text) => `\u{ff1c}b\u{ff1e}${text}`,
];

const PAYLOADS = RUNNING.flatMap((running, one) =>
  ESCAPING.map((escaping, other) => escaping(running(`ran(${one * 100 + other})`))));

let collector, browser, site, admin;

async function send(beacon) {
  const answer = await fetch(collector.origin + '/api/event', {
    method: 'POST',
    headers: { 'user-agent': CHROME, 'content-type': 'text/plain', 'accept-language': 'de' },
    body: JSON.stringify({ d: 'injected.test', ...beacon }),
  });
  assert.equal(answer.status, 202, await answer.text());
}

before(async () => {
  collector = await Collector.start({ PASSERBY_TRUSTED_PROXIES: '127.0.0.1/32' });
  browser = await launch();
  site = await collector.site('injected.test');
  admin = await collector.run('token', 'create', '--scope', 'admin');
  for (const payload of PAYLOADS) {
    const inUrl = encodeURIComponent(payload);
    const tags = ['source', 'medium', 'campaign', 'content', 'term'].map((tag) => `utm_${tag}=${inUrl}`).join('&');
    const u = `https://injected.test/${inUrl}?${tags}`;
    await send({ n: 'pageview', u, r: `https://referrer.test/${inUrl}` });
    const url = `https://elsewhere.test/${payload}`;
    await send({ n: payload.slice(0, 120), u, p: { url, path: payload, [payload]: payload } });
    await send({ n: 'Outbound Link: Click', u, p: { url: payload } });
  }
  await site.events(PAYLOADS.length * 3);
});

after(async () => {
  await browser?.close();
  await collector?.stop();
});

/** A page in which `ran` notes who called it. */
async function watched(options) {
  const context = await browser.newContext(options);
  const ran = [];
  await context.exposeFunction('ran', (number) => { ran.push(number); });
  const page = await context.newPage();
  page.on('dialog', (dialog) => { ran.push(dialog.message()); return dialog.dismiss(); });
  return { context, page, ran };
}

/** How many rows a page of a list has. */
const ROWS = 50;
const DIMENSIONS = ['event:page', 'event:name', 'visit:source', 'visit:referrer', 'visit:utm_medium', 'visit:utm_campaign',
  'visit:utm_content', 'visit:utm_term', 'visit:entry_page', 'visit:exit_page', 'event:props:url', 'event:props:path'];

function paths() {
  const first = DIMENSIONS.map((dimension) => `/by/${dimension}?period=24h`);
  const more = ['event:page', 'event:props:path'].flatMap((dimension) =>
    Array.from({ length: Math.ceil(PAYLOADS.length / ROWS) - 1 }, (_, page) => `/by/${dimension}?period=24h&page=${page + 2}`));
  const props = PAYLOADS.filter((_, number) => number % 40 === 0).map((key) => `/by/${encodeURIComponent(`event:props:${key}`)}?period=24h`);
  const filtered = PAYLOADS.filter((_, number) => number % 30 === 0).flatMap((payload) => {
    const value = encodeURIComponent(payload);
    return [`?period=24h&filter=contains,event:page,${value}`, `/by/event:page?search=${value}`, `?metric=${value}&lang=${value}`];
  });
  return ['?period=24h', '/live', '/why?period=24h', '/settings?filter=contains,event:page,%3Cscript%3E', ...first, ...more, ...props, ...filtered]
    .map((path) => `/injected.test${path}`);
}

test('nothing that a visitor sends runs on a page, with or without its policy', async () => {
  assert.ok(PAYLOADS.length >= 300);
  for (const bypassCSP of [true, false]) {
    const { context, page, ran } = await watched({ bypassCSP });
    await context.addCookies([{ name: 'passerby-token', value: admin, url: collector.origin }]);
    const shown = new Set();
    for (const path of bypassCSP ? paths() : paths().slice(0, 16)) {
      const answer = await page.goto(collector.origin + path);
      assert.ok(answer.status() < 500, `${path}: ${answer.status()}`);
      await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
      const [text, links] = await page.evaluate(() => [
        document.body.innerText,
        [...document.querySelectorAll('a[href], form[action]')].map((link) => new URL(link.href ?? link.action, location).protocol),
      ]);
      for (const [, number] of text.matchAll(/ran\((\d+)\)/g)) shown.add(number);
      assert.deepEqual([...new Set(links)].filter((protocol) => !/^https?:$/.test(protocol)), [], path);
    }
    // Each of them was there to be run.
    if (bypassCSP) assert.equal(shown.size, PAYLOADS.length);
    else assert.ok(shown.size >= ROWS, `only ${shown.size} were shown`);
    assert.deepEqual(ran, []);
    await context.close();
  }
});

test('what answers the API gives are no pages', async () => {
  const headers = { authorization: `Bearer ${admin}` };
  const asked = (accept) => fetch(collector.origin + '/api/v2/query', {
    method: 'POST',
    headers: { ...headers, accept },
    body: JSON.stringify({ site_id: 'injected.test', metrics: ['events'], date_range: '24h', dimensions: ['event:page'] }),
  });
  for (const type of ['application/json', 'text/csv', 'application/x-ndjson']) {
    const answer = await asked(type);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /<script>ran\(/);
    assert.ok(answer.headers.get('content-type').startsWith(type));
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  }
});

test('the same texts run in a page into which they are written as they are', async () => {
  const values = Object.keys(await site.by('event:props:path'));
  const pages = await servePages({ '/': '<!doctype html><body></body>' });
  const { context, page, ran } = await watched({});
  for (const value of values.filter((_, number) => number % 3 === 0)) {
    await page.goto(pages.at('127.0.0.1'));
    await page.evaluate((text) => { document.write(text); }, value).catch(() => {});
  }
  await eventually('they have run', () => ran.length >= 30);
  await context.close();
  await pages.close();
});
