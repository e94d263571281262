/** `1,140,000`, the same on every machine. */
export const countText = (count: number): string => Math.round(count).toLocaleString('en');

/** `1 migration`, `7 migrations`. */
export const countOf = (count: number, word: string): string =>
  `${countText(count)} ${count === 1 ? word : `${word}s`}`;

/** `2026-11-24 10:12:03Z`; what is no moment stays as it is. */
export function momentText(moment: string | null): string {
  if (moment === null) return '';
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? moment : `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** `0.4 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${countText(Math.floor(whole / 3_600))} h ${Math.floor((whole % 3_600) / 60)} min`;
}
