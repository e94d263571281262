import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ForerunError, UNTOUCHED } from '../../../lambda/engine/errors.ts';

/** An earlier release, checked out beside the app. */
export interface ReleaseAt {
  readonly commit: string;
  /** Where the app's folder lies in it. */
  readonly directory: string;
  /** Takes it away again; the repository is as before. */
  remove(): void;
}

/**
 * Checks a release out into a worktree of its own, with the installed packages of today linked into it.
 *
 * @param directory folder of the app, in a git repository
 * @throws ForerunError `input-invalid` where git knows no such release
 */
export function releaseAt(ref: string, directory: string, folder: string): ReleaseAt {
  const top = git(directory, ['rev-parse', '--show-toplevel'], `${directory} is in no git repository.`);
  const commit = git(
    directory,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
    `git knows no commit ${ref}.`,
  );
  const tree = join(folder, 'tree');
  mkdirSync(folder, { recursive: true });
  // Hooks are for people who check something out to work on it.
  const add = ['-c', 'core.hooksPath=/dev/null', 'worktree', 'add', '--quiet', '--detach', tree, commit];
  git(top, add, `git could not check ${ref} out.`);
  const remove = (): void => {
    spawnSync('git', ['worktree', 'remove', '--force', tree], { cwd: top });
    rmSync(tree, { recursive: true, force: true });
    spawnSync('git', ['worktree', 'prune'], { cwd: top });
  };
  try {
    linkPackages(top, tree);
    const inTree = join(tree, relative(realpathSync(top), realpathSync(directory)));
    if (existsSync(inTree)) return { commit, directory: inTree, remove };
    throw refused(`At ${ref} there is no folder ${relative(top, directory)}.`);
  } catch (cause) {
    remove();
    throw cause;
  }
}

/** Packages are not checked in: each folder gets those of the same folder today. */
function linkPackages(top: string, tree: string): void {
  const folders = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((each) =>
    each.isDirectory(),
  );
  for (const folder of [
    '',
    ...folders.map(({ parentPath, name }) => relative(tree, join(parentPath, name))),
  ]) {
    const packages = join(top, folder, 'node_modules');
    const place = join(tree, folder, 'node_modules');
    if (existsSync(packages) && !existsSync(place)) symlinkSync(packages, place, 'junction');
  }
}

function git(cwd: string, args: readonly string[], otherwise: string): string {
  const { status, stdout, stderr } = spawnSync('git', [...args], { cwd, encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  throw refused(`${otherwise} ${stderr?.trim() ?? ''}`.trim());
}

function refused(what: string): ForerunError {
  return new ForerunError('input-invalid', {
    what,
    state: UNTOUCHED,
    next: 'Let --from name a commit, a branch or a tag that holds the app.',
  });
}
