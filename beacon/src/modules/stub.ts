// How a module of its own file reaches the script, whichever of the two comes first.

import { page, type Api } from '../page';
import type { Given } from '../track';

export const tell = (name: string, given: Given) => {
  const stub: Api = (page.plausible ||= (...call) => (stub.q ||= []).push(call));
  stub(name, given);
};
