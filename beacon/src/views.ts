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
    if (options.captureReplaceState) patch('replaceState');
    // The Navigation API moves without the history's functions; what both tell of has one path, and is one view.
    page.navigation?.addEventListener?.('currententrychange', (event) => {
      if (event.navigationType === 'push' || options.captureReplaceState) view();
    });
  }
  // What comes back is another view; what comes to sight is one if it was not viewed before.
  ['pageshow', 'visibilitychange'].map((type) =>
    addEventListener(type, (event) => {
      if ((event as PageTransitionEvent).persisted) last = '';
      if (!last) view();
    }),
  );
  view();
};
