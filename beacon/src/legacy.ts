// The whole script for tags that were made for another collector: their attributes are options.

import { EXTENSIONS } from './features/clicks';
import { options, tag } from './options';
import { start } from './start';

const customProperties: Record<string, string> = {};
const { include, exclude } = tag.dataset;
let { fileDownloads } = options;
for (const { name, value } of tag.attributes) {
  if (name.startsWith('event-')) customProperties[name.slice(6)] = value;
  if (fileDownloads && name.endsWith('file-types')) {
    const fileExtensions = value.split(',').map((extension) => extension.trim());
    if (name[0] === 'a') fileExtensions.push(...EXTENSIONS);
    fileDownloads = { fileExtensions };
  }
}
start({ include, exclude, customProperties, fileDownloads });
