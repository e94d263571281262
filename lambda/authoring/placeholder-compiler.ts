import { PostgresQueryCompiler } from 'kysely';

/** PostgreSQL's SQL with the Data API's named placeholders. Kysely's compiler is extended by inheritance only. */
export class PlaceholderCompiler extends PostgresQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return `:${placeholderName(this.numParameters)}`;
  }
}

/** Name of the n-th parameter, from 1. A letter first: `:1` would be mistaken for an array slice's bound. */
export function placeholderName(position: number): string {
  return `p${position}`;
}
