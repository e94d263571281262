import { type App, Aspects, CfnResource, Lazy, NestedStack, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { describe, expect, it } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { sameFolderOf } from './folder.ts';
import {
  CUSTOM,
  ONE,
  newApp,
  newCluster,
  newFunction,
  newStack,
  resourceOf,
  resourcesOf,
  waitsFor,
} from './stack.ts';

const DEFINITION = '{"StartAt":"End","States":{"End":{"Type":"Succeed"}}}';

describe('a circle', () => {
  it('is found at synth, with every step of its way', () => {
    const { stack, migrations } = newStack();
    const code = newFunction(stack);
    migrations.runBefore(code);
    // Later, and somewhere else: the runner is told something about the very function that waits for it.
    migrations.runner.addEnvironment('APP', code.functionName);
    expect(() => (stack.node.root as App).synth()).toThrow(
      `[App/Migrations] 'App/Code' is to wait for the migrations, and they wait for it: 'App/Migrations/Resource' needs 'App/Migrations/Runner/CurrentVersion' needs 'App/Migrations/Runner' needs 'App/Code'. Let 'App/Migrations/Runner' do without it, or let 'runBefore' name something smaller.`,
    );
  });

  it('is found where a declared dependency closes it', () => {
    const { stack, database, migrations } = newStack();
    const bare = new CfnResource(stack, 'Bare', { type: 'Test::Bare' });
    migrations.runBefore(bare);
    database.node.addDependency(bare);
    expect(() => (stack.node.root as App).synth()).toThrow(/'App\/Database' needs 'App\/Bare'/);
  });

  it('is found across a nested stack, which is deployed as one', () => {
    const { stack, migrations } = newStack();
    const nested = new NestedStack(stack, 'Nested');
    migrations.runBefore(newFunction(nested));
    const other = new CfnResource(nested, 'Other', { type: 'Test::Other' });
    migrations.runner.addEnvironment('OTHER', other.ref);
    expect(() => (stack.node.root as App).synth()).toThrow(
      /'App\/Nested\/Code' is to wait for the migrations, and they wait for it: .* needs 'App\/Nested/,
    );
  });

  it('is none where migrations and app share a nested stack', () => {
    const parent = new Stack(newApp(), 'Parent');
    const cluster = newCluster(parent);
    const nested = new NestedStack(parent, 'Nested');
    const migrations = new Migrations(nested, 'Migrations', {
      cluster,
      directory: sameFolderOf(ONE),
      deployId: 'a',
    });
    migrations.runBefore(newFunction(nested).addAlias('live'));
    (parent.node.root as App).synth();
    const alias = Object.entries(resourcesOf(nested)).find(([id]) => id.startsWith('CodeAlias'))?.[1];
    expect(alias?.DependsOn).toEqual([resourceOf(nested, CUSTOM).id]);
  });
});

describe('gateAll', () => {
  it('holds what makes code live, now and later, and nothing else', () => {
    const { stack, migrations } = newStack();
    migrations.gateAll();
    const aliased = newFunction(stack);
    aliased.addAlias('live');
    const nested = new NestedStack(stack, 'Nested');
    newFunction(nested);
    const machine = new sfn.StateMachine(stack, 'Machine', {
      definitionBody: sfn.DefinitionBody.fromString(DEFINITION),
    });
    const held = holding(stack);
    expect(held.filter((id) => id.startsWith('CodeAlias'))).toHaveLength(1);
    expect(held).toContain(stack.getLogicalId(machine.node.defaultChild as CfnResource));
    expect(held.some((id) => id.startsWith('Nested'))).toBe(true);
    expect(held).toHaveLength(3);
  });

  it('holds what starts or carries code by other ways, and of the rules those that start tasks', () => {
    const { stack, migrations } = newStack();
    const types = [
      'AWS::AppSync::FunctionConfiguration',
      'AWS::AppSync::Resolver',
      'AWS::AutoScaling::AutoScalingGroup',
      'AWS::Batch::JobDefinition',
      'AWS::CloudFront::Function',
      'AWS::EC2::Instance',
      'AWS::ECS::TaskSet',
      'AWS::Scheduler::Schedule',
    ];
    const rule = (id: string, target: object) =>
      new events.CfnRule(stack, id, {
        scheduleExpression: 'rate(1 day)',
        targets: Lazy.any({ produce: () => [{ arn: 'arn', id: 'one', ...target }] }),
      });
    const live = [
      ...types.map((type, at) => new CfnResource(stack, `Live${at}`, { type })),
      rule('Starting', { ecsParameters: { taskDefinitionArn: 'task' } }),
    ];
    const others = [rule('Calling', {}), new CfnResource(stack, 'Still', { type: 'AWS::SQS::Queue' })];
    migrations.gateAll();
    const held = new Set(holding(stack));
    expect(live.filter((one) => !held.has(stack.getLogicalId(one)))).toEqual([]);
    expect(others.filter((one) => held.has(stack.getLogicalId(one)))).toEqual([]);
  });

  it('holds the function as well where something calls it by itself', () => {
    const { stack, migrations } = newStack();
    const code = newFunction(stack);
    code.addAlias('live');
    nightly(stack, code);
    migrations.gateAll();
    expect(holding(stack)).toContain(stack.getLogicalId(code.node.defaultChild as CfnResource));
  });

  it('leaves out what the migrations need, and other migrations', () => {
    const { stack, database, migrations } = newStack();
    const needed = newFunction(stack);
    database.node.addDependency(needed);
    const other = new Migrations(stack, 'Other', {
      cluster: database,
      directory: sameFolderOf(ONE),
      history: 'other',
      deployId: 'a',
    });
    migrations.gateAll();
    other.gateAll();
    (stack.node.root as App).synth();
    expect(holding(stack)).toEqual([]);
  });

  it('sees what an aspect adds', () => {
    const { stack, migrations } = newStack();
    migrations.gateAll();
    Aspects.of(stack).add({
      visit(node) {
        if (node === stack && node.node.tryFindChild('Code') === undefined) newFunction(stack);
      },
    });
    expect(holding(stack)).toHaveLength(1);
  });
});

describe('an alias that is held', () => {
  it('warns of who calls the function itself', () => {
    const { stack, migrations } = newStack();
    const code = newFunction(stack);
    migrations.runBefore(code.addAlias('live'));
    nightly(stack, code);
    expect(warnings(stack)).toEqual([
      expect.stringContaining(
        `'App/Nightly' calls the function 'App/Code' itself and not its alias 'App/Code/Aliaslive', so it runs new code before the migrations.`,
      ),
    ]);
  });

  it.each([
    ['the alias is called', true, false],
    ['the function waits as well', false, true],
  ])('does not warn where %s', (_case, throughAlias, alsoFunction) => {
    const { stack, migrations } = newStack();
    const code = newFunction(stack);
    const alias = code.addAlias('live');
    migrations.runBefore(alias, ...(alsoFunction ? [code] : []));
    nightly(stack, (throughAlias ? alias : code) as lambda.IFunction);
    expect(warnings(stack)).toEqual([]);
  });
});

describe('a state machine', () => {
  it('waits alone, without its role', () => {
    const { stack, migrations } = newStack();
    const machine = new sfn.StateMachine(stack, 'Machine', {
      definitionBody: sfn.DefinitionBody.fromString(DEFINITION),
    });
    migrations.runBefore(machine);
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::StepFunctions::StateMachine').DependsOn).toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::IAM::Role', 'Machine').id)).not.toContain(id);
  });
});

/** Somebody who calls a function, or an alias of it. */
function nightly(stack: Stack, handler: lambda.IFunction): events.Rule {
  const schedule = events.Schedule.cron({ hour: '3' });
  return new events.Rule(stack, 'Nightly', { schedule, targets: [new targets.LambdaFunction(handler)] });
}

/** Logical ids of what waits for the migrations by declaration. */
function holding(stack: Stack): readonly string[] {
  const gates = Object.entries(resourcesOf(stack))
    .filter(([, { Type }]) => Type === CUSTOM)
    .map(([id]) => id);
  return Object.entries(resourcesOf(stack))
    .filter(([, { DependsOn = [] }]) => gates.some((gate) => DependsOn.includes(gate)))
    .map(([id]) => id);
}

function warnings(stack: Stack): readonly string[] {
  return Annotations.fromStack(stack)
    .findWarning('*', Match.stringLikeRegexp('new code before'))
    .map(({ entry }) => entry.data as string);
}
