/** What the Lambda API answers instead of doing what was asked; `code` is the name of the SDK's exception. */
export class LambdaServiceError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: keyof typeof STATUSES, message: string) {
    super(message);
    this.name = 'LambdaServiceError';
    this.code = code;
    this.status = STATUSES[code];
  }
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors */
const STATUSES = {
  AccessDeniedException: 403,
  DurableExecutionAlreadyStartedException: 409,
  InvalidParameterValueException: 400,
  InvalidRequestContentException: 400,
  MissingAuthenticationTokenException: 403,
  RequestTooLargeException: 413,
  ResourceConflictException: 409,
  ResourceNotFoundException: 404,
  TooManyRequestsException: 429,
  UnknownOperationException: 404,
} as const;
