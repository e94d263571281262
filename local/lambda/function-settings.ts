/** Where the code of a function comes from. */
export type FunctionCode =
  /** An unpacked asset. */
  | { readonly directory: string }
  /** Source text, as in the `ZipFile` property of a template: one file, `index.js`. */
  | { readonly inline: string };

/** What makes a function a durable one. It is given when the function is made, and cannot be given or taken later. */
export interface DurableSettings {
  /** 1 to 31 622 400: 366 days. */
  readonly executionTimeoutSeconds: number;
  /** How long an execution is remembered after its end: 1 to 90. */
  readonly retentionDays: number;
}

/** A function as CloudFormation or a test describes it. */
export interface FunctionSettings {
  readonly code: FunctionCode;
  /** ARN of the role under whose access key the code runs. */
  readonly role: string;
  /** `<file>.<export>`. */
  readonly handler: string;
  /** Default `nodejs24.x`. Whatever stands here, the host's own Node.js runs it. */
  readonly runtime?: string;
  /** Default 128. */
  readonly memoryMb?: number;
  /** Default 3, as on Lambda. */
  readonly timeoutSeconds?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Default `/aws/lambda/<name>`. */
  readonly logGroup?: string;
  /** Default: not a durable function. */
  readonly durable?: DurableSettings;
}

/** What may change from one asynchronous invocation configuration to the next. */
export interface EventInvokeSettings {
  /** 0 to 2; default 2. */
  readonly maximumRetryAttempts?: number;
  /** 60 to 21 600; default 21 600, six hours. */
  readonly maximumEventAgeSeconds?: number;
  /** ARN of a function that gets the events which were given up. */
  readonly onFailure?: string;
}

/** The environment of a function's process, as Lambda sets it. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
export function processVariables(
  settings: FunctionSettings,
  place: {
    readonly name: string;
    readonly version: string;
    readonly taskRoot: string;
    readonly region: string;
    readonly credentials: Readonly<Record<string, string>>;
    readonly logStream: string;
  },
): Record<string, string> {
  return {
    ...settings.environment,
    ...place.credentials,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LAMBDA_TASK_ROOT: place.taskRoot,
    _HANDLER: settings.handler,
    AWS_EXECUTION_ENV: `AWS_Lambda_${settings.runtime ?? 'nodejs24.x'}`,
    AWS_REGION: place.region,
    AWS_DEFAULT_REGION: place.region,
    AWS_LAMBDA_FUNCTION_NAME: place.name,
    AWS_LAMBDA_FUNCTION_VERSION: place.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb ?? 128),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroup ?? `/aws/lambda/${place.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: place.logStream,
  };
}
