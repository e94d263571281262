// Alembic: with op.get_context().autocommit_block(): op.execute("ALTER TYPE mood ADD VALUE 'curious'")
import { addEnumValue, migration } from 'forerun';

export const cookbookEnumValue = migration({
  after: 'base',
  transaction: false,
  operations: [addEnumValue.with({ type: 'mood', value: 'curious' })],
});
