// When a page is viewed: when it is first seen, when its path changes, and when it comes back from the
// back/forward cache.

import { notice } from './features/page';
import { options } from './options';
import { page } from './page';
import { path } from './path';
import { track } from './track';

let last = '';

const view = () => {
  // A page in the background, or one that was only prepared, has not been viewed yet.
  if (!last && document.hidden) return;
  if (last !== (last = WHOLE ? path() : location.pathname)) track('pageview');
  if (WHOLE) notice();
};

/** The browser tells of moves that its user makes, but not of those that the page makes. */
const patch = (method: 'pushState' | 'replaceState') => {
  const original = history[method];
  history[method] = (...state) => {
    original.apply(history, state);
    view();
  };
};

/** Reports the page's views from now on. */
export const watch = () => {
  patch('pushState');
  addEventListener('popstate', view);
  if (WHOLE) {
    // The Navigation API moves without the history's functions.
    page.navigation?.addEventListener('currententrychange', (event) => {
      if ((event as Event & { navigationType: string }).navigationType === 'push') view();
    });
    if (options.captureReplaceState) patch('replaceState');
  }
  addEventListener('pageshow', (event) => {
    if (event.persisted) {
      last = '';
      view();
    }
  });
  addEventListener('visibilitychange', () => last || view());
  view();
};
