// For a page that was written for Google Analytics: what it pushes onto `dataLayer` becomes events here. The page
// changes the address of one tag; what has no counterpart is said on the console, where `debug_mode` is on.

import { options } from '../options';
import { page } from '../page';
import { start } from '../start';
import { track, type Given } from '../track';

type Parameters = Record<string, unknown>;

/** Names of a campaign's parameters there, and of the tags of an address that say the same. */
const CAMPAIGN: Record<string, string> = {
  source: 'utm_source',
  medium: 'utm_medium',
  name: 'utm_campaign',
  id: 'utm_id',
  term: 'utm_term',
  content: 'utm_content',
};
/** Parameters that tell how an event is sent, and not what happened. */
const ROUTING = ['send_to', 'groups', 'debug_mode', 'event_callback', 'event_timeout', 'send_page_view', 'transport_type'];
const ELSEWHERE = ['page_location', 'page_path', 'page_title', 'page_referrer', 'campaign', 'non_interaction'];

/** What `set` and `config` say of every event. */
let always: Parameters = {};

const lacking = (what: unknown, why = 'has no counterpart here') => {
  if (always.debug_mode) console.info('gtag:', what, why);
};

/** The address of the page as its parameters tell it, with the campaign as tags. */
const address = (given: Parameters): string => {
  const url = new URL(String(given.page_location || given.page_path || location.href), location.href);
  const campaign = { ...(given.campaign as Parameters | undefined) };
  for (const key of Object.keys(CAMPAIGN)) campaign[key] ??= given[`campaign_${key}`];
  for (const [key, value] of Object.entries(campaign)) {
    if (value == null) continue;
    if (CAMPAIGN[key]) url.searchParams.set(CAMPAIGN[key], String(value));
    else lacking(`campaign.${key}`);
  }
  return url.href;
};

const event = (name: string, own: Parameters = {}) => {
  const all = { ...always, ...own };
  const given: Given = { url: address(all), props: {} };
  for (const [key, value] of Object.entries(all)) {
    if (key === 'value' || key === 'currency' || key.startsWith('campaign_')) continue;
    if (typeof value === 'object' || typeof value === 'function') {
      if (!ROUTING.includes(key) && !ELSEWHERE.includes(key)) lacking(key, 'is no single value');
    } else if (key === 'user_id' || key === 'client_id') lacking(key, 'would recognise a visitor');
    else if (!ROUTING.includes(key) && !ELSEWHERE.includes(key)) given.props![key] = value;
  }
  if (all.value != null && all.currency) given.revenue = { amount: all.value as number, currency: String(all.currency) };
  else if (all.value != null) given.props!.value = all.value;
  if (all.non_interaction) given.interactive = false;
  const { event_callback: callback } = all;
  if (typeof callback === 'function') given.callback = () => callback();
  track(name === 'page_view' ? 'pageview' : name, given);
};

const COMMANDS = new Map<unknown, (...given: any[]) => void>([
  ['js', () => {}],
  ['event', event],
  ['set', (key: string | Parameters, value?: unknown) => {
    always = { ...always, ...(typeof key === 'string' ? { [key]: value } : key) };
  }],
  ['config', (_measurement: string, given: Parameters = {}) => {
    const { send_page_view: sends, ...rest } = given;
    always = { ...always, ...rest };
    if (page.plausible?.l) return;
    // Its views are found as those of any page. What it says of its address is meant for the page that it says it on.
    const told = location.href;
    options.transformRequest = (payload) => {
      const { page_location, page_path, ...campaign } = always;
      if (payload.u === location.href) payload.u = address(payload.u === told ? always : campaign);
      return payload;
    };
    start({ autoCapturePageviews: sends !== false && options.autoCapturePageviews });
  }],
]);

const push = (entry: ArrayLike<unknown> & Parameters) => {
  const [command, ...given] = entry.length === undefined ? ['layer'] : Array.from(entry);
  const known = COMMANDS.get(command);
  if (known) known(...given);
  else if (command === 'layer' && typeof entry.event === 'string' && !entry.event.startsWith('gtm.')) {
    const { event: name, ...parameters } = entry as Parameters;
    event(String(name), parameters);
  } else lacking(command === 'layer' ? entry : command);
};

const layer: any = ((window as unknown as Record<string, unknown>).dataLayer ||= []);
const queued = [...layer];
const original = layer.push.bind(layer);
layer.push = (...entries: never[]) => {
  const length = original(...entries);
  entries.forEach(push);
  return length;
};
queued.forEach(push);
