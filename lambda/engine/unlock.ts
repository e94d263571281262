import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import type { Dialect, Intervention } from './journal.ts';
import { repeatable } from './lease.ts';
import type { Ports, Row } from './ports.ts';

/** What an unlock came to. */
export interface Unlocked {
  /** The run that held the lease and cannot commit any more; null when nobody held it. */
  readonly holder: string | null;
}

/**
 * Takes the lease away from whoever holds it, for a reason that the journal keeps. Safe at any moment: the token rises, so a
 * holder that is still alive finds itself fenced and reads the journal again; an open transaction is left to its end.
 */
export async function unlock(order: Intervention, ports: Ports, dialect: Dialect): Promise<Unlocked> {
  const row = await sendOrder(order, ports, dialect);
  const holder = row?.['holder'];
  if (row !== undefined && row['done'] !== true && row['held'] === true) throw insideTransaction();
  return { holder: typeof holder === 'string' ? holder : null };
}

/** Undefined when there is no journal, hence no lease. The order may be sent twice: its run's row tells. */
async function sendOrder(order: Intervention, ports: Ports, dialect: Dialect): Promise<Row | undefined> {
  try {
    return (await repeatable(dialect.unlock(order), ports)).rows[0];
  } catch (cause) {
    if (cause instanceof DatabaseFailure && dialect.lacksJournal(cause)) return undefined;
    throw cause;
  }
}

function insideTransaction(): ForerunError {
  return new ForerunError('lease-busy', {
    what: 'The holder of the lease works inside an open transaction.',
    state: 'The lease was not taken away.',
    next: 'Wait: a transaction whose runner died ends after 20 seconds; then ask again, or simply run.',
  });
}
