/** What `forerun/testing` offers: the part of AWS that a deploy needs, on one machine. */
export { LocalError, type LocalErrorCode } from './errors.ts';
export { startPostgres, type LocalPostgres, type PostgresOptions } from './postgres/postgres.ts';
export { startDataApi, type DataApiOptions, type LocalDataApi } from './data-api/start-data-api.ts';
export type { CallEntry } from './data-api/call-log.ts';
export type { FaultKind, Faults } from './data-api/faults.ts';
export {
  startClusters,
  type ClusterDeclaration,
  type SecretDeclaration,
  type StartedClusters,
} from './start-clusters.ts';
export { secretStore, type Secret, type SecretStore } from './secrets-manager/secret-store.ts';
export { startSecretsManager, type LocalSecretsManager } from './secrets-manager/start-secrets-manager.ts';
export { startEventBus, type LocalEvent, type LocalEventBus } from './events/start-event-bus.ts';
export {
  startLambda,
  type InvokeResult,
  type LambdaOptions,
  type LocalLambda,
  type LogLine,
} from './lambda/start-lambda.ts';
export {
  startCloudFormation,
  type CloudFormationOptions,
  type DeployResult,
  type LocalCloudFormation,
} from './cloudformation/start-cloudformation.ts';
export type { Hooks } from './cloudformation/hooks.ts';
export type { StackEvent } from './cloudformation/status.ts';
export { startRehearsal, type Rehearsal, type RehearsalOptions } from './rehearsal.ts';
