import { AFTER_RESOURCE_TYPE, RESOURCE_TYPE } from '../../lambda/contract.ts';
import { table } from '../terminal/table.ts';
import type { Happening, Tell } from './happening.ts';
import { wrap } from './wrap.ts';

const INDENT = ' '.repeat(10);

/** `live`: makes code live once the migrations are applied; `behind`: code that goes live only through such a resource. */
export type StandingOf = (resource: {
  readonly logicalId: string;
  readonly resourceType: string;
  readonly path: string | null;
}) => 'live' | 'behind' | 'other';

/** Tells the rehearsal to a person: what happened in which order, and why. */
export function narrator(write: (line: string) => void, standingOf: StandingOf): Tell {
  const supporting = new Map<string, number>();
  let rollingBack = false;
  let touched = false;

  const flush = (): void => {
    for (const [word, count] of supporting) {
      write(`${INDENT}${count} supporting ${plural(count, 'resource')} ${word}`);
    }
    supporting.clear();
  };
  const writeAt = (milliseconds: number, text: string): void => {
    flush();
    for (const line of wrap(`${seconds(milliseconds)}  `, text)) write(line);
  };

  return (happening) => {
    switch (happening.type) {
      case 'deploy':
        rollingBack = false;
        touched = false;
        write('');
        write(`Deploy ${happening.deploy}: ${happening.title}`);
        break;
      case 'resource': {
        rollingBack ||= happening.status.includes('ROLLBACK');
        touched ||= standingOf(happening) === 'live';
        const told = tellResource(happening, rollingBack, standingOf);
        if (told.kind === 'sentence') writeAt(happening.milliseconds, told.text);
        if (told.kind === 'counted') supporting.set(told.word, (supporting.get(told.word) ?? 0) + 1);
        break;
      }
      case 'migration': {
        const { migration, statements, failed } = happening;
        const count = `${statements} ${plural(statements, 'statement')}`;
        write(
          `${INDENT}  ${failed ? '×' : '·'} ${migration.padEnd(34)} ${failed ? `${count}, then failed` : count}`,
        );
        break;
      }
      case 'backfill':
        for (const line of wrap(`${INDENT}  `, tellBackfill(happening))) write(line);
        break;
      case 'run':
        for (const line of wrap(`${INDENT}  `, tellRun(happening))) write(line);
        break;
      case 'denied':
        for (const line of wrap(`${INDENT}  `, tellDenied(happening))) write(line);
        break;
      case 'end-of-deploy':
        flush();
        if (happening.status === 'DENIED') {
          write('  → ended here: no waiting brings a grant');
          break;
        }
        write(
          `  → ${happening.status}${touched ? '' : '; the app was not touched'}${happening.asTold ? '' : ' (NOT AS TOLD)'}`,
        );
        break;
      case 'status':
        write('');
        write('By hand, {"action":"status"} to the runner:');
        for (const line of tellStatus(happening.status)) write(`  ${line}`);
        break;
      case 'rows':
        write('');
        write(`Table ${happening.table}, read back through the Data API:`);
        for (const line of tableOf(happening.rows)) write(`  ${line}`);
        break;
      case 'end':
        write('');
        write(
          happening.asTold
            ? `All went as told, in ${happening.seconds.toFixed(1)} s. Nothing is left running.`
            : `Not as told:\n${happening.wrong.map((one) => `  ${one}`).join('\n')}`,
        );
        break;
    }
  };
}

type Resource = Extract<Happening, { type: 'resource' }>;

type Told =
  | { readonly kind: 'sentence'; readonly text: string }
  /** Only counted, under this word. */
  | { readonly kind: 'counted'; readonly word: string }
  | { readonly kind: 'nothing' };

const NOTHING: Told = { kind: 'nothing' };

function tellResource(resource: Resource, rollingBack: boolean, standingOf: StandingOf): Told {
  const { resourceType, status, reason } = resource;
  const name = nameOf(resource);
  const say = (text: string): Told => ({ kind: 'sentence', text: `${name.padEnd(20)} ${text}` });
  if (resourceType === 'AWS::CloudFormation::Stack') return tellStack(resource);
  if (status === 'DELETE_SKIPPED') return NOTHING;
  if (status.endsWith('_FAILED')) return say(`${status}: ${reason ?? ''}`);
  if (resourceType === RESOURCE_TYPE && !status.startsWith('DELETE')) {
    if (status.endsWith('_COMPLETE'))
      return say(
        rollingBack ? 'answers success: the rollback goes on' : 'the database is ready: the deploy goes on',
      );
    return say(
      rollingBack
        ? 'is asked again, with the properties of the last good release'
        : 'holds the deploy: the gate asks the runner',
    );
  }
  if (resourceType === AFTER_RESOURCE_TYPE && !status.startsWith('DELETE')) {
    if (status.endsWith('_COMPLETE'))
      return say(
        rollingBack
          ? 'answers success: the rollback goes on'
          : 'answers success: what comes after the app holds the deploy no longer',
      );
    return say(
      rollingBack
        ? 'is asked again: in a rollback nothing is applied'
        : 'the app is live: the gate asks the runner for what comes after it',
    );
  }
  if (!status.endsWith('_COMPLETE')) return NOTHING;
  const standing = standingOf(resource);
  if (standing === 'live' && !status.startsWith('DELETE')) {
    if (resourceType !== 'AWS::Lambda::Alias') return say(rollingBack ? 'is the old one again' : 'is live');
    return say(rollingBack ? 'points at the old version again' : 'moves to the new version: the app is live');
  }
  if (resourceType === 'AWS::RDS::DBCluster' && status === 'CREATE_COMPLETE')
    return say('a PostgreSQL with a Data API, and a secret to log in');
  const isCode = standing === 'behind' && !status.startsWith('DELETE');
  if (isCode) return say(rollingBack ? 'old code is back' : 'new code is there, not in use yet');
  return { kind: 'counted', word: pastOf(status) };
}

function tellStack({ stack, logicalId, status, reason }: Resource): Told {
  // A nested stack tells of itself; what its parent says of it says nothing more.
  if (logicalId !== stack) return NOTHING;
  const begins = /^(?:CREATE|UPDATE|(?:UPDATE_)?ROLLBACK)_IN_PROGRESS$/.test(status);
  const why = reason === null || reason === 'User Initiated' ? '' : `: ${reason}`;
  return begins ? { kind: 'sentence', text: `${stack} ${status}${why}` } : NOTHING;
}

/** The construct's path without the stack and without the words that CDK adds. */
function nameOf({ path, logicalId }: Resource): string {
  const parts = (path ?? logicalId).split('/').slice(1);
  return parts.filter((part) => part !== 'Resource' && part !== 'Default').join('/') || logicalId;
}

function tellRun({
  action,
  outcome,
  applied,
  dataApiCalls,
  ahead,
  compatible,
  fenced,
  error,
}: Extract<Happening, { type: 'run' }>): string {
  const calls = `${dataApiCalls} Data API ${plural(dataApiCalls, 'call')}`;
  if (action === 'settle' && fenced !== true) return `the fence could not be raised (${calls})`;
  if (action === 'settle') {
    const where =
      ahead === undefined || ahead.length === 0
        ? 'the database is where the old release expects it'
        : `the database is ahead by ${ahead.join(', ')}; the old release works with it: ${compatible}`;
    return `no earlier run can commit any more; ${where} (${calls})`;
  }
  if (outcome === 'applied') {
    return applied.length === 0 ? `nothing to do (${calls})` : `committed together (${calls})`;
  }
  if (outcome === 'rolled-back') return `${outcome}: nothing of it stays (${calls})`;
  if (outcome === 'partial') return `ended on the way: what it has done before stands (${calls})`;
  if (outcome === 'unknown')
    return `nobody knows yet what became of it: the next run reads it in the journal (${calls})`;
  if (error === 'plan-ahead') return `the database is ahead of this release: nothing was done (${calls})`;
  return error === undefined || error === null
    ? `nothing was done (${calls})`
    : `refused (${error}): nothing was done (${calls})`;
}

function tellBackfill({ backfill, state, by }: Extract<Happening, { type: 'backfill' }>): string {
  if (state === 'handed on') return `the worker goes on with ${backfill}`;
  if (state === 'enqueued') return `the ${by} takes up ${backfill}`;
  return state === 'succeeded' ? `all rows of ${backfill} are done` : `${backfill} is ${state}`;
}

function tellDenied({ roleArn, action, resource, ends }: Extract<Happening, { type: 'denied' }>): string {
  const denied = `denied: the role ${roleArn.split('/').at(-1)} may not ${action} on ${resource}`;
  return ends
    ? `${denied}; on AWS this is asked again for a minute, in case the grant is new, and then fails the deploy`
    : denied;
}

function tellStatus(status: unknown): string[] {
  // The runner's own answer to the action status.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { applied, pending, foreign, holder, head } = status as {
    readonly head: string;
    readonly applied: readonly unknown[];
    readonly pending: readonly string[];
    readonly foreign: readonly string[];
    readonly holder: { readonly runId: string } | null;
  };
  return [
    `head of this release  ${head}`,
    `applied               ${applied.length}`,
    `pending               ${pending.join(', ') || 'none'}`,
    `ahead of this release ${foreign.join(', ') || 'none'}`,
    `lease                 ${holder === null ? 'free' : `held by ${holder.runId}`}`,
  ];
}

function tableOf(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  const columns = Object.keys(rows[0] ?? {});
  return table(
    columns,
    rows.map((row) => columns.map((column) => textOf(row[column]))),
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const plural = (count: number, word: string): string => (count === 1 ? word : `${word}s`);

function pastOf(status: string): string {
  const words: Readonly<Record<string, string>> = { CREATE: 'created', UPDATE: 'updated', DELETE: 'deleted' };
  return words[status.replace('_COMPLETE', '')] ?? status;
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1).padStart(6)} s`;
