import { ForerunError } from '../../lambda/engine/errors.ts';
import { differences, listed } from './difference.ts';
import type { Catalog } from './read-catalog.ts';

/** Fails where two catalogs differ, with what differs. */
export function refuseDifferences(wanted: Catalog, found: Catalog, what: string): void {
  const lines = differences(wanted, found);
  if (lines.length === 0) return;
  const many = lines.length === 1 ? '1 thing differs' : `${lines.length} things differ`;
  throw new ForerunError('test-failed', {
    what: `${what}; ${many}:${listed(lines)}\n`,
    state: 'Only a database of this test was touched.',
    next: 'Mend up or down of this migration.',
  });
}
