import type { Operation } from './operation.ts';
import { invalid } from './read-updates.ts';

/** A part of an execution's operations. */
export interface StatePage {
  readonly operations: readonly Operation[];
  /** Absent on the last page. */
  readonly nextMarker?: string;
}

/** An invocation's event holds at most 6 MB; what does not fit is fetched in pages. */
const MAX_PAGE_BYTES = 1_048_576;
export const MAX_PAGE_OPERATIONS = 1000;

/** The page that begins at a marker; always at least one operation, however large it is. */
export function pageOf(
  operations: readonly Operation[],
  marker: string | undefined,
  maxItems: number = MAX_PAGE_OPERATIONS,
): StatePage {
  const start = marker === undefined || marker === '' ? 0 : Number(marker);
  if (!Number.isInteger(start) || start < 0 || start > operations.length) {
    throw invalid('Invalid Marker');
  }
  let bytes = 0;
  let end = start;
  for (const operation of operations.slice(start, start + maxItems)) {
    bytes += Buffer.byteLength(JSON.stringify(operation));
    if (bytes > MAX_PAGE_BYTES && end > start) {
      break;
    }
    end += 1;
  }
  return {
    operations: operations.slice(start, end),
    ...(end < operations.length ? { nextMarker: String(end) } : {}),
  };
}
