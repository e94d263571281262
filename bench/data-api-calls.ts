import { lineOf, startWorkplace } from '../test/lifecycle/workplace.ts';

/** How many Data API calls a deploy costs, counted by the local Data API: nothing to do, and N migrations of k statements. */
const place = await startWorkplace();
try {
  process.stdout.write('Data API calls on an installed journal, one group (counted by the server)\n\n');
  process.stdout.write('    N   k   calls   N·k + 6   nothing to do\n');
  for (const [n, k] of [
    [1, 1],
    [5, 3],
    [20, 5],
  ] as const) {
    const database = await place.freshDatabase();
    await database.up([]);
    const history = lineOf(
      ...Array.from({ length: n }, (_, index) => ({
        id: `m${String(index).padStart(4, '0')}`,
        up: Array.from({ length: k }, (_unused, statement) => `create table t${index}_${statement} (n int)`),
      })),
    );
    place.dataApi.resetCalls();
    const result = await database.up(history);
    const calls = place.dataApi.calls().length;
    place.dataApi.resetCalls();
    await database.up(history);
    const idle = place.dataApi.calls().length;
    const columns = [n, k, calls, n * k + 6, idle].map((value, index) =>
      String(value).padStart([5, 4, 8, 10, 16][index] ?? 0),
    );
    process.stdout.write(
      `${columns.join('')}${result.error === null ? '' : `   ${result.error.text.what}`}\n`,
    );
  }
} finally {
  await place.close();
}
