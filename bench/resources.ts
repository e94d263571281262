import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { App, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Provider } from 'aws-cdk-lib/custom-resources';
import settings from '../cdk.json' with { type: 'json' };
import { bundleSync } from '../infra/bundle.ts';
import { Migrations } from '../infra/index.ts';

/**
 * What migrations add to a stack: `Migrations`, without and with a worker, beside the Provider framework of CDK with a function of the user's own (two
 * functions in the form that may take an hour); then the size of the code.
 */
const folder = mkdtempSync(join(tmpdir(), 'forerun-bench-'));
const directory = join(folder, 'migrations');
const row = (title: string, cells: readonly (string | number)[]): void =>
  void process.stdout.write(
    `${title.padEnd(36)}${cells.map((cell) => String(cell).padStart(18)).join('')}\n`,
  );

try {
  mkdirSync(directory);
  writeFileSync(
    join(directory, '0001_one.ts'),
    `import { migration } from 'forerun';
export default migration({ after: 'base', async up({ op }) { await op.execute('select 1'); }, async down() {} });`,
  );
  const contenders = [
    typesOf((stack) => withMigrations(stack, Duration.minutes(11))),
    typesOf((stack) => withMigrations(stack, Duration.hours(1))),
    typesOf((stack) => withProvider(stack, 'synchronous')),
    typesOf((stack) => withProvider(stack, 'waiting')),
  ];
  row('resources added to a stack', ['Migrations', 'with 1 h', 'Provider, 15 min', 'Provider, 1 h']);
  const types = [...new Set(contenders.flatMap((counts) => [...counts.keys()]))].sort();
  for (const type of types) {
    row(
      type,
      contenders.map((counts) => counts.get(type) ?? 0),
    );
  }
  row(
    'all',
    contenders.map((counts) => [...counts.values()].reduce((sum, count) => sum + count, 0)),
  );
  const { gate, runner, worker } = bundleSync({ directory, outdir: join(folder, 'code'), worker: true });
  process.stdout.write('\n');
  row('code', ['bytes', 'gzipped']);
  for (const [part, place] of Object.entries({ gate, runner, worker: worker ?? '' })) {
    const code = readFileSync(join(place, 'index.mjs'));
    row(part, [code.length, gzipSync(code).length]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** How many resources of each type a stack has in which nothing else is. */
function typesOf(fill: (stack: Stack) => void): ReadonlyMap<string, number> {
  const stack = new Stack(
    new App({ outdir: mkdtempSync(join(folder, 'out-')), context: settings.context }),
    'Bench',
  );
  fill(stack);
  const counts = new Map<string, number>();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const resources = Template.fromStack(stack).toJSON()['Resources'] as Record<
    string,
    { readonly Type: string }
  >;
  for (const { Type } of Object.values(resources)) counts.set(Type, (counts.get(Type) ?? 0) + 1);
  return counts;
}

function withMigrations(stack: Stack, timeout: Duration): Migrations {
  const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'bench');
  const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Database', {
    clusterIdentifier: 'bench',
    dataApiEnabled: true,
    secret,
  });
  return new Migrations(stack, 'Migrations', {
    cluster,
    database: 'app',
    directory,
    deployId: 'bench',
    timeout,
  });
}

function withProvider(stack: Stack, kind: 'synchronous' | 'waiting'): CustomResource {
  const code = (id: string): lambda.Function =>
    new lambda.Function(stack, id, {
      runtime: lambda.Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: lambda.Code.fromInline('exports.handler = async () => ({});'),
    });
  const provider = new Provider(stack, 'Provider', {
    onEventHandler: code('OnEvent'),
    ...(kind === 'waiting' ? { isCompleteHandler: code('IsComplete'), totalTimeout: Duration.hours(1) } : {}),
  });
  return new CustomResource(stack, 'Resource', { serviceToken: provider.serviceToken });
}
