// The documented configurations of nginx and Caddy, in front of the collector: script and endpoint under the site's
// own host, the visitor's address to the collector, and to no log.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { CHROME, Collector, eventually, freePort, launch, visit } from './harness.mjs';

const PROXIES = resolve(process.env.PASSERBY_PROXIES ?? '../../target/proxies');
const DOCUMENTED = resolve(import.meta.dirname, '../../deploy/proxies');
const PAGE = '<!doctype html><script defer src="/lib/app.js"></script><title>A page</title>';

/** What proxies write, or pass on as visitors send it. */
const FORWARDED = ['x-forwarded-for', 'x-plausible-ip', 'cf-connecting-ip', 'b-forwarded-for', 'forwarded'];

let collector, gullible, browser, directory;

before(async () => {
  collector = await Collector.start({
    PASSERBY_TRUSTED_PROXIES: '127.0.0.1/32',
    PASSERBY_FORWARDING_HEADERS: 'x-forwarded-for',
    PASSERBY_SCRIPT_EVENT_PATHS: '/lib/e',
  });
  gullible = await Collector.start({ PASSERBY_TRUSTED_PROXIES: '127.0.0.1/32', PASSERBY_SCRIPT_EVENT_PATHS: '/lib/e' });
  browser = await launch();
  directory = await mkdtemp(join(tmpdir(), 'passerby-proxies-'));
  await mkdir(join(directory, 'site'));
  await writeFile(join(directory, 'site/index.html'), PAGE);
});

after(async () => {
  await browser?.close();
  await collector?.stop();
  await gullible?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A documented configuration, at this test's places. */
async function configuration(file, places) {
  let text = await readFile(join(DOCUMENTED, file), 'utf8');
  for (const [documented, here] of Object.entries(places)) {
    assert.ok(text.includes(documented), `${file} does not say ${documented}`);
    text = text.replaceAll(documented, here);
  }
  return text;
}

/** Runs a proxy in the foreground while something is done. */
async function running(program, args, port, work) {
  const child = spawn(join(PROXIES, program), args, {
    env: { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  const ended = new Promise((done) => child.once('exit', done));
  try {
    await eventually(`${program} answers (${said})`, () => fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false));
    await work();
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

/** A person visits the site: what the collector counts, what crosses, and what the log keeps. */
async function check(domain, port, log) {
  const site = await collector.site(domain);
  const { context, page } = await visit(browser);
  const requests = [];
  page.on('request', (request) => requests.push(request));
  await context.addCookies([{ name: 'session', value: 'of-the-site', url: `http://${domain}:${port}` }]);
  await page.goto(`http://${domain}:${port}/`);
  await site.events(1);
  assert.ok(requests.every((request) => new URL(request.url()).host === `${domain}:${port}`), 'something came from elsewhere');
  assert.ok(requests.some((request) => new URL(request.url()).pathname === '/lib/e'));
  await context.close();
  // Whoever claims another address is known by the one that the connection has, and whoever has another is another.
  for (const [from, claimed] of [['127.0.7.1', '198.51.100.7'], ['127.0.7.1', '203.0.113.9'], ['127.0.9.1', '203.0.113.9']])
    assert.equal(await claim(domain, port, from, claimed), 202);
  await site.events(4);
  const [{ metrics }] = await site.report({ metrics: ['visitors'], filters: [['is', 'event:name', ['Claim']]] });
  assert.deepEqual(metrics, [2]);
  assert.equal(await chosen(site, domain, port), 1, 'a visitor chose an address');
  // What is asked behind a question mark may be a secret.
  await ask(port, '/lib/e?auth=of-a-link', '127.0.7.1');
  const { answer: kept } = await eventually('the log is written', async () => {
    const text = await readFile(log, 'utf8').catch(() => '');
    return /GET.*\/lib\/e/.test(text) && text;
  });
  // The host of a request is where it went, not where it came from.
  const from = kept.replaceAll(`127.0.0.1:${port}`, '');
  assert.doesNotMatch(from, /127\.0\.\d\.1|198\.51\.100\.7|203\.0\.113\.9|Mozilla|of-the-site|of-a-link/);
}

/** How many visitors one is who claims another address by each of the headers. */
async function chosen(site, domain, port) {
  const [{ metrics: [before] }] = await site.report({ metrics: ['events'] });
  for (const [number, name] of FORWARDED.entries()) {
    const claimed = `${name === 'forwarded' ? 'for=' : ''}203.0.${number}.9`;
    assert.equal(await claim(domain, port, '127.0.11.1', claimed, name, 'Choice'), 202);
  }
  await site.events(before + FORWARDED.length);
  const [{ metrics }] = await site.report({ metrics: ['visitors'], filters: [['is', 'event:name', ['Choice']]] });
  return metrics[0];
}

/** Sends an event from one address, claiming another. */
function claim(domain, port, localAddress, claimed, name = 'x-forwarded-for', event = 'Claim') {
  const headers = { host: domain, [name]: claimed, 'user-agent': CHROME, 'content-type': 'text/plain' };
  return new Promise((answered, failed) => {
    request({ host: '127.0.0.1', port, path: '/lib/e', method: 'POST', localAddress, headers }, (answer) => {
      answer.resume();
      answered(answer.statusCode);
    })
      .on('error', failed)
      .end(JSON.stringify({ n: event, u: `http://${domain}/`, d: domain }));
  });
}

/** Asks for a path, as a browser with a cookie of the site's at an address of this machine; returns the status. */
function ask(port, path, localAddress) {
  const headers = { 'user-agent': CHROME, cookie: 'session=of-the-site' };
  return new Promise((answered, failed) => {
    request({ host: '127.0.0.1', port, path, localAddress, headers }, (answer) => {
      answer.resume();
      answered(answer.statusCode);
    })
      .on('error', failed)
      .end();
  });
}

/** Runs nginx as documented, in front of a collector. */
async function nginx(collector, port, log, work) {
  const snippet = await configuration('nginx.conf', {
    'http://127.0.0.1:8000': collector.origin,
    '/var/log/nginx/passerby.log': log,
  });
  const format = /log_format no_addresses [^;]+;/.exec(snippet)[0];
  await writeFile(join(directory, 'snippet.conf'), snippet);
  await writeFile(join(directory, 'nginx.conf'), `
    user ${userInfo().username}; daemon off; pid ${directory}/nginx.pid; error_log ${log}.errors; worker_processes 1; events {}
    http {
      access_log off; ${format}
      client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
      uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
      types { text/html html; }
      server { listen 127.0.0.1:${port}; root ${directory}/site; include ${directory}/snippet.conf; }
    }`);
  await running('usr/sbin/nginx', ['-c', join(directory, 'nginx.conf'), '-p', directory], port, work);
}

test('nginx as documented', async () => {
  const [port, log] = [await freePort(), join(directory, 'nginx.log')];
  await nginx(collector, port, log, () => check('nginx.test', port, log));
});

test('behind the same nginx, a collector that believes every header lets visitors choose', async () => {
  const port = await freePort();
  const site = await gullible.site('chosen.test');
  await nginx(gullible, port, join(directory, 'gullible.log'), async () => {
    assert.equal(await chosen(site, 'chosen.test', port), 4);
  });
});

/** Sends bytes as they are, and returns all that is answered until the other side hangs up, or waits for more. */
function raw(port, text) {
  return new Promise((answered) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')));
    socket.setTimeout(5_000, () => socket.destroy());
    let all = '';
    socket.on('data', (bytes) => { all += bytes.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => answered(all));
  });
}

test('no message of the corpus is read as two behind nginx', async () => {
  const port = await freePort();
  const site = await collector.site('messages.test');
  const { framings, chunks } = JSON.parse(await readFile('../data/ambiguous.json', 'utf8'));
  const request = (fields, body) =>
    `POST /lib/e HTTP/1.1\r\nhost: messages.test\r\nuser-agent: ${CHROME}\r\n${fields}\r\n${body}`;
  const beacon = (name) => {
    const body = JSON.stringify({ n: name, u: 'https://messages.test/', d: 'messages.test' });
    return request(`content-length: ${body.length}\r\n`, body);
  };
  const last = 'GET / HTTP/1.1\r\nhost: messages.test\r\nconnection: close\r\n\r\n';
  const framed = framings.map((fields) => {
    const body = `0\r\n\r\n${beacon('Hidden')}`;
    return request(fields.replaceAll('LENGTH', body.length), body);
  });
  const chunked = chunks.map((begin) => request('transfer-encoding: chunked\r\n', begin + beacon('Hidden')));
  await nginx(collector, port, join(directory, 'messages.log'), async () => {
    // The control: two whole messages on a connection are two, and counted.
    const both = await raw(port, beacon('Plain') + beacon('Plain') + last);
    assert.deepEqual([...both.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status), ['202', '202', '200']);
    const read = async (sent) => {
      const answers = [...(await raw(port, sent + last)).matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
      assert.ok(!answers.includes('202'), `${answers} to ${JSON.stringify(sent)}`);
    };
    await Promise.all([...framed, ...chunked].map(read));
    // What comes after them is counted after them.
    await raw(port, beacon('Plain') + last);
    await site.events(3);
    assert.deepEqual(await site.by('event:name'), { Plain: 3 });
  });
});

test('nginx names nobody whose request fails, as long as the collector is away', async () => {
  const [port, log] = [await freePort(), join(directory, 'away.log')];
  await nginx({ origin: `http://127.0.0.1:${await freePort()}` }, port, log, async () => {
    for (const path of ['/lib/app.js', '/lib/e']) assert.equal(await ask(port, path, '127.0.7.1'), 502);
    // The control: what fails elsewhere on the site is logged with who asked.
    assert.equal(await ask(port, '/missing', '127.0.9.1'), 404);
  });
  const errors = await readFile(`${log}.errors`, 'utf8');
  assert.match(errors, /client: 127\.0\.9\.1/);
  assert.doesNotMatch(errors, /127\.0\.7\.1/);
});

test("the site's own cookies do not reach the collector", async () => {
  const cookies = [];
  const server = createServer(({ headers }, answer) => {
    cookies.push(headers.cookie);
    answer.end();
  });
  await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
  const origin = `http://127.0.0.1:${server.address().port}`;
  for (const run of [nginx, caddy]) {
    const port = await freePort();
    await run({ origin }, port, join(directory, `cookies-of-${run.name}.log`), async () => {
      for (const path of ['/lib/app.js', '/lib/e']) assert.equal(await ask(port, path, '127.0.7.1'), 200);
    });
  }
  server.close();
  assert.deepEqual(cookies, Array(4).fill(undefined));
});

/** Runs Caddy as documented, in front of a collector. */
async function caddy(collector, port, log, work) {
  const text = await configuration('Caddyfile', {
    'example.com {': `http://:${port} {`,
    '127.0.0.1:8000': new URL(collector.origin).host,
    '/srv/example.com': join(directory, 'site'),
    '/var/log/caddy/example.com.log': log,
  });
  // The file's own first block has what is said of all of Caddy.
  await writeFile(join(directory, 'Caddyfile'), text.replace(/^\{$/m, '{\n\tadmin off\n\tauto_https off'));
  const args = ['run', '--config', join(directory, 'Caddyfile'), '--adapter', 'caddyfile'];
  await running('usr/bin/caddy', args, port, work);
}

test('Caddy as documented', async () => {
  const [port, log] = [await freePort(), join(directory, 'caddy.log')];
  await caddy(collector, port, log, () => check('caddy.test', port, log));
});
