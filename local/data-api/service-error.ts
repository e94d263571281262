/**
 * Status of every exception the service answers with.
 * The modelled ones are taken from the API's service model (rds-data 2018-08-01), the rest are those every AWS API knows.
 */
const STATUSES = {
  AccessDeniedException: 403,
  BadRequestException: 400,
  DatabaseErrorException: 400,
  DatabaseNotFoundException: 404,
  DatabaseResumingException: 400,
  DatabaseUnavailableException: 504,
  ForbiddenException: 403,
  HttpEndpointNotEnabledException: 400,
  InternalFailure: 500,
  InternalServerErrorException: 500,
  InvalidSecretException: 400,
  MethodNotAllowedException: 405,
  MissingAuthenticationTokenException: 403,
  NotFoundException: 404,
  RequestEntityTooLargeException: 413,
  SecretsErrorException: 400,
  SerializationException: 400,
  ServiceUnavailableError: 503,
  StatementTimeoutException: 400,
  ThrottlingException: 400,
  TransactionNotFoundException: 404,
  UnknownOperationException: 404,
  UnsupportedMediaTypeException: 415,
  UnsupportedResultException: 400,
  ValidationException: 400,
} as const;

export type ServiceErrorName = keyof typeof STATUSES;

/** The three server errors that the model gives no message. */
const SILENT: ReadonlySet<ServiceErrorName> = new Set([
  'DatabaseUnavailableException',
  'InternalServerErrorException',
  'ServiceUnavailableError',
]);

/** What the service answers instead of a result. */
export class ServiceError extends Error {
  override readonly name: ServiceErrorName;
  readonly status: number;
  /** PostgreSQL's five characters, where the database itself refused. */
  readonly sqlState: string | undefined;
  /** Members of the answer besides the message. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    name: ServiceErrorName,
    message: string,
    facts: { readonly sqlState?: string; readonly members?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.name = name;
    this.status = STATUSES[name];
    this.sqlState = facts.sqlState;
    this.members = facts.members ?? {};
  }

  /** The body of the answer. */
  get body(): Readonly<Record<string, unknown>> {
    return SILENT.has(this.name) ? this.members : { message: this.message, ...this.members };
  }
}
