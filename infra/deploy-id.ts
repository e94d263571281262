import type { Construct } from 'constructs';
import { commitOf } from './commit.ts';

/** Context value that names the deploy: `cdk deploy --context forerun:deployId=…`. */
export const DEPLOY_ID_CONTEXT = 'forerun:deployId';

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
  return (givenDeployId(scope, given) ?? commitOf({ directory, environment })) || digest;
}

/** The id that somebody has given by hand, in code or on the command line. */
export function givenDeployId(scope: Construct, given: string | undefined): string | undefined {
  const context: unknown = scope.node.tryGetContext(DEPLOY_ID_CONTEXT);
  return [given, context].find((id): id is string => typeof id === 'string' && id !== '');
}
