// The page's globals that the script looks at, or puts there.

import type { Options } from './options';
import type { Given } from './track';

export interface Api {
  (name: string, given?: Given): unknown;
  /** Calls that were made before the script came. */
  q?: Array<[string, Given?]>;
  /** What the stub's `init` was called with. */
  o?: Options;
  /** Whether the script is here. */
  l?: unknown;
  init?: (given?: Options) => void;
  /** Takes the visitor's answer. */
  consent?: (answer: unknown) => void;
  /** The answer that the stub was told. */
  c?: unknown;
  /** The version of what it speaks, and the name of who speaks. */
  v?: number;
  s?: string;
}

/** The Navigation API, where the browser has it and the page has not put something else under its name. */
interface Navigation {
  addEventListener?: (type: 'currententrychange', tell: (event: { navigationType: string | null }) => void) => void;
}

export const page = window as unknown as { plausible?: Api; navigation?: Navigation } & Record<string, unknown>;
