import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import { join } from 'node:path';

/**
 * Makes sure that neither the server nor its folder outlives this process, however it ends, a kill included.
 *
 * A small shell waits for the end of its standard input, a pipe that only this process holds: when we are gone, the pipe
 * closes. It then stops the server named in the cluster's own file and, where `remove` says so, removes the folder.
 * Windows has no such shell; there only an orderly stop cleans up. The function returned sends the shell away.
 */
export function watchOver(home: string, options: { readonly remove: boolean }): () => void {
  if (platform() === 'win32') return () => {};
  // SIGQUIT is an immediate shutdown: nobody is left who could need the data of a temporary server.
  const signal = options.remove ? 'QUIT' : 'INT';
  const script = [
    'cat >/dev/null',
    // The first line holds the server's process id. A server that has not written it yet finds its folder gone.
    'pid=$(head -n 1 "$1" 2>/dev/null)',
    `if [ -n "$pid" ]; then kill -${signal} "$pid" 2>/dev/null`,
    // At most five seconds: in a container without an init process the dead server stays listed for ever.
    'n=0; while [ $n -lt 50 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done; fi',
    ...(options.remove ? ['rm -rf "$2"'] : []),
  ].join('\n');
  const pidFile = join(home, 'data', 'postmaster.pid');
  const shell = spawn('/bin/sh', ['-c', script, 'forerun-postgres', pidFile, home], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own: Ctrl-C in a terminal reaches the whole group and must not kill the undertaker first.
    detached: true,
  });
  shell.unref();
  // A pipe is unref'ed like a socket, which the types of a child's stdin do not say.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  shell.stdin.on('error', () => {});
  return () => {
    shell.kill('SIGKILL');
  };
}
