import { listAt, recordAt, scalarText, textAt } from '../plain-values.ts';
import type { Policies } from '../policies.ts';
import type { ChangeRequest, Made, ResourceHandler, ResourceRequest } from '../resource-handler.ts';
import type { Place } from './opaque.ts';

/** Roles and policies, kept as data so that a rehearsal can ask what a role may do. */
export function iamHandlers(
  policies: Policies,
  { account }: Place,
): Readonly<Record<string, ResourceHandler>> {
  return {
    'AWS::IAM::Role': keeper(policies, ['RoleName'], (request) => {
      const name = textAt(request.properties, 'RoleName') ?? request.inventedName.slice(-64);
      const path = textAt(request.properties, 'Path') ?? '/';
      return {
        made: {
          physicalId: name,
          attributes: {
            Arn: `arn:aws:iam::${account}:role${path}${name}`,
            RoleId: `AROA${request.inventedName.slice(-12)}`,
          },
        },
        documents: [
          ...listAt(request.properties, 'Policies').map((each) => recordAt(each, 'PolicyDocument')),
          ...listAt(request.properties, 'ManagedPolicyArns').flatMap((each) => awsManaged(scalarText(each))),
        ],
        roles: [name],
      };
    }),
    'AWS::IAM::Policy': keeper(policies, [], policyOf),
    'AWS::IAM::RolePolicy': keeper(policies, ['PolicyName', 'RoleName'], (request) => ({
      ...policyOf(request),
      roles: [textAt(request.properties, 'RoleName') ?? ''],
    })),
    'AWS::IAM::ManagedPolicy': keeper(policies, ['ManagedPolicyName', 'Path'], (request) => {
      const name = textAt(request.properties, 'ManagedPolicyName') ?? request.inventedName;
      const path = textAt(request.properties, 'Path') ?? '/';
      const arn = `arn:aws:iam::${account}:policy${path}${name}`;
      return { ...policyOf(request), made: { physicalId: arn, attributes: { PolicyArn: arn } } };
    }),
  };
}

interface Statement {
  readonly made: Made;
  readonly documents: readonly unknown[];
  readonly roles: readonly string[];
}

function policyOf(request: ResourceRequest): Statement {
  return {
    made: { physicalId: request.inventedName, attributes: {} },
    documents: [recordAt(request.properties, 'PolicyDocument')],
    roles: listAt(request.properties, 'Roles').map((each) => scalarText(each) ?? ''),
  };
}

function keeper(
  policies: Policies,
  replacedBy: readonly string[],
  read: (request: ResourceRequest) => Statement,
): ResourceHandler {
  const keep = async (request: ResourceRequest): Promise<Made> => {
    const { made, documents, roles } = read(request);
    policies.set(keyOf(request, made.physicalId), documents, roles);
    return await Promise.resolve(made);
  };
  return {
    replacedBy,
    create: keep,
    async update(request) {
      const { documents, roles } = read(request);
      policies.set(keyOf(request, request.physicalId), documents, roles);
      return await Promise.resolve(request);
    },
    async delete(request: ChangeRequest) {
      policies.remove(keyOf(request, request.physicalId));
      await Promise.resolve();
    },
  };
}

function keyOf({ stack, logicalId }: ResourceRequest, physicalId: string): string {
  return `${stack.id}|${logicalId}|${physicalId}`;
}

/** The managed policies of AWS that functions commonly have; others allow nothing here. */
function awsManaged(arn: string | undefined): readonly unknown[] {
  const actions = {
    AWSLambdaBasicExecutionRole: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
    AdministratorAccess: ['*'],
  }[arn?.split('/').at(-1) ?? ''];
  return actions === undefined ? [] : [{ Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] }];
}
