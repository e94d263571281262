import { ServiceError } from './service-error.ts';

const TIMESTAMP =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d+)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/u;

/** A time of day or a timestamp with no fraction, three digits or six, as few as hold it. */
export function withFraction(text: string): string {
  refuseInfinity(text);
  return text.replace(
    /\.(\d+)/u,
    (_all, digits: string) => `.${digits.padEnd(digits.length > 3 ? 6 : 3, '0')}`,
  );
}

/** A date; infinity has no date. */
export function plainDate(text: string): string {
  refuseInfinity(text);
  return text;
}

/** A timestamp with zone in UTC and without its offset, whatever zone the session is in. */
export function inUtc(text: string): string {
  refuseInfinity(text);
  const [, year, month, day, hours, minutes, seconds, fraction = '', sign, ...rest] =
    TIMESTAMP.exec(text) ?? [];
  const [offsetHours = '0', offsetMinutes = '0', offsetSeconds = '0', era] = rest;
  if (year === undefined || era !== undefined)
    return withFraction(text.replace(/[+-]\d\d(:\d\d)*(?= BC|$)/u, ''));
  const offset = Number(offsetHours) * 3600 + Number(offsetMinutes) * 60 + Number(offsetSeconds);
  const moment = new Date(0);
  moment.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  moment.setUTCHours(Number(hours), Number(minutes), Number(seconds) - (sign === '-' ? -offset : offset));
  const date = `${String(moment.getUTCFullYear()).padStart(4, '0')}-${two(moment.getUTCMonth() + 1)}-${two(moment.getUTCDate())}`;
  const time = `${two(moment.getUTCHours())}:${two(moment.getUTCMinutes())}:${two(moment.getUTCSeconds())}`;
  return withFraction(`${date} ${time}${fraction}`);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** The real service breaks on infinity: drizzle-team/drizzle-orm issue 5308. */
function refuseInfinity(text: string): void {
  if (text.endsWith('infinity')) throw new ServiceError('InternalFailure', 'Internal failure');
}
