// The core: views, attention, and the events that the page reports itself. It keeps nothing in the browser: no
// cookie, no storage. It only reads the visitor's own `localStorage.plausible_ignore`.

import { page } from './page';
import { takeOver } from './queue';
import * as views from './views';

// A second tag on the page would count everything twice.
if (!page.plausible?.l) {
  views.watch();
  takeOver({ l: 1 });
}
