// Links that lead away, files that are fetched, forms that are sent, and elements that a class names as an event.

import { options } from '../options';
import { track } from '../track';

export const EXTENSIONS =
  '7z,avi,csv,dmg,docx,exe,gz,key,midi,mov,mp3,mp4,mpeg,pdf,pkg,pps,ppt,pptx,rar,rtf,txt,wav,wma,wmv,xlsx,zip'.split(',');

/** Tells the event that `plausible-event-…` and `plausible-revenue-…` classes name, if there is one. */
const tagged = (element: Element, url?: string) => {
  const found: Record<string, Record<string, string>> = {};
  for (const [, kind, key, value] of element.classList.value.matchAll(/plausible-(\w+)-(\S+?)(?:=|--)(\S+)/g))
    (found[kind] ||= {})[key] = value.replace(/\+/g, ' ');
  const { name, ...props } = found.event || {};
  if (url) props.url = url;
  return name && track(name, { props, revenue: found.revenue as never });
};

const clicked = (event: MouseEvent) => {
  const target = event.composedPath()[0] as Element;
  const link = target.closest<HTMLAnchorElement>('a[href]');
  // Forms speak when they are sent.
  const named = !target.closest('form') && target.closest('[class*=plausible-event-name]');
  // The left button or the middle one; a link of a drawing, and one to no page, has no host.
  if (event.button > 1 || (named && tagged(named, link?.href)) || !link?.host) return;
  const fileDownloads = options.fileDownloads;
  const [url] = link.href.split(/[?#]/);
  const extensions = (fileDownloads as { fileExtensions?: string[] } | undefined)?.fileExtensions || EXTENSIONS;
  if (options.outboundLinks && link.host !== location.host) track('Outbound Link: Click', { props: { url: link.href } });
  if (fileDownloads && extensions.includes(url.split('.').pop()!.toLowerCase())) track('File Download', { props: { url } });
};

const submitted = ({ target }: Event) => {
  // Never a field's value, and not where the form goes.
  if (!tagged(target as Element) && options.formSubmissions) track('Form: Submission');
};

export const watch = () => {
  addEventListener('click', clicked, true);
  addEventListener('auxclick', clicked, true);
  addEventListener('submit', submitted, true);
};
