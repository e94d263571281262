import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import settings from '../../cdk.json' with { type: 'json' };
import { AppStack } from './app-stack.ts';
import { DatabaseStack } from './database-stack.ts';

/** Variants of the demo, so that a rehearsal can deploy one after the other. */
export interface DemoOptions {
  /**
   * Folder for the cloud assembly.
   *
   * @default - as the CDK command line asks, else a temporary folder
   */
  readonly outdir?: string;
  /**
   * Folder with the migrations.
   *
   * @default - the repository's own
   */
  readonly directory?: string;
  /**
   * Version of the app; a new one makes a new version of its function.
   *
   * @default '1'
   */
  readonly appVersion?: string;
  /**
   * Which deploy it is.
   *
   * @default - as `Migrations` finds it
   */
  readonly deployId?: string;
}

/** The demo: a database stack and an app stack. Call `synth()` on it. */
export function buildDemoApp(options: DemoOptions = {}): App {
  const app = new App({
    // The flags of `cdk.json`, so that a synth in this process gives the same template as the command line.
    // The command line also asks for the paths of constructs, which make events readable.
    context: { ...settings.context, 'aws:cdk:enable-path-metadata': true },
    ...(options.outdir === undefined ? {} : { outdir: options.outdir }),
  });
  const database = new DatabaseStack(app, 'ForerunDemoDatabase');
  const appStack = new AppStack(app, 'ForerunDemoApp', {
    cluster: database.cluster,
    directory: options.directory ?? fileURLToPath(new URL('../../migrations', import.meta.url)),
    appVersion: options.appVersion ?? '1',
    ...(options.deployId === undefined ? {} : { deployId: options.deployId }),
  });
  appStack.addStackDependency(database, 'The database deploys first.');
  return app;
}
