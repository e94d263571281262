import { ServiceError } from './service-error.ts';

const MOST_BYTES = 1024 * 1024;
const ROW_BYTES = 2;
const COLUMN_BYTES = 4;

/**
 * Refuses a result of more than 1 MiB as the database sends it. The limit is documented
 * (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html), the count of the wire's own
 * two and four bytes was measured by others.
 */
export function refuseOversize(rows: readonly (readonly (string | null)[])[]): void {
  let bytes = 0;
  for (const row of rows) {
    bytes += ROW_BYTES;
    for (const value of row) bytes += COLUMN_BYTES + (value === null ? 0 : Buffer.byteLength(value));
  }
  if (bytes > MOST_BYTES)
    throw new ServiceError('UnsupportedResultException', 'The result exceeds the size limit 1 MB.');
}
