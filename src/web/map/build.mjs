// Makes world.tsv: for each country its two-letter code and its outline, projected and simplified, as an SVG path in
// units of a drawing of 800 × 388. Run it after a change of the source, in an empty directory:
//
//   npm install world-atlas@2.0.2 topojson-client topojson-simplify d3-geo i18n-iso-countries
//   node …/src/web/map/build.mjs > …/src/web/map/world.tsv
//
// The outlines are Natural Earth's (public domain), as world-atlas (ISC) packs them.
import { createRequire } from 'node:module';

const need = createRequire(process.cwd() + '/');
const { geoEqualEarth, geoPath } = await import(need.resolve('d3-geo').replace('dist/d3-geo.js', 'src/index.js'));
const { feature } = need('topojson-client');
const { presimplify, quantile, simplify } = need('topojson-simplify');
const codes = need('i18n-iso-countries');

const [WIDTH, HEIGHT] = [800, 388];
// So much of the detail is left out: what is seen on a telephone is the rest.
const LEFT_OUT = 0.5;
// Outlines that the source has without a code of their own.
const NAMED = { Kosovo: 'XK', 'N. Cyprus': 'CY', Somaliland: 'SO' };

const detailed = presimplify(need('world-atlas/countries-110m.json'));
const world = simplify(detailed, quantile(detailed, LEFT_OUT));
const countries = feature(world, world.objects.countries).features.filter(({ properties }) => properties.name !== 'Antarctica');
const projection = geoEqualEarth().fitSize([WIDTH, HEIGHT], { type: 'FeatureCollection', features: countries });
const path = geoPath(projection);

/** An absolute path as a relative one of whole numbers, which takes half the room. */
function compact(absolute) {
  return absolute
    .split('M')
    .filter(Boolean)
    .map((ring) => ring.replace('Z', '').split('L').map((pair) => pair.split(',').map((number) => Math.round(number * 2) / 2)))
    .map((points) => points.filter((point, place) => place === 0 || String(point) !== String(points[place - 1])))
    .filter((points) => points.length > 3)
    .map((points) => {
      const steps = points.slice(1, -1).map(([x, y], place) => [x - points[place][0], y - points[place][1]]);
      const text = ([x, y]) => `${x}${y < 0 ? '' : ' '}${y}`;
      return `M${text(points[0])}l${steps.map(text).join(' ').replaceAll(' -', '-')}z`.replaceAll(/(?<![\d])0\./g, '.');
    })
    .join('');
}

const rows = countries
  .map(({ id, properties, ...rest }) => [NAMED[properties.name] ?? codes.numericToAlpha2(id), compact(path({ ...rest, properties }) ?? '')])
  .filter(([code, outline]) => code && outline)
  .sort(([one], [other]) => (one < other ? -1 : 1));
process.stdout.write(rows.map((row) => row.join('\t') + '\n').join(''));
