/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors */
export type SecretsErrorName =
  | 'AccessDeniedException'
  | 'InvalidParameterException'
  | 'MissingAuthenticationTokenException'
  | 'ResourceNotFoundException'
  | 'UnknownOperationException';

/** What Secrets Manager answers instead of a secret; always with status 400. */
export class SecretsError extends Error {
  override readonly name: SecretsErrorName;

  constructor(name: SecretsErrorName, message: string) {
    super(message);
    this.name = name;
  }
}
