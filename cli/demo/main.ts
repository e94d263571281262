import { parseArgs } from 'node:util';
import { ForerunError } from '../../lambda/engine/errors.ts';
import { LocalError } from '../../local/errors.ts';
import type { Happening } from '../rehearsal/happening.ts';
import { narrator } from '../rehearsal/narrate.ts';
import { standingInDemo, rehearseDemo } from './rehearse-demo.ts';

const HELP = `usage: npm start [-- --json]

Rehearses five deploys of the demo on this machine: the real CDK template, the real bundles,
the real AWS SDK over HTTP, and an embedded PostgreSQL (or the one that DATABASE_URL names).

  --json    print what happens as JSON lines

exit codes: 0 all went as told · 1 something did not · 2 the command line is not understood
            130 stopped by Ctrl-C`;

/** What a shell reports for a program that Ctrl-C ended. */
const STOPPED = 130;

const write = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let json: boolean;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      write(HELP);
      return 0;
    }
    json = values.json;
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n\n${HELP}\n`);
    return 2;
  }
  const stopper = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.stderr.write('Stopping after this deploy …\n');
      stopper.abort();
    });
  }
  const url = process.env['DATABASE_URL'];
  const tell = json
    ? (happening: Happening) => write(JSON.stringify(happening))
    : narrator(write, standingInDemo);
  if (!json) {
    write(
      'Forerun rehearses five deploys on this machine: real template, real bundles, real AWS SDK, real PostgreSQL.',
    );
  }
  try {
    const wrong = await rehearseDemo(
      { ...(url === undefined || url === '' ? {} : { databaseUrl: url }), stopped: stopper.signal },
      tell,
    );
    if (wrong === null) return STOPPED;
    return wrong.length === 0 ? 0 : 1;
  } catch (cause) {
    if (stopper.signal.aborted) return STOPPED;
    if (!(cause instanceof LocalError) && !(cause instanceof ForerunError)) throw cause;
    process.stderr.write(`${cause.message}\n`);
    return 1;
  }
}
