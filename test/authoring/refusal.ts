import { ForerunError } from '../../lambda/engine/errors.ts';

/** What a call threw, as its code and text; fails when it threw nothing or something else. */
export async function refusalOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof ForerunError) return `${error.code}: ${error.text.what}`;
    throw error;
  }
  return 'nothing was refused';
}
