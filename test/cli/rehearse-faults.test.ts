import { expect, test } from 'vitest';
import { findFault } from '../../cli/commands/rehearse/find-fault.ts';
import { parseTemplate } from '../../local/cloudformation/template.ts';

const PATHS = {
  App0A1B2C3D: 'Shop/App/Resource',
  AppRole11112222: 'Shop/App/Role/Resource',
  AppAliasliveAABBCCDD: 'Shop/App/Aliaslive/Resource',
  Topic: 'Shop/News/Topic',
};

const template = parseTemplate({
  Resources: Object.fromEntries(
    Object.entries(PATHS).map(([id, path]) => [id, { Type: 'X', Metadata: { 'aws:cdk:path': path } }]),
  ),
});

test.each([
  ['a logical id', 'AppRole11112222', ['AppRole11112222']],
  ['a logical id without its hash', 'AppAliaslive', ['AppAliasliveAABBCCDD']],
  ['the id of a construct, but not of what begins like it', 'App', ['App0A1B2C3D']],
  ['the path of a construct', 'Shop/App/Aliaslive', ['AppAliasliveAABBCCDD']],
  ['the path without its stack', 'App/Role', ['AppRole11112222']],
  ['the beginning of a logical id', 'AppA', ['AppAliasliveAABBCCDD']],
  ['a construct without a resource of its own, for all that is in it', 'News', ['Topic']],
])('%s names what fails', (_case, wish, expected) => {
  const { hits } = findFault(wish, [template]);
  const hit = Object.entries(PATHS).filter(([logicalId, path]) => hits({ logicalId, path }));
  expect(hit.map(([logicalId]) => logicalId)).toEqual(expected);
});
