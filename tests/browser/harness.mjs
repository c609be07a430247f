// What the browser tests share: the real collector with a data directory of its own, a browser, and a server for the
// pages of the tests, all on the loopback interface.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const PROGRAM = resolve(process.env.PASSERBY_PROGRAM ?? '../../target/debug/passerby');
const PATIENCE_MS = 30_000;
// A browser without a window says so in its user agent, and is judged a bot.
export const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';

/** Asks again and again until there is an answer; returns it and how long that took. */
export async function eventually(what, ask) {
  const begun = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer) return { answer, ms: performance.now() - begun };
    if (performance.now() - begun > PATIENCE_MS) throw new Error(`waited in vain until ${what}`);
    await new Promise((later) => setTimeout(later, 50));
  }
}

/** The date of a day before today, by the clock of UTC. */
export function dayBefore(days) {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

/** The real program, serving on a free port. */
export class Collector {
  static async start(variables = {}) {
    const collector = new Collector();
    collector.directory = await mkdtemp(join(tmpdir(), 'passerby-browser-'));
    collector.environment = { PASSERBY_DATA_DIR: collector.directory, PASSERBY_LISTEN: '127.0.0.1:0', ...variables };
    collector.child = spawn(PROGRAM, ['serve'], { env: collector.environment, stdio: ['ignore', 'ignore', 'pipe'] });
    collector.origin = await new Promise((found, failed) => {
      let log = '';
      collector.child.stderr.on('data', (text) => {
        log += text;
        const address = /address=(\S+)/.exec(log);
        if (address) found(`http://${address[1]}`);
      });
      collector.child.on('exit', (code) => failed(new Error(`the collector ended with ${code}: ${log}`)));
    });
    await eventually('the collector is ready', async () => (await fetch(collector.origin + '/readyz')).ok);
    return collector;
  }

  /** Runs another command on the same data, and returns what it printed. */
  async run(...args) {
    const { stdout } = await promisify(execFile)(PROGRAM, args, { env: this.environment });
    return stdout.trim();
  }

  /** The rows of a report of the last day. */
  async results(token, query) {
    const answer = await fetch(this.origin + '/api/v2/query', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ date_range: '24h', ...query }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(body));
    return body.results;
  }

  /** A new site of its own, with what its reports say. */
  async site(domain) {
    await this.run('site', 'add', domain, '--timezone', 'Europe/Berlin');
    this.token ??= await this.run('token', 'create', '--scope', 'stats');
    return new Site(this, domain);
  }

  async stop() {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGTERM');
    await ended;
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A site of a collector, as its reports show it. */
export class Site {
  constructor(collector, domain) {
    Object.assign(this, { collector, domain });
  }

  report(query) {
    return this.collector.results(this.collector.token, { site_id: this.domain, ...query });
  }

  /** Waits for as many events, attention not among them, and says how long that took. */
  events(count) {
    let seen;
    return eventually(`${this.domain} has ${count} events`, async () => {
      [{ metrics: [seen] }] = await this.report({ metrics: ['events'] });
      return seen === count;
    }).catch((error) => Promise.reject(new Error(`${error.message}: it has ${seen}`)));
  }

  /** The values of a dimension with their count of a metric, in order. */
  async by(dimension, { metric = 'events', filters } = {}) {
    const rows = await this.report({ metrics: [metric], dimensions: [dimension], filters, order_by: [[dimension, 'asc']] });
    return Object.fromEntries(rows.map((row) => [row.dimensions[0], row.metrics[0]]));
  }

  /** How often each page was viewed. */
  views() {
    return this.by('event:page', { metric: 'pageviews' });
  }

  /** How often each property's value came with an event. */
  property(event, name) {
    return this.by(`event:props:${name}`, { filters: [['is', 'event:name', [event]]] });
  }
}

const TYPES = { js: 'text/javascript', pdf: 'application/pdf' };

/** Pages by their path, for every host name that the browser is told to find here, and the paths that were asked for.
 * What is not found is a 404 with the page `/404`, if there is one. */
export async function servePages(pages) {
  const asked = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    asked.push(pathname);
    const page = pages[pathname];
    const type = TYPES[pathname.split('.').pop()] ?? 'text/html; charset=utf-8';
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': type });
    response.end(page ?? pages['/404'] ?? 'not found');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  const close = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { port, pages, asked, close, at: (host, path = '/') => `http://${host}:${port}${path}` };
}

/** A browser in which every `.test` host is on this machine. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: [
      // A request of a page that is being left has the browser's own user agent, and not that of its context.
      `--user-agent=${CHROME}`,
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP *.test 127.0.0.1',
    ],
  });
}

/** A port that is free now. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** A context as a person's: the script says nothing to machines, unless they ask for it. */
export async function person(browser, options = {}) {
  const context = await browser.newContext({ userAgent: CHROME, locale: 'de-DE', ...options });
  await context.addInitScript(() => { window.__plausible = true; });
  return context;
}

/** The demo: the real program with generated traffic, on a port of its own choice. */
export class Demo extends Collector {
  static async start(...args) {
    const demo = new Demo();
    demo.directory = await mkdtemp(join(tmpdir(), 'passerby-demo-'));
    demo.environment = { PASSERBY_DATA_DIR: demo.directory };
    const all = ['demo', '--port', '0', '--data', demo.directory, ...args];
    demo.child = spawn(PROGRAM, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    demo.child.stderr.on('data', (text) => { log += text; });
    const url = await new Promise((found, failed) => {
      demo.child.stdout.on('data', (text) => found(String(text).trim()));
      demo.child.on('exit', (code) => failed(new Error(`the demo ended with ${code}: ${log}`)));
    });
    demo.origin = new URL(url).origin;
    demo.site = new URL(url).pathname.slice(1);
    demo.token = /Bearer (\S+?)'/.exec(log)[1];
    return demo;
  }

  /** The whole answer to a query about the demo's site, or to another kind of question. */
  async ask(query, kind = 'query') {
    const answer = await fetch(`${this.origin}/api/v2/${kind}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ site_id: this.site, date_range: '30d', ...query }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(body));
    return body;
  }
}

/** A person's page, and the beacons that it sends. */
export async function visit(browser, options) {
  const context = await person(browser, options);
  const page = await context.newPage();
  const beacons = [];
  context.on('request', (request) => {
    const body = request.postData();
    if (request.method() === 'POST' && body) beacons.push(JSON.parse(body));
  });
  return { context, page, beacons };
}
