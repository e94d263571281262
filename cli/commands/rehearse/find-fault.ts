import { ForerunError, UNTOUCHED } from '../../../lambda/engine/errors.ts';
import { constructPath, type Template } from '../../../local/cloudformation/template.ts';

interface Candidate {
  readonly logicalId: string;
  /** Of the construct, without the words that the CDK adds at its end. */
  readonly path: string;
}

/** A wish that a resource fails. */
export interface Fault {
  /** As it was wished. */
  readonly wish: string;
  readonly hits: (resource: { readonly logicalId: string; readonly path?: string | undefined }) => boolean;
}

/**
 * Finds what a person means: a logical id, whole, without its hash or its beginning; or the path of a construct, with or without
 * the stack, which then stands for all that is in it. The narrowest reading that names something counts.
 *
 * @throws ForerunError `input-invalid` where it names nothing
 */
export function findFault(wish: string, templates: readonly Template[]): Fault {
  const all = templates.flatMap(({ Resources }) =>
    Object.entries(Resources).map(([logicalId, definition]) =>
      candidate(logicalId, constructPath(definition)),
    ),
  );
  const readings: readonly ((one: Candidate) => boolean)[] = [
    ({ logicalId }) => logicalId === wish,
    ({ path }) => path === wish || path.endsWith(`/${wish}`),
    ({ logicalId }) => logicalId.replace(/[0-9A-F]{8}$/, '') === wish,
    ({ logicalId }) => logicalId.startsWith(wish),
    ({ path }) => `/${path}/`.includes(`/${wish}/`),
  ];
  const reading = readings.find((fits) => all.some(fits));
  if (reading === undefined) {
    const ids = all.map(({ path }) => path).filter((path) => path !== '');
    throw new ForerunError('input-invalid', {
      what: `--fail ${wish} names no resource of the app.`,
      state: UNTOUCHED,
      next: `Give a logical id or the path of a construct, such as ${ids.slice(-3).join(' or ') || 'the one in the template'}.`,
    });
  }
  return { wish, hits: ({ logicalId, path }) => reading(candidate(logicalId, path)) };
}

function candidate(logicalId: string, path = ''): Candidate {
  return { logicalId, path: path.replace(/\/(?:Resource|Default)$/, '') };
}
