// Single-page applications with real routers, bundled as their sites bundle them: each move is one view, with the
// attention that its page got.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundle } from './bundle.mjs';
import { Collector, launch, servePages, visit } from './harness.mjs';

let collector, browser, pages;

before(async () => {
  collector = await Collector.start();
  browser = await launch();
  const react = await bundle(`
    import { createElement as h } from 'react';
    import { createRoot } from 'react-dom/client';
    import { createBrowserRouter, Link, Navigate, Outlet, RouterProvider } from 'react-router';
    const frame = h('div', null, h(Link, { id: 'about', to: '/about?from=menu' }, 'about'), h(Link, { id: 'old', to: '/old' }, 'old'), h(Outlet));
    const router = createBrowserRouter([{ element: frame, children: [
      { path: '/react', element: h('h1', null, 'home') },
      { path: '/about', element: h('h1', null, 'about') },
      { path: '/old', element: h(Navigate, { to: '/new', replace: true }) },
      { path: '/new', element: h('h1', null, 'new') },
    ] }]);
    createRoot(document.querySelector('#app')).render(h(RouterProvider, { router }));
  `);
  const vue = await bundle(`
    import { createApp, h } from 'vue';
    import { createRouter, createWebHistory, RouterLink, RouterView } from 'vue-router';
    const page = (name) => ({ render: () => h('h1', name) });
    const router = createRouter({ history: createWebHistory(), routes: [
      { path: '/vue', component: page('home') },
      { path: '/about', component: page('about') },
    ] });
    createApp({ render: () => [h(RouterLink, { id: 'about', to: '/about' }, () => 'about'), h(RouterView)] }).use(router).mount('#app');
  `);
  const page = (application) =>
    `<!doctype html><script defer src="${collector.origin}/js/script.js"></script><div id="app"></div><script>${application}</script>`;
  pages = await servePages({ '/react': page(react), '/vue': page(vue) });
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await collector?.stop();
});

const sequence = (beacons) => beacons.map(({ n, u }) => `${n} ${new URL(u).pathname}`);

test('each page of a React router is viewed once, a redirect at the address that it leads from', async () => {
  const site = await collector.site('react.test');
  const { context, page, beacons } = await visit(browser);
  await page.goto(pages.at(site.domain, '/react'));
  await page.click('#about');
  await page.getByRole('heading', { name: 'about' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'home' }).waitFor();
  await site.events(3);
  assert.deepEqual(await site.views(), { '/about': 1, '/react': 2 });
  assert.deepEqual(sequence(beacons), [
    'pageview /react',
    'engagement /react',
    'pageview /about',
    'engagement /about',
    'pageview /react',
  ]);
  await page.click('#old');
  await page.getByRole('heading', { name: 'new' }).waitFor();
  await site.events(4);
  assert.deepEqual(await site.views(), { '/about': 1, '/old': 1, '/react': 2 });
  await context.close();
});

test('each page of a Vue router is viewed once', async () => {
  const site = await collector.site('vue.test');
  const { context, page, beacons } = await visit(browser);
  await page.goto(pages.at(site.domain, '/vue'));
  await page.click('#about');
  await page.getByRole('heading', { name: 'about' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'home' }).waitFor();
  await site.events(3);
  assert.deepEqual(await site.views(), { '/about': 1, '/vue': 2 });
  assert.equal(sequence(beacons).filter((sent) => sent.startsWith('pageview')).length, 3);
  await context.close();
});
