import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, it } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { sameFolderOf, migrationText } from './folder.ts';
import {
  CUSTOM,
  ONE,
  importedCluster,
  misuse,
  newApp,
  newCluster,
  newStack,
  plainStack,
  resourceOf,
} from './stack.ts';

describe('a cluster', () => {
  it('has its Data API switched on where it did not say', () => {
    const { stack } = plainStack();
    expect(resourceOf(stack, 'AWS::RDS::DBCluster').Properties['EnableHttpEndpoint']).toBe(true);
  });

  it('may lie in another stack', () => {
    const app = newApp();
    const data = new Stack(app, 'Data');
    const stack = new Stack(app, 'App');
    const migrations = new Migrations(stack, 'Migrations', {
      cluster: newCluster(data),
      directory: sameFolderOf(ONE),
    });
    expect(migrations.head).toBe('0001_first');
    app.synth();
    expect(stack.dependencies).toContain(data);
    expect(resourceOf(data, 'AWS::RDS::DBCluster').Properties['EnableHttpEndpoint']).toBe(true);
  });

  it('may be imported with secret, Data API and the name of a database', () => {
    const { stack, cluster } = importedCluster({ dataApiEnabled: true, withSecret: true });
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      database: 'app',
      directory: sameFolderOf(ONE),
    });
    expect(migrations.head).toBe('0001_first');
    expect(JSON.stringify(resourceOf(stack, CUSTOM).Properties['ClusterArn'])).toContain(':cluster:imported');
  });

  it.each([
    ['region', { account: '111122223333', region: 'us-east-1' }, 'eu-west-1, and this stack in us-east-1'],
    [
      'account',
      { account: '444455556666', region: 'eu-west-1' },
      '111122223333, and this stack in 444455556666',
    ],
  ])('is refused in another %s', (part, env, places) => {
    const app = newApp();
    const data = new Stack(app, 'Data', { env: { account: '111122223333', region: 'eu-west-1' } });
    const stack = new Stack(app, 'App', { env });
    const cluster = newCluster(data);
    expect(() => new Migrations(stack, 'Migrations', { cluster, directory: sameFolderOf(ONE) })).toThrow(
      misuse(
        `Migrations 'App/Migrations': the cluster 'Data/Database' lies in the ${part} ${places}. The database was not touched. Put 'Migrations' into a stack of the cluster's own account and region.`,
      ),
    );
  });

  it('is refused when its Data API is off', () => {
    expect(() => newStack({ cluster: { enableDataApi: false } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': the Data API of the cluster 'App/Database' is off. The database was not touched. Set 'enableDataApi: true' on the cluster.`,
      ),
    );
  });

  it('is refused when it is no PostgreSQL', () => {
    const engine = rds.DatabaseClusterEngine.auroraMysql({
      version: rds.AuroraMysqlEngineVersion.VER_3_08_0,
    });
    expect(() => newStack({ cluster: { engine } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': the cluster 'App/Database' is 'aurora-mysql', and Forerun migrates Aurora PostgreSQL. The database was not touched. Give it a cluster of 'rds.DatabaseClusterEngine.auroraPostgres(…)'.`,
      ),
    );
  });

  it('is refused a second time for the same history, and taken for another one', () => {
    const { stack, cluster } = importedCluster({ dataApiEnabled: true, withSecret: true });
    const props = { cluster, database: 'app', directory: sameFolderOf(ONE) };
    expect(new Migrations(stack, 'First', props).head).toBe('0001_first');
    expect(() => new Migrations(stack, 'Second', props)).toThrow(
      misuse(
        `Migrations 'App/Second': 'App/First' already migrates the database 'app' with the history 'default'. The database was not touched. Give one of them a 'history' name of its own.`,
      ),
    );
    expect(new Migrations(stack, 'Third', { ...props, history: 'third' }).head).toBe('0001_first');
  });

  it.each([
    ['in one stack', {}, false, true],
    [
      'in stacks of one account and region',
      { env: { account: '111122223333', region: 'eu-west-1' } },
      true,
      true,
    ],
    ['in stacks that may go to different accounts', {}, true, false],
  ])('is refused a second time as another import, %s', (_where, props, apart, refused) => {
    const app = newApp();
    const one = new Stack(app, 'One', props);
    const two = apart ? new Stack(app, 'Two', props) : one;
    const again = (): string => {
      try {
        return migrateImport(two, 'Second', 'Imported').head;
      } catch (cause) {
        return String(cause);
      }
    };
    expect(migrateImport(one, 'First', 'imported').head).toBe('0001_first');
    expect(again()).toMatch(refused ? /'One\/First' already migrates the database 'app'/ : /^0001_first$/);
    expect(migrateImport(two, 'Other', 'other').head).toBe('0001_first');
  });

  it('is refused when nothing says which database to migrate', () => {
    const { stack, cluster } = importedCluster({ dataApiEnabled: true, withSecret: true });
    expect(() => new Migrations(stack, 'Migrations', { cluster, directory: sameFolderOf(ONE) })).toThrow(
      misuse(
        `Migrations 'App/Migrations': nothing says which database of the cluster 'App/Database' to migrate. The database was not touched. Give its name as 'database'.`,
      ),
    );
  });

  it('is refused when it was imported without a secret', () => {
    const { stack, cluster } = importedCluster({ dataApiEnabled: true, withSecret: false });
    expect(
      () => new Migrations(stack, 'Migrations', { cluster, database: 'app', directory: sameFolderOf(ONE) }),
    ).toThrow(
      misuse(
        `Migrations 'App/Migrations': nothing says with which secret to log in to the cluster 'App/Database'. The database was not touched. Give it as 'secret', or import the cluster with its 'secret'.`,
      ),
    );
  });

  it('is refused when it was imported without word of its Data API', () => {
    const { stack, cluster } = importedCluster({ withSecret: true });
    expect(
      () => new Migrations(stack, 'Migrations', { cluster, database: 'app', directory: sameFolderOf(ONE) }),
    ).toThrow(
      misuse(
        `Migrations 'App/Migrations': the Data API is not known to be on for the imported cluster 'App/Database'. The database was not touched. Switch it on (aws rds enable-http-endpoint) and import the cluster with 'dataApiEnabled: true'.`,
      ),
    );
  });
});

describe('a property that cannot work', () => {
  it('is a folder that is not there', () => {
    expect(() => newStack({ props: { directory: 'no-such-folder' } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': there is no folder 'no-such-folder'. The database was not touched. Let 'directory' name the folder with your migrations; a relative path counts from where synth runs.`,
      ),
    );
  });

  it('is a history that the runner would not take', () => {
    expect(() => newStack({ props: { history: "it's" } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': 'it's' cannot name a history. The database was not touched. Let 'history' be 1 to 64 letters, digits, dots, dashes and underscores.`,
      ),
    );
  });

  it('is a deploy id that the runner would not take', () => {
    expect(() => newStack({ props: { deployId: 'x'.repeat(257) } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': the deploy id has 257 characters. The database was not touched. Give a 'deployId' of at most 256 characters, for example the commit.`,
      ),
    );
  });

  it('is a history of migrations that is not sound, in the words of the bundling', () => {
    expect(() => newStack({ files: { ...ONE, '0002_second.ts': migrationText('gone') } })).toThrow(
      expect.objectContaining({ code: 'history-missing-parent' }),
    );
  });
});

describe('runBefore', () => {
  it('refuses something imported, which would go live unheld', () => {
    const { stack, migrations } = plainStack();
    const imported = lambda.Function.fromFunctionArn(
      stack,
      'Imported',
      'arn:aws:lambda:eu-west-1:111122223333:function:imported',
    );
    expect(() => migrations.runBefore(imported)).toThrow(
      /^Migrations 'App\/Migrations': 'App\/Imported' cannot wait for the migrations, because no stack/,
    );
  });

  it('refuses to hold nothing', () => {
    const { migrations } = plainStack();
    expect(() => migrations.runBefore()).toThrow(/names nothing that shall wait/);
  });
});

/** Migrates a cluster that was made elsewhere, by its identifier. */
const migrateImport = (stack: Stack, id: string, clusterIdentifier: string) => {
  const secret = secretsmanager.Secret.fromSecretNameV2(stack, `${id}Secret`, 'imported');
  const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, `${id}Database`, {
    clusterIdentifier,
    dataApiEnabled: true,
    secret,
  });
  return new Migrations(stack, id, { cluster, database: 'app', directory: sameFolderOf(ONE) });
};
