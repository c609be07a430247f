// Pages that are not counted, by patterns of their paths: `*` is anything within a segment, `**` anything at all.

import { options } from '../options';
import { path } from '../path';

/** What a sign in a list of patterns is in an expression; any other is itself. */
const SIGNS = { '**': '.*', '*': '[^/]*', ',': '|', ' ': '' } as Record<string, string>;

const matches = (patterns: string) => {
  // A path has letters beyond ASCII encoded. Patterns of the configuration come so, those of a tag as they are read.
  if (LEGACY) patterns = patterns.replace(/[^ -~]+/g, encodeURI).replace(/\*{3,}/g, '**');
  return RegExp(`^(${patterns.replace(/\*+|\W/g, (sign) => SIGNS[sign] ?? '\\' + sign)})/?$`).test(path());
};

export const isExcluded = () =>
  (LEGACY && options.include && !matches(options.include)) || (options.exclude && matches(options.exclude));
