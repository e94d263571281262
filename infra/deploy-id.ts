import { spawnSync } from 'node:child_process';
import type { Construct } from 'constructs';

/** Context value that names the deploy: `cdk deploy --context forerun:deployId=…`. */
export const DEPLOY_ID_CONTEXT = 'forerun:deployId';

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

/** What a deploy id may be taken from, in falling order of say. */
export interface DeployIdSources {
  readonly given: string | undefined;
  /** Folder of the migrations, for asking git. */
  readonly directory: string;
  readonly digest: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Names a deploy: the property, else the context value, else the commit that the build service builds, else git's,
 * else the digest of the migrations. Never a clock and never chance: equal input must give equal templates, or a
 * self-mutating pipeline would change itself for ever.
 */
export function deployIdOf(
  scope: Construct,
  { given, directory, digest, environment }: DeployIdSources,
): string {
  const context: unknown = scope.node.tryGetContext(DEPLOY_ID_CONTEXT);
  const candidates = [
    given,
    typeof context === 'string' ? context : undefined,
    ...COMMIT_VARIABLES.map((name) => environment[name]),
  ];
  return candidates.find((id) => id !== undefined && id !== '') ?? (commitOf(directory) || digest);
}

/** The commit checked out where the migrations lie; empty outside git or without it. */
function commitOf(directory: string): string {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: directory, encoding: 'utf8' });
  return /^[0-9a-f]{40,64}$/.exec(stdout?.trim() ?? '')?.[0] ?? '';
}
