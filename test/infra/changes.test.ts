import { Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { migrationText } from './folder.ts';
import { CUSTOM, ONE, newFunction, newStack, resourceOf, resourcesOf } from './stack.ts';

describe('what a change touches', () => {
  it('is the runner, its version and aliases, head and digest, for a new migration', () => {
    const [one, two] = [ONE, { ...ONE, '0002_second.ts': migrationText('0001_first') }].map(
      (files) => newStack({ files }).stack,
    );
    const changed = changesBetween(one, two);
    expect(changed.filter((id) => !id.includes('CurrentVersion'))).toEqual([
      resourceOf(stackOf(one), CUSTOM).id,
      resourceOf(stackOf(one), 'AWS::Lambda::Alias', 'MigrationsAct').id,
      resourceOf(stackOf(one), 'AWS::Lambda::Alias', 'MigrationsRead').id,
      resourceOf(stackOf(one), 'AWS::Lambda::Function', 'MigrationsRunner').id,
    ]);
    const versions = [one, two].map((stack) => resourceOf(stackOf(stack), 'AWS::Lambda::Version').id);
    expect(versions[0]).not.toBe(versions[1]);
  });

  it('is nothing of ours, for a new version of the app', () => {
    const [one, two] = ['1', '2'].map((version) => {
      const { stack, migrations } = newStack();
      migrations.runBefore(newFunction(stack, { version }).addAlias('live'));
      return stack;
    });
    const changed = changesBetween(one, two);
    expect(changed.some((id) => id.startsWith('Code'))).toBe(true);
    expect(changed.filter((id) => id.startsWith('Migrations'))).toEqual([]);
  });

  it('is one property, for a new deploy', () => {
    const [one, two] = ['deploy-1', 'deploy-2'].map((deployId) => newStack({ props: { deployId } }).stack);
    expect(changesBetween(one, two)).toEqual([resourceOf(stackOf(one), CUSTOM).id]);
  });

  it('is nothing, for a new deploy with the same migrations where only those count', () => {
    const [one, two] = ['deploy-1', 'deploy-2'].map(
      (deployId) => newStack({ props: { deployId, runOn: 'migrations-changed' } }).stack,
    );
    expect(changesBetween(one, two)).toEqual([]);
  });
});

/** Logical ids that one template has and the other has not, or not the same. */
function changesBetween(one: Stack | undefined, other: Stack | undefined): readonly string[] {
  const [before, after] = [resourcesOf(stackOf(one)), resourcesOf(stackOf(other))];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]))
    .sort();
}

function stackOf(stack: Stack | undefined): Stack {
  if (stack === undefined) throw new TypeError('there is no stack');
  return stack;
}
