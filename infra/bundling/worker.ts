/**
 * A process of its own that makes one bundle: constructs are synchronous and loading modules is not, and what a
 * migration's module does while it loads must not touch the process that synthesises.
 * Options come in on standard input, replies go out line by line on `REPLY_FD`.
 */
import { readFileSync, writeSync } from 'node:fs';
import * as v from 'valibot';
import { makeBundle } from './make-bundle.ts';
import { REPLY_FD, type Reply, replyToError } from './worker-reply.ts';

const Request = v.object({
  directory: v.string(),
  outdir: v.string(),
  worker: v.exactOptional(v.boolean()),
  given: v.exactOptional(v.object({ params: v.string(), environment: v.exactOptional(v.string()) })),
  environments: v.exactOptional(v.array(v.string())),
  scratch: v.string(),
});

function say(reply: Reply): void {
  writeSync(REPLY_FD, `${JSON.stringify(reply)}\n`);
}

// Stack traces then name the author's files and lines.
process.setSourceMapsEnabled(true);

try {
  const { scratch, ...options } = v.parse(Request, JSON.parse(readFileSync(0, 'utf8')));
  const bundle = await makeBundle(options, {
    scratch,
    loading: (file) => {
      say({ kind: 'loading', file });
    },
  });
  say({ kind: 'bundled', bundle });
} catch (error) {
  say(replyToError(error));
}
// A module may have left a timer or a socket behind; nobody waits for those.
process.exit(0);
