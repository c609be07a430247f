// A module of its own: the errors of the page's scripts, each once, and not more than a few. What a message says is
// cut, and addresses lose their queries: they may hold what a visitor typed.

import { tell } from './stub';

const ERRORS_MAX = 5;
const MESSAGE_CHARS_MAX = 200;

const seen = new Set<string>();

const withoutQueries = (text: string) => text.replace(/([?#])[^\s)'"]*/g, '$1…');

const caught = (error: unknown, source: string) => {
  const message = withoutQueries(String((error as Error | null)?.message ?? error)).slice(0, MESSAGE_CHARS_MAX);
  const props = { message, source: withoutQueries(source) };
  const identity = JSON.stringify(props);
  if (seen.size >= ERRORS_MAX || seen.has(identity)) return;
  seen.add(identity);
  tell('Script Error', { props, interactive: false });
};

addEventListener('error', (event) => {
  // A picture that does not load is no error of a script.
  if (event instanceof ErrorEvent) caught(event.error ?? event.message, `${event.filename}:${event.lineno}`);
});
addEventListener('unhandledrejection', (event) => caught(event.reason, 'promise'));
