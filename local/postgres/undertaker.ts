import { spawn } from 'node:child_process';
import { platform } from 'node:os';

/**
 * Makes sure that neither the server nor its folder outlives this process, however it ends, a kill included.
 *
 * A small shell waits for the end of its standard input, which is a pipe that only this process holds: when we are
 * gone, the pipe closes. It then stops the server and removes the folder. After an orderly stop it finds nothing to do.
 * Windows has no such shell; there only an orderly stop cleans up.
 */
export function watchOver(server: { readonly pid: number; readonly removeDirectory?: string }): () => void {
  if (platform() === 'win32') return () => {};
  const script = [
    'cat >/dev/null',
    // SIGQUIT: an immediate shutdown; nobody is left who could need the data of a temporary server.
    `kill -${server.removeDirectory === undefined ? 'INT' : 'QUIT'} "$1" 2>/dev/null`,
    // At most five seconds: in a container without an init process the dead server stays listed for ever.
    'n=0; while [ $n -lt 50 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done',
    'if [ -n "$2" ]; then rm -rf "$2"; fi',
  ].join('\n');
  const shell = spawn(
    '/bin/sh',
    ['-c', script, 'forerun-postgres', String(server.pid), server.removeDirectory ?? ''],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      // A group of its own: Ctrl-C in a terminal reaches the whole group and must not kill the undertaker first.
      detached: true,
    },
  );
  shell.unref();
  // A pipe is unref'ed like a socket, which the types of a child's stdin do not say.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  shell.stdin.on('error', () => {});
  return () => {
    shell.kill('SIGKILL');
  };
}
