// What a build and the collector put in the place of names.

/** False in the core: what is behind it is in the whole script only. */
declare const WHOLE: boolean;
/** True in the build for tags of other collectors: it reads what only their attributes and calls say. */
declare const LEGACY: boolean;
/** True in the build for sites whose visitors are asked for consent. */
declare const CONSENT: boolean;
/** Written in by the collector, for the name under which the script was asked for. */
declare const PASSERBY_CONFIG: import('./options').Options;

interface Document {
  /** True while the page is only prepared, for a visitor who may never ask for it. */
  readonly prerendering?: boolean;
}
