import { isJsonNumber, numberText } from './exact-json.ts';
import type { SqlParameter } from './request.ts';
import { ServiceError } from './service-error.ts';
import { hintedType } from './type-hints.ts';
import { OID } from './type-names.ts';

/** A value on its way to the database, in PostgreSQL's text form. */
export interface Bound {
  /** The type it is sent as; 0 leaves it to the statement. */
  readonly oid: number;
  readonly text: string | null;
}

const INT8_MIN = -(2n ** 63n);
const INT8_MAX = 2n ** 63n - 1n;

/** Binds each name in order of its occurrence. A parameter that no placeholder names is ignored. */
export function bindAll(names: readonly string[], parameters: readonly SqlParameter[]): readonly Bound[] {
  const byName = new Map<string, Bound>();
  for (const parameter of parameters) {
    if (byName.has(parameter.name)) {
      throw new ServiceError('BadRequestException', `Parameter is given twice: ${parameter.name}`);
    }
    byName.set(parameter.name, bind(parameter));
  }
  return names.map((name) => {
    const bound = byName.get(name);
    if (bound === undefined) throw new ServiceError('BadRequestException', `Cannot find parameter: ${name}`);
    return bound;
  });
}

/** Strict types: text is text, an integer is int8, and only null is left open. */
function bind({ name, value, typeHint }: SqlParameter): Bound {
  const [member, content] = onlyMember(name, value);
  const bound = bindMember(name, member, content);
  if (typeHint === undefined) return bound;
  if (member !== 'stringValue' && member !== 'isNull') {
    throw new ServiceError(
      'BadRequestException',
      `Type hint ${typeHint} needs a stringValue in parameter: ${name}`,
    );
  }
  return { oid: hintedType(typeHint, name, bound.text), text: bound.text };
}

function bindMember(name: string, member: string, content: unknown): Bound {
  switch (member) {
    case 'isNull':
      if (content === true) return { oid: OID.untyped, text: null };
      break;
    case 'stringValue':
      if (typeof content === 'string') return { oid: OID.text, text: content };
      break;
    case 'booleanValue':
      if (typeof content === 'boolean') return { oid: OID.bool, text: String(content) };
      break;
    case 'longValue':
      if (isJsonNumber(content)) return { oid: OID.int8, text: longText(numberText(content)) };
      break;
    case 'doubleValue':
      if (isJsonNumber(content)) return { oid: OID.float8, text: numberText(content) };
      // JSON has no such numbers; the protocol writes them as text.
      if (content === 'NaN' || content === 'Infinity' || content === '-Infinity') {
        return { oid: OID.float8, text: content };
      }
      break;
    case 'blobValue':
      if (typeof content === 'string') {
        return { oid: OID.bytea, text: String.raw`\x${Buffer.from(content, 'base64').toString('hex')}` };
      }
      break;
    case 'arrayValue':
      throw new ServiceError('ValidationException', 'Array parameters are not supported');
    default:
      break;
  }
  throw new ServiceError(
    'SerializationException',
    `The value of parameter ${name} is not of the type of its member`,
  );
}

function longText(text: string): string {
  if (!/^-?\d+$/u.test(text))
    throw new ServiceError('SerializationException', 'A longValue must be an integer');
  const value = BigInt(text);
  if (value < INT8_MIN || value > INT8_MAX) {
    throw new ServiceError('SerializationException', 'A longValue must fit into 64 bits');
  }
  return text;
}

/** A Field is a union: exactly one member is set; a member that is JSON null counts as absent. */
function onlyMember(name: string, value: Readonly<Record<string, unknown>>): readonly [string, unknown] {
  const members = Object.entries(value).filter(([, content]) => content !== null && content !== undefined);
  const [only] = members;
  if (only === undefined || members.length > 1) {
    throw new ServiceError(
      'ValidationException',
      `Exactly one member of the value must be set in parameter: ${name}`,
    );
  }
  return only;
}
