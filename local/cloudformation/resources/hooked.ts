import { ResourceFailure } from '../resource-failure.ts';

/** Awaits a hook; its rejection is the resource's failure. */
export async function hooked<T>(call: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    throw new ResourceFailure(error instanceof Error ? error.message : String(error));
  }
}
