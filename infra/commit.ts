import { spawnSync } from 'node:child_process';

/** Where build services put the commit they build. */
const COMMIT_VARIABLES = [
  'GITHUB_SHA',
  'CI_COMMIT_SHA', // GitLab
  'CODEBUILD_RESOLVED_SOURCE_VERSION',
  'BITBUCKET_COMMIT',
  'BUILD_SOURCEVERSION', // Azure Pipelines
  'CIRCLE_SHA1',
  'BUILDKITE_COMMIT',
  'GIT_COMMIT', // Jenkins
] as const;

export interface CommitSources {
  /** Folder of the migrations, for asking git. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The commit that the build service builds, else the one checked out where the migrations lie; empty where nobody knows. */
export function commitOf({ directory, environment }: CommitSources): string {
  const told = COMMIT_VARIABLES.map((name) => environment[name]);
  return told.find((commit) => commit !== undefined && commit !== '') ?? checkedOut(directory);
}

/** Empty outside git or without it. */
function checkedOut(directory: string): string {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: directory, encoding: 'utf8' });
  return /^[0-9a-f]{40,64}$/.exec(stdout?.trim() ?? '')?.[0] ?? '';
}
