// A module of its own: how fast the page was for its visitor, told once, when it is left. LCP, INP and TTFB are
// milliseconds; CLS has no unit. Each comes with its rating by the thresholds that are published for it.

import { tell } from './stub';

/** Up to the first a page is good, beyond the second it is poor. */
const THRESHOLDS = { LCP: [2500, 4000], INP: [200, 500], CLS: [0.1, 0.25], TTFB: [800, 1800] };
type Vital = keyof typeof THRESHOLDS;

/** A session of shifts ends after a second without one, and lasts five at most. */
const SHIFT_GAP_MS = 1000;
const SHIFT_SESSION_MS = 5000;
/** Of every fifty interactions one may be slower than the page is. */
const INTERACTIONS_PER_OUTLIER = 50;

interface Entry extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
  interactionId: number;
}

const observe = (type: string, each: (entry: Entry) => void) => {
  try {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => each(entry as Entry)));
    observer.observe({ type, buffered: true, durationThreshold: 40 } as PerformanceObserverInit);
    return () => observer.takeRecords().forEach((entry) => each(entry as Entry));
  } catch {
    // A browser that can not measure this says nothing about it.
    return () => {};
  }
};

const [navigation] = performance.getEntriesByType('navigation') as Array<
  PerformanceNavigationTiming & { activationStart?: number }
>;
// A page that was prepared before it was asked for is measured from when it was, which is not known before that.
const sinceBegun = (moment: number) => Math.max(moment - (navigation?.activationStart || 0), 0);
const measured: Partial<Record<Vital, number>> = {};

let largest = 0;
// Nor is what is painted after the visitor has begun to act how the page loads, or in one that was opened behind another: that
// is when they looked at it.
let isLoading = !document.hidden || (document as { prerendering?: boolean }).prerendering;
const paints = observe('largest-contentful-paint', (entry) => {
  if (isLoading) largest = entry.startTime;
});

let session = { first: 0, last: 0, sum: 0 };
const shifts = observe('layout-shift', ({ startTime, value, hadRecentInput }) => {
  measured.CLS ??= 0;
  if (hadRecentInput) return;
  const goes = startTime - session.last < SHIFT_GAP_MS && startTime - session.first < SHIFT_SESSION_MS;
  session = goes ? { ...session, last: startTime, sum: session.sum + value } : { first: startTime, last: startTime, sum: value };
  measured.CLS = Math.max(measured.CLS, session.sum);
});

const interactions = new Map<number, number>();
const interacted = ({ interactionId, duration }: Entry) => {
  if (interactionId) interactions.set(interactionId, Math.max(interactions.get(interactionId) || 0, duration));
};
const events = [observe('event', interacted), observe('first-input', interacted)];

for (const type of ['keydown', 'pointerdown'])
  addEventListener(type, () => (paints(), (isLoading = false)), { capture: true, once: true });

const rating = (vital: Vital, value: number) => {
  const [good, poor] = THRESHOLDS[vital];
  return value <= good ? 'good' : value <= poor ? 'needs improvement' : 'poor';
};

let isTold = false;
const leave = () => {
  if (isTold || !document.hidden) return;
  isTold = true;
  [paints, shifts, ...events].forEach((flush) => flush());
  if (navigation?.responseStart) measured.TTFB = sinceBegun(navigation.responseStart);
  if (largest) measured.LCP = sinceBegun(largest);
  const slowest = [...interactions.values()].sort((one, other) => other - one);
  // The quick ones are not told of, but counted, by browsers that do.
  const all = (performance as { interactionCount?: number }).interactionCount || slowest.length;
  const outliers = Math.min(Math.floor(all / INTERACTIONS_PER_OUTLIER), slowest.length - 1);
  if (slowest.length) measured.INP = slowest[outliers];
  if (PerformanceObserver.supportedEntryTypes?.includes('layout-shift')) measured.CLS ??= 0;
  const props: Record<string, unknown> = {};
  for (const [vital, value] of Object.entries(measured) as Array<[Vital, number]>) {
    props[vital] = vital === 'CLS' ? Math.round(value * 1000) / 1000 : Math.round(value);
    props[`${vital} rating`] = rating(vital, value);
  }
  tell('Web Vitals', { props, interactive: false });
};
addEventListener('visibilitychange', leave);
