import { CONTRACT_VERSION, type MigrationsProperties, type UndoProperties } from '../contract.ts';
import { paramsFrom } from '../deploy-params.ts';
import type { RunnerProperties } from './work.ts';

/** What every resource of ours must say, whatever it is for. */
const NEEDED: readonly (keyof RunnerProperties)[] = [
  'RunnerArn',
  'Head',
  'Digest',
  'DeployId',
  'ClusterArn',
  'SecretArn',
  'Database',
  'History',
];

const OPTIONAL: readonly (keyof MigrationsProperties)[] = [
  'Atomic',
  'OnRollback',
  'OnDelete',
  'Timeout',
  'WorkerArn',
  'Environment',
  'Params',
];

/** The request's properties, if they are ours and of a contract that this gate knows. */
export function readProperties(given: Readonly<Record<string, unknown>>): MigrationsProperties | null {
  if (flawOf(given) !== null) return null;
  // Every member was looked at; Atomic and OnRollback are written by the same construct and have defaults in the runner.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return given as unknown as MigrationsProperties;
}

export function readUndoProperties(given: Readonly<Record<string, unknown>>): UndoProperties | null {
  if (flawOf(given) !== null || typeof given['Holds'] !== 'string') return null;
  // Every member that is needed was looked at.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return given as unknown as UndoProperties;
}

/** Name of the first member that is not as the construct of this contract writes it; null where all are. */
export function flawOf(given: Readonly<Record<string, unknown>>): string | null {
  if (given['ContractVersion'] !== CONTRACT_VERSION) return 'ContractVersion';
  return (
    NEEDED.find((name) => typeof given[name] !== 'string' || given[name] === '') ??
    OPTIONAL.find((name) => given[name] !== undefined && typeof given[name] !== 'string') ??
    (paramsFrom(given['Params'] ?? '{}', given['ParamTexts']) === null ? 'Params' : null)
  );
}
