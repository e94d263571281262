import type { MigrationContext } from './context.ts';
import { irreversible, isIrreversible, type Irreversible } from './irreversible.ts';
import type { UsedOperation } from './operation.ts';
import type { Tables } from './table.ts';

/** What a derived way needs of its context. */
type Uses = (context: Pick<MigrationContext<Tables>, 'op'>) => Promise<unknown>;

/** Both directions of a migration, and the names of its operations where it is made of those. */
export interface Ways<W> {
  readonly up: W | Uses;
  readonly down: W | Uses | Irreversible;
  readonly operations: readonly string[] | undefined;
}

type Written<W> =
  | { readonly up: W; readonly down: W | Irreversible; readonly operations?: never }
  | { readonly operations: readonly UsedOperation[]; readonly up?: never; readonly down?: never };

/** What a migration does: as written, or derived from its operations, which are taken back in the opposite order. */
export function waysOf<W>({ up, down, operations }: Written<W>): Ways<W> {
  if (operations === undefined) return { up, down, operations };
  const oneWay = operations.flatMap(({ label, down: back }) =>
    isIrreversible(back) ? [`${label}: ${back.irreversible}`] : [],
  );
  return {
    operations: Object.freeze(operations.map(({ label }) => label)),
    up: (context) => inTurn(operations, (used) => context.op.use(used)),
    down:
      oneWay.length > 0
        ? irreversible(oneWay.join('; '))
        : (context) => inTurn(operations.toReversed(), (used) => context.op.undo(used)),
  };
}

async function inTurn(
  operations: readonly UsedOperation[],
  step: (used: UsedOperation) => Promise<void>,
): Promise<void> {
  for (const used of operations) await step(used);
}
