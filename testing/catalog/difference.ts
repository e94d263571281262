import type { Catalog, CatalogEntry } from './read-catalog.ts';

/** At most so many differences are printed: the first ones show the way to the rest. */
const SHOWN = 20;

/** Characters of one definition that are printed. */
const WIDTH = 200;

/**
 * What differs between two catalogs, one line for each thing: what is missing, what is left over, what changed. What comes
 * and goes with its table is not listed beside it. Empty when they are equal.
 */
export function differences(before: Catalog, after: Catalog): readonly string[] {
  const old = byName(before);
  const now = byName(after);
  const gone = [...old.values()].filter((entry) => !now.has(keyOf(entry)));
  const fresh = [...now.values()].filter((entry) => !old.has(keyOf(entry)));
  const changed = [...now.values()].flatMap((entry) => {
    const was = old.get(keyOf(entry));
    return was === undefined || was.definition === entry.definition ? [] : [changeOf(was, entry)];
  });
  return [
    ...withoutFollowers(gone).map((entry) => `${titleOf(entry)} is missing${described(entry)}`),
    ...withoutFollowers(fresh).map((entry) => `${titleOf(entry)} is left over${described(entry)}`),
    ...changed,
  ];
}

/** The differences as the end of a message. */
export function listed(lines: readonly string[]): string {
  const shown = lines.slice(0, SHOWN).map((line) => `\n  - ${line}`);
  const more = lines.length > SHOWN ? `\n  - and ${lines.length - SHOWN} more` : '';
  return `${shown.join('')}${more}`;
}

function byName(catalog: Catalog): ReadonlyMap<string, CatalogEntry> {
  return new Map(catalog.map((entry) => [keyOf(entry), entry]));
}

function keyOf({ kind, name }: CatalogEntry): string {
  return `${kind} ${name}`;
}

function titleOf({ kind, name }: CatalogEntry): string {
  return `${kind} ${name}`;
}

/** Columns, indexes, grants … of a table that is itself in the list say nothing new. */
function withoutFollowers(entries: readonly CatalogEntry[]): readonly CatalogEntry[] {
  const leaders = new Set(entries.filter(({ name, owner }) => name === owner).map(({ name }) => name));
  return entries.filter(({ name, owner }) => name === owner || !leaders.has(owner));
}

function described({ kind, definition }: CatalogEntry): string {
  return ['table', 'schema'].includes(kind) ? '' : `: ${short(definition)}`;
}

function changeOf(was: CatalogEntry, is: CatalogEntry): string {
  const old = was.definition.split('\n');
  const now = is.definition.split('\n');
  if (old.length === 1 && now.length === 1)
    return `${titleOf(is)} was ${short(was.definition)}, is ${short(is.definition)}`;
  const at = now.findIndex((line, index) => line !== old[index]);
  const line = at === -1 ? now.length : at;
  return `${titleOf(is)} changed in line ${line + 1}: was ${quoted(old[line])}, is ${quoted(now[line])}`;
}

function quoted(line: string | undefined): string {
  return line === undefined ? 'not there' : `"${short(line.trim())}"`;
}

function short(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  return flat.length > WIDTH ? `${flat.slice(0, WIDTH)}…` : flat;
}
