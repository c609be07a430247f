// A dashboard: its name, its variables, and rows of panels.
import { DashboardCursorSync } from '@grafana/schema';

/** @import { Dashboard, Panel, VariableModel } from '@grafana/schema' */

const WIDTH = 24;

/**
 * Panels side by side, about as wide as each other; rows below each other, as high as they say.
 * @param {{ height: number, panels: Panel[] }[]} rows
 * @returns {Panel[]}
 */
function placed(rows) {
  let y = 0;
  let id = 0;
  return rows.flatMap(({ height, panels }) => {
    const edge = (/** @type {number} */ index) => Math.round((index * WIDTH) / panels.length);
    const row = panels.map((panel, index) => ({
      id: ++id,
      ...panel,
      gridPos: { x: edge(index), y, w: edge(index + 1) - edge(index), h: height },
    }));
    y += height;
    return row;
  });
}

/**
 * @param {{ uid: string, title: string, description: string, variables: VariableModel[],
 *   rows: { height: number, panels: Panel[] }[], from?: string, refresh?: string }} parts
 * @returns {Dashboard}
 */
export function dashboard({ uid, title, description, variables, rows, from = 'now-30d', refresh = '' }) {
  return {
    uid,
    title,
    description,
    tags: ['passerby'],
    schemaVersion: 41,
    editable: true,
    graphTooltip: DashboardCursorSync.Crosshair,
    time: { from, to: 'now' },
    refresh,
    links: [
      {
        title: 'Passerby',
        type: 'dashboards',
        tags: ['passerby'],
        asDropdown: true,
        icon: 'external link',
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        tooltip: 'The other dashboards, with the same site and range',
      },
    ],
    annotations: { list: [] },
    templating: { list: variables },
    panels: placed(rows),
  };
}
