import type { OpenBackfill } from './backfill/open-backfill.ts';
import type { LedgerDialect, Unfinished } from './ledger.ts';
import type { Revision } from './migration.ts';
import type { TransactionLimits } from './limits.ts';
import type { Row, Statement } from './ports.ts';
import type { DatabaseFailure } from './database-failure.ts';

/**
 * The journal's statements and how their rows are read. What is a database's own (its SQL, its error codes) stands behind
 * this port; the algorithm of a run stands in `run.ts` and knows none of it.
 */
export interface Dialect extends LedgerDialect {
  /** Creates or upgrades the journal, safely against twins, and makes sure that the history has its lease. */
  install(history: string): Statement;
  /** True when a journal statement failed because the journal is not (wholly) there. */
  lacksJournal(failure: DatabaseFailure): boolean;
  /** True when the installation found some of the journal's tables gone. */
  isTorn(failure: DatabaseFailure): boolean;
  /** True when the database gave way in a conflict with other sessions and a repetition is sensible. */
  isConflict(failure: DatabaseFailure): boolean;
  /** True when the database takes no writes: a replica, or a cluster that is being switched over. */
  isReadOnly(failure: DatabaseFailure): boolean;
  read(question: JournalQuestion): Statement;
  acquire(bid: LeaseBid): Statement;
  /** Sets time limits for the rest of a transaction. */
  limit(limits: TransactionLimits): Statement;
  /** Makes the rest of a transaction refuse every write. */
  readOnly(): Statement;
  claim(claim: Claim): Statement;
  unclaim(claim: Claim): Statement;
  release(end: RunEnd): Statement;
  /** Writes the row of a run that ended without the lease; safe to repeat, and old rows that changed nothing are thinned out. */
  note(run: EndedRun): Statement;
  unlock(order: Intervention): Statement;
  amend(order: Amendment): Statement;
  /** Ends the unfinished runs of the same owner, without waiting for anything: none of them can claim or bid any more. */
  overrule(identity: RunIdentity): Statement;
  /** Migrations that stand because runs of one deploy applied them. */
  appliedBy(runs: DeployRuns): Statement;
  applied(question: { history: string }): Statement;
  runs(question: { history: string; limit: number }): Statement;
}

/** Who reads, and with which history. A person who only looks has no run. */
export interface JournalQuestion {
  readonly history: string;
  readonly bundle: readonly Revision[];
  /** What runs whenever its checksum changed. @default none */
  readonly repeatables?: readonly Pick<Revision, 'id' | 'checksum'>[];
  readonly reader: RunIdentity | null;
  /** How the reader's run ends, as JSON, if this reading shows that there is nothing to do: the reading then writes its row. */
  readonly idle?: string;
}

/** Version of the journal that this engine writes. */
export const JOURNAL_VERSION = 1;

/** Who asks for a run; kept with the run's row and with the lease. */
export interface RunIdentity {
  /** Unique to one attempt of one process. */
  readonly runId: string;
  /** The same for every ask of the same deploy step; null for a person's invoke. */
  readonly runKey: string | null;
  readonly history: string;
  readonly action: 'up' | 'down' | 'settle' | 'unlock' | 'stamp' | 'repair';
  readonly deployId: string | null;
  /** The resource for which a deploy works; null for a person's invoke. */
  readonly owner: string | null;
  /** Fingerprint of the history that runs. */
  readonly digest: string;
  /** When the owner was asked, in milliseconds since 1970; absent for a person's invoke. */
  readonly askedAtMs?: number;
  /** The commit that a deploy was made from, where its template tells. */
  readonly commit?: string;
  /** Who a person says to be; nobody checks it. */
  readonly by?: string;
  /** The alias or version through which the runner was asked; absent for its unpublished code. */
  readonly through?: string;
}

/** The runs of one deploy: of these owners, with this history, asked for not before this moment (milliseconds since 1970). */
export interface DeployRuns {
  readonly history: string;
  readonly owners: readonly string[];
  readonly digest: string;
  readonly sinceMs: number;
  /** All that stands instead, if the last to migrate was of the first owner's stack. */
  readonly everything: boolean;
}

export interface LeaseBid extends RunIdentity {
  /** The lease's revision at the moment of reading: any write to the journal since then makes the bid fail. */
  readonly revision: bigint;
  /** Take the lease although its holder is alive; its open transaction is still waited for. */
  readonly force: boolean;
  readonly leaseMs: number;
}

export interface Claim extends RunIdentity {
  readonly token: bigint;
  readonly leaseMs: number;
  readonly migrations: readonly (Revision & {
    readonly compatible?: boolean;
    readonly skipped?: true;
    readonly repeatable?: true;
  })[];
  readonly lockTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

export interface RunEnd {
  readonly history: string;
  readonly runId: string;
  readonly token: bigint;
  readonly outcome: string;
  /** What the run ended with, as JSON; a second ask with the same key gets it back. */
  readonly result: string;
}

/** A run that never took the lease: it had nothing to do, was refused, or waited in vain. */
export interface EndedRun extends RunIdentity {
  readonly outcome: string;
  /** As in `RunEnd`. */
  readonly result: string;
}

/** What a person does to the journal by hand, and why. */
export interface Intervention extends RunIdentity {
  readonly reason: string;
}

/** Rows of the journal put right without running a migration. */
export interface Amendment extends Intervention {
  /** The lease's revision at the moment of reading: any write to the journal since then makes the order fail. */
  readonly revision: bigint;
  /** Rows to write; a row that is there gets the checksum. */
  readonly put: readonly Revision[];
  /** Ids of rows to take away. */
  readonly remove: readonly string[];
  /** Ids of unfinished migrations whose statements the ledger shall forget. */
  readonly forget: readonly string[];
}

/** A migration that the journal holds and the bundle does not. */
export interface ForeignMigration {
  readonly id: string;
  readonly after: readonly string[];
  readonly compatible: boolean | null;
}

/** The journal as one reading shows it: the lease, and only the difference to the bundle. */
export interface JournalView {
  readonly version: number;
  readonly token: bigint;
  readonly revision: bigint;
  readonly holder: Holder | null;
  /** How many migrations of this history are applied. */
  readonly appliedCount: number;
  /** Ids of the bundle that are not applied. */
  readonly pending: ReadonlySet<string>;
  /** Ids of the bundle's repeatables that never ran, or ran with another checksum. */
  readonly stale: ReadonlySet<string>;
  /** Ids whose checksum in the journal differs from the bundle's. */
  readonly changed: readonly string[];
  /** Ids of the bundle whose row is gone although the events say that they are applied: somebody deleted it. */
  readonly vanished: readonly string[];
  /** Ids of the bundle whose row says that they were not meant for this environment. */
  readonly skipped: ReadonlySet<string>;
  /** Applied, but not in the bundle. */
  readonly foreign: readonly ForeignMigration[];
  /** Migrations that are under way outside a transaction. */
  readonly unfinished: readonly Unfinished[];
  /** Backfills that are not done. */
  readonly backfills: readonly OpenBackfill[];
  /** The last run with the asked key. */
  readonly asked: AskedRun | null;
  /** A newer ask of the same owner was taken up, a rollback for example: this run may not do anything any more. */
  readonly overruled: boolean;
  /** This very run has ended before: its request was handed in twice. */
  readonly ended: boolean;
  /** The reading has written the row of a run with nothing to do. */
  readonly noted: boolean;
}

export interface Holder {
  readonly runId: string;
  readonly owner: string | null;
  readonly deployId: string | null;
  readonly since: string;
  /** False once the lease has expired. */
  readonly live: boolean;
}

export interface AskedRun {
  readonly runId: string;
  /** What the run ended with; null while it has not ended. */
  readonly result: unknown;
}

interface LeaseColumns {
  readonly version: number;
  readonly token: bigint;
  readonly revision: bigint;
  readonly holder: string | null;
  readonly owner: string | null;
  readonly deploy_id: string | null;
  readonly since: string | null;
  readonly live: boolean;
  readonly applied: number;
  readonly pending: readonly string[];
  readonly stale: readonly string[];
  readonly changed: readonly string[];
  readonly vanished: readonly string[];
  readonly skipped: readonly string[];
  readonly foreign_ones: readonly (readonly [string, readonly string[], boolean | null])[];
  readonly unfinished: readonly Unfinished[];
  readonly backfills: readonly OpenBackfill[];
  readonly asked: { readonly runId: string; readonly result: unknown } | null;
  readonly overruled: boolean;
  readonly ended: boolean;
  readonly noted?: boolean;
}

/** Reads the one row of `Dialect.read`; null when the history has no lease row yet. */
export function viewOf(rows: readonly Row[]): JournalView | null {
  const [first] = rows;
  if (first === undefined) return null;
  // The columns are named and typed by our own statement in the dialect.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const row = first as unknown as LeaseColumns;
  return {
    version: row.version,
    token: row.token,
    revision: row.revision,
    holder:
      row.holder === null
        ? null
        : {
            runId: row.holder,
            owner: row.owner,
            deployId: row.deploy_id,
            since: row.since ?? 'an unknown time',
            live: row.live,
          },
    appliedCount: row.applied,
    pending: new Set(row.pending),
    stale: new Set(row.stale),
    changed: row.changed,
    vanished: row.vanished,
    skipped: new Set(row.skipped),
    foreign: row.foreign_ones.map(([id, after, compatible]) => ({ id, after, compatible })),
    unfinished: row.unfinished,
    backfills: row.backfills,
    asked: row.asked,
    overruled: row.overruled,
    ended: row.ended,
    noted: row.noted === true,
  };
}
