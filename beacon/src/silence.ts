// Why this page says nothing, if it does.

import { options } from './options';
import { page } from './page';

export const silence = (): string | false | undefined => {
  try {
    if (localStorage.plausible_ignore === 'true') return 'opted out';
  } catch {
    // A page that may not look at the storage has no opt-out either.
  }
  if (!(WHOLE && options.captureOnLocalhost) && /^(localhost$|127\.|\[::1]|$)/.test(location.hostname)) return 'local page';
  if (!page.__plausible && (navigator.webdriver || page.Cypress)) return 'automated';
};
