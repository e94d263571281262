import { CustomResource, Duration } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import {
  serviceTimeoutFor,
  UNDO_RESOURCE_TYPE,
  type MigrationsProperties,
  type UndoProperties,
} from '../lambda/contract.ts';
import { logicalIdOf } from './cfn-of.ts';

export interface UndoResourceProps {
  /** Of the resources that hold the deploy. */
  readonly properties: MigrationsProperties;
  readonly serviceToken: string;
  /** The resources that hold the deploy: what their runs apply is taken back. */
  readonly holds: readonly CustomResource[];
  /** What the gate needs to be called. */
  readonly neededFirst: readonly IConstruct[];
}

/**
 * A resource that each change of the migrations makes anew, before they run. CloudFormation deletes it in the cleanup of a
 * rollback, after everything else is as it was: that is the moment to revert, with the failed release's own runner, which is
 * deleted only after it.
 */
export function undoResource(scope: Construct, props: UndoResourceProps): CustomResource {
  const { Atomic: _atomic, OnRollback: _rollback, OnDelete: _delete, ...shared } = props.properties;
  const properties: UndoProperties = {
    ...shared,
    Holds: props.holds.map((one) => logicalIdOf(one)).join(','),
  };
  const undo = new CustomResource(scope, `Undo${shared.Digest.slice(0, 12)}`, {
    resourceType: UNDO_RESOURCE_TYPE,
    serviceToken: props.serviceToken,
    serviceTimeout: Duration.seconds(serviceTimeoutFor(Number(shared.Timeout ?? 0))),
    properties,
  });
  undo.node.addDependency(...props.neededFirst);
  for (const one of props.holds) one.node.addDependency(undo);
  return undo;
}
