// Members who sign in with a provider of OpenID Connect: a certified one, on this machine, and a real browser without
// scripts. The collector has a host name and the provider an address, so that they are as foreign to each other as
// elsewhere.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import Provider from 'oidc-provider';
import { Collector, eventually, freePort, launch } from './harness.mjs';

const CLIENT = { client_id: 'passerby', client_secret: 'a secret: with /odd + characters' };
const ASTRAY = 'did not begin in this browser, or took too long';
let collector, browser, provider, issuer, origin;
let log = '';
/** For how long the provider's codes hold, in seconds. */
let codeSeconds = 60;

const listening = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

/** A provider that knows everybody: who signs in as NAME has the address NAME@staff.test. */
async function startProvider(redirect) {
  const server = createServer((...both) => provider.callback()(...both));
  issuer = `http://127.0.0.1:${await listening(server)}`;
  provider = new Provider(issuer, {
    clients: [{ ...CLIENT, redirect_uris: [redirect] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@staff.test`, email_verified: !id.startsWith('unverified') }),
    }),
    cookies: { keys: ['a key of the test'] },
    ttl: {
      AuthorizationCode: () => codeSeconds, AccessToken: 600, IdToken: 600, Interaction: 600, Session: 600, Grant: 600,
    },
  });
  provider.server = server;
}

before(async () => {
  const port = await freePort();
  origin = `http://stats.test:${port}`;
  await startProvider(`${origin}/sign-in/oidc/done`);
  collector = await Collector.start({
    PASSERBY_LISTEN: `127.0.0.1:${port}`,
    PASSERBY_PUBLIC_URL: origin,
    PASSERBY_SIGN_IN_OIDC_ISSUER: issuer,
    PASSERBY_SIGN_IN_OIDC_CLIENT_ID: CLIENT.client_id,
    PASSERBY_SIGN_IN_OIDC_CLIENT_SECRET: CLIENT.client_secret,
  });
  collector.child.stderr.on('data', (text) => { log += text; });
  for (const site of ['a.test', 'b.test']) await collector.run('site', 'add', site);
  for (const [person, role] of [['vera', 'viewer'], ['emil', 'editor'], ['olga', 'owner']]) {
    await collector.run('member', 'add', `${person}@staff.test`, '--site', 'a.test', '--role', role);
  }
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await collector?.stop();
  provider?.server.closeAllConnections();
  await new Promise((closed) => (provider ? provider.server.close(closed) : closed()));
});

/** A browser of somebody's own, that loads nothing from elsewhere. */
async function person() {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
  const hosts = ['stats.test', '127.0.0.1'];
  await context.route((url) => !hosts.includes(url.hostname), (route) => route.abort());
  return context;
}

/** Says at the provider who one is, and lets it tell the collector. */
async function agree(page, name) {
  await page.locator('[name=login]').fill(name);
  await page.locator('[name=password]').fill('anything');
  await page.locator('[type=submit]').click();
  await page.locator('[type=submit]').click();
}

/** Signs in from a page that asks for it. */
async function signIn(name, path = '/a.test?period=7d') {
  const context = await person();
  const page = await context.newPage();
  await page.goto(origin + path);
  await page.getByRole('link', { name: 'Sign in with 127.0.0.1' }).click();
  await agree(page, name);
  return { context, page };
}

const session = async (context) => (await context.cookies(origin)).find((cookie) => cookie.name === 'passerby-session');

/** Begins a sign-in without a browser: where it is sent, and the cookie that it is to keep. */
function begin() {
  return new Promise((done, failed) => {
    const { host, port } = new URL(origin);
    const options = { host: '127.0.0.1', port, path: '/sign-in/oidc?next=/a.test', headers: { host } };
    request(options, (answer) => {
      answer.resume();
      const [name, value] = answer.headers['set-cookie'][0].split(';')[0].split('=');
      done({ to: new URL(answer.headers.location), cookie: { name, value, url: origin, sameSite: 'Lax' } });
    }).on('error', failed).end();
  });
}

/** Goes to the provider and comes back, after `change` has been made to where one is sent. */
async function goBy(change, cookieOf = (begun) => begun.cookie) {
  const begun = await begin();
  change(begun.to.searchParams);
  const context = await person();
  const cookie = cookieOf(begun);
  if (cookie) await context.addCookies([cookie]);
  const page = await context.newPage();
  const came = new Promise((done) => page.on('response', (answer) => {
    if (answer.url().startsWith(`${origin}/sign-in/oidc/done`)) done(answer);
  }));
  await page.goto(begun.to.href);
  await agree(page, 'olga');
  return { begun, context, page, came: await came };
}

/** Nobody is signed in, for a reason that the collector's log has and the page has not. */
async function isRefused({ context, page, came }, reason) {
  assert.equal(came.status(), 400);
  if (reason) await eventually(`the log says ${reason}`, () => log.includes(reason));
  log = '';
  await page.getByText(ASTRAY).waitFor();
  assert.equal(await session(context), undefined);
  await page.goto(`${origin}/a.test`);
  assert.equal(new URL(page.url()).pathname, '/sign-in');
}

test('a viewer signs in with the provider, comes to where it was, and can change nothing', async () => {
  const { context, page } = await signIn('vera');
  await page.waitForURL(`${origin}/a.test?period=7d`);
  assert.equal(await page.locator('footer .who').textContent(), 'vera@staff.test');
  assert.equal(await page.getByRole('link', { name: 'Settings' }).count(), 0);
  const { httpOnly, sameSite, expires } = await session(context);
  assert.deepEqual({ httpOnly, sameSite }, { httpOnly: true, sameSite: 'Strict' });
  assert.ok(expires - Date.now() / 1000 < 12 * 3600 + 60);
  assert.equal((await page.goto(`${origin}/a.test/settings`)).status(), 403);
  assert.equal((await page.goto(`${origin}/b.test`)).status(), 404);
  await page.goto(origin);
  assert.deepEqual(await page.locator('.site-card h2').allTextContents(), ['a.test']);
  // Signed out is signed out: what the browser had opens nothing any more.
  const before = await session(context);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await context.addCookies([before]);
  await page.goto(`${origin}/a.test`);
  assert.equal(new URL(page.url()).pathname, '/sign-in');
});

test('an editor changes goals and nothing else, and an owner decides who is a member', async () => {
  const editor = (await signIn('emil', '/a.test/settings')).page;
  await editor.waitForURL(`${origin}/a.test/settings`);
  for (const id of ['members', 'links', 'tokens']) assert.equal(await editor.locator(`#${id}`).count(), 0, id);
  assert.equal(await editor.getByLabel('Time zone').count(), 0);
  await editor.locator('#goals').getByLabel('Name of the event').fill('Signup');
  await editor.getByRole('button', { name: 'Add goal' }).click();
  await editor.locator('#goals li', { hasText: 'Signup' }).waitFor();

  const owner = (await signIn('olga', '/a.test/settings')).page;
  const members = owner.locator('#members');
  await members.getByLabel('Name that the person').fill('New@Staff.test');
  await members.getByLabel('Role').selectOption('editor');
  await owner.getByRole('button', { name: 'Save member' }).click();
  await members.locator('li', { hasText: 'new@staff.test edits' }).waitFor();
  const fresh = (await signIn('new', '/a.test/settings')).page;
  await fresh.waitForURL(`${origin}/a.test/settings`);
  await owner.getByRole('button', { name: 'Remove: new@staff.test' }).click();
  assert.equal(await members.locator('li', { hasText: 'new@staff.test' }).count(), 0);
  assert.equal((await fresh.goto(`${origin}/a.test/settings`)).status(), 403);
});

test('somebody without a role, or with an address that nobody verified, is told so', async () => {
  const stranger = (await signIn('stranger')).page;
  await stranger.getByText('have no site yet').waitFor();
  await stranger.getByText('You are stranger@staff.test.').waitFor();
  assert.equal((await stranger.goto(origin)).status(), 403);

  await collector.run('member', 'add', 'unverified@staff.test', '--site', 'a.test', '--role', 'owner');
  const { context, page } = await signIn('unverified');
  await page.getByText('has not verified your e-mail address').waitFor();
  assert.equal(await session(context), undefined);
});

test('a sign-in that is as it was begun succeeds, and one with another state or nonce, or another browser, does not', async () => {
  const whole = await goBy(() => {});
  assert.equal(whole.came.status(), 200);
  await whole.page.waitForURL(`${origin}/a.test`);
  await isRefused(await goBy((sent) => sent.set('state', 'forged')));
  await isRefused(await goBy((sent) => sent.set('nonce', 'forged')), 'is of another sign-in');
  await isRefused(await goBy((sent) => sent.set('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')), 'invalid_grant');
  await isRefused(await goBy(() => {}, () => undefined));
  const { cookie } = await begin();
  await isRefused(await goBy(() => {}, () => cookie));
});

test('a code that was used or has expired signs nobody in', async () => {
  const whole = await goBy(() => {});
  await whole.page.waitForURL(`${origin}/a.test`);
  // Once more, with the same code and what the browser had kept.
  const again = await person();
  await again.addCookies([whole.begun.cookie]);
  const page = await again.newPage();
  const came = await page.goto(whole.came.url());
  await isRefused({ context: again, page, came }, 'invalid_grant');

  // The collector stands still from before the code is made until it has expired.
  codeSeconds = 1;
  const made = new Promise((done) => provider.once('authorization_code.saved', done));
  const late = goBy(() => collector.child.kill('SIGSTOP'));
  try {
    await made;
    await new Promise((later) => setTimeout(later, 2_500));
  } finally {
    codeSeconds = 60;
    collector.child.kill('SIGCONT');
  }
  await isRefused(await late, 'invalid_grant');
});

test('the log of reads names the person', async () => {
  const { page } = await signIn('vera', '/a.test');
  await page.waitForURL(`${origin}/a.test`);
  await eventually('it does', async () => {
    const reads = await collector.run('access-log', '--site', 'a.test');
    return /200\tperson vera@staff\.test\ta\.test\tGET \/\{site\}/.test(reads);
  });
});
