import { App, Stack, Stage, type StageProps } from 'aws-cdk-lib';
import * as codecommit from 'aws-cdk-lib/aws-codecommit';
import { CodePipeline, CodePipelineSource, type IFileSetProducer, ShellStep } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { Migrations } from '../../../infra/index.ts';
import { database, liveAlias, MIGRATIONS } from '../parts.ts';

/** What is deployed once for the testers and once for everybody. */
class Shop extends Stage {
  constructor(scope: Construct, id: string, props: StageProps) {
    super(scope, id, props);
    const cluster = database(new Stack(this, 'Data'));
    const stack = new Stack(this, 'App');
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      directory: MIGRATIONS,
      deployId: 'one',
    });
    migrations.runBefore(liveAlias(stack, 'one'));
  }
}

const app = new App();
const stack = new Stack(app, 'Pipeline', { env: { account: '333322221111', region: 'eu-west-1' } });
const source = CodePipelineSource.codeCommit(
  codecommit.Repository.fromRepositoryName(stack, 'Code', 'shop'),
  'main',
);
const pipeline = new CodePipeline(stack, 'Delivery', {
  crossAccountKeys: true,
  synth: new ShellStep('Synth', {
    input: source as IFileSetProducer,
    commands: ['npm ci', 'npx cdk synth'],
  }) as IFileSetProducer,
});
pipeline.addStage(new Shop(app, 'Beta', { env: { account: '210987654321', region: 'eu-west-1' } }));
pipeline.addStage(new Shop(app, 'Prod', { env: { account: '111100001111', region: 'eu-west-1' } }));
