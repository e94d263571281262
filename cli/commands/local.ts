import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { CallEntry } from '../../local/data-api/call-log.ts';
import { startDataApi } from '../../local/data-api/start-data-api.ts';
import { LocalError } from '../../local/errors.ts';
import { startSecretsManager } from '../../local/secrets-manager/start-secrets-manager.ts';
import { type ClusterDeclaration, startClusters } from '../../local/start-clusters.ts';
import type { Command, Output } from '../command.ts';
import { callLine } from './local/call-line.ts';
import { wishesOfFlags } from './local/cluster-flags.ts';
import { readConfig } from './local/config-file.ts';
import { declare } from './local/declare.ts';
import { arm, faultOption, type FaultOption, OFFERED_FAULTS } from './local/fault-option.ts';
import { welcome } from './local/welcome.ts';

const OPTIONS = {
  port: { type: 'string' },
  'secrets-port': { type: 'string' },
  database: { type: 'string' },
  'database-url': { type: 'string' },
  'data-dir': { type: 'string' },
  cluster: { type: 'string', multiple: true },
  secret: { type: 'string', multiple: true },
  config: { type: 'string' },
  fault: { type: 'string', multiple: true },
  quiet: { type: 'boolean', default: false },
} as const;

/** Serves the RDS Data API on this machine until it is stopped. */
export const local: Command = {
  name: 'local',
  summary: 'serve the RDS Data API over a PostgreSQL on this machine',
  help: `usage: forerun local [options]

Starts an embedded PostgreSQL and serves the RDS Data API (Aurora Serverless v2) and
Secrets Manager over it on 127.0.0.1, for unmodified AWS SDKs. Stop it with Ctrl-C.

  --port <n>             port of the Data API (default: a free one)
  --secrets-port <n>     port of Secrets Manager (default: a free one)
  --database <name>      database to create where it is not there (default: app)
  --database-url <url>   use this PostgreSQL instead of an embedded one
  --data-dir <folder>    keep the data here, in a folder for each cluster
  --quiet                do not print each call

Several clusters, each with a PostgreSQL, databases and logins of its own:

  --cluster <name>[=<database>,…]   serve a cluster; may be repeated (default: local)
  --secret <cluster>=<user>         a secret for a user of that cluster; may be repeated;
                                    the first user owns the cluster's databases
  --config <file>                   take the clusters from a JSON file instead:
                                    { "clusters": [{ "name", "arn"?, "databaseUrl"?, "databases"?,
                                      "secrets"?: [{ "username", "password"?, "name"?, "arn"? }] }],
                                      "faults"?: ["throttle,nth=2"] }

Failures on purpose; each strikes one call, and is shown in its line:

  --fault <kind>[,operation=<name>][,sql=<text>][,nth=<n>][,times=<n>][,ms=<n>]
                         strike the n-th matching call (default: the first), and so many calls
                         from there on (default: 1); text holds no comma, ms belongs
                         to delay; may be repeated

  kinds: ${columns(OFFERED_FAULTS)}

  Example: --fault drop-after,operation=CommitTransaction loses the answer of a commit
  that took place.

exit codes: 0 stopped by Ctrl-C · 1 it could not start · 2 an option or the file cannot be used`,
  async run(args, output) {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    try {
      const ports = {
        dataApi: port('--port', values.port),
        secretsManager: port('--secrets-port', values['secrets-port']),
      };
      const { clusters, faults } = await plan(values);
      const dataDirectory = values['data-dir'];
      return await serve({ clusters, faults, ports, dataDirectory, quiet: values.quiet }, output);
    } catch (cause) {
      if (!(cause instanceof LocalError) || cause.code !== 'bad-option') throw cause;
      output.err(cause.message);
      return 2;
    }
  },
};

interface Service {
  readonly clusters: readonly ClusterDeclaration[];
  readonly faults: readonly FaultOption[];
  readonly ports: { readonly dataApi: number | undefined; readonly secretsManager: number | undefined };
  readonly dataDirectory: string | undefined;
  readonly quiet: boolean;
}

/** Starts everything, serves until a signal comes, and stops everything again. */
async function serve(
  { clusters, faults, ports, dataDirectory, quiet }: Service,
  output: Output,
): Promise<number> {
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const started = await startClusters(clusters, dataDirectory === undefined ? {} : { dataDirectory });
  const closers: (() => Promise<void>)[] = [() => started.stop()];
  try {
    const dataApi = await startDataApi({
      clusters: started.clusters,
      secrets: started.secrets,
      // Nobody asks for the calls here: each is printed as it comes.
      callsKept: 0,
      ...(ports.dataApi === undefined ? {} : { port: ports.dataApi }),
      ...(quiet ? {} : { onCall: (call: CallEntry) => output.out(callLine(call)) }),
    });
    closers.push(() => dataApi.stop());
    for (const fault of faults) arm(dataApi.faults, fault);
    const secretsManager = await startSecretsManager({
      secrets: started.secrets,
      ...(ports.secretsManager === undefined ? {} : { port: ports.secretsManager }),
    });
    closers.push(() => secretsManager.stop());
    output.out(welcome({ dataApi: dataApi.url, secretsManager: secretsManager.url }, clusters));
    await stopped;
    output.out('stopped');
    return 0;
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** The clusters and faults of the flags, or of the file. */
async function plan(values: {
  readonly config?: string | undefined;
  readonly cluster?: readonly string[] | undefined;
  readonly secret?: readonly string[] | undefined;
  readonly database?: string | undefined;
  readonly 'database-url'?: string | undefined;
  readonly fault?: readonly string[] | undefined;
}): Promise<{ clusters: readonly ClusterDeclaration[]; faults: readonly FaultOption[] }> {
  const { config, cluster, secret, database, fault = [] } = values;
  const flags = { cluster, secret, database, databaseUrl: values['database-url'] };
  if (config === undefined) {
    return { clusters: declare(wishesOfFlags(flags)), faults: fault.map(faultOption) };
  }
  if (Object.values(flags).some((flag) => flag !== undefined)) {
    throw new LocalError(
      'bad-option',
      '--config says what is served; take it alone, or the flags for clusters.',
    );
  }
  const file = await readConfig(config);
  return { clusters: declare(file.clusters), faults: [...(file.faults ?? []), ...fault].map(faultOption) };
}

function port(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/u.test(text) && number < 65_536) return number;
  throw new LocalError('bad-option', `${flag} takes a whole number from 0 to 65535, not "${text}".`);
}

/** Words in lines that fit into a terminal. */
function columns(words: readonly string[]): string {
  const half = Math.ceil(words.length / 2);
  return `${words.slice(0, half).join(', ')},\n         ${words.slice(half).join(', ')}`;
}
