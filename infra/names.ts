import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { misused } from './misused.ts';

/** What the runner takes as the name of a history; it stands in statements that cannot have parameters. */
const HISTORY_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** The most characters of a deploy id that the runner takes. */
const DEPLOY_ID_LENGTH = 256;

/** Refuses at synth what the runner would refuse in the middle of a deploy. */
export function requireHistoryName(construct: IConstruct, name: string): string {
  if (Token.isUnresolved(name) || HISTORY_NAME.test(name)) return name;
  throw misused(
    construct,
    `'${name}' cannot name a history.`,
    `Let 'history' be 1 to 64 letters, digits, dots, dashes and underscores.`,
  );
}

/** The same for the id of a deploy. */
export function requireDeployId(construct: IConstruct, id: string): string {
  if (Token.isUnresolved(id) || id.length <= DEPLOY_ID_LENGTH) return id;
  throw misused(
    construct,
    `the deploy id has ${id.length} characters.`,
    `Give a 'deployId' of at most ${DEPLOY_ID_LENGTH} characters, for example the commit.`,
  );
}

/** And for a commit. */
export function requireCommit(construct: IConstruct, commit: string): string {
  if (Token.isUnresolved(commit) || commit.length <= DEPLOY_ID_LENGTH) return commit;
  throw misused(
    construct,
    `the commit has ${commit.length} characters.`,
    `Give a 'commit' of at most ${DEPLOY_ID_LENGTH} characters: its hash.`,
  );
}
