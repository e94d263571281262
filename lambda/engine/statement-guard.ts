import { ForerunError } from './errors.ts';
import { lexemesOf } from './lexemes.ts';

/**
 * Refuses what would take a migration out of its transaction: the run alone begins and commits, and what `set` leaves
 * behind on a pooled session meets somebody else's statements. Also refuses several statements in one call, as the
 * service does, but before anything is sent.
 */
export function refuseTransactionControl(sql: string): void {
  const { words, hasSecondStatement } = readStatement(sql);
  const verdict = verdictOn(words) ?? (setsSession(sql) ? PLAIN_SET : undefined);
  if (verdict !== undefined) throw refused(verdict.what, verdict.next);
  if (hasSecondStatement) {
    throw refused('The text holds more than one statement.', 'Send one statement per call.');
  }
}

/** Whether a call of `set_config` has `false` as its last argument, which is a plain set in other words. */
function setsSession(sql: string): boolean {
  let depth: number | null = null;
  let last = '';
  let asked = false;
  for (const { kind, text } of lexemesOf(sql)) {
    if (kind === 'word' && text.toLowerCase() === 'set_config') asked = true;
    else if (asked && text === '(') [depth, asked] = [1, false];
    else if (depth !== null) {
      if (text === '(') depth += 1;
      if (text === ')') depth -= 1;
      if (depth === 0) {
        if (last === 'false') return true;
        depth = null;
      }
      last = kind === 'word' ? text.toLowerCase() : '';
    }
  }
  return false;
}

interface Verdict {
  readonly what: string;
  readonly next: string;
}

const OWN_TRANSACTION: Verdict = {
  what: 'A migration cannot control its transaction: the run begins and commits it.',
  next: 'Leave the statement out; use savepoint and rollback to savepoint to undo a part.',
};
const PLAIN_SET: Verdict = {
  what: 'A plain set outlives the transaction and would leak to whoever uses the session next.',
  next: 'Use set local, or set_config(name, value, true).',
};
const COPY_STREAM: Verdict = {
  what: 'copy from stdin and copy to stdout need a stream, which the Data API does not have.',
  next: 'Use op.bulkInsert to load rows and op.query to read them.',
};
const DISCARD: Verdict = {
  what: 'discard works on the whole session, which is not the migration’s own.',
  next: 'Leave the statement out.',
};

function verdictOn(words: readonly string[]): Verdict | undefined {
  const [first, second, third] = words;
  switch (first ?? '') {
    case 'begin':
    case 'commit':
    case 'end':
    case 'abort':
      return OWN_TRANSACTION;
    case 'start':
    case 'prepare':
      return second === 'transaction' ? OWN_TRANSACTION : undefined;
    case 'rollback': {
      const afterFiller = second === 'work' || second === 'transaction' ? third : second;
      return afterFiller === 'to' ? undefined : OWN_TRANSACTION;
    }
    case 'set':
      return ['local', 'constraints', 'transaction'].includes(second ?? '') ? undefined : PLAIN_SET;
    case 'reset':
      return PLAIN_SET;
    case 'discard':
      return DISCARD;
    case 'copy':
      return words.includes('stdin') || words.includes('stdout') ? COPY_STREAM : undefined;
    default:
      return undefined;
  }
}

/** What can be said of a statement without parsing it. */
export interface StatementFacts {
  /** Bare words in order, lower case; literals, quoted names and comments left out. */
  readonly words: readonly string[];
  /** Whether text follows the first semicolon. */
  readonly hasSecondStatement: boolean;
}

/** Reads a statement's words. */
export function readStatement(sql: string): StatementFacts {
  const words: string[] = [];
  let ended = false;
  let hasSecondStatement = false;
  for (const { kind, text } of lexemesOf(sql)) {
    if (kind === 'end') {
      ended ||= !isInsideBody(words);
      continue;
    }
    hasSecondStatement ||= ended;
    if (kind === 'word') words.push(text.toLowerCase());
  }
  return { words, hasSecondStatement };
}

/** A function body in SQL's own form (`begin atomic … end`) holds semicolons that end nothing. */
function isInsideBody(words: readonly string[]): boolean {
  return words[0] === 'create' && words.some((word, at) => word === 'atomic' && words[at - 1] === 'begin');
}

function refused(what: string, next: string): ForerunError {
  return new ForerunError('statement-refused', { what, state: 'The statement was not sent.', next });
}
