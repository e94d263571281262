import { ForerunError } from './errors.ts';
import { lexemesOf, type Lexeme } from './lexemes.ts';

/** How a statement outside a transaction is carried out, and how one finds out whether it was. */
export type LoneForm =
  /** PostgreSQL takes it inside a function: effect and record are one transaction. */
  | { readonly kind: 'recorded' }
  /** Proved by the catalog: the index is there and valid. */
  | { readonly kind: 'create-index'; readonly index: string; readonly table: string }
  /** Proved by the catalog: the index is gone. */
  | { readonly kind: 'drop-index'; readonly index: string }
  /** Nothing proves it, and doing it again does no harm. */
  | { readonly kind: 'repeatable' };

/**
 * Tells the form of a statement that shall commit alone. PostgreSQL refuses some inside every transaction block and hence inside
 * functions (manual, the pages of the commands named here).
 */
export function loneFormOf(sql: string): LoneForm {
  const lexemes = [...lexemesOf(sql)];
  const words = lexemes.map(({ kind, text }) => (kind === 'word' ? text.toLowerCase() : ''));
  const [first, second] = words;
  if (first === 'vacuum') {
    if (words.includes('full')) throw refused(...VACUUM_FULL);
    return { kind: 'repeatable' };
  }
  const concurrently = words.indexOf('concurrently');
  if (concurrently !== -1) {
    if (first === 'reindex') throw refused(...REINDEX);
    if (first === 'create' && (second === 'index' || second === 'unique')) {
      return createdIndex(lexemes.slice(concurrently + 1));
    }
    if (first === 'drop' && second === 'index') return droppedIndex(lexemes.slice(concurrently + 1));
  }
  const refusal = neverInMigrations(words);
  if (refusal !== undefined) throw refused(...refusal);
  if (first === 'set') throw refused(...SET_LOCAL);
  if (first === 'savepoint' || first === 'release' || first === 'rollback') throw refused(...SAVEPOINT);
  return { kind: 'recorded' };
}

const VACUUM_FULL = [
  'vacuum full locks the table for as long as it takes, and no lock timeout can be set for it.',
  'Leave full out; who needs the space back does it outside of migrations, at a quiet time.',
] as const;
const REINDEX = [
  'An interrupted reindex concurrently leaves an index that nobody finds again.',
  'Build a new index concurrently under another name and drop the old one, or reindex without concurrently.',
] as const;
const SET_LOCAL = [
  'set local ends with its transaction, and here every statement has its own.',
  'Leave it out; lockTimeoutMs of the migration sets how long its statements wait for locks.',
] as const;
const SAVEPOINT = [
  'A savepoint needs a transaction, and this migration asked for none.',
  'Leave it out, or take transaction: false away.',
] as const;

const BY_HAND = 'Do it outside of migrations, once and by hand.';

function neverInMigrations([first, second, ...rest]: readonly string[]):
  readonly [string, string] | undefined {
  if (first === 'alter' && second === 'system') return ['alter system changes the whole server.', BY_HAND];
  if ((first === 'create' || first === 'drop') && (second === 'database' || second === 'tablespace')) {
    return [`${first} ${second} concerns the whole server, not this database.`, BY_HAND];
  }
  if (first === 'alter' && second === 'table' && rest.includes('detach') && rest.includes('concurrently')) {
    return [
      'Whether detach partition … concurrently was finished cannot be told from here.',
      'Detach it without concurrently in a migration of its own: the lock is held for a moment only.',
    ];
  }
  return undefined;
}

/** `[if not exists] name on [only] table` */
function createdIndex(rest: readonly Lexeme[]): LoneForm {
  if (isWord(rest[0], 'if')) {
    throw refused(
      'create index concurrently if not exists answers success for an index that was never finished.',
      'Leave "if not exists" out: the run looks into the catalog and builds an unfinished index again.',
    );
  }
  if (isWord(rest[0], 'on')) {
    throw refused(
      'An index that is built concurrently needs a name, so that the run can find out whether it was finished.',
      'Give the index a name.',
    );
  }
  const index = nameIn(rest.slice(0, 1));
  const target = rest.slice(isWord(rest[2], 'only') ? 3 : 2);
  const table = qualifiedName(target);
  if (index === '' || table === '' || !isWord(rest[1], 'on')) throw notUnderstood();
  return { kind: 'create-index', index, table };
}

/** `[if exists] name` */
function droppedIndex(rest: readonly Lexeme[]): LoneForm {
  const index = qualifiedName(isWord(rest[0], 'if') ? rest.slice(2) : rest);
  if (index === '') throw notUnderstood();
  return { kind: 'drop-index', index };
}

function qualifiedName(lexemes: readonly Lexeme[]): string {
  const [schema, dot, name] = lexemes;
  return nameIn(
    dot?.text === '.' && name !== undefined
      ? [schema, dot, name].flatMap(present)
      : [schema].flatMap(present),
  );
}

const present = (lexeme: Lexeme | undefined): readonly Lexeme[] => (lexeme === undefined ? [] : [lexeme]);

/** As written, which is what `to_regclass` reads; empty when it is no name. */
function nameIn(lexemes: readonly Lexeme[]): string {
  const isName = lexemes.every(({ kind, text }) => kind === 'word' || kind === 'quoted-name' || text === '.');
  return isName ? lexemes.map(({ text }) => text).join('') : '';
}

const isWord = (lexeme: Lexeme | undefined, word: string): boolean =>
  lexeme?.kind === 'word' && lexeme.text.toLowerCase() === word;

function notUnderstood(): ForerunError {
  return refused(
    'The index of this statement could not be made out.',
    'Write it as `create index concurrently <name> on <table> …` or `drop index concurrently <name>`.',
  );
}

function refused(what: string, next: string): ForerunError {
  return new ForerunError('statement-refused', { what, state: 'The statement was not sent.', next });
}
