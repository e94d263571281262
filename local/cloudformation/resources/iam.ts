import { listAt, recordAt, scalarText, textAt } from '../plain-values.ts';
import type { Policies, PolicyStatement } from '../policies.ts';
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
        documents: listAt(request.properties, 'Policies').map((each) => recordAt(each, 'PolicyDocument')),
        roles: [name],
        managed: listAt(request.properties, 'ManagedPolicyArns').map((each) => scalarText(each) ?? ''),
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
      return { ...policyOf(request), arn, made: { physicalId: arn, attributes: { PolicyArn: arn } } };
    }),
  };
}

interface Statement extends PolicyStatement {
  readonly made: Made;
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
    const { made, ...statement } = read(request);
    policies.set(keyOf(request, made.physicalId), statement);
    return await Promise.resolve(made);
  };
  return {
    replacedBy,
    create: keep,
    async update(request) {
      // The name it was made with stays: a later generation would invent another.
      const statement = read({ ...request, inventedName: request.physicalId });
      const arn = statement.arn === undefined ? {} : { arn: request.physicalId };
      policies.set(keyOf(request, request.physicalId), { ...statement, ...arn });
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
