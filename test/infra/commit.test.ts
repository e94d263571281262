import { NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { sameFolderOf } from './folder.ts';
import { CUSTOM, newApp, newCluster, newStack, ONE, resourceOf, resourcesOf } from './stack.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const commitIn = ({ stack }: { readonly stack: Stack }): unknown =>
  resourceOf(stack, CUSTOM).Properties['Commit'];

describe('the commit of a deploy', () => {
  it('is that of the build service, where it names the deploy as well', () => {
    vi.stubEnv('GITHUB_SHA', 'c0ffee');
    const stack = new Stack(newApp(), 'App');
    const directory = sameFolderOf(ONE);
    const migrations = new Migrations(stack, 'Migrations', { cluster: newCluster(stack), directory });
    expect(migrations.head).toBe('0001_first');
    expect(resourceOf(stack, CUSTOM).Properties).toMatchObject({ DeployId: 'c0ffee', Commit: 'c0ffee' });
  });

  it('is the one that is given, beside a deploy id', () => {
    vi.stubEnv('GITHUB_SHA', 'from-ci');
    expect(commitIn(newStack({ props: { deployId: 'v1.2', commit: 'c0ffee' } }))).toBe('c0ffee');
  });

  it('leaves a template as it is whose deploy id is given: it must not change with every commit', () => {
    const [one, two] = ['first', 'second'].map((commit) => {
      vi.stubEnv('GITHUB_SHA', commit);
      return resourcesOf(newStack({ props: { deployId: 'v1.2' } }).stack);
    });
    expect(two).toEqual(one);
  });

  it('is in no template that only changed migrations may change', () => {
    const [one, two] = ['c0ffee1', 'c0ffee2'].map((commit) => {
      vi.stubEnv('GITHUB_SHA', commit);
      return resourcesOf(newStack({ props: { runOn: 'migrations-changed', commit } }).stack);
    });
    expect(JSON.stringify(one)).not.toContain('c0ffee');
    expect(two).toEqual(one);
  });

  it('comes into a nested stack as the parameter of the deploy id, or as one of its own', () => {
    vi.stubEnv('GITHUB_SHA', 'c0ffee');
    for (const [given, parameters] of [
      [{}, 1],
      [{ deployId: 'v1.2', commit: 'c0ffee' }, 2],
    ] as const) {
      const outer = new Stack(newApp(), 'App');
      const inner = new NestedStack(outer, 'Inner');
      const migrations = new Migrations(inner, 'Migrations', {
        cluster: newCluster(outer),
        directory: sameFolderOf(ONE),
        ...given,
      });
      expect(migrations.head).toBe('0001_first');
      const template = JSON.stringify(Template.fromStack(inner).toJSON());
      expect(template).not.toContain('c0ffee');
      expect(template.match(/"ForerunDeployId\d*":\{"Type"/g)).toHaveLength(parameters);
    }
  });

  it('is refused at synth where the runner would not take it', () => {
    expect(() => newStack({ props: { commit: 'c'.repeat(257) } })).toThrow(
      /Give a 'commit' of at most 256 characters: its hash\./,
    );
  });
});
