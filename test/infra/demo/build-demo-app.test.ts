import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildDemoApp, type DemoOptions } from '../../../infra/demo/build-demo-app.ts';
import { folderOf, migrationText } from '../folder.ts';
import { validated } from '../validation.ts';

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties: unknown }>>;

describe('the demo', () => {
  let outdir: string;

  beforeAll(() => {
    outdir = newOutdir();
    validated(() => buildDemoApp({ outdir, deployId: 'a' }).synth());
  });

  afterAll(() => {
    rmSync(outdir, { recursive: true, force: true });
  });

  it('gives the same assembly twice, byte for byte', () => {
    // Both from one place in this file: CDK notes in the assembly where a construct was made.
    const [first = '', second = ''] = [1, 2].map(() => synth({ deployId: 'a' }));
    const files = filesIn(first);
    expect(files).toContain('ForerunDemoApp.template.json');
    expect(filesIn(second)).toEqual(files);
    const different = files.filter(
      (file) => !readFileSync(join(first, file)).equals(readFileSync(join(second, file))),
    );
    expect(different).toEqual([]);
  });

  it('names no path of this machine in templates and code', () => {
    const naming = filesIn(outdir)
      .filter((file) => file.endsWith('.template.json') || file.startsWith('asset.'))
      .filter((file) =>
        [process.cwd(), outdir].some((path) => readFileSync(join(outdir, file), 'utf8').includes(path)),
      );
    expect(naming).toEqual([]);
  });

  it('needs neither an account nor a lookup', () => {
    const manifest = JSON.parse(readFileSync(join(outdir, 'manifest.json'), 'utf8')) as {
      readonly missing?: unknown;
      readonly artifacts: Readonly<Record<string, { readonly environment?: string }>>;
    };
    expect(manifest.missing).toBeUndefined();
    expect(manifest.artifacts['ForerunDemoApp']?.environment).toBe('aws://unknown-account/unknown-region');
  });

  it('passes the checks of CloudFormation that CDK runs offline', () => {
    const report = readFileSync(join(outdir, 'validation-report.json'), 'utf8');
    expect(JSON.parse(report)).toMatchObject({ pluginReports: [] });
  });

  it('keeps the database asleep, encrypted, protected and reachable through the Data API only', () => {
    const resources = templateOf(outdir, 'ForerunDemoDatabase');
    expect(one(resources, 'AWS::RDS::DBCluster')).toMatchObject({
      Engine: 'aurora-postgresql',
      DatabaseName: 'app',
      EnableHttpEndpoint: true,
      EnableIAMDatabaseAuthentication: true,
      ManageMasterUserPassword: true,
      StorageEncrypted: true,
      DeletionProtection: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 2 },
    });
    const types = Object.values(resources).map(({ Type }) => Type);
    expect(types.filter((type) => type === 'AWS::EC2::Subnet')).toHaveLength(2);
    expect(types).not.toContain('AWS::EC2::NatGateway');
    expect(types).not.toContain('AWS::EC2::InternetGateway');
    expect(types).not.toContain('AWS::SecretsManager::Secret');
  });

  it('lets the live alias wait for the migrations', () => {
    const resources = templateOf(outdir, 'ForerunDemoApp');
    const [migrations] =
      Object.entries(resources).find(([, { Type }]) => Type === 'Custom::ForerunMigrations') ?? [];
    const [, alias] = Object.entries(resources).find(([id]) => id.startsWith('AppAliaslive')) ?? [];
    expect(alias).toMatchObject({ DependsOn: [migrations], Properties: { Name: 'live' } });
  });

  it('moves the alias and leaves the migrations alone, for a new version of the app', () => {
    const before = templateOf(outdir, 'ForerunDemoApp');
    const after = templateOf(synth({ deployId: 'a', appVersion: '2' }), 'ForerunDemoApp');
    expect(one(after, 'AWS::Lambda::Alias', 'App')).not.toEqual(one(before, 'AWS::Lambda::Alias', 'App'));
    expect(one(after, 'Custom::ForerunMigrations')).toEqual(one(before, 'Custom::ForerunMigrations'));
  });

  it('takes other migrations for a rehearsal', () => {
    const directory = folderOf({ '0001_only.ts': migrationText('base') });
    const resources = templateOf(synth({ deployId: 'a', directory }), 'ForerunDemoApp');
    expect(one(resources, 'Custom::ForerunMigrations')).toMatchObject({ Head: '0001_only', DeployId: 'a' });
  });
});

function synth(options: DemoOptions): string {
  const outdir = newOutdir();
  onTestFinished(() => {
    rmSync(outdir, { recursive: true, force: true });
  });
  buildDemoApp({ outdir, ...options }).synth();
  return outdir;
}

function newOutdir(): string {
  return mkdtempSync(join(tmpdir(), 'forerun-test-'));
}

function filesIn(outdir: string): readonly string[] {
  return readdirSync(outdir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(outdir.length + 1))
    .sort();
}

function templateOf(outdir: string, stack: string): Resources {
  const template = JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8')) as {
    readonly Resources: Resources;
  };
  return template.Resources;
}

function one(resources: Resources, type: string, prefix = ''): unknown {
  return Object.entries(resources).find(([id, { Type }]) => Type === type && id.startsWith(prefix))?.[1]
    .Properties;
}
