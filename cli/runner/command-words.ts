/** Members of an event that a command takes by their place. */
const PLACED: readonly string[] = ['to', 'backfill'];

/** Actions that are written as `forerun backfill …`. */
const OF_BACKFILLS: Readonly<Record<string, string>> = {
  backfills: 'list',
  backfill: 'work',
  pause: 'pause',
  resume: 'resume',
  cancel: 'cancel',
  retry: 'retry',
  tune: 'tune',
};

/** The command that sends an event, as a person types it. */
export function commandOf({ action, ...members }: Readonly<Record<string, unknown>>): string {
  const verb = OF_BACKFILLS[String(action)];
  const words = ['forerun', ...(verb === undefined ? [String(action)] : ['backfill', verb])];
  for (const name of PLACED) if (members[name] !== undefined) words.push(shellWord(members[name]));
  for (const [name, value] of Object.entries(members)) {
    if (PLACED.includes(name)) continue;
    if (name === 'direction') {
      if (value === 'down') words.push('--down');
      continue;
    }
    words.push(`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    if (value !== true) words.push(shellWord(value));
  }
  return words.join(' ');
}

/** The runner speaks to whoever sends events; a person at the command line reads commands instead. */
export function inCommandWords(text: string): string {
  return text
    .replaceAll(/send the event again with "confirm":"([^"]+)"/g, 'run the command again with --confirm $1')
    .replaceAll(/\{"action":[^{}]*\}/g, (event) => {
      try {
        const parsed: unknown = JSON.parse(event);
        return typeof parsed === 'object' && parsed !== null ? commandOf({ ...parsed }) : event;
      } catch {
        return event;
      }
    });
}

function shellWord(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w.:/…<>-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
