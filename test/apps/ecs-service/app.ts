import { App, Fn, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Migrations } from '../../../infra/index.ts';
import { database, MIGRATIONS, network } from '../parts.ts';

const stack = new Stack(new App(), 'Shop');
const vpc = network(stack);
const task = new ecs.FargateTaskDefinition(stack, 'Task');
task.addContainer('web', { image: ecs.ContainerImage.fromRegistry('nginx:1') });
const service = new ecs.FargateService(stack, 'Web', {
  cluster: new ecs.Cluster(stack, 'Containers', { vpc }) as ecs.ICluster,
  taskDefinition: task,
});
const migrations = new Migrations(stack, 'Migrations', {
  cluster: database(stack, vpc),
  directory: MIGRATIONS,
  deployId: 'one',
});
migrations.runBefore(service);
// A function of the template that nothing made up can satisfy.
new ec2.CfnSubnet(stack, 'Six', {
  vpcId: vpc.vpcId,
  cidrBlock: Fn.select(1, Fn.cidr(vpc.vpcCidrBlock, 4, '8')),
});
