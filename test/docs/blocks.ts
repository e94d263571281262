import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../child.ts';

/** A TypeScript block of a page. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

const pages = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Every TypeScript block of README and docs. */
export const blocks: readonly Block[] = pages.flatMap((page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    code: match[1] ?? '',
  }));
});

/** Every relative link of README, docs and the pages at the root. */
export const links: readonly { readonly page: string; readonly target: string }[] = [
  ...pages,
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
].flatMap((page) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map((match) => ({
    page,
    target: match[1] ?? '',
  })),
);
