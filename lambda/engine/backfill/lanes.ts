/** Lanes of one worker, each of which works on a range of its own. */
export interface Lanes {
  /** How many there shall be: missing ones begin at once, surplus ones end by themselves. */
  want(count: number): void;
  /** Whether this lane is one too many, or another one has failed. */
  surplus(lane: number): boolean;
  /** Aborts when there may be work for those that wait. */
  bell(): AbortSignal;
  ring(): void;
}

/**
 * Runs lanes, numbered from 1, until all have come to an end; one that answers null was surplus. Once a lane has come to an end
 * of its own, none begins any more. A lane's failure is told once all others have ended: nothing works on unseen.
 */
export async function inLanes<End>(
  count: number,
  work: (lane: number, lanes: Lanes) => Promise<End | null>,
): Promise<readonly End[]> {
  const running = new Map<number, Promise<void>>();
  const ends: End[] = [];
  const failures: unknown[] = [];
  let wanted = count;
  let bell = new AbortController();
  const lanes: Lanes = {
    want(more) {
      wanted = more;
      fill();
    },
    surplus: (lane) => lane > wanted || failures.length > 0,
    bell: () => bell.signal,
    ring() {
      bell.abort();
      bell = new AbortController();
    },
  };
  const run = async (lane: number): Promise<void> => {
    try {
      const end = await work(lane, lanes);
      if (end !== null) ends.push(end);
    } catch (cause) {
      failures.push(cause);
    } finally {
      running.delete(lane);
      lanes.ring();
    }
  };
  function fill(): void {
    for (let lane = 1; lane <= wanted && ends.length + failures.length === 0; lane += 1) {
      if (!running.has(lane)) running.set(lane, run(lane));
    }
  }
  fill();
  while (running.size > 0) await Promise.all(running.values());
  if (failures.length > 0) throw failures[0];
  return ends;
}
