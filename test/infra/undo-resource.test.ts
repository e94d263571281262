import { describe, expect, it } from 'vitest';
import { UNDO_RESOURCE_TYPE } from '../../lambda/contract.ts';
import { migrationText } from './folder.ts';
import { CUSTOM, newStack, ONE, plainStack, resourceOf, resourcesOf, waitsFor } from './stack.ts';

const TWO = { ...ONE, '0002_second.ts': migrationText('0001_first') };
const revert = { onRollback: 'revert' } as const;

describe('the undo resource', () => {
  it('is there only where a rollback reverts', () => {
    const types = Object.values(resourcesOf(plainStack().stack)).map(({ Type }) => Type);
    expect(types).not.toContain(UNDO_RESOURCE_TYPE);
  });

  it('is made before the migrations run, with everything that a revert needs still behind it', () => {
    const { stack } = newStack({ props: revert });
    const undo = resourceOf(stack, UNDO_RESOURCE_TYPE);
    const held = resourceOf(stack, CUSTOM);
    expect(waitsFor(stack, held.id)).toContain(undo.id);
    const behind = [...waitsFor(stack, undo.id)].map((id) => resourcesOf(stack)[id]?.Type);
    expect(behind).toEqual(
      expect.arrayContaining([
        'AWS::Lambda::Version',
        'AWS::Lambda::EventInvokeConfig',
        'AWS::RDS::DBInstance',
        'AWS::IAM::Policy',
      ]),
    );
    expect(undo.DependsOn).not.toContain(held.id);
    // As text: a reference would close a circle.
    expect(undo.Properties['Holds']).toBe(held.id);
  });

  it('is another one exactly when the migrations are others', () => {
    const idOf = (more: Parameters<typeof newStack>[0]): string =>
      resourceOf(newStack({ props: revert, ...more }).stack, UNDO_RESOURCE_TYPE).id;
    const one = idOf({});
    expect(idOf({ props: { ...revert, deployId: 'deploy-2' } })).toBe(one);
    expect(idOf({ files: TWO })).not.toBe(one);
  });
});
