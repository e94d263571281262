import type { Environment } from './environment.ts';
import type { Invocation, Outcome } from './invocation.ts';
import { LambdaServiceError } from './service-error.ts';

/** The processes of one function version: a free one is used again, a busy one is never waited for. */
export interface Pool {
  invoke(invocation: Invocation): Promise<Outcome>;
  /** Ends the free processes now and each busy one after its invocation. */
  retire(): Promise<void>;
  /** Ends all processes at once. */
  close(): Promise<void>;
}

/** Makes a pool that starts its processes on demand. */
export function createPool(start: () => Environment): Pool {
  const all = new Set<Environment>();
  const idle: Environment[] = [];
  let retired = false;
  let closed = false;

  const take = (): Environment => {
    for (let free = idle.pop(); free !== undefined; free = idle.pop()) {
      if (free.usable()) {
        return free;
      }
      all.delete(free);
    }
    const fresh = start();
    all.add(fresh);
    return fresh;
  };
  const end = async (environments: Iterable<Environment>): Promise<void> => {
    await Promise.all(
      [...environments].map(async (each) => {
        await each.kill();
        all.delete(each);
      }),
    );
  };

  return {
    async invoke(invocation) {
      if (closed) {
        throw new LambdaServiceError('ResourceNotFoundException', 'Lambda was shut down.');
      }
      const environment = take();
      const outcome = await environment.invoke(invocation);
      if (retired || !environment.usable()) {
        await end([environment]);
      } else {
        idle.push(environment);
      }
      return outcome;
    },
    async retire() {
      retired = true;
      await end(idle.splice(0));
    },
    async close() {
      retired = true;
      closed = true;
      await end(all);
    },
  };
}
