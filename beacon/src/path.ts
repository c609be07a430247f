// The path of the page, as the page routes by it.

import { options } from './options';

export const path = () => location.pathname + (options.hashBasedRouting ? location.hash : '');
