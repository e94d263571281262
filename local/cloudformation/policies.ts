import { listAt, scalarText, textAt } from './plain-values.ts';

/** What one resource of a template says about policies. */
export interface PolicyStatement {
  readonly documents: readonly unknown[];
  /** Names of the roles that the documents are attached to. */
  readonly roles: readonly string[];
  /** ARNs of managed policies that the roles name themselves. */
  readonly managed?: readonly string[];
  /** ARN of these documents, when they are a managed policy. */
  readonly arn?: string;
}

/**
 * What roles may do at this moment, as the deployed policies say. Identity-based policies only; conditions count as met,
 * resource policies and boundaries are not looked at.
 */
export interface Policies {
  /** Sets or replaces what one resource says. */
  readonly set: (key: string, statement: PolicyStatement) => void;
  readonly remove: (key: string) => void;
  /** Every document that counts for a role. */
  readonly documentsOf: (roleArn: string) => readonly unknown[];
  readonly allows: (roleArn: string, action: string, resource: string) => boolean;
}

/** Makes an account without any policy. */
export function createPolicies(): Policies {
  const statements = new Map<string, PolicyStatement>();
  const documentsOf = (roleArn: string): readonly unknown[] => {
    const name = roleArn.split('/').at(-1) ?? '';
    const all = [...statements.values()];
    const named = all.filter(({ roles }) => roles.includes(name)).flatMap(({ managed = [] }) => managed);
    return [
      ...all
        .filter(({ roles, arn = '' }) => roles.includes(name) || named.includes(arn))
        .flatMap(({ documents }) => documents),
      ...named.flatMap((arn) => AWS_MANAGED.get(arn.split('/').at(-1) ?? '') ?? []),
    ];
  };
  return {
    set(key, statement) {
      statements.set(key, statement);
    },
    remove(key) {
      statements.delete(key);
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

/** The managed policies of AWS that functions commonly have; others allow nothing here. */
const AWS_MANAGED = new Map<string, object>([
  [
    'AWSLambdaBasicExecutionRole',
    allow(['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']),
  ],
  [
    'AWSLambdaBasicDurableExecutionRolePolicy',
    allow([
      'logs:CreateLogGroup',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'lambda:CheckpointDurableExecution',
      'lambda:GetDurableExecutionState',
    ]),
  ],
  ['AdministratorAccess', allow(['*'])],
]);

function allow(actions: readonly string[]): object {
  return { Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] };
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
