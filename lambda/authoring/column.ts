import { arrayOf, type ValueType } from './value-type.ts';

declare const types: unique symbol;

/** Whether an insert must, may or must not name a column. */
export type Presence = 'required' | 'optional' | 'generated';

/**
 * A column as a migration relies on it. `Out` is what a query gives back, `In` what a write accepts.
 *
 * The modifiers return new columns and read from left to right: `text().array().nullable()` may be null as a whole,
 * `text().nullable().array()` may hold nulls.
 */
export interface Column<Out, In, P extends Presence = 'required'> {
  readonly type: ValueType;
  /** Whether an insert must name it. */
  readonly presence: P;
  /** Whether it may be SQL's null. */
  readonly takesNull: boolean;
  /** May be `null`, which is always SQL's null; an insert may leave the column out. */
  nullable(): Column<Out | null, In | null, 'optional'>;
  /** Has a default (or an identity) in the database, so an insert may leave the column out. */
  defaulted(): Column<Out, In, 'optional'>;
  /** Computed by the database (`generated always`): no insert and no update may name it. */
  generated(): Column<Out, In, 'generated'>;
  /** An array of this type; several dimensions by calling it again. */
  array(): Column<readonly Out[], readonly In[]>;
  /** Only for the type checker. */
  readonly [types]?: { readonly out: Out; readonly in: In; readonly presence: P };
}

/** A column of any kind. */
export type AnyColumn = Column<unknown, unknown, Presence>;

/** A column of `type`; the builders in `column-types.ts` call it. */
export function columnOf<Out, In>(type: ValueType): Column<Out, In> {
  return columnWith<Out, In, 'required'>(type, 'required', false);
}

function columnWith<Out, In, P extends Presence>(
  type: ValueType,
  presence: P,
  takesNull: boolean,
): Column<Out, In, P> {
  return Object.freeze({
    type,
    presence,
    takesNull,
    nullable: () => columnWith<Out | null, In | null, 'optional'>(type, 'optional', true),
    defaulted: () => columnWith<Out, In, 'optional'>(type, 'optional', takesNull),
    generated: () => columnWith<Out, In, 'generated'>(type, 'generated', takesNull),
    array: () => columnOf<readonly Out[], readonly In[]>(arrayOf(type)),
  });
}
