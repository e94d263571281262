import { accessKeyIdOf } from './caller.ts';
import { LambdaServiceError } from './service-error.ts';

/** Whether the owner of an access key may do something. */
export type Authorize = (request: {
  readonly accessKeyId: string;
  /** `lambda:InvokeFunction` and the like. */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
}) => boolean | Promise<boolean>;

/** Who asks is known before what is asked: a caller without the right does not learn whether a resource exists. */
export async function admit(
  authorize: Authorize | undefined,
  headers: Readonly<Record<string, string>>,
  action: string,
  resource: string,
): Promise<void> {
  const accessKeyId = accessKeyIdOf(headers);
  if (accessKeyId === undefined) {
    throw new LambdaServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  if (authorize !== undefined && !(await authorize({ accessKeyId, action, resource }))) {
    throw new LambdaServiceError(
      'AccessDeniedException',
      `User: ${accessKeyId} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    );
  }
}
