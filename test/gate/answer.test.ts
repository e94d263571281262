import { describe, expect, test } from 'vitest';
import { answerBody } from '../../lambda/gate/answer.ts';
import { askedAt, readRequest } from '../../lambda/gate/request.ts';

const asked = {
  RequestType: 'Update',
  RequestId: 'request-1',
  StackId: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/App/1',
  LogicalResourceId: 'Migrations',
  PhysicalResourceId: 'forerun-migrations',
  ResponseURL: 'https://answers.example/?X-Amz-Date=20261123T100000Z',
  ResourceProperties: {},
} as const;

describe('an answer', () => {
  test.each([
    ['ascii', 'x'.repeat(10_000)],
    ['quotes that double in JSON', '"'.repeat(10_000)],
    ['line breaks', '\n'.repeat(10_000)],
    ['letters of three bytes', '語'.repeat(10_000)],
    ['letters of four bytes', '🚚'.repeat(10_000)],
    ['control characters of six bytes', '\u0001'.repeat(10_000)],
  ])('stays within 4096 bytes and whole characters for a long reason of %s', (_claim, reason) => {
    const body = answerBody(asked, { status: 'FAILED', reason: `begin ${reason} end`, data: {} });
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
    const shown = (JSON.parse(body) as { Reason: string }).Reason;
    expect(shown.startsWith('begin')).toBe(true);
    expect(shown.endsWith('end')).toBe(true);
    expect(shown.isWellFormed()).toBe(true);
    expect(Buffer.byteLength(body)).toBeGreaterThan(2500);
  });

  test.each([
    ['ascii', 'h'],
    ['quotes', '"'],
    ['letters of four bytes', '🚚'],
    ['control characters', '\u0001'],
  ])(
    'cuts attributes of %s that leave no room, keeps each of them, and keeps the reason',
    (_claim, letter) => {
      const ids = { ...asked, StackId: 's'.repeat(1_500), PhysicalResourceId: 'p'.repeat(1_000) };
      const data = {
        Head: letter.repeat(4_200),
        DeployId: letter.repeat(4_200),
        Outcome: 'applied',
        Ahead: '',
      };
      const body = answerBody(ids, { status: 'SUCCESS', reason: `begin ${letter.repeat(9_000)} end`, data });
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4_096);
      const told = JSON.parse(body) as { Reason: string; StackId: string; Data: Record<string, string> };
      expect(told).toMatchObject({ StackId: ids.StackId, PhysicalResourceId: ids.PhysicalResourceId });
      expect(Object.keys(told.Data)).toEqual(Object.keys(data));
      expect(told.Data['Outcome']).toBe('applied');
      for (const text of [told.Reason, ...Object.values(told.Data)]) expect(text.isWellFormed()).toBe(true);
      expect(told.Reason).toMatch(/^begin .* end$/s);
    },
  );

  test('carries a short reason unchanged and echoes the ids', () => {
    expect(JSON.parse(answerBody(asked, { status: 'SUCCESS', reason: 'fine', data: { Head: 'a' } }))).toEqual(
      {
        Status: 'SUCCESS',
        Reason: 'fine',
        PhysicalResourceId: 'forerun-migrations',
        StackId: asked.StackId,
        RequestId: 'request-1',
        LogicalResourceId: 'Migrations',
        Data: { Head: 'a' },
      },
    );
  });
});

describe('a request', () => {
  test.each([
    ['nothing', undefined],
    ['text', 'hello'],
    ['a manual invoke', { action: 'status' }],
    ['one without a ResponseURL', { ...asked, ResponseURL: '' }],
    ['one whose ResponseURL is no URL', { ...asked, ResponseURL: 'somewhere' }],
    ['one to be answered without encryption', { ...asked, ResponseURL: 'http://answers.example/' }],
    ['one whose ResponseURL is no text', { ...asked, ResponseURL: { toString: 1 } }],
    ['one that does not say which stack asks', { ...asked, StackId: undefined }],
  ])('is not seen in %s', (_claim, event) => {
    expect(readRequest(event)).toBeNull();
  });

  test('tells when it was asked from the signature of its ResponseURL', () => {
    expect(askedAt(asked)).toBe(Date.UTC(2026, 10, 23, 10, 0, 0));
    const old = `https://answers.example/?AWSAccessKeyId=A&Expires=${Date.UTC(2026, 10, 23, 12, 0, 0) / 1000}&Signature=B`;
    expect(askedAt({ ...asked, ResponseURL: old })).toBe(Date.UTC(2026, 10, 23, 10, 0, 0));
    for (const query of ['', '?Expires=soon', '?Expires=1', '?X-Amz-Date=yesterday']) {
      expect(askedAt({ ...asked, ResponseURL: `https://answers.example/${query}` })).toBeNull();
    }
  });
});
