// The kinds of panels. Each has a title, a description, a unit for every number, and words for when
// there is nothing to show.
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  PercentChangeColorMode,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from '@grafana/schema';
import { CLICKHOUSE } from './variables.mjs';

/**
 * @import { Panel, GraphFieldConfig } from '@grafana/schema'
 * @import { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen'
 * @import { Options as Series } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'
 * @import { Options as Table } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen'
 * @import { Options as Bars } from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen'
 * @import { Options as Map } from '@grafana/schema/dist/esm/raw/composable/geomap/panelcfg/x/GeomapPanelCfg_types.gen'
 */

/** @typedef {{ title: string, description: string, sql: string, empty?: string }} About */

const NOTHING = 'Nothing in this range';

/** @param {'table' | 'timeseries'} queryType @param {string} rawSql */
function target(queryType, rawSql) {
  return {
    refId: 'A',
    datasource: CLICKHOUSE,
    editorType: 'sql',
    queryType,
    format: queryType === 'timeseries' ? 0 : 1,
    rawSql,
  };
}

/**
 * What every panel has.
 * @param {About} about @param {string} type @param {string} unit @param {'table' | 'timeseries'} queryType
 * @returns {Panel}
 */
function panel({ title, description, sql, empty = NOTHING }, type, unit, queryType) {
  return {
    title,
    description,
    type,
    datasource: CLICKHOUSE,
    targets: [target(queryType, sql)],
    fieldConfig: { defaults: { unit, noValue: empty }, overrides: [] },
  };
}

/** One number, or one for each row. @param {About & { unit: string, decimals?: number, rows?: boolean }} about @returns {Panel} */
export function stat({ unit, decimals, rows = false, ...about }) {
  /** @type {Stat} */
  const options = {
    colorMode: BigValueColorMode.None,
    graphMode: BigValueGraphMode.None,
    justifyMode: BigValueJustifyMode.Auto,
    orientation: VizOrientation.Auto,
    percentChangeColorMode: PercentChangeColorMode.Standard,
    reduceOptions: { calcs: ['lastNotNull'], values: rows },
    showPercentChange: false,
    textMode: rows ? BigValueTextMode.ValueAndName : BigValueTextMode.Value,
    wideLayout: true,
  };
  const made = panel(about, 'stat', unit, 'table');
  if (made.fieldConfig && decimals !== undefined) made.fieldConfig.defaults.decimals = decimals;
  return { ...made, options: { ...options } };
}

/** Lines or bars over time. @param {About & { unit: string, bars?: boolean, stacked?: boolean }} about @returns {Panel} */
export function series({ unit, bars = false, stacked = false, ...about }) {
  /** @type {Series} */
  const options = {
    legend: { calcs: [], displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  /** @type {GraphFieldConfig} */
  const custom = {
    drawStyle: bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line,
    fillOpacity: bars ? 60 : 10,
    lineWidth: 1,
    showPoints: VisibilityMode.Auto,
    stacking: { mode: stacked ? StackingMode.Normal : StackingMode.None, group: 'A' },
    axisSoftMin: 0,
  };
  const made = panel(about, 'timeseries', unit, 'timeseries');
  if (made.fieldConfig) made.fieldConfig.defaults.custom = { ...custom };
  return { ...made, options: { ...options } };
}

/** Rows. `units` names the unit of each column of numbers. @param {About & { units: Record<string, string> }} about @returns {Panel} */
export function table({ units, ...about }) {
  /** @type {Table} */
  const options = { frameIndex: 0, showHeader: true };
  const made = panel(about, 'table', 'none', 'table');
  if (made.fieldConfig) {
    made.fieldConfig.overrides = Object.entries(units).map(([column, unit]) => ({
      matcher: { id: 'byName', options: column },
      properties: [{ id: 'unit', value: unit }],
    }));
  }
  return { ...made, options: { ...options } };
}

/** Bars beside each other, by the first column. @param {About & { unit: string }} about @returns {Panel} */
export function bars({ unit, ...about }) {
  /** @type {Bars} */
  const options = {
    barWidth: 0.9,
    fullHighlight: false,
    groupWidth: 0.7,
    legend: { calcs: [], displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: false },
    orientation: VizOrientation.Auto,
    showValue: VisibilityMode.Never,
    stacking: StackingMode.None,
    tooltip: { mode: TooltipDisplayMode.Single, sort: SortOrder.None },
    xTickLabelMaxLength: 12,
    xTickLabelRotation: 0,
  };
  return { ...panel(about, 'barchart', unit, 'table'), options: { ...options } };
}

/** A map of the world; the rows are `Country` (its code) and a number. @param {About & { unit: string }} about @returns {Panel} */
export function map({ unit, ...about }) {
  /** @type {Omit<Map, 'tooltip'> & { tooltip: { mode: string } }} */
  const options = {
    // Grafana's own outlines: no tile is fetched from anybody.
    basemap: { type: 'default', name: 'Countries' },
    controls: { mouseWheelZoom: false, showAttribution: true, showZoom: true },
    layers: [
      {
        type: 'markers',
        name: 'Visitors',
        config: { style: { size: { field: 'Visitors', fixed: 5, min: 3, max: 20 }, opacity: 0.6 } },
        location: { mode: /** @type {any} */ ('lookup'), lookup: 'Country', gazetteer: 'public/gazetteer/countries.json' },
        tooltip: true,
      },
    ],
    tooltip: { mode: 'details' },
    view: { id: 'zero', zoom: 1 },
  };
  return { ...panel(about, 'geomap', unit, 'table'), options: { ...options } };
}
