// The whole script: the core, and what a page reports without code of its own. It begins by itself, or waits for
// `plausible.init()` where the collector wrote so.

import { consent } from './features/consent';
import { options } from './options';
import { page, type Api } from './page';
import { start } from './start';
import { track } from './track';

if (!options.wait) start();
else {
  const stub: Api = (page.plausible ||= track);
  stub.init = start;
  if (CONSENT) stub.consent = consent;
  if (stub.o) start(stub.o);
}
