import { createHash } from 'node:crypto';

/** The uuid follows from the name and from how often it was used: equal sequences of deploys have equal ids. */
export function stackId(
  name: string,
  born: number,
  { account, region }: { readonly account: string; readonly region: string },
): string {
  const uuid = createHash('sha256')
    .update(`${account}/${region}/${name}/${born}`)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  return `arn:aws:cloudformation:${region}:${account}:stack/${name}/${uuid}`;
}
