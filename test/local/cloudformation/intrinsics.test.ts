import { expect, test } from 'vitest';

import { NO_VALUE, resolve } from '../../../local/cloudformation/intrinsics.ts';
import { createScope, parameterValues } from '../../../local/cloudformation/scope.ts';
import { parseTemplate } from '../../../local/cloudformation/template.ts';

const template = parseTemplate({
  Parameters: {
    Size: { Type: 'Number', Default: 3 },
    Zones: { Type: 'CommaDelimitedList', Default: 'a, b' },
    BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/x/version' },
  },
  Mappings: { Sizes: { big: { memory: 512 } } },
  Conditions: {
    Yes: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] },
    No: { 'Fn::Not': [{ Condition: 'Yes' }] },
    Both: { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] },
    Either: { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] },
  },
  Resources: { Queue: { Type: 'AWS::SQS::Queue' } },
});

const scope = createScope({
  template,
  parameters: parameterValues(template, {}),
  stack: { id: 'arn:stack', name: 'Shop' },
  account: '111122223333',
  region: 'eu-west-1',
  resource: (id) => (id === 'Queue' ? { physicalId: 'queue-1', attributes: {} } : undefined),
  attribute: (id, name) => `${id}/${name}`,
  importValue: (name) => (name === 'Shared' ? 'value' : undefined),
});

test.each([
  [{ Ref: 'Queue' }, 'queue-1'],
  [{ Ref: 'Size' }, 3],
  [{ Ref: 'Zones' }, ['a', 'b']],
  [{ Ref: 'BootstrapVersion' }, '/cdk-bootstrap/x/version'],
  [{ Ref: 'AWS::Region' }, 'eu-west-1'],
  [{ Ref: 'AWS::AccountId' }, '111122223333'],
  [{ Ref: 'AWS::StackName' }, 'Shop'],
  [{ Ref: 'AWS::StackId' }, 'arn:stack'],
  [{ Ref: 'AWS::Partition' }, 'aws'],
  [{ Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
  [{ Ref: 'AWS::NoValue' }, NO_VALUE],
  [{ a: { Ref: 'AWS::NoValue' }, b: [1, { Ref: 'AWS::NoValue' }] }, { b: [1] }],
  [{ 'Fn::GetAtt': ['Queue', 'Arn'] }, 'Queue/Arn'],
  [{ 'Fn::GetAtt': 'Queue.Endpoint.Port' }, 'Queue/Endpoint.Port'],
  [{ 'Fn::Join': ['-', ['a', { Ref: 'Size' }, { Ref: 'Queue' }]] }, 'a-3-queue-1'],
  [{ 'Fn::Join': [',', { Ref: 'Zones' }] }, 'a,b'],
  [
    { 'Fn::Sub': '${Queue} ${Queue.Arn} ${AWS::Region} ${!Literal}' },
    'queue-1 Queue/Arn eu-west-1 ${Literal}',
  ],
  [{ 'Fn::Sub': ['${Own}-${Size}', { Own: { Ref: 'Queue' } }] }, 'queue-1-3'],
  [{ 'Fn::Select': ['1', ['a', 'b']] }, 'b'],
  [{ 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, 'eu-west-1a'],
  [{ 'Fn::Split': [':', 'a:b:c'] }, ['a', 'b', 'c']],
  [{ 'Fn::Select': [6, { 'Fn::Split': [':', 'arn:aws:rds:r:1:secret:name'] }] }, 'name'],
  [{ 'Fn::If': ['Yes', 'right', { Ref: 'Nobody' }] }, 'right'],
  [{ 'Fn::If': ['No', 'wrong', { Ref: 'AWS::NoValue' }] }, NO_VALUE],
  [{ 'Fn::If': ['Both', 'wrong', 'right'] }, 'right'],
  [{ 'Fn::If': ['Either', 'right', 'wrong'] }, 'right'],
  [{ 'Fn::FindInMap': ['Sizes', 'big', 'memory'] }, 512],
  [{ 'Fn::ImportValue': { 'Fn::Sub': 'Shared' } }, 'value'],
  [{ 'Fn::Base64': 'hello' }, 'aGVsbG8='],
  [
    { Ref: 'Queue', NotAlone: 1 },
    { Ref: 'Queue', NotAlone: 1 },
  ],
])('%j becomes %j', (value, expected) => {
  expect(resolve(value, scope)).toEqual(expected);
});

test.each([
  [{ Ref: 'Nobody' }, 'unresolved resource dependency [Nobody]'],
  [{ 'Fn::ImportValue': 'Nobody' }, 'No export named Nobody found.'],
  [{ 'Fn::Select': [5, ['a']] }, 'cannot select nonexistent value'],
  [{ 'Fn::FindInMap': ['Sizes', 'huge', 'memory'] }, 'Unable to get mapping for Sizes::huge::memory'],
  [{ 'Fn::If': ['Nobody', 1, 2] }, 'unresolved condition dependency Nobody'],
  [{ 'Fn::Transform': {} }, 'Fn::Transform is not played on one machine'],
])('%j fails with its reason', (value, reason) => {
  expect(() => resolve(value, scope)).toThrow(reason);
});

test('a parameter without value and default is refused', () => {
  const asking = parseTemplate({ Parameters: { Name: { Type: 'String' } }, Resources: {} });
  expect(() => parameterValues(asking, {})).toThrow('Parameters: [Name] must have values');
});
