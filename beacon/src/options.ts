// What the script was told: by the collector, which writes its part into the file; by the tag; and, in the whole
// script, by the page's `plausible.init(…)`.

import type { Payload, Properties } from './track';

export interface Options {
  /** The sites that the events are for, with commas in between; without it, the host of the page. */
  domain?: string;
  /** Where beacons are sent. */
  endpoint?: string | URL;
  /** False for a page that reports its views itself. */
  autoCapturePageviews?: boolean;
  /** Whether `history.replaceState` makes a new view, as pushing does. */
  captureReplaceState?: boolean;
  /** Whether the fragment is part of the path. */
  hashBasedRouting?: boolean;
  /** Whether pages of this very machine are counted. */
  captureOnLocalhost?: boolean;
  /** False for silence on the console. */
  logging?: boolean;
  /** Whether the script waits for `plausible.init()`. */
  wait?: boolean;
  outboundLinks?: boolean;
  fileDownloads?: boolean | { fileExtensions: string[] };
  formSubmissions?: boolean;
  /** Whether a page that was answered with 404 says so. */
  notFound?: boolean;
  /** The keys of the page's query that hold what was searched for on the site. */
  searchParameters?: string[];
  /** Patterns of paths whose views are not counted, with commas in between. */
  exclude?: string;
  /** Patterns of the paths whose views alone are counted: an attribute of older tags. */
  include?: string;
  /** What an event without consent is: not sent, or sent and nobody's. */
  consent?: 'required' | 'anonymous';
  customProperties?: Properties | ((event: string) => Properties);
  transformRequest?: (payload: Payload) => Payload | null | undefined | false;
  lib?: string;
}

/** The tag that brought the script. One that a module brought is found by what it says. */
export const tag = (
  LEGACY ? document.currentScript || document.querySelector('[data-domain]') : document.currentScript
) as HTMLScriptElement;

export const options: Options = PASSERBY_CONFIG;

const { domain, api } = tag.dataset;
/** Which site it is, the collector or the tag says, not the page. */
export const site = options.domain || domain;
// A path is one on the host that the script comes from.
options.endpoint = api || new URL(options.endpoint || '/api/event', tag.src);
