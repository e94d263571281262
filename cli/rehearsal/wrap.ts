const WIDTH = 104;

/** Breaks a long line between words; what follows hangs below its beginning. */
export function wrap(before: string, text: string, width = WIDTH): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && before.length + last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line, index) => (index === 0 ? before : ' '.repeat(before.length)) + line);
}
