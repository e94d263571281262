import { type ErrorCode, ForerunError, UNTOUCHED } from './errors.ts';
import { BASE, HEAD, type Revision } from './migration.ts';

/** The migrations of one database as a graph, read and found sound. */
export interface History<R extends Revision = Revision> {
  /** Every migration after all of its parents; where two could come next, the smaller id does. */
  readonly ordered: readonly R[];
  /** Id of the migration that all others lead to; `base` when there are none. */
  readonly head: string;
}

/** What an id may look like: a plain file name, safe in SQL comments, logs and on every file system. */
const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * Orders migrations from their `after`, or refuses with the edit that mends the history.
 * The order depends on ids and parents alone, not on the order of the list.
 */
export function readHistory<R extends Revision>(revisions: readonly R[]): History<R> {
  const byId = indexById(revisions);
  refuseMissingParents(revisions, byId);
  const ordered = orderByParents(revisions);
  if (ordered.length < revisions.length) throw cycle(revisions, ordered);
  return { ordered, head: onlyHead(ordered, byId) };
}

function indexById<R extends Revision>(revisions: readonly R[]): ReadonlyMap<string, R> {
  const byId = new Map<string, R>();
  for (const revision of revisions) {
    refuseBadId(revision.id);
    if (byId.has(revision.id)) {
      throw refusal(
        'history-duplicate-id',
        `Two migrations are called '${revision.id}'.`,
        `Rename one of the files '${revision.id}.*' and name the new id in the 'after' of what follows it.`,
      );
    }
    byId.set(revision.id, revision);
  }
  return byId;
}

function refuseBadId(id: string): void {
  const reserved = id === BASE || id === HEAD;
  if (!reserved && PLAIN_ID.test(id)) return;
  const why = reserved
    ? `'${BASE}' and '${HEAD}' are the words for the two ends of every history`
    : 'an id is 1 to 128 letters, digits, dots, dashes and underscores, and begins with a letter or a digit';
  throw refusal(
    'history-bad-id',
    `'${id}' cannot be the id of a migration: ${why}.`,
    `Rename the file, for example to '0001_create_users.ts'.`,
  );
}

function refuseMissingParents(revisions: readonly Revision[], byId: ReadonlyMap<string, Revision>): void {
  for (const { id, after } of revisions) {
    for (const parent of after) {
      if (byId.has(parent)) continue;
      throw refusal(
        'history-missing-parent',
        `Migration '${id}' comes after '${parent}', which is not there.`,
        `Bring the file '${parent}' back, or let 'after' in '${id}' name one of: ${[...byId.keys()].filter((other) => other !== id).join(', ') || BASE}.`,
      );
    }
  }
}

/** Kahn's algorithm with the smallest id first; migrations on a cycle, and what hangs on them, stay out. */
function orderByParents<R extends Revision>(revisions: readonly R[]): readonly R[] {
  const waiting = [...revisions].sort(byIdAscending);
  const done = new Set<string>();
  const ordered: R[] = [];
  for (;;) {
    const next = waiting.findIndex(({ after }) => after.every((parent) => done.has(parent)));
    const [ready] = next === -1 ? [] : waiting.splice(next, 1);
    if (ready === undefined) return ordered;
    done.add(ready.id);
    ordered.push(ready);
  }
}

function cycle(revisions: readonly Revision[], ordered: readonly Revision[]): ForerunError {
  const sound = new Set(ordered.map(({ id }) => id));
  const caught = new Map(revisions.filter(({ id }) => !sound.has(id)).map((one) => [one.id, one]));
  const path: string[] = [];
  // Everything left has a parent that is left too, so walking up must come back to where it was.
  let at = [...caught.keys()].sort()[0];
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = caught.get(at)?.after.find((parent) => caught.has(parent));
  }
  const ring = path.slice(path.indexOf(at ?? ''));
  const start = ring.toSorted()[0] ?? '';
  const named = [...ring.slice(ring.indexOf(start)), ...ring.slice(0, ring.indexOf(start)), start];
  return refusal(
    'history-cycle',
    `These migrations wait for each other: ${named.map((id) => `'${id}'`).join(' after ')}.`,
    `Change 'after' in one of them: in the first migration of all it is '${BASE}'.`,
  );
}

function onlyHead(ordered: readonly Revision[], byId: ReadonlyMap<string, Revision>): string {
  const parents = new Set(ordered.flatMap(({ after }) => after));
  const heads = ordered.filter(({ id }) => !parents.has(id)).sort(byIdAscending);
  const [older, newer] = heads;
  if (newer === undefined) return older?.id ?? BASE;
  const names = heads.map(({ id }) => `'${id}'`);
  const joined = `write a migration that joins them with after: [${names.join(', ')}]`;
  const first = firstOfOwnLine(newer.id, older?.id ?? BASE, byId);
  throw refusal(
    'history-two-heads',
    `The history has ${heads.length} ends: ${names.join(' and ')}.`,
    first === undefined
      ? `To mend it, ${joined}.`
      : `In '${first}' write after: '${older?.id ?? BASE}', so that one follows the other; or ${joined}.`,
  );
}

/** The migration in which the line of `head` leaves the line of `other`; undefined when it leaves in several places. */
function firstOfOwnLine(
  head: string,
  other: string,
  byId: ReadonlyMap<string, Revision>,
): string | undefined {
  const theirs = lineOf(other, byId);
  const own = [...lineOf(head, byId)].filter((id) => !theirs.has(id));
  const firsts = own.filter((id) => byId.get(id)?.after.every((parent) => theirs.has(parent)) ?? false);
  return firsts.length === 1 ? firsts[0] : undefined;
}

/** A migration and everything it builds on. */
function lineOf(id: string, byId: ReadonlyMap<string, Revision>): ReadonlySet<string> {
  const line = new Set<string>([id]);
  // A set hands on what is added while it is walked.
  for (const member of line) for (const parent of byId.get(member)?.after ?? []) line.add(parent);
  return line;
}

function byIdAscending(one: Revision, other: Revision): number {
  return one.id < other.id ? -1 : 1;
}

function refusal(code: ErrorCode, what: string, next: string): ForerunError {
  return new ForerunError(code, { what, state: UNTOUCHED, next });
}
