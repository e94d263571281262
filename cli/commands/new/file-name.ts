import { ForerunError, UNTOUCHED } from '../../../lambda/engine/errors.ts';

/** Number and what parts it from the name: `0007_`, `20260131120000-`. */
const NUMBERED = /^(\d+)([_.-])/;

/** Timestamps as migration tools write them: so many digits of `YYYYMMDDhhmmss`, or milliseconds since 1970. */
const DAY_DIGITS = 8;
const MILLISECOND_DIGITS = 13;
const SECOND_DIGITS = 14;

/**
 * Id of the next migration of a folder, numbered as the others are: by count or by time, with as many digits, or not at all.
 * A name that brings a number along keeps it.
 */
export function nextId(name: string, ids: readonly string[], now: Date): string {
  const plain = name.trim().replaceAll(/\s+/g, '_');
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(plain) || /\.m?[jt]s$/.test(plain)) {
    throw new ForerunError('input-invalid', {
      what: `"${name}" cannot name a migration.`,
      state: UNTOUCHED,
      next: 'Use letters, digits, dots, dashes and underscores, and leave out the ending: forerun new add_slug.',
    });
  }
  if (NUMBERED.test(plain)) return plain;
  const numbers = ids.flatMap((id) => {
    const [, number, separator] = NUMBERED.exec(id) ?? [];
    return number === undefined || separator === undefined ? [] : [{ number, separator }];
  });
  const last = numbers.toSorted((one, other) => compare(one.number, other.number)).at(-1);
  if (last === undefined) return ids.length === 0 ? `0001_${plain}` : plain;
  return `${numberAfter(last.number, now)}${last.separator}${plain}`;
}

function numberAfter(last: string, now: Date): string {
  const utc = now.toISOString().replaceAll(/\D/g, '');
  if (last.length === MILLISECOND_DIGITS) return String(now.getTime());
  if (last.length >= DAY_DIGITS && last.length <= SECOND_DIGITS && /^(?:19|20)/.test(last))
    return utc.slice(0, last.length);
  return String(BigInt(last) + 1n).padStart(last.length, '0');
}

function compare(one: string, other: string): number {
  const difference = BigInt(one) - BigInt(other);
  return difference < 0n ? -1 : Number(difference > 0n);
}
