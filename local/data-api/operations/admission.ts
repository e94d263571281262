import { type AuthorizeRequest, denial } from '../caller.ts';
import { credentials } from '../credentials.ts';
import { base } from '../request.ts';
import { ServiceError } from '../service-error.ts';
import type { Login } from '../session.ts';
import type { TransactionScope } from '../transactions.ts';
import type { OperationCall, ServiceContext } from './context.ts';

/** A call that may go on to the database. */
export interface Admitted {
  readonly scope: TransactionScope;
  /** The database on the server, and who logs in. */
  readonly login: Login;
}

/** Checks caller, cluster and secret, in the service's order: the cluster before the secret. */
export function admit(
  context: ServiceContext,
  { accessKeyId, body }: OperationCall,
  action: string,
  database: string | undefined,
): Admitted {
  const { resourceArn, secretArn } = base(body);
  refuseDenied(context, { accessKeyId, action: `rds-data:${action}`, resource: resourceArn });
  const cluster = context.clusters.known(resourceArn);
  const secret = context.secrets.find(secretArn)?.arn ?? secretArn;
  refuseDenied(context, {
    accessKeyId,
    action: 'secretsmanager:GetSecretValue',
    resource: secret,
  });
  const { user, password } = credentials(context.secrets, secretArn);
  // PostgreSQL's own default: the database named like the user.
  const name = database ?? user;
  return {
    scope: { resourceArn, secretArn, database },
    login: {
      host: cluster.server.host,
      port: cluster.server.port,
      user,
      password,
      database: cluster.databases?.[name] ?? name,
    },
  };
}

function refuseDenied({ authorize }: ServiceContext, request: AuthorizeRequest): void {
  const reason = denial(authorize, request);
  if (reason !== undefined) throw new ServiceError('AccessDeniedException', reason);
}
