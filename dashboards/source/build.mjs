// Writes the dashboards, one JSON file each. With --check it compares instead: the committed files must
// be what their sources say. `tsc` holds the sources against Grafana's own types.
import { readFileSync, writeFileSync } from 'node:fs';
import { acquisition } from './acquisition.mjs';
import { audience } from './audience.mjs';
import { collector } from './collector.mjs';
import { content } from './content.mjs';
import { live } from './live.mjs';
import { traffic } from './traffic.mjs';

const stale = [];
for (const dashboard of [traffic, acquisition, content, audience, live, collector]) {
  const name = `${dashboard.uid?.replace('passerby-', '')}.json`;
  const file = new URL(`../${name}`, import.meta.url);
  const text = `${JSON.stringify(dashboard, null, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    stale.push(name);
  }
}
if (stale.length > 0) {
  console.error(`${stale.join(', ')}: not what dashboards/src says. Run \`npm run build\` in dashboards/ and commit it.`);
  process.exit(1);
}
