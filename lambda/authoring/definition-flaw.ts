import { BASE } from '../engine/migration.ts';
import { isIrreversible } from './irreversible.ts';

const KEYS: readonly string[] = ['after', 'id', 'tables', 'atomic', 'compatible', 'up', 'down'];

/** The first thing wrong with a definition. Modules are bundled without type checks, so everything is looked at. */
export function flawOf(source: unknown): string | undefined {
  if (!isRecord(source)) return 'migration() takes one object';
  const unknown = Object.keys(source).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `"${unknown}" is not one of ${KEYS.join(', ')}`;
  const { after, id, tables, atomic, compatible, up, down } = source;
  if (typeof up !== 'function') return '"up" must be a function';
  if (typeof down !== 'function' && !isIrreversible(down)) {
    return '"down" must be a function or irreversible(\'why\')';
  }
  if (!isParents(after)) return '"after" must be an id, several different ids, or \'base\'';
  if (id !== undefined && !isFilled(id)) return '"id" must be a text';
  if (atomic !== undefined && atomic !== 'group' && atomic !== 'migration') {
    return "\"atomic\" must be 'group' or 'migration'";
  }
  if (compatible !== undefined && typeof compatible !== 'boolean')
    return '"compatible" must be true or false';
  return tables === undefined ? undefined : tablesFlaw(tables);
}

function isParents(after: unknown): boolean {
  if (!Array.isArray(after)) return isFilled(after);
  const ids: readonly unknown[] = after;
  return ids.length > 0 && ids.every((id) => isFilled(id) && id !== BASE) && new Set(ids).size === ids.length;
}

function tablesFlaw(tables: unknown): string | undefined {
  if (!isRecord(tables)) return '"tables" must be an object of table()s';
  for (const [key, value] of Object.entries(tables)) {
    if (!isRecord(value) || !(value['types'] instanceof Map)) return `"tables.${key}" is not a table()`;
    if (value['name'] !== key)
      return `"tables.${key}" is the table '${String(value['name'])}': use its own name as key`;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
