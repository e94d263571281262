/** One batch of a backfill. */
export interface PlottedBatch {
  readonly rows: number;
  readonly milliseconds: number;
}

const WIDTH = 860;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 70;
const TOP = 52;
const BOTTOM = 48;
const ROWS = '#1f6feb';
const TIME = '#c2410c';

/** Rows (left axis) and milliseconds (right axis) of each batch, in the order of the batches, as SVG. */
export function batchPlot(title: string, batches: readonly PlottedBatch[], targetMs: number): string {
  const count = Math.max(1, batches.length);
  const rows = axisOf(batches.map((batch) => batch.rows));
  const time = axisOf([...batches.map((batch) => batch.milliseconds), targetMs]);
  const x = (batch: number): number => LEFT + ((batch - 0.5) / count) * (WIDTH - LEFT - RIGHT);
  const y = (value: number, most: number): number =>
    HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
  const lines = rows.ticks.map((tick) => {
    const at = y(tick, rows.most).toFixed(1);
    return `<path stroke="#d4d8dd" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/>${label(LEFT - 8, Number(at) + 4, tick.toLocaleString('en'), ROWS, 'end')}`;
  });
  const times = time.ticks.map((tick) =>
    label(WIDTH - RIGHT + 8, y(tick, time.most) + 4, tick.toLocaleString('en'), TIME, 'start'),
  );
  const step = Math.max(1, niceStep(count / 8));
  const numbers = batches.flatMap((_, at) =>
    at === 0 || (at + 1) % step === 0
      ? [label(x(at + 1), HEIGHT - BOTTOM + 18, String(at + 1), '#57606a', 'middle')]
      : [],
  );
  const bar = Math.max(1, ((WIDTH - LEFT - RIGHT) / count) * 0.8);
  const bars = batches.map((batch, at) => {
    const top = y(batch.rows, rows.most);
    return `<rect x="${(x(at + 1) - bar / 2).toFixed(1)}" y="${top.toFixed(1)}" width="${bar.toFixed(1)}" height="${(HEIGHT - BOTTOM - top).toFixed(1)}"/>`;
  });
  const points = batches.map(
    (batch, at) => `${x(at + 1).toFixed(1)},${y(batch.milliseconds, time.most).toFixed(1)}`,
  );
  const target = y(targetMs, time.most).toFixed(1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${label(LEFT, 20, title, '#24292f', 'start')}
${label(LEFT, 40, '▮ rows of the batch (left)', ROWS, 'start')}
${label(LEFT + 180, 40, '● milliseconds of the batch (right)', TIME, 'start')}
${label(LEFT + 420, 40, `┄ target, ${targetMs} ms`, TIME, 'start')}
${lines.join('\n')}
${times.join('\n')}
<g fill="${ROWS}" fill-opacity="0.35">${bars.join('')}</g>
<path stroke="${TIME}" stroke-dasharray="3 4" d="M${LEFT} ${target}H${WIDTH - RIGHT}"/>
<polyline fill="none" stroke="${TIME}" stroke-width="1.5" points="${points.join(' ')}"/>
<g fill="${TIME}">${points.map((point) => `<circle r="2.5" cx="${point.replace(',', '" cy="')}"/>`).join('')}</g>
${numbers.join('\n')}
${label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, 'number of the batch', '#57606a', 'middle')}
</svg>
`;
}

const label = (x: number, y: number, words: string, colour: string, anchor: string): string =>
  `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" fill="${colour}" text-anchor="${anchor}">${words}</text>`;

/** Round numbers from nothing to just above the greatest value. */
function axisOf(values: readonly number[]): { readonly most: number; readonly ticks: readonly number[] } {
  const step = niceStep(Math.max(1, ...values) / 5);
  const count = Math.ceil(Math.max(1, ...values) / step);
  return { most: step * count, ticks: Array.from({ length: count + 1 }, (_, at) => at * step) };
}

/** 1, 2 or 5 times a power of ten, at least as much. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}
