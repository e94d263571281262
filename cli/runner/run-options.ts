import type { ParseArgsOptionsConfig } from 'node:util';
import type { Given } from './runner-command.ts';

/** What up, down and plan have in common. */
export const RUN_OPTIONS = {
  atomic: { type: 'string' },
  environment: { type: 'string' },
  params: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

/** What up and plan take besides; a way down knows no phases. */
export const PHASE_OPTION = { phase: { type: 'string' } } as const satisfies ParseArgsOptionsConfig;

export const PHASE_HELP = `  --phase        before, or after: only what a deploy runs before its app is live, or only after that
`;

export const RUN_HELP = `  --atomic       migration: a transaction for each migration, instead of one for each group
  --environment  name of the environment, instead of the one of the deploy
  --params       parameters of the migrations, as a JSON object, instead of those of the deploy
`;

export const runMembers = (given: Given): Readonly<Record<string, unknown>> => ({
  atomic: given.text('atomic'),
  environment: given.text('environment'),
  params: given.object('params'),
});
