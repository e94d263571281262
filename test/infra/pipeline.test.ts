import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestedStack, Stack, Stage } from 'aws-cdk-lib';
import { CodePipeline, CodePipelineSource, type IFileSetProducer, ShellStep } from 'aws-cdk-lib/pipelines';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { folderOf } from './folder.ts';
import { newApp, newCluster, newFunction, ONE } from './stack.ts';

describe('a pipeline that changes itself', () => {
  it.each([
    ['in a stack', false],
    ['in a nested stack', true],
  ])('is the same for every deploy, with migrations %s of another account', (_where, nested) => {
    // One folder for both: where the migrations lie is not what is asked about.
    const directory = folderOf(ONE);
    const [one, two] = ['a', 'b'].map((deployId) => pipelineOf(directory, deployId, nested));
    expect(one).toContain('AWS::CodePipeline::Pipeline');
    expect(two).toBe(one);
  });
});

/** The template of a pipeline that deploys an app with migrations to two other accounts. */
function pipelineOf(directory: string, deployId: string, nested: boolean): string {
  const app = newApp({ '@aws-cdk/core:newStyleStackSynthesis': true });
  const stack = new Stack(app, 'Delivery', { env: { account: '111122223333', region: 'eu-west-1' } });
  const bucket = s3.Bucket.fromBucketName(stack, 'Source', 'source');
  const pipeline = new CodePipeline(stack, 'Pipeline', {
    crossAccountKeys: true,
    synth: new ShellStep('Synth', {
      input: CodePipelineSource.s3(bucket, 'app.zip') as IFileSetProducer,
      commands: ['npx cdk synth'],
    }) as IFileSetProducer,
  });
  for (const account of ['444455556666', '777788889999']) {
    const stage = new Stage(app, `To${account}`, { env: { account, region: 'eu-west-1' } });
    const outer = new Stack(stage, 'App');
    const inner = nested ? new NestedStack(outer, 'Inner') : outer;
    const cluster = newCluster(outer);
    const migrations = new Migrations(inner, 'Migrations', { cluster, directory, deployId });
    migrations.runBefore(newFunction(inner).addAlias('live'));
    pipeline.addStage(stage);
  }
  const { directory: outdir } = app.synth();
  return readFileSync(join(outdir, 'Delivery.template.json'), 'utf8');
}
