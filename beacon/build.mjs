// Builds the page script. With --check it compares instead: the committed file must be the build of its source.
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const target = new URL('dist/script.js', import.meta.url);
const { outputFiles } = await build({
  entryPoints: [new URL('src/script.ts', import.meta.url).pathname],
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2019',
  legalComments: 'none',
  write: false,
});
const built = outputFiles[0].contents;
console.log(`script.js: ${built.length} bytes, ${gzipSync(built, { level: 9 }).length} gzipped`);
if (!process.argv.includes('--check')) {
  writeFileSync(target, built);
} else if (!readFileSync(target).equals(Buffer.from(built))) {
  console.error('beacon/dist/script.js is not the build of beacon/src: run `npm run build` in beacon/ and commit it.');
  process.exit(1);
}
