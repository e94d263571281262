import { createHash } from 'node:crypto';

import type { ClusterMade, Hooks } from '../hooks.ts';
import { flagAt, textAt } from '../plain-values.ts';
import { ResourceFailure } from '../resource-failure.ts';
import type { Made, ResourceHandler, ResourceRequest } from '../resource-handler.ts';
import { hooked } from './hooked.ts';
import type { Place } from './opaque.ts';

/** Clusters and instances; the database itself is the hooks' business. */
export function rdsHandlers(hooks: Hooks, place: Place): Readonly<Record<string, ResourceHandler>> {
  return {
    'AWS::RDS::DBCluster': clusterHandler(hooks, place),
    'AWS::RDS::DBInstance': instanceHandler(place),
  };
}

function clusterHandler(hooks: Hooks, place: Place): ResourceHandler {
  return {
    nameProperty: 'DBClusterIdentifier',
    /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html */
    replacedBy: [
      'AvailabilityZones',
      'ClusterScalabilityType',
      'DatabaseName',
      'DBClusterIdentifier',
      'DBSubnetGroupName',
      'DBSystemId',
      'EngineMode',
      'KmsKeyId',
      'PubliclyAccessible',
      'RestoreToTime',
      'RestoreType',
      'SnapshotIdentifier',
      'SourceDBClusterIdentifier',
      'SourceRegion',
      'StorageEncrypted',
      'UseLatestRestorableTime',
    ],
    async create(request) {
      const identifier = identifierOf(request, 'DBClusterIdentifier');
      const cluster = describeCluster(request, identifier, place);
      const endpoint = await hooked(hooks.onCluster?.(cluster));
      return clusterMade(request, cluster, place, endpoint ?? undefined);
    },
    async update(request) {
      const cluster = describeCluster(request, request.physicalId, place);
      await hooked(hooks.onClusterUpdated?.(cluster));
      return { physicalId: request.physicalId, attributes: request.attributes };
    },
    async delete({ properties, physicalId, attributes }) {
      if (flagAt(properties, 'DeletionProtection')) {
        throw new ResourceFailure(
          'Resource handler returned message: "Cannot delete protected Cluster, please disable deletion protection and try again. (Service: Rds, Status Code: 400)"',
        );
      }
      const arn = textAt(attributes, 'DBClusterArn') ?? '';
      await hooked(hooks.onClusterDeleted?.({ arn, identifier: physicalId }));
    },
  };
}

function describeCluster(
  request: ResourceRequest,
  identifier: string,
  { account, region }: Place,
): ClusterMade {
  const { properties } = request;
  const managesMasterSecret = flagAt(properties, 'ManageMasterUserPassword');
  return {
    arn: `arn:aws:rds:${region}:${account}:cluster:${identifier}`,
    identifier,
    databaseName: textAt(properties, 'DatabaseName'),
    masterUsername: usernameOf(properties),
    masterSecretArn: managesMasterSecret
      ? managedSecretArn(identifier, { account, region })
      : secretBehind(textAt(properties, 'MasterUserPassword')),
    managesMasterSecret,
    properties,
  };
}

function clusterMade(
  { inventedName }: ResourceRequest,
  cluster: ClusterMade,
  { region }: Place,
  endpoint: { readonly address: string; readonly port: number } | undefined,
): Made {
  const address = `${cluster.identifier}.cluster-local.${region}.rds.amazonaws.com`;
  return {
    physicalId: cluster.identifier,
    attributes: {
      DBClusterArn: cluster.arn,
      DBClusterResourceId: `cluster-${inventedName.slice(-12)}`,
      'Endpoint.Address': endpoint?.address ?? address,
      'Endpoint.Port': String(endpoint?.port ?? 5432),
      'ReadEndpoint.Address': endpoint?.address ?? address.replace('.cluster-', '.cluster-ro-'),
      ...(cluster.managesMasterSecret ? { 'MasterUserSecret.SecretArn': cluster.masterSecretArn } : {}),
    },
  };
}

function instanceHandler({ account, region }: Place): ResourceHandler {
  return {
    nameProperty: 'DBInstanceIdentifier',
    replacedBy: ['DBInstanceIdentifier', 'DBClusterIdentifier', 'DBSubnetGroupName'],
    async create(request) {
      const identifier = identifierOf(request, 'DBInstanceIdentifier');
      await Promise.resolve();
      return {
        physicalId: identifier,
        attributes: {
          DBInstanceArn: `arn:aws:rds:${region}:${account}:db:${identifier}`,
          DbiResourceId: `db-${request.inventedName.slice(-12)}`,
          'Endpoint.Address': `${identifier}.local.${region}.rds.amazonaws.com`,
          'Endpoint.Port': '5432',
        },
      };
    },
    async update({ physicalId, attributes }) {
      await Promise.resolve();
      return { physicalId, attributes };
    },
    async delete({ properties }) {
      await Promise.resolve();
      if (flagAt(properties, 'DeletionProtection')) {
        throw new ResourceFailure(
          'Resource handler returned message: "Cannot delete protected DB Instance, please disable deletion protection and try again. (Service: Rds, Status Code: 400)"',
        );
      }
    },
  };
}

/** RDS keeps identifiers in lower case, at most 63 characters. */
function identifierOf({ properties, inventedName }: ResourceRequest, property: string): string {
  return (textAt(properties, property) ?? inventedName.slice(-63)).toLowerCase();
}

/** RDS names its own secrets `rds!cluster-<uuid>`; here the uuid follows from the cluster. */
function managedSecretArn(identifier: string, { account, region }: Place): string {
  const hex = createHash('sha256').update(`${account}/${region}/${identifier}`).digest('hex');
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  return `arn:aws:secretsmanager:${region}:${account}:secret:rds!cluster-${uuid}-${hex.slice(40, 46)}`;
}

/** Reads the ARN out of `{{resolve:secretsmanager:<arn>:SecretString:password::}}`. */
function secretBehind(password: string | undefined): string | undefined {
  return /^\{\{resolve:secretsmanager:(arn:[^}]+?):SecretString:/.exec(password ?? '')?.[1];
}

/** A name that is itself resolved from a secret is not known here. */
function usernameOf(properties: Readonly<Record<string, unknown>>): string | undefined {
  const name = textAt(properties, 'MasterUsername');
  return name?.startsWith('{{resolve:') === true ? undefined : name;
}
