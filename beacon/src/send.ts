// The transport: one request that outlives the page, without a preflight (a text is `text/plain`), without
// credentials, and never again.

import { options } from './options';

/** What became of an event. */
export interface Outcome {
  /** The collector's answer: 202 when it was understood, 400 or 503 when it was refused. */
  status?: number;
  /** Why it was not counted although it was understood: the collector's reasons, with commas in between. */
  dropped?: string | null;
  /** The network's error, when there was no answer. */
  error?: unknown;
  /** Why it was not sent. */
  ignored?: string;
}

export const send = (payload: object): Promise<Outcome> =>
  fetch(options.endpoint!, { method: 'POST', body: JSON.stringify(payload), keepalive: true, credentials: 'omit' }).then(
    ({ status, headers }) => ({ status, dropped: headers.get('x-passerby-dropped') }),
    (error) => ({ error }),
  );
