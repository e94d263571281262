import { readTemplateFile } from '../assembly.ts';
import type { Garbage } from '../clean-up.ts';
import { deleteStack } from '../delete-stack.ts';
import { createStack, finishUpdate, isUnchanged, updateBack, updateForward } from '../deploy-stack.ts';
import { enter, type Engine } from '../engine.ts';
import { planOperation, type Operation } from '../operation.ts';
import { recordAt, textAt } from '../plain-values.ts';
import { ResourceFailure } from '../resource-failure.ts';
import type { Made, ResourceHandler, ResourceRequest } from '../resource-handler.ts';
import type { Stack } from '../stack.ts';

export interface NestedStackOptions {
  readonly engine: Engine;
  readonly newStack: (name: string) => Stack;
  readonly register: (stack: Stack) => void;
  readonly find: (id: string) => Stack | undefined;
}

interface Open {
  readonly operation: Operation;
  readonly garbage: readonly Garbage[];
}

/**
 * A stack inside a stack. Its update stays open after its own resources are done: the parent decides later whether it is
 * cleaned up or taken back, and only in the parent's cleanup are resources of it deleted.
 */
export function nestedStackHandler(options: NestedStackOptions): ResourceHandler {
  const { engine, register, find } = options;
  const open = new Map<string, Open>();
  return {
    async create(request) {
      const stack = options.newStack(request.inventedName);
      register(stack);
      await createStack(engine, await operationOn(engine, stack, request));
      if (stack.status !== 'CREATE_COMPLETE') {
        throw new ResourceFailure(
          `Embedded stack ${stack.id} was not successfully created: ${reasonOf(stack)}`,
          stack.id,
        );
      }
      return madeOf(stack);
    },
    async update(request) {
      const stack = existing(find, request.physicalId);
      if (request.direction === 'back') {
        const last = open.get(stack.id);
        // One that failed by itself is back already and only waits for the cleanup.
        if (last !== undefined && stack.status === 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS') {
          await takeBack(engine, open, last.operation);
        }
        return madeOf(stack);
      }
      const operation = await operationOn(engine, stack, request);
      if (isUnchanged(operation)) {
        return madeOf(stack);
      }
      const garbage = await updateForward(engine, operation);
      if (garbage === undefined) {
        const reason = reasonOf(stack);
        await takeBack(engine, open, operation);
        throw new ResourceFailure(`Embedded stack ${stack.id} was not successfully updated: ${reason}`);
      }
      open.set(stack.id, { operation, garbage });
      return madeOf(stack);
    },
    async delete({ physicalId }) {
      const stack = existing(find, physicalId);
      await deleteStack(engine, stack);
      if (stack.status !== 'DELETE_COMPLETE') {
        throw new ResourceFailure(
          `Embedded stack ${stack.id} was not successfully deleted: ${reasonOf(stack)}`,
        );
      }
    },
    async settle({ physicalId }) {
      const last = open.get(physicalId);
      open.delete(physicalId);
      if (last !== undefined) {
        await finishUpdate(engine, last.operation, last.garbage);
      }
    },
    attribute(_resource, name) {
      throw new ResourceFailure(`Template error: the nested stack has no ${name}`);
    },
  };
}

async function takeBack(engine: Engine, open: Map<string, Open>, operation: Operation): Promise<void> {
  const { stack } = operation;
  if (stack.status !== 'UPDATE_ROLLBACK_IN_PROGRESS') {
    enter(engine, stack, 'UPDATE_ROLLBACK_IN_PROGRESS', 'The parent stack is rolled back.');
  }
  const garbage = await updateBack(engine, operation);
  if (garbage === undefined) {
    throw new ResourceFailure(`Embedded stack ${stack.id} could not be rolled back: ${reasonOf(stack)}`);
  }
  open.set(stack.id, { operation, garbage });
}

async function operationOn(engine: Engine, stack: Stack, request: ResourceRequest): Promise<Operation> {
  const { properties, assets, interrupted } = request;
  const url = textAt(properties, 'TemplateURL') ?? '';
  const file = assets.get(url.split('/').at(-1) ?? '');
  if (file === undefined) {
    throw new ResourceFailure('The TemplateURL of the nested stack is not an asset of the cloud assembly.');
  }
  return planOperation(engine, stack, {
    template: await readTemplateFile(file),
    assets,
    parameters: recordAt(properties, 'Parameters'),
    interrupted,
  });
}

function madeOf(stack: Stack): Made {
  return {
    physicalId: stack.id,
    attributes: Object.fromEntries(
      Object.entries(stack.outputs).map(([name, value]) => [`Outputs.${name}`, value]),
    ),
  };
}

function reasonOf({ reason, status }: Stack): string {
  return reason ?? status;
}

function existing(find: NestedStackOptions['find'], id: string): Stack {
  const stack = find(id);
  if (stack === undefined) {
    throw new ResourceFailure(`Stack with id ${id} does not exist`);
  }
  return stack;
}
