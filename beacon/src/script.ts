// The page script: tells the collector that a page was viewed, how long it was looked at, and what the page
// itself reports. It keeps nothing in the browser: no cookie, no storage. It only reads the visitor's own
// `localStorage.plausible_ignore`, and says nothing where that is `true`.

type Props = Record<string, unknown>;
interface Options {
  props?: Props;
  revenue?: { amount: number | string; currency: string };
  interactive?: boolean;
  callback?: (result?: { status?: number; error?: unknown }) => void;
  u?: string;
  url?: string;
}
type Call = [name: string, options?: Options];
interface Tracker {
  (...call: Call): void;
  q?: Call[];
  l?: boolean;
}

const w = window as unknown as Window & { plausible?: Tracker; __plausible?: unknown; [flag: string]: unknown };
const script = document.currentScript as HTMLScriptElement;
const told = script.dataset;
const source = new URL(script.src, location.href);
// The words of a legacy name, `script.hash.local.js`, are switches.
const is = (word: string) => source.pathname.split('.').includes(word);
const endpoint = told.api || source.origin + '/api/event';
const hash = is('hash') ? 1 : undefined;

// Why this page says nothing, if it does.
const silence = () => {
  try {
    if (localStorage.plausible_ignore === 'true') return 'the visitor opted out';
  } catch {
    // A page that may not look at the storage has no opt-out either.
  }
  if (!is('local') && /^(localhost|127\..*|\[::1\])$|^$/.test(location.hostname)) return 'this is a local page';
  const automated = w._phantom || w.__nightmare || navigator.webdriver || w.Cypress;
  return automated && !w.__plausible ? 'nobody is here' : '';
};

const send = (body: object, callback?: Options['callback']) => {
  fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain' },
    keepalive: true,
    body: JSON.stringify(body),
  }).then(
    (answer) => callback && callback({ status: answer.status }),
    (error) => callback && callback({ error }),
  );
};

// The page that is being looked at, and how.
let page: string | undefined;
let since = 0;
let engaged = 0;
let depth = 0;
let reportedDepth = -1;

const measure = () => {
  const { scrollHeight, clientHeight } = document.documentElement;
  const seen = Math.round(((scrollY + clientHeight) / Math.max(scrollHeight, clientHeight, 1)) * 100);
  depth = Math.max(depth, Math.min(seen, 100));
};

// Counts the time up to now, and goes on counting while the page is visible and focused.
const count = () => {
  if (since) engaged += performance.now() - since;
  since = page && !document.hidden && document.hasFocus() ? performance.now() : 0;
};

const reportEngagement = () => {
  count();
  // The first report is always sent; later ones when there is something new in them.
  if (!page || (reportedDepth >= 0 && depth <= reportedDepth && engaged < 3000)) return;
  send({ n: 'engagement', u: page, d: told.domain, sd: depth, e: Math.round(engaged), h: hash });
  reportedDepth = depth;
  engaged = 0;
};

const track: Tracker = (name, options = {}) => {
  const { callback } = options;
  const why = silence();
  if (why) {
    console.warn('Not counted: ' + why);
    callback && callback();
    return;
  }
  const url = options.u || options.url || location.href;
  if (name === 'pageview') {
    reportEngagement();
    page = url;
    engaged = depth = 0;
    reportedDepth = -1;
    measure();
    count();
  }
  send(
    {
      n: name,
      u: url,
      d: told.domain,
      r: document.referrer || null,
      p: options.props,
      $: options.revenue,
      i: options.interactive === false ? false : undefined,
      h: hash,
    },
    callback,
  );
};

let last: string | undefined;
const view = () => {
  const path = location.pathname + (hash ? location.hash : '');
  if (path === last) return;
  last = path;
  track('pageview');
};

const queued = (w.plausible && w.plausible.q) || [];
w.plausible = track;
track.l = true;

if (!is('manual')) {
  const push = history.pushState;
  history.pushState = function (...state) {
    push.apply(this, state);
    view();
  };
  addEventListener('popstate', view);
  if (hash) addEventListener('hashchange', view);
  // A page that comes back from the back/forward cache is viewed again.
  addEventListener('pageshow', (event) => {
    if (event.persisted) {
      last = undefined;
      view();
    }
  });
  // A page in the background, or one that was only prepared, is viewed when it is first seen.
  if (document.hidden || (document as { prerendering?: boolean }).prerendering) {
    const seen = () => {
      if (!document.hidden) {
        document.removeEventListener('visibilitychange', seen);
        view();
      }
    };
    document.addEventListener('visibilitychange', seen);
  } else {
    view();
  }
}

addEventListener('scroll', measure, { passive: true });
addEventListener('focus', count);
addEventListener('blur', reportEngagement);
document.addEventListener('visibilitychange', () => (document.hidden ? reportEngagement() : count()));
// A page grows while it loads.
let measured = 0;
const growing = setInterval(() => {
  measure();
  if (++measured === 15) clearInterval(growing);
}, 200);

queued.forEach((call) => track(...call));
