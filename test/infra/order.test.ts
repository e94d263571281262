import { App, CfnResource, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
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
  plainStack,
  resourceOf,
  resourcesOf,
  waitsFor,
} from './stack.ts';

describe('the order of a deploy', () => {
  it('waits for cluster, writer, secret, grants and event limits, but not for readers', () => {
    const { stack } = plainStack();
    const waiting = waitsFor(stack, resourceOf(stack, CUSTOM).id);
    const types = [...waiting].map((id) => resourcesOf(stack)[id]?.Type);
    expect(waiting).toContain('DatabaseB269D8BB');
    expect(waiting).toContain('DatabaseWriter7794273E');
    expect([...waiting].filter((id) => id.startsWith('DatabaseAReader'))).toEqual([]);
    expect(types).toContain('AWS::SecretsManager::SecretTargetAttachment');
    expect(types).toContain('AWS::Lambda::EventInvokeConfig');
    expect(types.filter((type) => type === 'AWS::IAM::Policy')).toHaveLength(2);
  });

  it('waits for the attachment of a secret that was given unattached', () => {
    const stack = new Stack(newApp(), 'App');
    const cluster = newCluster(stack);
    const secret = new rds.DatabaseSecret(stack, 'MigrationRole', { username: 'migrator' });
    const attachment = secret.attach(cluster);
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      secret: secret as secretsmanager.ISecret,
      directory: sameFolderOf(ONE),
    });
    const logicalId = stack.getLogicalId(attachment.node.defaultChild as CfnResource);
    expect(migrations.node.path).toBe('App/Migrations');
    expect(resourceOf(stack, CUSTOM).DependsOn).toContain(logicalId);
  });

  it('holds an alias and neither its version nor its function', () => {
    const { stack, migrations } = newStack();
    migrations.runBefore(newFunction(stack).addAlias('live'));
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::Lambda::Alias', 'Code').DependsOn).toEqual([id]);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::Lambda::Version', 'Code').id)).not.toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::Lambda::Function', 'Code').id)).not.toContain(id);
  });

  it('holds of a function the function alone, not its role', () => {
    const { stack, migrations } = newStack();
    migrations.runBefore(newFunction(stack));
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'Code').DependsOn).toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::IAM::Role', 'Code').id)).not.toContain(id);
  });

  it('holds of an ECS service the service alone', () => {
    const { stack, database, migrations } = newStack();
    const taskDefinition = new ecs.FargateTaskDefinition(stack, 'Task');
    taskDefinition.addContainer('app', { image: ecs.ContainerImage.fromRegistry('app') });
    const service = new ecs.FargateService(stack, 'Service', {
      cluster: new ecs.Cluster(stack, 'Services', { vpc: database.vpc }) as ecs.ICluster,
      taskDefinition,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    });
    migrations.runBefore(service);
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::ECS::Service').DependsOn).toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::ECS::TaskDefinition').id)).not.toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::EC2::SecurityGroup', 'Service').id)).not.toContain(id);
  });

  it('holds everything of any other construct, also what comes later', () => {
    const { stack, migrations } = newStack();
    const group = new logs.LogGroup(stack, 'Group');
    const bare = new CfnResource(stack, 'Bare', { type: 'Test::Bare' });
    migrations.runBefore(group, bare);
    group.addStream('Late');
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::Logs::LogGroup', 'Group').DependsOn).toEqual([id]);
    expect(resourceOf(stack, 'AWS::Logs::LogStream').DependsOn).toEqual([id]);
    expect(resourceOf(stack, 'Test::Bare').DependsOn).toEqual([id]);
  });

  it('reaches over to another stack', () => {
    const { stack, migrations } = newStack();
    const other = new Stack(stack.node.root, 'Other');
    migrations.runBefore(newFunction(other).addAlias('live'));
    (stack.node.root as App).synth();
    expect(other.dependencies).toContain(stack);
  });

  it.each(['App', 'App/Database', 'App/Database/Writer', 'App/Migrations', 'App/Migrations/Gate'])(
    'refuses to hold %s, which the migrations need',
    (path) => {
      const { stack, migrations } = newStack();
      const target = stack.node.root.node.findAll().find((one) => one.node.path === path) ?? stack.node.root;
      expect(target.node.path).toBe(path);
      expect(() => {
        migrations.runBefore(target);
      }).toThrow(
        expect.objectContaining({
          code: 'construct-misused',
          message: expect.stringContaining(
            `Migrations 'App/Migrations': '${path}' cannot wait for the migrations, because they need '`,
          ) as string,
        }),
      );
    },
  );
});
