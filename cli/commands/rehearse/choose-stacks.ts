import { RESOURCE_TYPE } from '../../../lambda/contract.ts';
import { ForerunError, UNTOUCHED } from '../../../lambda/engine/errors.ts';
import type { ListedStack } from '../../../local/cloudformation/assembly.ts';

/**
 * The stacks to rehearse: those that are named, else all that hold a construct `Migrations`.
 *
 * @throws ForerunError `input-invalid` for a name that fits none, or where nothing is to be rehearsed
 */
export function chooseStacks(all: readonly ListedStack[], names: readonly string[]): readonly ListedStack[] {
  const known = `The stacks are ${all.map(({ displayName }) => displayName).join(', ') || 'none'}.`;
  if (names.length === 0) {
    const holding = all.filter((stack) => holdsMigrations(stack));
    if (holding.length > 0) return holding;
    throw new ForerunError('input-invalid', {
      what: 'No stack of this app holds a construct Migrations.',
      state: UNTOUCHED,
      next: `Add one, or name a stack with --stack. ${known}`,
    });
  }
  const chosen = names.map((wanted) => {
    const found = all.filter(({ name, artifactId, displayName }) =>
      [name, artifactId, displayName].includes(wanted),
    );
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    throw new ForerunError('input-invalid', {
      what:
        found.length === 0 ? `There is no stack ${wanted}.` : `${found.length} stacks are called ${wanted}.`,
      state: UNTOUCHED,
      next: known,
    });
  });
  // In the order of the app: a stack may need one before it.
  return all.filter((stack) => chosen.includes(stack));
}

const holdsMigrations = ({ templates }: ListedStack): boolean =>
  templates.some(({ Resources }) => Object.values(Resources).some(({ Type }) => Type === RESOURCE_TYPE));

/** Account and region of a stack. */
export interface Place {
  readonly account?: string;
  readonly region?: string;
}

/** Stacks of one account and region share what they have made. */
export function byPlace(
  stacks: readonly ListedStack[],
): readonly { readonly place: Place; readonly stacks: readonly ListedStack[] }[] {
  const groups = Map.groupBy(stacks, (stack) => JSON.stringify(placeOf(stack)));
  return [...groups.values()].map((members) => ({
    place: members[0] === undefined ? {} : placeOf(members[0]),
    stacks: members,
  }));
}

/** As a person says it; what a stack leaves open follows whoever deploys. */
export const placeText = ({ account, region }: Place): string =>
  [account === undefined ? 'your own account' : `account ${account}`, region ?? 'your own region'].join(', ');

function placeOf({ account, region }: ListedStack): Place {
  return {
    ...(account === undefined ? {} : { account }),
    ...(region === undefined ? {} : { region }),
  };
}
