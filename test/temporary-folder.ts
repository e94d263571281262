import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IN_MEMORY = '/dev/shm';
/** Ten times what the tests were seen to keep there at once. */
const ROOM_BYTES = 8 * 2 ** 30;

/**
 * A folder for whatever the tests put into the system's temporary one, removed after the last of them. It lies in memory where
 * there is room: on a disk, making and removing the files of databases was a third of the work of those that need one.
 */
export function setup(): () => void {
  const folder = makeInMemory() ?? makeIn(tmpdir());
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  };
}

function makeIn(parent: string): string {
  const folder = mkdtempSync(join(parent, 'forerun-tests-'));
  // PostgreSQL does not run as root: it must get in as somebody else.
  chmodSync(folder, 0o755);
  return folder;
}

/** Null where somebody has chosen another place, or where programs may not be started from it, as in most containers. */
function makeInMemory(): string | null {
  if (process.env['TMPDIR'] !== undefined || !isWritable(IN_MEMORY) || !isRoomy(IN_MEMORY)) return null;
  const folder = makeIn(IN_MEMORY);
  const script = join(folder, 'try');
  writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
  if (spawnSync(script).status === 0) return folder;
  rmSync(folder, { recursive: true });
  return null;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isRoomy(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > ROOM_BYTES && process.availableMemory() > ROOM_BYTES;
}
