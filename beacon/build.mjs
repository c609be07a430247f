// Builds the page scripts and says how large they are. With --check it compares instead: each committed file must be
// the build of its source. A file that is over its budget fails both.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

// What a visitor of a page downloads, in bytes after compression, before the site's own choices are written in.
const FILES = [
  { entry: 'core', budget: 1024, WHOLE: false },
  { entry: 'whole', budget: 2048 },
  { entry: 'legacy', budget: 2304, LEGACY: true },
  { entry: 'consent', budget: 2304, CONSENT: true },
  { entry: 'modules/vitals', budget: 1024 },
  { entry: 'modules/errors', budget: 512 },
  { entry: 'modules/gtag', budget: 3072 },
];

const isCheck = process.argv.includes('--check');
const at = (path) => new URL(path, import.meta.url).pathname;
const wrong = [];
mkdirSync(at('dist'), { recursive: true });

for (const { entry, budget, WHOLE = true, LEGACY = false, CONSENT = false } of FILES) {
  const name = entry.split('/').pop();
  const { outputFiles } = await build({
    entryPoints: [at(`src/${entry}.ts`)],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2021',
    legalComments: 'none',
    define: { WHOLE: String(WHOLE), LEGACY: String(LEGACY), CONSENT: String(CONSENT) },
    tsconfigRaw: { compilerOptions: { alwaysStrict: false, target: 'es2021' } },
    write: false,
  });
  const built = Buffer.from(outputFiles[0].contents);
  const served = built.toString().replace('PASSERBY_CONFIG', '{}');
  const size = gzipSync(served, { level: 9 }).length;
  console.log(`${`${name}.js`.padEnd(10)} ${String(built.length).padStart(5)} bytes, ${String(size).padStart(4)} gzipped of ${budget}`);
  if (size > budget) wrong.push(`${name}.js is over its budget of ${budget} bytes gzipped.`);
  const target = at(`dist/${name}.js`);
  if (!isCheck) writeFileSync(target, built);
  else if (!readFileSync(target).equals(built)) wrong.push(`dist/${name}.js is not the build of src: run \`make script\` and commit it.`);
}

wrong.forEach((what) => console.error(`beacon: ${what}`));
process.exit(wrong.length ? 1 : 0);
