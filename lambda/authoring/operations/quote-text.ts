/** Quotes text for SQL that takes no parameters: definitions and anonymous blocks. Never for values of rows. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // Right whatever standard_conforming_strings says.
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** An anonymous block, one statement however much it does. */
export function block(body: string): string {
  let tag = '$forerun$';
  for (let turn = 1; body.includes(tag); turn += 1) tag = `$forerun${turn}$`;
  return `do ${tag}\n${body}\n${tag}`;
}
