import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretStore } from '../../../local/secrets-manager/secret-store.ts';
import {
  type LocalSecretsManager,
  type SecretsCall,
  startSecretsManager,
} from '../../../local/secrets-manager/start-secrets-manager.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf';

describe('startSecretsManager', () => {
  const secrets = secretStore([{ arn: ARN, name: 'app', value: '{"username":"u"}' }]);
  const calls: SecretsCall[] = [];
  let server: LocalSecretsManager;
  let client: SecretsManagerClient;
  beforeAll(async () => {
    server = await startSecretsManager({
      secrets,
      onCall: (call) => calls.push(call),
      authorize: ({ action, resource }) => action !== 'secretsmanager:DescribeSecret' || resource === ARN,
    });
    const credentials = { accessKeyId: 'AKIDLOCAL', secretAccessKey: 'none' };
    client = new SecretsManagerClient({
      endpoint: server.url,
      region: 'eu-west-1',
      maxAttempts: 1,
      credentials,
    });
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  it.each([ARN, 'app'])('gives the value of %s', async (SecretId) => {
    const answer = await client.send(new GetSecretValueCommand({ SecretId }));
    expect(answer).toMatchObject({
      ARN,
      Name: 'app',
      SecretString: '{"username":"u"}',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: expect.any(Date),
    });
  });

  it('does not find another secret, nor another version than the current one', async () => {
    const missing = client.send(new GetSecretValueCommand({ SecretId: 'other' }));
    await expect(missing).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 400 },
    });
    const previous = client.send(new GetSecretValueCommand({ SecretId: ARN, VersionStage: 'AWSPREVIOUS' }));
    await expect(previous).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('describes a secret without its value, to those who may', async () => {
    const answer = await client.send(new DescribeSecretCommand({ SecretId: 'app' }));
    expect(answer).toMatchObject({ ARN, Name: 'app' });
    expect(JSON.stringify(answer)).not.toContain('username');
    const denied = client.send(new DescribeSecretCommand({ SecretId: 'other' }));
    await expect(denied).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('gives a rotated secret a new version', async () => {
    secrets.put({ arn: `${ARN}-2`, name: 'rotating', value: 'old' });
    const before = await client.send(new GetSecretValueCommand({ SecretId: 'rotating' }));
    secrets.put({ arn: `${ARN}-2`, name: 'rotating', value: 'new' });
    const after = await client.send(new GetSecretValueCommand({ SecretId: 'rotating' }));
    expect(after.SecretString).toBe('new');
    expect(after.VersionId).not.toBe(before.VersionId);
  });

  it('refuses a request without signature, and tells of calls without values', async () => {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' },
      body: JSON.stringify({ SecretId: ARN }),
    });
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
    await client.send(new GetSecretValueCommand({ SecretId: ARN }));
    expect(calls.at(-1)).toStrictEqual({
      operation: 'GetSecretValue',
      accessKeyId: 'AKIDLOCAL',
      secretId: ARN,
      error: undefined,
    });
  });
});
