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
