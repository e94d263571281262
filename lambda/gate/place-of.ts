/**
 * What may be told of an error that was not written for people: its kind and where it arose. Never its message, which may quote a
 * parameter's value.
 */
export function placeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'something that is no error';
  const { constructor, message, stack = '' } = cause;
  // Above the frames, the stack repeats the message.
  const at = stack.indexOf(message);
  const frame = at < 0 ? undefined : /^ +at .+$/m.exec(stack.slice(at + message.length))?.[0];
  return frame === undefined ? constructor.name : `${constructor.name} ${frame.trim()}`;
}
