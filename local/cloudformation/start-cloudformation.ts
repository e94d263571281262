import { LocalError } from '../errors.ts';
import { realClock, type Clock } from '../clock.ts';
import type { Authorize } from '../lambda/admission.ts';
import type { LocalLambda } from '../lambda/start-lambda.ts';
import { startAnswerServer } from './answer-server.ts';
import { readAssembly, type AssemblyStack } from './assembly.ts';
import { deleteStack } from './delete-stack.ts';
import { createStack, finishUpdate, isUnchanged, updateBack, updateStack } from './deploy-stack.ts';
import { refuseUnknownFaults, resultOf, type DeployOptions, type DeployResult } from './deploy-result.ts';
import { startDescribeStacks } from './describe-stacks.ts';
import type { Engine, FaultOf } from './engine.ts';
import type { Hooks } from './hooks.ts';
import { planOperation, type Operation, type OperationOptions } from './operation.ts';
import { createPolicies } from './policies.ts';
import { ResourceFailure } from './resource-failure.ts';
import { resourceHandlers } from './resource-handlers.ts';
import { emptyStack, type Resource, type Stack } from './stack.ts';
import { stackId } from './stack-id.ts';
import { UPDATABLE, type StackEvent, type StackStatus } from './status.ts';

export type { DeployOptions, DeployResult } from './deploy-result.ts';

export interface CloudFormationOptions {
  readonly lambda: LocalLambda;
  readonly hooks?: Hooks;
  readonly clock?: Clock;
  readonly onEvent?: (event: StackEvent) => void;
  /** Who may call `DescribeStacks`; everybody by default. */
  readonly authorize?: Authorize;
  /** More types of custom resources that count as done without asking their function. */
  readonly assumed?: readonly string[];
  /** Makes resources fail on the way forward, in nested stacks and needed stacks too. */
  readonly faultOf?: FaultOf;
  /**
   * Told in words what of a template is not played; something plausible stands in. Without it such a thing fails the deploy:
   * imports of what no stack exports, code that is no folder of Node.js, functions of a template that made-up values do not fit.
   */
  readonly passOver?: (what: string) => void;
  /** Default: Lambda's. */
  readonly account?: string;
  /** Default: Lambda's. */
  readonly region?: string;
}

/** A stack as it stands. */
export interface StackView {
  readonly id: string;
  readonly name: string;
  readonly status: StackStatus;
  readonly resources: readonly Resource[];
  readonly outputs: Readonly<Record<string, string>>;
  /** Since the stack was made. */
  readonly events: readonly StackEvent[];
}

/** AWS CloudFormation on this machine. */
export interface LocalCloudFormation {
  /** For `AWS_ENDPOINT_URL_CLOUDFORMATION`: serves `DescribeStacks`. */
  readonly url: string;
  /** Deploys a stack of a cloud assembly, after those it depends on; returns when CloudFormation has come to rest. */
  deploy(assemblyDirectory: string, stackName: string, options?: DeployOptions): Promise<DeployResult>;
  /** Goes on from `UPDATE_ROLLBACK_FAILED`; skipped resources count as restored. */
  continueUpdateRollback(
    stackName: string,
    options?: { readonly skip?: readonly string[] },
  ): Promise<DeployResult>;
  /** Ends the wait for the resource in progress, as a cancelled update or a failed neighbour does. */
  interrupt(stackName: string): void;
  destroy(
    stackName: string,
  ): Promise<{ readonly status: StackStatus; readonly events: readonly StackEvent[] }>;
  stack(nameOrId: string): StackView | undefined;
  /** Whether something happens in a resource of this type; the others only have an id and plausible attributes. */
  plays(resourceType: string): boolean;
  /** The policy documents that count for a role at this moment. */
  policies(roleArn: string): readonly unknown[];
  /**
   * Whether a principal may do something at this moment. A role is held to its deployed policies; an access key that
   * stands for no role is a person on this machine, who may do everything.
   */
  allows(principal: string, action: string, resource: string): boolean;
  /** Ends a deploy that is under way as if nobody answered any more, and waits for it. */
  close(): Promise<void>;
}

/** Starts CloudFormation and tells Lambda's functions where it is. */
export async function startCloudFormation(options: CloudFormationOptions): Promise<LocalCloudFormation> {
  const { lambda, clock = realClock, hooks = {} } = options;
  const place = { account: options.account ?? lambda.account, region: options.region ?? lambda.region };
  const answers = await startAnswerServer();
  const policies = createPolicies();
  const stacks = new Map<string, Stack>();
  const byId = new Map<string, Stack>();
  const running = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>();
  const blocked = new Map<string, Operation>();

  const register = (stack: Stack): void => {
    stacks.set(stack.name, stack);
    byId.set(stack.id, stack);
  };
  const newStack = (name: string): Stack => {
    const born = [...byId.values()].filter((each) => each.name === name).length;
    return emptyStack(name, stackId(name, born, place));
  };
  const engine: Engine = {
    ...place,
    handlerFor: (type) => handlerFor(type),
    emit(stack, event) {
      const told = { at: clock.now(), stackName: stack.name, ...event };
      stack.events.push(told);
      options.onEvent?.(told);
    },
    exportValue: (name) =>
      [...stacks.values()].map((each) => each.exports[name]).find((value) => value !== undefined) ??
      assumedExport(name, options.passOver),
    ...(options.faultOf === undefined ? {} : { faultOf: options.faultOf }),
    ...(options.passOver === undefined ? {} : { passOver: options.passOver }),
    importerOf: (stack, exportName) =>
      [...stacks.values()].find((each) => each !== stack && each.imports.has(exportName))?.name,
  };
  const roleIsOurs = (arn: string): boolean =>
    [...byId.values()].some(({ resources }) =>
      [...resources.values()].some(
        ({ type, attributes }) => type === 'AWS::IAM::Role' && attributes['Arn'] === arn,
      ),
    );
  const find = (nameOrId: string): Stack | undefined => byId.get(nameOrId) ?? stacks.get(nameOrId);
  const found = (name: string): Stack => {
    const stack = find(name);
    if (stack === undefined) {
      throw new LocalError('deploy-impossible', `Stack with id ${name} does not exist.`);
    }
    return stack;
  };
  const handlerFor = resourceHandlers({
    lambda,
    hooks,
    policies,
    answers,
    clock,
    place,
    assumed: options.assumed ?? [],
    nested: { engine, newStack, register, find },
  });

  const play = async (
    source: AssemblyStack,
    { fail = {}, eventsFirst = false, parameters = {} }: DeployOptions,
  ): Promise<DeployResult> => {
    const { name, template, assets } = source;
    refuseUnknownFaults(template.Resources, fail);
    const known = stacks.get(name);
    if (known?.status === 'ROLLBACK_COMPLETE') {
      // Such a stack can only be deleted; `cdk deploy` does that by itself.
      await deleteStack(engine, known);
    }
    const isNew = known === undefined || known.status === 'DELETE_COMPLETE';
    const stack = isNew ? newStack(name) : known;
    if (!isNew && !UPDATABLE.has(stack.status)) {
      throw new LocalError(
        'deploy-impossible',
        `Stack:${stack.id} is in ${stack.status} state and can not be updated.`,
      );
    }
    const controller = new AbortController();
    const eventsBefore = stack.events.length;
    const operation = plan(engine, stack, {
      template,
      assets,
      parameters,
      faults: fail,
      interrupted: controller.signal,
      eventsFirst,
    });
    if (!isNew && isUnchanged(operation)) {
      return resultOf(stack, 'no-changes', eventsBefore);
    }
    register(stack);
    const done = isNew ? createStack(engine, operation) : updateStack(engine, operation);
    running.set(name, { controller, done });
    try {
      await done;
    } finally {
      running.delete(name);
    }
    blocked.set(stack.id, operation);
    return resultOf(stack, isNew ? 'create' : 'update', eventsBefore);
  };

  const api = await startDescribeStacks({
    find,
    ...(options.authorize === undefined ? {} : { authorize: options.authorize }),
  });
  lambda.provideEnvironment({ AWS_ENDPOINT_URL_CLOUDFORMATION: api.url });

  return {
    url: api.url,
    async deploy(assemblyDirectory, stackName, deployOptions = {}) {
      const target = await readAssembly(assemblyDirectory, stackName);
      if (deployOptions.exclusively !== true) {
        for (const dependency of inOrder(target)) {
          const { parameters = {} } = deployOptions;
          const result = await play(dependency, { parameters });
          if (result.reason !== undefined) {
            return result;
          }
        }
      }
      return await play(target, deployOptions);
    },
    async continueUpdateRollback(stackName, { skip = [] } = {}) {
      const stack = found(stackName);
      const operation = blocked.get(stack.id);
      if (operation === undefined || stack.status !== 'UPDATE_ROLLBACK_FAILED') {
        throw new LocalError('deploy-impossible', `Stack ${stackName} is in ${stack.status} state.`);
      }
      const eventsBefore = stack.events.length;
      const garbage = await updateBack(engine, operation, new Set(skip));
      if (garbage !== undefined) {
        await finishUpdate(engine, operation, garbage);
      }
      return resultOf(stack, 'update', eventsBefore);
    },
    interrupt(stackName) {
      running.get(stackName)?.controller.abort();
    },
    async destroy(stackName) {
      const stack = found(stackName);
      for (const name of Object.keys(stack.exports)) {
        const user = engine.importerOf(stack, name);
        if (user !== undefined) {
          throw new LocalError(
            'deploy-impossible',
            `Delete canceled. Cannot delete export ${name} as it is in use by ${user}.`,
          );
        }
      }
      const eventsBefore = stack.events.length;
      await deleteStack(engine, stack);
      return { status: stack.status, events: stack.events.slice(eventsBefore) };
    },
    stack(nameOrId) {
      const stack = find(nameOrId);
      return stack === undefined
        ? undefined
        : {
            id: stack.id,
            name: stack.name,
            status: stack.status,
            resources: [...stack.resources.values()],
            outputs: stack.outputs,
            events: [...stack.events],
          };
    },
    plays: (type) => handlerFor(type).isOpaque !== true,
    policies: (roleArn) => policies.documentsOf(roleArn),
    allows(principal, action, resource) {
      const roleArn = principal.startsWith('arn:') ? principal : lambda.roleOf(principal);
      if (roleArn === undefined || policies.allows(roleArn, action, resource)) return true;
      // What a role that no stack has made may do stands outside of what is rehearsed.
      if (options.passOver === undefined || roleIsOurs(roleArn)) return false;
      options.passOver(`What ${roleArn} may do is not known here: no stack makes it.`);
      return true;
    },
    async close() {
      const open = [...running.values()];
      for (const { controller } of open) {
        controller.abort();
      }
      await Promise.all([api.close(), answers.close()]);
      await Promise.allSettled(open.map(({ done }) => done));
    },
  };
}

function assumedExport(name: string, passOver: CloudFormationOptions['passOver']): string | undefined {
  passOver?.(`No stack here exports ${name}.`);
  return passOver === undefined
    ? undefined
    : `imported-${name.replaceAll(/[^A-Za-z0-9-]+/g, '-')}`.slice(0, 60);
}

/** A template that CloudFormation refuses before it touches anything. */
function plan(engine: Engine, stack: Stack, options: OperationOptions): Operation {
  try {
    return planOperation(engine, stack, options);
  } catch (error) {
    if (error instanceof ResourceFailure) {
      throw new LocalError('deploy-impossible', error.message, { cause: error });
    }
    throw error;
  }
}

function inOrder({ dependencies }: AssemblyStack): readonly AssemblyStack[] {
  const all = dependencies.flatMap((each) => [...inOrder(each), each]);
  return all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index);
}
