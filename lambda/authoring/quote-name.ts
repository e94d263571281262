/** Quotes one name for SQL. The one place where a name enters SQL text. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes the name of a table or a type; a dot parts schema and name. */
export function quoteName(name: string): string {
  return name
    .split('.')
    .map((part) => quoteIdentifier(part))
    .join('.');
}
