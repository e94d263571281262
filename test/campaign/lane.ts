import type { Client } from 'pg';
import type { Arena } from './arena.ts';
import { runEngine } from './engine-run.ts';
import type { CampaignHistory, Start } from './histories.ts';

/** A database in which one point after the other is tried. */
export interface Lane {
  readonly database: string;
  /** A session past the Data API. */
  readonly direct: Client;
  /** Empties the database and brings it to where a point sets out. */
  prepare(history: Pick<CampaignHistory, 'migrations'>, start: Start): Promise<void>;
  /** A name under which nobody has called before. */
  nextCaller(): string;
  close(): Promise<void>;
}

/** What an earlier point left open goes first: it would keep its locks. */
const EMPTY = `
do $$ begin
  for turn in 1..500 loop
    perform pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle';
    exit when not found;
    perform pg_sleep(0.01);
    perform pg_stat_clear_snapshot();
  end loop;
end $$;
drop schema if exists forerun cascade;
drop schema if exists drizzle cascade;
drop schema public cascade;
create schema public`;

/** A run that is not to be struck must not be cut off either when the machine stalls. */
export const CALM_IDLE_MS = 20_000;

const MOST_ATTEMPTS = 5;

let lanes = 0;

export async function openLane(arena: Arena): Promise<Lane> {
  lanes += 1;
  const database = `forerun_campaign_${process.pid}_${lanes}`;
  const place = {
    endpoint: arena.dataApi.url,
    database,
    seed: 'before',
    limits: { idleTimeoutMs: CALM_IDLE_MS },
  };
  await arena.createDatabase(database);
  const direct = await arena.connect(database);
  let callers = 0;
  return {
    database,
    direct,
    async prepare({ migrations }, start) {
      await direct.query(EMPTY);
      if (start === 'empty') return;
      const goal = { direction: 'up', to: 'head', atomic: 'group' } as const;
      const history = { migrations: start === 'head' ? migrations : [], goal };
      const task = { ...place, accessKeyId: `${database}_before` };
      for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
        const { outcome } = await runEngine(history, { ...task, runId: `before-${attempt}` });
        if (outcome === 'applied') return;
      }
      throw new NotPrepared();
    },
    nextCaller() {
      callers += 1;
      return `${database}_${callers}`;
    },
    async close() {
      await direct.end();
      await arena.dropDatabase(database);
    },
  };
}

/** A point's start could not be reached. */
class NotPrepared extends Error {
  override readonly name = 'NotPrepared';
}
