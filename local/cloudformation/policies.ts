import { listAt, scalarText, textAt } from './plain-values.ts';

/** A policy with the roles it is attached to. */
interface Attached {
  readonly document: unknown;
  readonly roles: readonly string[];
}

/**
 * What roles may do at this moment, as the deployed policies say. Identity-based policies only; conditions count as met,
 * resource policies and boundaries are not looked at.
 */
export interface Policies {
  /** Sets or replaces what one resource of a template says; `roles` are role names. */
  readonly set: (key: string, documents: readonly unknown[], roles: readonly string[]) => void;
  readonly remove: (key: string) => void;
  /** Every document that counts for a role. */
  readonly documentsOf: (roleArn: string) => readonly unknown[];
  readonly allows: (roleArn: string, action: string, resource: string) => boolean;
}

/** Makes an account without any policy. */
export function createPolicies(): Policies {
  const attached = new Map<string, readonly Attached[]>();
  const documentsOf = (roleArn: string): readonly unknown[] => {
    const name = roleArn.split('/').at(-1) ?? '';
    return [...attached.values()]
      .flat()
      .filter(({ roles }) => roles.includes(name))
      .map(({ document }) => document);
  };
  return {
    set(key, documents, roles) {
      attached.set(
        key,
        documents.map((document) => ({ document, roles })),
      );
    },
    remove(key) {
      attached.delete(key);
    },
    documentsOf,
    allows(roleArn, action, resource) {
      const effects = documentsOf(roleArn)
        .flatMap((document) => listAt(document, 'Statement'))
        .filter((statement) => covers(statement, action, resource))
        .map((statement) => textAt(statement, 'Effect'));
      // An explicit deny wins over any number of allows.
      return effects.includes('Allow') && !effects.includes('Deny');
    },
  };
}

function covers(statement: unknown, action: string, resource: string): boolean {
  const actions = texts(statement, 'Action');
  const notActions = texts(statement, 'NotAction');
  const resources = texts(statement, 'Resource');
  const notResources = texts(statement, 'NotResource');
  const actionFits =
    actions.some((each) => matches(each.toLowerCase(), action.toLowerCase())) ||
    (notActions.length > 0 && !notActions.some((each) => matches(each.toLowerCase(), action.toLowerCase())));
  const resourceFits =
    resources.some((each) => matches(each, resource)) ||
    (notResources.length > 0 && !notResources.some((each) => matches(each, resource)));
  return actionFits && resourceFits;
}

function texts(statement: unknown, key: string): readonly string[] {
  return listAt(statement, key).map((each) => scalarText(each) ?? '');
}

/** `*` stands for any text, `?` for one character. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
