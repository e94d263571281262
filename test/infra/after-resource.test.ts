import { type App, CfnResource, NestedStack, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { AFTER_RESOURCE_TYPE, UNDO_RESOURCE_TYPE } from '../../lambda/contract.ts';
import { MigrationsAlarms } from '../../infra/index.ts';
import { migrationText } from './folder.ts';
import { CUSTOM, ONE, newFunction, newStack, plainStack, resourceOf, resourcesOf } from './stack.ts';

const TWO = {
  ...ONE,
  '0002_contract.ts': migrationText('0001_first').replace('after:', `phase: 'after', after:`),
};

const synth = (stack: Stack): unknown => (stack.node.root as App).synth();

const idOf = (stack: Stack, one: CfnResource | undefined): string =>
  one === undefined ? '' : stack.getLogicalId(one);

describe('the resource for what comes after the app', () => {
  it('is there only where a migration says so', () => {
    const { stack, migrations } = plainStack();
    expect(migrations.afterResource).toBeUndefined();
    const types = Object.values(resourcesOf(stack)).map(({ Type }) => Type);
    expect(types).not.toContain(AFTER_RESOURCE_TYPE);
    expect(Object.keys(resourceOf(stack, CUSTOM).Properties)).not.toContain('Phase');
  });

  it('asks the same as the first one, waits for what that one holds, and is undone with it', () => {
    const { stack, migrations } = newStack({
      files: TWO,
      props: { onRollback: 'revert', onAfterFailure: 'fail' },
    });
    const code = newFunction(stack);
    migrations.runBefore(code.addAlias('live'));
    const before = resourceOf(stack, CUSTOM);
    const after = resourceOf(stack, AFTER_RESOURCE_TYPE);
    expect(after.Properties).toEqual({
      ...before.Properties,
      Phase: 'after',
      RunsAs: before.id,
      OnAfterFailure: 'fail',
    });
    const alias = resourceOf(stack, 'AWS::Lambda::Alias', 'CodeAlias');
    const undo = resourceOf(stack, UNDO_RESOURCE_TYPE);
    expect(after.DependsOn).toEqual([alias.id, before.id, undo.id].toSorted());
    expect(alias.DependsOn).toEqual([before.id]);
    expect(undo.Properties['Holds']).toBe(`${before.id},${after.id}`);
    expect(before.DependsOn).toContain(undo.id);
    expect(migrations.head).toBe('0002_contract');
  });

  it('waits for all that gateAll finds, in nested stacks too', () => {
    const { stack, migrations } = newStack({ files: TWO });
    migrations.gateAll();
    const nested = new NestedStack(stack, 'Nested');
    newFunction(nested);
    const code = newFunction(stack);
    const { DependsOn = [] } = resourceOf(stack, AFTER_RESOURCE_TYPE);
    expect(DependsOn).toContain(idOf(stack, code.node.defaultChild as CfnResource));
    expect(DependsOn).toContain(idOf(stack, nested.nestedStackResource as CfnResource));
  });

  it('warns where nothing is held, so that nothing is waited for; and has an alarm', () => {
    const { stack, migrations } = newStack({ files: TWO });
    const { afterFailed } = new MigrationsAlarms(stack, 'Alarms', { migrations });
    expect(afterFailed).toBeDefined();
    const found = Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp(`phase 'after'`));
    expect(found.map(({ entry }) => entry.data)).toEqual([
      expect.stringContaining(`Migrations of phase 'after' wait for no app, because nothing is held`),
    ]);
    expect(
      Object.values(resourcesOf(stack)).filter(
        ({ Properties }) => Properties['MetricName'] === 'AfterFailed',
      ),
    ).toMatchObject([{ Properties: { TreatMissingData: 'ignore' } }]);
  });
});

describe('misuse is found at synth:', () => {
  it('what is held waits for the migrations after it', () => {
    const { stack, migrations } = newStack({ files: TWO });
    const bare = new CfnResource(stack, 'Bare', { type: 'Test::Bare' });
    migrations.runBefore(bare);
    const between = new CfnResource(stack, 'Between', { type: 'Test::Bare' });
    bare.node.addDependency(between);
    between.addPropertyOverride('Head', migrations.afterResource?.getAttString('Head'));
    expect(() => synth(stack)).toThrow(
      `The migrations of phase 'after' wait for 'App/Bare' to be live, and it waits for them: 'App/Bare' needs 'App/Between' needs 'App/Migrations/After'. Let 'App/Between' do without it, or let 'runBefore' name something smaller.`,
    );
  });

  it('what is held goes live with another stack', () => {
    const { stack, migrations } = newStack({ files: TWO });
    const other = new Stack(stack.node.root, 'Other');
    migrations.runBefore(newFunction(other));
    expect(() => synth(stack)).toThrow(
      `'Other/Code' goes live with the stack 'Other', after everything in the stack of the migrations; so those of phase 'after' cannot wait for it.`,
    );
  });

  it('the resource is held itself', () => {
    const { migrations } = newStack({ files: TWO });
    const { afterResource } = migrations;
    expect(() => {
      migrations.runBefore(...(afterResource === undefined ? [] : [afterResource]));
    }).toThrow(/cannot wait for the migrations, because they need/);
  });
});
