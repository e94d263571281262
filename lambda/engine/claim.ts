import type { GroupWork } from './group-work.ts';
import type { Dialect } from './journal.ts';
import type { TransactionLimits } from './limits.ts';
import type { Session } from './ports.ts';

/** True when the fence held and the journal took exactly the claims of this group. */
export async function claim(
  work: GroupWork,
  limits: TransactionLimits,
  session: Session,
  dialect: Dialect,
): Promise<boolean> {
  const { leaseMs, idleTimeoutMs } = work.limits;
  const statement = (work.direction === 'up' ? dialect.claim : dialect.unclaim)({
    ...work.identity,
    token: work.token,
    leaseMs,
    migrations: work.group,
    idleTimeoutMs,
    ...limits,
  });
  const { rows } = await session.execute(statement, { rows: true });
  const answer = rows[0];
  return answer !== undefined && answer['token'] !== null && answer['claimed'] === work.group.length;
}
