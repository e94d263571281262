import { join } from 'node:path';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import type { AppVariant } from '../deploy/stage-app.ts';
import { finish, ROOT, start, type Child, type Ended } from '../child.ts';
import { openStage, openTheatre, STACK, type Stage } from '../deploy/stage.ts';

/** A deployed runner and a command line that asks it, as a child process with the environment of a person. */
export interface RunnerStage {
  readonly stage: Stage;
  readonly functionName: () => string;
  forerun(...args: readonly string[]): Promise<Ended>;
  /** With variables that go before the others. */
  forerunWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended>;
  /** Started, and not waited for. */
  begin(env: Readonly<Record<string, string>>, ...args: readonly string[]): Child;
  close(): Promise<void>;
}

/** A stage, and a first deploy on it. */
export async function openRunnerStage(
  migrations: Readonly<Record<string, string>>,
  options: Parameters<typeof openStage>[1] = {},
  variant: AppVariant = {},
): Promise<RunnerStage> {
  const postgres: LocalPostgres = await openTheatre();
  const stage = await openStage(postgres, options);
  await stage.deploy('first', migrations, {}, variant);
  const functionName = (): string =>
    String(
      stage.rehearsal.cloudFormation
        .stack(STACK)
        ?.resources.find(
          ({ type, logicalId }) =>
            type === 'AWS::Lambda::Function' && logicalId.startsWith('MigrationsRunner'),
        )?.physicalId,
    );
  const command = (env: Readonly<Record<string, string>>, args: readonly string[]) =>
    [
      process.execPath,
      [join(ROOT, 'cli/main.ts'), ...args],
      { env: { ...stage.rehearsal.environment, FORERUN_RUNNER: functionName(), ...env } },
    ] as const;
  return {
    stage,
    functionName,
    forerun: (...args) => finish(...command({}, args)),
    forerunWith: (env, ...args) => finish(...command(env, args)),
    begin: (env, ...args) => start(...command(env, args)),
    async close() {
      await stage.close();
      await postgres.stop();
    },
  };
}
