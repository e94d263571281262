import { visible } from '../terminal/visible.ts';

const WIDTH = 104;

/** Breaks a long line between words, and nowhere else; what follows hangs below its beginning. */
export function wrap(prefix: string, text: string, width = WIDTH): string[] {
  const before = visible(prefix);
  const lines = [''];
  for (const word of visible(text).split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && before.length + last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line, index) => (index === 0 ? before : ' '.repeat(before.length)) + line);
}
