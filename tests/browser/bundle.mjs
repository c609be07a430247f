// Pages whose scripts come from npm: bundled here, as a site's own build does it, without the network.
// All of them have the MIT licence, and are used by the tests alone.
import { build } from 'esbuild';

/** A module's text as one script that a page can hold, with the packages of this directory. */
export async function bundle(text) {
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: import.meta.dirname, loader: 'jsx' },
    bundle: true,
    minify: true,
    format: 'iife',
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    logLevel: 'error',
    write: false,
  });
  return outputFiles[0].text.replaceAll('</script', '<\\/script');
}
