import { Client } from 'pg';
import type { Session } from '../../lambda/engine/ports.ts';

/** What one statement did to the tables it met. */
export interface Footprint {
  readonly sql: string;
  /** The strongest lock it took on a table, as `table: mode`; tables without a lock that anybody notices are left out. */
  readonly locks: readonly string[];
  /** Tables whose rows it looked through. */
  readonly scanned: readonly string[];
}

/** PostgreSQL's modes from the weakest to the strongest (manual, explicit locking). */
const MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

/** From here on writers have to wait. */
const STOPS_WRITERS = MODES.indexOf('ShareLock');

/** A session in which each statement commits alone, and which sees what the statement locked and read. */
export function watchingSession(client: Client): {
  readonly session: Session;
  readonly footprints: Footprint[];
} {
  const footprints: Footprint[] = [];
  const session: Session = {
    async execute({ sql, parameters }) {
      const { text, values } = positional(sql, parameters ?? {});
      // It cannot be watched from inside; the test that uses it watches from beside.
      if (/^(?:create|drop) .*concurrently/.test(sql)) {
        await client.query(text);
        return { rows: [], affected: 0 };
      }
      await client.query('begin');
      const before = await scansOf(client);
      const { rows, rowCount } = await client.query<Record<string, never>>(text, values);
      const after = await scansOf(client);
      const locks = await locksOf(client);
      await client.query('commit');
      const scanned = [...after]
        .flatMap(([table, scans]) => (scans > (before.get(table) ?? 0) ? [table] : []))
        .sort();
      footprints.push({ sql, locks, scanned });
      return { rows, affected: rowCount ?? 0 };
    },
  };
  return { session, footprints };
}

/** Statements that keep writers waiting for as long as it takes to look through a table. */
export function longStops(footprints: readonly Footprint[]): readonly Footprint[] {
  return footprints.filter(({ locks, scanned }) =>
    locks.some((lock) => {
      const [table = '', mode = ''] = lock.split(': ');
      return MODES.indexOf(mode) >= STOPS_WRITERS && scanned.includes(table);
    }),
  );
}

function positional(sql: string, parameters: Readonly<Record<string, unknown>>) {
  const names = Object.keys(parameters);
  const text = sql.replaceAll(/(?<!:):([a-z]\w*)/g, (all, name: string) =>
    names.includes(name) ? `$${names.indexOf(name) + 1}` : all,
  );
  return { text, values: names.map((name) => parameters[name]) };
}

async function scansOf(client: Client): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ name: string; scans: string }>(
    `select relname as name, seq_scan as scans from pg_stat_xact_user_tables where schemaname = 'public'`,
  );
  return new Map(rows.map(({ name, scans }) => [name, Number(scans)]));
}

async function locksOf(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; mode: string }>(
    `select c.relname as name, l.mode from pg_locks l join pg_class c on c.oid = l.relation
     join pg_namespace n on n.oid = c.relnamespace
     where l.pid = pg_backend_pid() and c.relkind = 'r' and n.nspname = 'public'`,
  );
  const strongest = new Map<string, string>();
  for (const { name, mode } of rows) {
    const known = strongest.get(name);
    if (known === undefined || MODES.indexOf(mode) > MODES.indexOf(known)) strongest.set(name, mode);
  }
  return [...strongest].map(([name, mode]) => `${name}: ${mode}`).sort();
}
