import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invokeRunner, readRows } from '../../cli/demo/ask-by-hand.ts';
import { buildDemoApp } from '../../infra/demo/build-demo-app.ts';
import type { DeployResult } from '../../local/cloudformation/start-cloudformation.ts';
import { startPostgres, type LocalPostgres } from '../../local/postgres/postgres.ts';
import { startRehearsal, type Rehearsal, type RehearsalOptions } from '../../local/rehearsal.ts';

export const STACK = 'ForerunDemoApp';

/** What a person at the runner gets back. */
export interface HandAnswer {
  readonly ok: boolean;
  readonly action: string;
  readonly error?: {
    readonly code: string;
    readonly text: { readonly what: string; readonly state: string; readonly next: string };
  };
  readonly result?: {
    readonly outcome: string;
    readonly steps: readonly { readonly migration: string; readonly outcome: string }[];
    readonly error: { readonly code: string } | null;
  };
  readonly status?: {
    readonly installed: boolean;
    readonly applied: readonly { readonly id: string }[];
    readonly pending: readonly string[];
    readonly foreign: readonly string[];
  };
  readonly plan?: {
    readonly groups: readonly (readonly string[])[];
    readonly refusals: readonly { readonly code: string }[];
  };
  readonly runs?: readonly {
    readonly action: string;
    readonly outcome: string | null;
    readonly applied: readonly string[];
  }[];
}

/** The demo's two stacks with migrations of the test's own, on a machine of its own. */
export interface Stage {
  readonly rehearsal: Rehearsal;
  /** Synthesises a release of the app with these migrations (file name → text) and deploys it. */
  deploy(
    release: string,
    migrations: Readonly<Record<string, string>>,
    fail?: Readonly<Record<string, string>>,
  ): Promise<DeployResult>;
  invoke(event: unknown): Promise<HandAnswer>;
  rows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** What the gate wrote into its log. */
  gateLog(): string;
  /** What the runner wrote into its log. */
  runnerLog(): string;
  close(): Promise<void>;
}

/** One PostgreSQL for all the stages of a test file. */
export function openTheatre(): Promise<LocalPostgres> {
  const url = process.env['DATABASE_URL'];
  return startPostgres(url === undefined ? {} : { databaseUrl: url });
}

export async function openStage(
  { user, password, host, port }: LocalPostgres,
  options: Pick<RehearsalOptions, 'onInvoke'> = {},
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'forerun-stage-'));
  const databaseUrl = `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/postgres`;
  const rehearsal = await startRehearsal({ databaseUrl, ...options });
  const log = (part: string): string => {
    const resource = rehearsal.cloudFormation
      .stack(STACK)
      ?.resources.find(
        ({ type, logicalId }) => type === 'AWS::Lambda::Function' && logicalId.startsWith(part),
      );
    return rehearsal.lambda
      .logs(String(resource?.physicalId))
      .map(({ line }) => line)
      .join('\n');
  };
  return {
    rehearsal,
    async deploy(release, migrations, fail = {}) {
      const directory = join(folder, release, 'migrations');
      mkdirSync(directory, { recursive: true });
      for (const [name, text] of Object.entries(migrations)) writeFileSync(join(directory, name), text);
      const outdir = join(folder, release, 'cdk.out');
      buildDemoApp({ outdir, directory, appVersion: release, deployId: release }).synth();
      return rehearsal.deploy(outdir, STACK, fail);
    },
    invoke: async (event) => (await invokeRunner(rehearsal, STACK, event as object)) as HandAnswer,
    rows: (sql) => readRows(rehearsal, sql),
    gateLog: () => log('MigrationsGate'),
    runnerLog: () => log('MigrationsRunner'),
    async close() {
      await rehearsal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The text of a migration module with these statements; `after` is the id before it. */
export function module(
  after: string,
  up: readonly string[],
  more: { readonly down?: readonly string[]; readonly compatible?: boolean } = {},
): string {
  return `import { irreversible, migration } from 'forerun';
export default migration({
  after: '${after}',
  ${more.compatible === undefined ? '' : `compatible: ${more.compatible},`}
  up: ${way(up)},
  down: ${more.down === undefined ? `irreversible('the test says so')` : way(more.down)},
});
`;
}

const way = (statements: readonly string[]): string =>
  `async ({ op }) => { ${statements.map((sql) => `await op.execute(${JSON.stringify(sql)});`).join(' ')} }`;
