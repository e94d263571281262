import { spawnSync } from 'node:child_process';
import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { deployIdOf } from '../../infra/deploy-id.ts';
import { folderOf } from './folder.ts';

const CONTEXT = { 'forerun:deployId': 'from-context' };

describe('deployIdOf', () => {
  it('takes the property before all else', () => {
    expect(deployId({ given: 'given', context: CONTEXT, environment: { GITHUB_SHA: 'from-ci' } })).toBe(
      'given',
    );
  });

  it('takes the context value before the build service', () => {
    expect(deployId({ context: CONTEXT, environment: { GITHUB_SHA: 'from-ci' } })).toBe('from-context');
  });

  it.each([
    'GITHUB_SHA',
    'CI_COMMIT_SHA',
    'CODEBUILD_RESOLVED_SOURCE_VERSION',
    'BITBUCKET_COMMIT',
    'BUILD_SOURCEVERSION',
    'CIRCLE_SHA1',
    'BUILDKITE_COMMIT',
    'GIT_COMMIT',
  ])('takes the commit that a build service tells in %s', (variable) => {
    expect(deployId({ environment: { [variable]: 'from-ci' } })).toBe('from-ci');
  });

  it('passes over what is empty', () => {
    expect(
      deployId({ given: '', context: { 'forerun:deployId': '' }, environment: { GITHUB_SHA: '' } }),
    ).toBe('digest');
  });

  it('takes the commit that lies in the folder', () => {
    const directory = folderOf();
    const git = (...words: readonly string[]): string =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...words], {
        cwd: directory,
        encoding: 'utf8',
      }).stdout.trim();
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '--message', 'first');
    expect(deployId({ directory })).toBe(git('rev-parse', 'HEAD'));
    expect(deployId({ directory })).toMatch(/^[0-9a-f]{40}$/);
  });

  it('takes the digest in a repository without a commit', () => {
    const directory = folderOf();
    spawnSync('git', ['init', '--quiet'], { cwd: directory });
    expect(deployId({ directory })).toBe('digest');
  });

  it('takes the digest where there is nothing else', () => {
    expect(deployId({})).toBe('digest');
  });
});

function deployId({
  given,
  directory = folderOf(),
  context = {},
  environment = {},
}: {
  given?: string;
  directory?: string;
  context?: Readonly<Record<string, string>>;
  environment?: Readonly<Record<string, string>>;
}): string {
  return deployIdOf(new App({ context }), { given, directory, digest: 'digest', environment });
}
