// An event: what a page reports, and what is sent of it.

import { turnTo } from './engagement';
import { missing, told } from './features/consent';
import { isExcluded } from './features/exclusions';
import { options, site } from './options';
import { send, type Outcome } from './send';
import { silence } from './silence';

export type Properties = Record<string, unknown>;

/** What a page may say about an event. */
export interface Given {
  props?: Properties;
  /** The older form of `props`. */
  meta?: unknown;
  revenue?: { amount: number | string; currency: string };
  /** False for an event that nobody did: it does not make a visit more than a bounce. */
  interactive?: boolean;
  /** The page's address, where it is another than the browser shows. */
  url?: string;
  u?: string;
  callback?: (outcome?: Outcome) => void;
}

/** The wire form of an event. */
export interface Payload {
  n: string;
  u: string;
  d?: string;
  r?: string | null;
  m?: unknown;
  p?: Properties;
  $?: Given['revenue'];
  i?: boolean;
  h?: false | 1;
  c?: 1;
}

const properties = (name: string, own?: Properties): Properties | undefined => {
  const custom = options.customProperties as (Properties & ((event: string) => Properties)) | undefined;
  return { ...(custom?.call ? custom(name) : custom), ...own };
};

/** Reports an event; the promise tells what became of it, and never fails. */
export const track = async (name: string, given?: Given | null): Promise<Outcome> => {
  given ||= {};
  const isView = name === 'pageview';
  // What was only prepared has not happened yet, and mostly never does.
  if (document.hidden && document.prerendering) await new Promise((seen) => addEventListener('visibilitychange', seen));
  let payload: Payload | undefined | null | false = {
    n: name,
    u: (WHOLE && (given.u || given.url)) || location.href,
    d: site,
    r: document.referrer,
    p: WHOLE ? properties(name, given.props) : given.props,
    $: given.revenue,
    i: given.interactive,
    h: WHOLE && options.hashBasedRouting && 1,
  };
  if (LEGACY || !WHOLE) payload.m = given.meta;
  if (CONSENT) payload.c = told();
  let ignored = silence();
  if (CONSENT) ignored ||= missing(isView);
  if (WHOLE && !ignored) {
    if ((isView && isExcluded()) || (options.transformRequest && !(payload = options.transformRequest(payload)))) ignored = 'excluded';
  }
  if (isView) turnTo(ignored ? undefined : payload);
  if (ignored) {
    if (!WHOLE || options.logging !== false) console.warn('ignored', ignored);
    given.callback?.();
    return { ignored };
  }
  const sent = send(payload as Payload);
  sent.then(given.callback);
  return sent;
};
