/** Ways in which the local cloud itself is misused or cannot start; what a service answers is not among them. */
export type LocalErrorCode =
  | 'postgres-not-started'
  | 'postgres-not-reachable'
  | 'port-not-free'
  | 'bad-option'
  | 'unknown-cluster'
  | 'cluster-busy'
  | 'template-unsupported'
  | 'deploy-impossible'
  | 'internal';

/** How `local/` says no to the program that uses it. The message never holds a secret. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
  readonly code: LocalErrorCode;

  constructor(code: LocalErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
}
