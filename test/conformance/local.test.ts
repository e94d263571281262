import { RDSDataClient } from '@aws-sdk/client-rds-data';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../local/clock.ts';
import { startDataApi } from '../../local/data-api/start-data-api.ts';
import { DEFAULT_SWITCHES } from '../../local/data-api/switches.ts';
import { DIFFERENCES, GUESSES } from '../../local/differences.ts';
import { startPostgres } from '../../local/postgres/postgres.ts';
import { secretStore } from '../../local/secrets-manager/secret-store.ts';
import { CASES, describeDataApi } from './describe-data-api.ts';
import { RULES } from './rules.ts';
import type { Subject } from './subject.ts';

const ACCOUNT = 'eu-west-1:123456789012';
const RESOURCE = `arn:aws:rds:${ACCOUNT}:cluster:conformance`;
const SECRET = `arn:aws:secretsmanager:${ACCOUNT}:secret:conformance-AbCdEf`;
const DATABASE = 'conformance';

async function connectLocal(): Promise<Subject> {
  const postgres = await startPostgres();
  await postgres.createDatabase(DATABASE);
  const value = JSON.stringify({ username: postgres.user, password: postgres.password, dbname: 'ignored' });
  const secrets = secretStore([{ arn: SECRET, name: 'conformance', value }]);
  const clock = manualClock();
  const api = await startDataApi({ postgres, clusters: [{ arn: RESOURCE }], secrets, clock });
  const client = new RDSDataClient({
    endpoint: api.url,
    region: 'eu-west-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIDCONFORMANCE', secretAccessKey: 'none' },
  });
  let extra = 0;
  return {
    client,
    resourceArn: RESOURCE,
    secretArn: SECRET,
    database: DATABASE,
    controls: {
      url: api.url,
      faults: api.faults,
      advance: (milliseconds) => {
        clock.advance(milliseconds);
      },
      pause: () => {
        api.pause(RESOURCE);
      },
      putSecret(content) {
        extra += 1;
        secrets.put({ arn: `${SECRET}-${extra}`, name: `extra-${extra}`, value: content });
        return `${SECRET}-${extra}`;
      },
      addCluster: (cluster) => {
        api.addCluster(cluster);
      },
      calls: () => api.calls(),
      resetCalls: () => {
        api.resetCalls();
      },
    },
    async close() {
      client.destroy();
      await api.stop();
      await postgres.stop();
    },
  };
}

describeDataApi('the local service', connectLocal);

describe('the rules of the suite', () => {
  const covered = new Set(CASES.flatMap(({ rules }) => rules));
  const missed = new Set(DIFFERENCES.filter(({ kept }) => kept === 'no').map(({ rule }) => rule));

  it.each(Object.keys(RULES).map(Number))('rule %i has a case or is confessed, not both', (rule) => {
    expect(covered.has(rule)).toBe(!missed.has(rule));
  });

  it('names no rule that is not there', () => {
    const named = [...covered, ...DIFFERENCES.map(({ rule }) => rule)];
    expect(named.filter((rule) => RULES[rule] === undefined)).toStrictEqual([]);
  });

  it('confesses a guess for each switch but that of the plans, which is no guess', () => {
    const named = GUESSES.flatMap(({ choice }) => /switch (\w+)/u.exec(choice)?.[1] ?? []);
    expect([...named, 'keepPreparedStatements'].sort()).toStrictEqual(Object.keys(DEFAULT_SWITCHES).sort());
  });
});
