/** What a template says about a cluster that now exists. */
export interface ClusterMade {
  readonly arn: string;
  readonly identifier: string;
  /** Absent when the template names no database. */
  readonly databaseName: string | undefined;
  readonly masterUsername: string | undefined;
  /** Of the managed secret, or of the one that the password is resolved from. */
  readonly masterSecretArn: string | undefined;
  /** RDS made the master secret itself, so no secret resource announces it. */
  readonly managesMasterSecret: boolean;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Where the real database behind a cluster listens; made up when the hook does not say. */
interface ClusterEndpoint {
  readonly address: string;
  readonly port: number;
}

/** What a template says about a secret. */
export interface SecretMade {
  readonly arn: string;
  readonly name: string;
  /** The value, when the template holds it. */
  readonly secretString: string | undefined;
  /** `GenerateSecretString`, when the value is to be generated. */
  readonly generate: Readonly<Record<string, unknown>> | undefined;
}

/**
 * How a rehearsal takes part: it makes the real thing behind a resource. Each is awaited, and a rejection makes the
 * resource fail with the error's message.
 */
export interface Hooks {
  readonly onCluster?: (cluster: ClusterMade) => Promise<ClusterEndpoint | void>;
  /** Properties changed in place. */
  readonly onClusterUpdated?: (cluster: ClusterMade) => Promise<void>;
  readonly onClusterDeleted?: (cluster: {
    readonly arn: string;
    readonly identifier: string;
  }) => Promise<void>;
  /** Made or changed in place. */
  readonly onSecret?: (secret: SecretMade) => Promise<void>;
  readonly onSecretDeleted?: (secret: { readonly arn: string }) => Promise<void>;
  /** The secret now gets the connection data of its cluster or instance: the target's `Ref`. */
  readonly onSecretAttached?: (attachment: {
    readonly secretArn: string;
    readonly targetId: string;
  }) => Promise<void>;
}
