import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ServiceError } from './service-error.ts';
import type { Lent } from './session-pool.ts';
import type { Session } from './session.ts';

/** What an id is good for: the three names it was given out for. */
export interface TransactionScope {
  readonly resourceArn: string;
  readonly secretArn: string;
  /** Undefined in a call that does not name one. */
  readonly database: string | undefined;
}

/** An open transaction, taken for one call. */
interface Occupied {
  readonly session: Session;
  readonly database: string;
  /** The call's statement is over: the next call may come, and the idle time begins. */
  done(): void;
}

export interface Transactions {
  begin(scope: TransactionScope, database: string, lent: Lent): string;
  /** Takes the transaction for one call; refuses at once while another call has it. */
  occupy(id: string, scope: TransactionScope): Occupied;
  /** Forgets an occupied transaction whose end was sent to the database, and gives its session back. */
  end(id: string): Promise<void>;
  /** Rolls back what is open because of an error. */
  abort(id: string): Promise<void>;
  openOn(resourceArn: string): number;
  close(): Promise<void>;
}

export interface TransactionLimits {
  readonly clock: Clock;
  readonly idleMs: number;
  readonly lifeMs: number;
}

interface Open {
  readonly id: string;
  readonly scope: TransactionScope;
  readonly database: string;
  readonly lent: Lent;
  readonly stopLife: () => void;
  stopIdle: () => void;
  busy: boolean;
}

type End = 'expired' | 'ended' | 'aborted';

/** Ids of ended transactions whose reason is remembered; of older ones it is only said that they are not there. */
const ENDS_KEPT = 1000;

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.troubleshooting.html */
const REASONS: Readonly<Record<End, string>> = {
  expired: 'The transaction may be expired.',
  ended: 'One previous call resulted in a termination of the transaction.',
  aborted: 'The transaction was aborted due to an error from a previous call.',
};

export function transactionStore(limits: TransactionLimits): Transactions {
  const open = new Map<string, Open>();
  const ends = new Map<string, End>();
  const remember = (id: string, end: End): void => {
    ends.set(id, end);
    if (ends.size <= ENDS_KEPT) return;
    const [oldest] = ends.keys();
    if (oldest !== undefined) ends.delete(oldest);
  };

  const remove = (transaction: Open, end: End): boolean => {
    if (!open.delete(transaction.id)) return false;
    remember(transaction.id, end);
    transaction.stopIdle();
    transaction.stopLife();
    return true;
  };
  /** Closing the session is what rolls back, also under a statement that is still running. */
  const destroy = async (transaction: Open, end: End): Promise<void> => {
    if (!remove(transaction, end)) return;
    const { session } = transaction.lent;
    if (transaction.busy) await session.cancel();
    await session.close();
    await transaction.lent.release();
  };
  const startIdle = (transaction: Open): void => {
    transaction.stopIdle = limits.clock.after(limits.idleMs, () => void destroy(transaction, 'expired'));
  };

  return {
    begin(scope, database, lent) {
      const id = randomBytes(96).toString('base64');
      const transaction: Open = {
        id,
        scope,
        database,
        lent,
        busy: false,
        stopIdle: () => {},
        stopLife: limits.clock.after(limits.lifeMs, () => void destroy(transaction, 'expired')),
      };
      open.set(id, transaction);
      startIdle(transaction);
      lent.session.onLost(() => void destroy(transaction, 'aborted'));
      return id;
    },
    occupy(id, scope) {
      const transaction = open.get(id);
      if (transaction === undefined) throw notFound(id, ends.get(id));
      refuseForeign(transaction, scope);
      if (transaction.busy) {
        throw new ServiceError('DatabaseErrorException', 'Transaction is still running a query');
      }
      transaction.busy = true;
      transaction.stopIdle();
      return {
        session: transaction.lent.session,
        database: transaction.database,
        done() {
          transaction.busy = false;
          if (open.has(id)) startIdle(transaction);
        },
      };
    },
    async end(id) {
      const transaction = open.get(id);
      if (transaction !== undefined && remove(transaction, 'ended')) await transaction.lent.release();
    },
    async abort(id) {
      const transaction = open.get(id);
      if (transaction !== undefined) await destroy(transaction, 'aborted');
    },
    openOn: (resourceArn) =>
      [...open.values()].filter(({ scope }) => scope.resourceArn === resourceArn).length,
    async close() {
      await Promise.all([...open.values()].map(async (transaction) => destroy(transaction, 'aborted')));
    },
  };
}

function notFound(id: string, end: End | undefined): ServiceError {
  const reason = end === undefined ? '' : ` ${REASONS[end]}`;
  return new ServiceError('TransactionNotFoundException', `Transaction ${id} is not found.${reason}`);
}

function refuseForeign(transaction: Open, scope: TransactionScope): void {
  const mismatch =
    (transaction.scope.resourceArn !== scope.resourceArn && 'resourceArn') ||
    (transaction.scope.secretArn !== scope.secretArn && 'secretArn') ||
    (scope.database !== undefined && transaction.scope.database !== scope.database && 'database');
  if (mismatch === false) return;
  throw new ServiceError(
    'BadRequestException',
    `The ${mismatch} is not the one the transaction was begun with`,
  );
}
