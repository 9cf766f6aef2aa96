// The pictures as data: ApexCharts options and series, made from plain series. No GraphQL, no DOM, no theme: colours are
// custom properties, so light and dark need no new chart.
import type { ApexOptions } from 'apexcharts'
import type { MetricUnit } from '../api/generated/documents.ts'
import type { Format } from '../format.ts'
import type { Series } from '../live/series.ts'

export interface ChartLine {
  name: string
  unit: MetricUnit
  color: string
  shape: 'area' | 'line' | 'dashed' | 'column'
  /** Lines of one side share an axis. */
  side: 'left' | 'right'
}

const DASH = 5

/** The highest value of each side: what its axis must reach. */
export type Heights = Record<ChartLine['side'], number>

export function readHeights(lines: readonly ChartLine[], data: readonly Series[]): Heights {
  const heights = { left: 0, right: 0 }
  lines.forEach(({ side }, index) => {
    for (const value of data[index]?.values ?? []) heights[side] = Math.max(heights[side], value ?? 0)
  })
  return heights
}

/**
 * Options of a chart over time; `withSeconds`: whether its times need them. Rebuilt only when one of these changes: what moves
 * with the data, the height of the axes, is asked for at each drawing.
 */
export function timeChartOptions(
  lines: readonly ChartLine[],
  format: Format,
  withSeconds: boolean,
  heights: () => Heights,
): ApexOptions {
  const time = withSeconds ? format.time : format.minute
  return {
    chart: {
      type: 'line',
      height: '100%',
      width: '100%',
      fontFamily: 'inherit',
      background: 'transparent',
      parentHeightOffset: 0,
      animations: { enabled: false },
      toolbar: { show: false },
      zoom: { enabled: false },
      selection: { enabled: false },
    },
    colors: lines.map((line) => line.color),
    stroke: {
      curve: 'straight',
      width: lines.map((line) => (line.shape === 'column' ? 0 : line.shape === 'area' ? 1.5 : 2)),
      dashArray: lines.map((line) => (line.shape === 'dashed' ? DASH : 0)),
    },
    fill: {
      type: 'solid',
      // ApexCharts can not thin a colour it can not read: the thinning is part of the colour.
      colors: lines.map(({ color, shape }) =>
        shape === 'area' || shape === 'column'
          ? `color-mix(in oklab, ${color} ${shape === 'area' ? 14 : 78}%, transparent)`
          : color,
      ),
    },
    plotOptions: { bar: { columnWidth: '72%', borderRadius: 1.5, borderRadiusApplication: 'end' } },
    dataLabels: { enabled: false },
    markers: { size: 0, strokeWidth: 0, hover: { size: 3.5 } },
    legend: { show: false },
    // The current bucket is not over: its part of each picture is dashed or pale.
    forecastDataPoints: { count: 1, dashArray: 3, fillOpacity: 0.35 },
    states: { hover: { filter: { type: 'none' } }, active: { filter: { type: 'none' } } },
    grid: {
      borderColor: 'var(--line)',
      padding: { top: -18, right: -20, bottom: -8, left: -4 },
      xaxis: { lines: { show: false } },
    },
    xaxis: {
      type: 'datetime',
      axisBorder: { show: false },
      axisTicks: { show: false },
      crosshairs: { stroke: { color: 'var(--line-strong)', width: 1, dashArray: 0 } },
      tooltip: { enabled: false },
      labels: { show: false },
    },
    yaxis: axes(lines, format, heights),
    tooltip: {
      shared: true,
      intersect: false,
      x: { formatter: (value) => time(value) },
      y: lines.map((line) => ({ formatter: (value?: number | null) => format.exact(value, line.unit) })),
    },
  }
}

const labelStyle = { colors: 'var(--muted)', fontSize: '11px' }

function axes(lines: readonly ChartLine[], format: Format, heights: () => Heights): ApexYAxis[] {
  return (['left', 'right'] as const).flatMap((side) => {
    const own = lines.filter((line) => line.side === side)
    const [first] = own
    if (!first) return []
    return {
      seriesName: own.map((line) => line.name),
      opposite: side === 'right',
      min: 0,
      // ApexCharts hands in the highest of one series; lines that share an axis need the highest of all.
      max: () => niceMax(heights()[side], first.unit),
      tickAmount: 4,
      labels: {
        minWidth: 30,
        // On the right ApexCharts counts it the other way round.
        offsetX: side === 'left' ? -12 : -24,
        style: labelStyle,
        formatter: (value: number | null) => (value === null ? '' : format.axis(value, first.unit)),
      },
    }
  })
}

/** The top of an axis of four equal steps that read well: 1, 2, 2.5 or 5 times a power of ten each; counts in whole steps. */
export function niceMax(highest: number, unit: MetricUnit): number {
  const steps = 4
  const least = unit === 'RATIO' ? 0.01 : 1
  if (!(highest > 0)) return least * steps
  const power = 10 ** Math.floor(Math.log10(highest / steps))
  const nice = [1, 2, 2.5, 5, 10].map((factor) => factor * power)
  const step = nice.find((step) => step * steps >= highest && (unit !== 'COUNT' || step % 1 === 0)) ?? 10 * power
  return Math.max(least, step) * steps
}

type ApexYAxis = Extract<NonNullable<ApexOptions['yaxis']>, unknown[]>[number]

/** Series for ApexCharts. A value that is not defined leaves a gap: it is never drawn as 0 nor bridged. */
export function timeChartSeries(lines: readonly ChartLine[], data: readonly Series[]) {
  return lines.map((line, index) => ({
    name: line.name,
    type: line.shape === 'dashed' ? 'line' : line.shape,
    data: (data[index]?.startsMs ?? []).map((x, i) => ({ x, y: data[index]?.values[i] ?? null })),
  }))
}
