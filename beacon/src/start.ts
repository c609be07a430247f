// How the whole script begins, once.

import * as clicks from './features/clicks';
import { consent } from './features/consent';
import { options, type Options } from './options';
import { page } from './page';
import { takeOver } from './queue';
import * as views from './views';

/** Begins to watch, as the page chose. Which site it is, the page can not choose. */
export const start = (chosen?: Options) => {
  if (page.plausible?.l) return console.warn('ignored', 'init');
  Object.assign(options, chosen);
  clicks.watch();
  if (options.autoCapturePageviews !== false) views.watch();
  takeOver({ l: 1, v: 1, s: options.lib, init: start });
  if (CONSENT) page.plausible!.consent = consent;
};
