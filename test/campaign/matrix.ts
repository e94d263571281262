import { BLOWS } from './points.ts';
import type { Ending, Verdict } from './try-point.ts';

const cell = (of: readonly Verdict[]): string =>
  of.length === 0 ? '-' : `${of.filter(({ ending }) => ending === 'survived').length}/${of.length}`;

/** Faults as rows, histories as columns; each cell `survived/tried`. */
export function matrixOf(verdicts: readonly Verdict[]): string {
  const columns = [...new Set(verdicts.map(({ point }) => point.history))];
  const rows = [
    ...BLOWS.map((blow) => ({
      name: blow as string,
      of: verdicts.filter(({ point }) => point.strikes.length === 1 && point.strikes[0]?.blow === blow),
    })),
    { name: 'two faults', of: verdicts.filter(({ point }) => point.strikes.length > 1) },
  ];
  const table = [
    ['', ...columns],
    ...rows.map(({ name, of }) => [
      name,
      ...columns.map((column) => cell(of.filter(({ point }) => point.history === column))),
    ]),
  ];
  const widths = ['', ...columns].map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** `4,812 of 4,812 survived, 0 doubled, 0 lost, 0 stuck`, and how many points met the call they were meant for. */
export function totalOf(verdicts: readonly Verdict[]): string {
  const count = (wanted: Ending): string =>
    verdicts.filter(({ ending }) => ending === wanted).length.toLocaleString('en');
  const struck = verdicts.filter((verdict) => verdict.struck).length.toLocaleString('en');
  return (
    `${count('survived')} of ${verdicts.length.toLocaleString('en')} survived, ${count('doubled')} doubled, ` +
    `${count('lost')} lost, ${count('stuck')} stuck, ${count('lied')} told wrong; ${struck} distinct crash points met`
  );
}
