// Takes a picture of every page, in both themes and three widths, into tests/browser/screenshots; and the README's
// picture. `make screenshots` runs it.
import { mkdir } from 'node:fs/promises';
import { Demo, launch } from './harness.mjs';

const WIDTHS = [390, 820, 1440];
const README_PICTURE = '../../docs/images/dashboard.png';

const demo = await Demo.start('--events', process.env.EVENTS ?? '300000');
const admin = await demo.run('token', 'create', '--scope', 'admin');
const browser = await launch();
const PAGES = {
  overview: '/',
  'sign-in': '/sign-in',
  'not-found': '/nothing-here',
  site: `/${demo.site}`,
  'site-german': `/${demo.site}?lang=de&period=12mo&metric=bounce_rate&tab.places=visit:country_name`,
  'site-filtered': `/${demo.site}?period=91d&filter=is,visit:country_name,Germany&filter=contains,event:page,/&tab.events=outbound`,
  'site-today': `/${demo.site}?period=day`,
  details: `/${demo.site}/by/event:page`,
  funnel: `/${demo.site}/funnel?period=91d&step=page,/&step=page,/pricing&step=goal,Signup`,
  'funnel-begun': `/${demo.site}/funnel?step=page,/`,
  journey: `/${demo.site}/journey?period=91d`,
  live: `/${demo.site}/live`,
  why: `/${demo.site}/why?metric=bounce_rate`,
  embed: `/${demo.site}/embed?panels=pages,sources,places,devices`,
  // With the badge, as it stands in other sites' pages.
  settings: `/${demo.site}/settings?filter=is,visit:source,Google`,
};
try {
  await mkdir('screenshots', { recursive: true });
  for (const colorScheme of ['light', 'dark']) {
    for (const width of WIDTHS) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, locale: 'en-GB' });
      await context.addCookies([{ name: 'passerby-token', value: admin, url: demo.origin }]);
      const page = await context.newPage();
      for (const [name, path] of Object.entries(PAGES)) {
        await page.goto(demo.origin + path);
        await page.screenshot({ path: `screenshots/${name}-${colorScheme}-${width}.png`, fullPage: true });
      }
      await page.goto(`${demo.origin}/${demo.site}`);
      for (const [place, menu] of (await page.locator('.menu > summary').all()).entries()) {
        await menu.click();
        await page.screenshot({ path: `screenshots/menu-${place}-${colorScheme}-${width}.png` });
      }
      await context.close();
    }
  }
  const context = await browser.newContext({ viewport: { width: 1280, height: 1220 }, locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${demo.origin}/${demo.site}`);
  await page.locator('.point').nth(8).hover();
  await page.screenshot({ path: README_PICTURE });
} finally {
  await browser.close();
  await demo.stop();
}
