// Alembic: @Operations.register_operation('create_sequence') class CreateSequenceOp(MigrateOperation): …
import { migration, operation, sql } from 'forerun';

// shown
const createSequence = operation({
  name: 'create sequence',
  describe: ({ name }: { name: string }) => name,
  up: ({ op }, { name }) => op.execute(sql`create sequence ${sql.id(name)}`),
  down: ({ op }, { name }) => op.execute(sql`drop sequence ${sql.id(name)}`),
});

export const registerOperation = migration({
  after: 'base',
  operations: [createSequence.with({ name: 'tickets' })],
});
