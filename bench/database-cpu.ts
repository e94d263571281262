import { readdirSync, readFileSync } from 'node:fs';
import type { Client } from 'pg';

/** Ticks of the processor's clock a second, as Linux shows them in `/proc`. */
const TICKS = 100;

/**
 * Seconds of processor time that a server on this machine has used in all its processes, those that have ended included. On a
 * machine that others share it tells more than the wall's clock. Null where the system does not show it.
 */
export async function databaseCpu(client: Client): Promise<() => number | null> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const server = timesOf(String(rows[0]?.pid))?.parent;
  return () => {
    if (server === undefined) return null;
    let ticks = 0;
    for (const name of readdirSync('/proc')) {
      const times = /^\d+$/.test(name) ? timesOf(name) : null;
      if (times === null) continue;
      if (name === server) ticks += times.own + times.ended;
      else if (times.parent === server) ticks += times.own;
    }
    return ticks / TICKS;
  };
}

/** Null when there is no such process any more. */
function timesOf(
  pid: string,
): { readonly parent: string; readonly own: number; readonly ended: number } | null {
  try {
    const fields = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
    const sum = (from: number): number => Number(fields[from]) + Number(fields[from + 1]);
    return { parent: fields[1] ?? '', own: sum(11), ended: sum(13) };
  } catch {
    return null;
  }
}
