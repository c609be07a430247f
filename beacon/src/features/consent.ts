// Consent, for sites whose visitors are asked. The page tells of it; nothing of the answer is kept in the browser.

import { letGo } from '../engagement';
import { options, tag } from '../options';
import { page } from '../page';
import { track } from '../track';

/** The tag may say so, where the server knows it; or the stub, where the page said so before the script came. */
let given = CONSENT && (tag.dataset.consent === 'given' || page.plausible?.c);
/** Whether a view waits for it. */
let waits = false;

/** What the beacon says. Without consent it says nothing: the collector knows what the site decided. */
export const told = () => (given ? 1 : undefined);

/** Why an event is not sent, if it is not. */
export const missing = (isView: boolean): string | false => {
  if (given || options.consent !== 'required') return false;
  waits ||= isView;
  return 'no consent';
};

/** The visitor has answered. The view that waited for it is counted now; after a refusal nothing more is told of it. */
export const consent = (answer: unknown) => {
  given = !!answer;
  if (!given) letGo();
  else if (waits) {
    waits = false;
    track('pageview');
  }
};
