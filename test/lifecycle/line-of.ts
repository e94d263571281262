import type { Migration } from '../../lambda/engine/migration.ts';
import type { Session } from '../../lambda/engine/ports.ts';

type Way = readonly string[] | ((session: Session) => Promise<unknown>);

/** A history of one line: each migration stands on the one before it; its ways are lists of statements or code. */
export function lineOf(
  ...members: readonly {
    readonly id: string;
    readonly up: Way;
    readonly down?: Way;
    readonly own?: boolean;
    readonly alone?: 'short' | 'long';
    readonly lockTimeoutMs?: number;
  }[]
): Migration[] {
  return members.map(({ id, up, down, own, alone, lockTimeoutMs }, index) => {
    const before = members[index - 1];
    return {
      id,
      after: before === undefined ? [] : [before.id],
      checksum: `v1:${id}`,
      atomic: own === true ? 'migration' : 'group',
      ...(alone === undefined ? {} : { alone }),
      ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
      up: (session) => walk(up, session),
      down:
        down === undefined
          ? { kind: 'irreversible', why: 'the test says so' }
          : { kind: 'reversible', run: (session) => walk(down, session) },
    };
  });
}

async function walk(way: Way, session: Session): Promise<void> {
  if (typeof way === 'function') {
    await way(session);
    return;
  }
  for (const sql of way) await session.execute({ sql }, { rows: false });
}
