// How long a page was looked at, and how far: time counts while the page is visible and focused, and the depth is that
// of the lowest line that was on the screen, against the height that the page has when it is left.

import { send } from './send';
import type { Payload } from './track';

/** The view that attention belongs to; none when the view was not counted. */
let page: Payload | null | false | undefined;
let since: number | false;
let engaged: number;
let lowest: number;
let reported: number;

/** Measures up to now. Whoever stops looking, or turns to another page, makes it a report. */
const measure = (event?: Event) => {
  const now = performance.now();
  const looks = !document.hidden && document.hasFocus();
  const leaves = !event || document.hidden || (since && !looks);
  if (since) engaged += now - since;
  since = looks && now;
  lowest = Math.max(lowest, scrollY + innerHeight);
  if (!page || !leaves) return;
  const sd = Math.round((lowest / document.documentElement.scrollHeight) * 100);
  // The first report is always sent, later ones when they say something new.
  if (sd > reported || engaged >= 3000) {
    send({ ...page, n: 'engagement', sd, e: Math.round(engaged) });
    reported = sd;
    engaged = 0;
  }
};

/** Ends the view before, and measures attention to this one. */
export const turnTo = (view: typeof page) => {
  measure();
  page = view;
  engaged = lowest = 0;
  reported = -1;
};

/** Ends the view without a report. */
export const letGo = () => {
  page = null;
};

// Without a view nothing is reported, so that this may begin before anything else.
['scroll', 'focus', 'blur', 'visibilitychange'].map((event) => addEventListener(event, measure));
