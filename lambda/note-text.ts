import { isStopped } from './engine/backfill/states.ts';
import type { RunNote } from './engine/ports.ts';
import type { Level } from './log.ts';

/** What is only counted: a backfill has two batches a second for days, and `BackfillMeter` sums them up. */
export const isCountedOnly = (note: RunNote): boolean =>
  note.note === 'batch' ||
  note.note === 'backfills' ||
  (note.note === 'backfill' && note.state === 'running');

/** A note as a line of the log says it to a person. */
export function noteText(note: RunNote): { readonly level: Level; readonly message: string } {
  switch (note.note) {
    case 'installed':
      return info('The journal was installed.');
    case 'planned':
      return info(`To do: ${note.migrations.length} in ${note.groups} groups.`);
    case 'waiting':
      return info(`Waiting for ${note.reason}.`);
    case 'began':
      return info(`${note.migration}: ${note.direction} began.`);
    case 'skipped':
      return info(`${note.migration}: not meant for this environment, only recorded.`);
    case 'statement':
      return info(
        `${note.migration}: statement ${note.statement} done in ${note.milliseconds} ms, ${note.rows} rows.`,
      );
    case 'progress':
      return info(note.message);
    case 'batch':
      return info(`${note.backfill}: a batch of ${note.rows} rows done, ${note.changed} changed.`);
    case 'backfill': {
      const why = note.reason === null ? '' : ` (${note.reason})`;
      const message = `The backfill ${note.backfill} is ${note.state}${why}.`;
      return isStopped(note.state) ? { level: 'ERROR', message } : info(message);
    }
    case 'handed-on':
      return info(`The worker goes on with ${note.backfill}.`);
    case 'passed-over':
      return warn(`Left alone: ${note.backfill}. ${note.reason}`);
    case 'backfills':
      return info(`Backfills that wait for a person: ${note.stopped}.`);
    case 'committed':
      return info(`Committed together: ${note.migrations.join(', ')}.`);
    case 'rolled-back':
      return warn(`Rolled back: ${note.migrations.join(', ')}. ${note.reason}`);
    case 'partial':
      return warn(`Half done: ${note.migrations.join(', ')}. ${note.reason}`);
    case 'unknown':
      return warn(`Not known at this moment: ${note.reason}.`);
  }
}

const info = (message: string) => ({ level: 'INFO', message }) as const;
const warn = (message: string) => ({ level: 'WARN', message }) as const;
