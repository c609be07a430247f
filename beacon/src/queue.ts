// The stub that the page may have put in the place of `window.plausible` before the script came.

import { page, type Api } from './page';
import { track } from './track';

/** Takes the stub's place, with these members, and replays what was queued. */
export const takeOver = (members: Partial<Api>) => {
  const queued = page.plausible?.q;
  page.plausible = Object.assign(track, members);
  queued?.map((call) => track(...call));
};
