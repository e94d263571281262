// Alembic: @Operations.implementation_for(CreateSequenceOp) def create_sequence(operations, operation): …
import { migration, operation, sql } from 'forerun';

// shown
const createSequence = operation({
  name: 'create sequence',
  up: ({ op }, { name }: { name: string }) => op.execute(sql`create sequence ${sql.id(name)}`),
  down: ({ op }, { name }) => op.execute(sql`drop sequence ${sql.id(name)}`),
});

export const implementationFor = migration({
  after: 'base',
  up: ({ op }) => op.use(createSequence, { name: 'tickets' }),
  down: ({ op }) => op.undo(createSequence, { name: 'tickets' }),
});
