/** At most ten names, so that a message stays readable (and a CloudFormation answer below its limit). */
export function list(ids: readonly string[]): string {
  const shown = ids.slice(0, 10).join(', ');
  return ids.length > 10 ? `${shown} and ${ids.length - 10} more` : shown;
}
