import { BASE } from '../engine/migration.ts';
import { isIrreversible } from './irreversible.ts';
import { isOperation, isUsedOperation } from './operation.ts';
import { isSecret } from './secret.ts';

const KEYS: readonly string[] = [
  'after',
  'id',
  'tables',
  'atomic',
  'phase',
  'transaction',
  'long',
  'lockTimeoutMs',
  'environments',
  'params',
  'secrets',
  'needs',
  'compatible',
  'up',
  'down',
  'operations',
];

/** A day: nobody waits longer for a lock, and PostgreSQL's setting holds it. */
const LONGEST_LOCK_TIMEOUT_MS = 86_400_000;

/** The first thing wrong with a definition. Modules are bundled without type checks, so everything is looked at. */
export function flawOf(source: unknown): string | undefined {
  if (!isRecord(source)) return 'migration() takes one object';
  const unknown = Object.keys(source).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `"${unknown}" is not one of ${KEYS.join(', ')}`;
  const { after, id, tables, atomic, phase, transaction, long, lockTimeoutMs, compatible, up, down } = source;
  const ways = 'operations' in source ? operationsFlaw(source) : waysFlaw(up, down);
  if (ways !== undefined) return ways;
  if (!isParents(after)) return '"after" must be an id, several different ids, or \'base\'';
  if (id !== undefined && !isFilled(id)) return '"id" must be a text';
  if (atomic !== undefined && atomic !== 'group' && atomic !== 'migration') {
    return "\"atomic\" must be 'group' or 'migration'";
  }
  if (phase !== undefined && phase !== 'before' && phase !== 'after') {
    return "\"phase\" must be 'before' or 'after' (the app goes live)";
  }
  if (transaction !== undefined && typeof transaction !== 'boolean')
    return '"transaction" must be true or false';
  if (long !== undefined && typeof long !== 'boolean') return '"long" must be true or false';
  if (long === true && transaction === true) {
    return '"long" statements commit alone: leave "transaction: true" out';
  }
  if ((long === true || transaction === false) && atomic !== undefined) {
    return '"atomic" says how a transaction is shared, and this migration has none: leave it out';
  }
  if (lockTimeoutMs !== undefined && !isTime(lockTimeoutMs)) {
    return '"lockTimeoutMs" must be a whole number of milliseconds from 1 to a day';
  }
  if (compatible !== undefined && typeof compatible !== 'boolean')
    return '"compatible" must be true or false';
  return surroundingsFlaw(source) ?? (tables === undefined ? undefined : tablesFlaw(tables));
}

function surroundingsFlaw({
  environments,
  params,
  secrets,
}: Readonly<Record<string, unknown>>): string | undefined {
  if (environments !== undefined && !isNames(environments)) {
    return '"environments" must be a list of names, at least one';
  }
  if (params !== undefined && !isSchema(params)) {
    return '"params" must be a schema of Zod, Valibot or another library that speaks Standard Schema';
  }
  if (secrets === undefined) return undefined;
  if (!isRecord(secrets)) return '"secrets" must be an object of secret()s';
  const bad = Object.entries(secrets).find(([, value]) => !isSecret(value));
  return bad === undefined ? undefined : `"secrets.${bad[0]}" is not a secret()`;
}

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(isFilled);

function isSchema(value: unknown): boolean {
  // A schema may be a function with properties.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return (
    '~standard' in value &&
    isRecord(value['~standard']) &&
    typeof value['~standard']['validate'] === 'function'
  );
}

function waysFlaw(up: unknown, down: unknown): string | undefined {
  if (typeof up !== 'function') return '"up" must be a function';
  if (typeof down === 'function' || isIrreversible(down)) return undefined;
  if (down === undefined) {
    return '"down" is missing: write how to take "up" back, or irreversible(\'why\') where there is no way back';
  }
  return typeof down === 'object' && down !== null && 'irreversible' in down
    ? 'irreversible() in "down" needs the reason as its text: irreversible(\'why\')'
    : '"down" must be a function or irreversible(\'why\')';
}

function operationsFlaw({
  operations,
  up,
  down,
  transaction,
  long,
}: Readonly<Record<string, unknown>>): string | undefined {
  if (up !== undefined || down !== undefined) {
    return '"operations" know both ways: leave "up" and "down" out, or call op.use in them instead';
  }
  if (!Array.isArray(operations) || operations.length === 0) {
    return '"operations" must be a list of operations with their arguments';
  }
  const members: readonly unknown[] = operations;
  for (const [at, member] of members.entries()) {
    if (isUsedOperation(member)) {
      const alone = transaction === false || long === true;
      if (member.transaction === undefined || member.transaction !== alone) continue;
      return member.transaction
        ? `"${member.label}" sends statements that must commit together: leave transaction: false and long: true out`
        : `"${member.label}" sends statements that must commit one by one: write transaction: false beside it (or long: true, when they may take over 45 seconds)`;
    }
    const place = `"operations" ${at + 1}`;
    return isOperation(member)
      ? `${place} is the operation "${member.name}" without its argument: write .with({ … }) behind it`
      : `${place} is no operation: make it with operation({ name, up, down }) and .with({ … })`;
  }
  return undefined;
}

const isTime = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LONGEST_LOCK_TIMEOUT_MS;

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
