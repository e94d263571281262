import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RDSDataClient } from '@aws-sdk/client-rds-data';
import { drizzle } from 'drizzle-orm/aws-data-api/pg';
import { migrate } from 'drizzle-orm/aws-data-api/pg/migrator';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { lineOf } from '../lifecycle/line-of.ts';
import { CLUSTER, runEngine, SECRET, type EngineTask } from './engine-run.ts';

/** Migrations as lists of statements, which every tool can run. */
export type PlainMigrations = readonly (readonly string[])[];

/** A migration tool, used as its documentation says. */
export interface Contender {
  readonly name: string;
  /** One attempt; rejects or answers false when the tool reports a failure. */
  attempt(task: EngineTask, migrations: PlainMigrations): Promise<boolean>;
}

const FIRST_MOMENT = 1_700_000_000_000;

const forerun: Contender = {
  name: 'forerun',
  async attempt(task, migrations) {
    const history = lineOf(...migrations.map((up, at) => ({ id: `000${at + 1}`, up: [...up] })));
    const goal = { direction: 'up', to: 'head', atomic: 'group' } as const;
    return (await runEngine({ migrations: history, goal }, task)).outcome === 'applied';
  },
};

const credentialsOf = ({ accessKeyId }: EngineTask) => ({ accessKeyId, secretAccessKey: 'test' });

const drizzleTool: Contender = {
  name: 'drizzle-orm',
  async attempt(task, migrations) {
    const folder = mkdtempSync(join(tmpdir(), 'forerun-campaign-'));
    const credentials = credentialsOf(task);
    const client = new RDSDataClient({ endpoint: task.endpoint, region: 'eu-west-1', credentials });
    try {
      writeMigrations(folder, migrations);
      const db = drizzle(client, { database: task.database, resourceArn: CLUSTER, secretArn: SECRET });
      await migrate(db, { migrationsFolder: folder });
      return true;
    } finally {
      client.destroy();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** The files that `drizzle-kit generate` writes. */
function writeMigrations(folder: string, migrations: PlainMigrations): void {
  mkdirSync(join(folder, 'meta'));
  const entries = migrations.map((statements, idx) => {
    const tag = `000${idx}_step`;
    writeFileSync(join(folder, `${tag}.sql`), statements.join(';\n--> statement-breakpoint\n'));
    return { idx, version: '7', when: FIRST_MOMENT + idx, tag, breakpoints: true };
  });
  const journal = { version: '7', dialect: 'postgresql', entries };
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify(journal));
}

const typeorm: Contender = {
  name: 'typeorm',
  async attempt(task, migrations) {
    const source = new DataSource({
      type: 'aurora-postgres',
      region: 'eu-west-1',
      resourceArn: CLUSTER,
      secretArn: SECRET,
      database: task.database,
      logging: false,
      migrations: migrations.map((statements, at) => migrationClass(statements, at)),
      serviceConfigOptions: { endpoint: task.endpoint, credentials: credentialsOf(task) },
    });
    try {
      await source.initialize();
      await source.runMigrations();
      return true;
    } finally {
      if (source.isInitialized) await source.destroy();
    }
  },
};

function migrationClass(statements: readonly string[], at: number): new () => MigrationInterface {
  return class implements MigrationInterface {
    readonly name = `Step${FIRST_MOMENT + at}`;
    async up(runner: QueryRunner): Promise<void> {
      for (const sql of statements) await runner.query(sql);
    }
    down(): Promise<void> {
      return Promise.resolve();
    }
  };
}

/** Forerun and the tools that it is compared with. */
export const CONTENDERS: readonly Contender[] = [forerun, drizzleTool, typeorm];
