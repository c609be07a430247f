// What a page is, without any code on it: one that is not there, and one that shows what was searched for.

import { options } from '../options';
import { track } from '../track';

let searched: string | undefined;

/** Looks at a page that was just viewed, or whose address has changed. */
export const notice = () => {
  const [navigation] = performance.getEntriesByType('navigation') as Array<{ responseStatus?: number }>;
  if (options.notFound && searched === undefined && navigation.responseStatus === 404) track('404', { interactive: false });
  const query = new URL(location.href).searchParams;
  const terms = options.searchParameters?.map((key) => query.get(key)).find((found) => found) || '';
  // Once for as long as the same terms stay in the address.
  if (terms && terms !== searched) track('Site Search', { props: { search_query: terms }, interactive: false });
  searched = terms;
};
