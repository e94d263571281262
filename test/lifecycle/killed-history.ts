import { backfill } from '../../lambda/authoring/backfill.ts';
import { bigint, integer } from '../../lambda/authoring/column-types.ts';
import { irreversible } from '../../lambda/authoring/irreversible.ts';
import { bindMigration, migration, type MigrationDefinition } from '../../lambda/authoring/migration.ts';
import { sql } from '../../lambda/authoring/sql.ts';
import { table } from '../../lambda/authoring/table.ts';
import type { Migration } from '../../lambda/engine/migration.ts';

export const KILLED = '0002_fill';

const rows = table('thing', { id: bigint(), n: integer() });

const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id bigint primary key, n int not null default 0)');
    await op.execute('insert into thing select g from generate_series(1, 200) g');
  },
  down: irreversible('a test'),
});

const terms = {
  after: '0001_create',
  table: rows,
  key: 'id',
  frozen: true,
  batchRows: 4,
  pauseMs: 0,
  down: 'nothing to undo',
} as const;

const after = (definition: MigrationDefinition): readonly Migration[] => [
  bindMigration(create, { id: '0001_create', after: create.after, checksum: 'v1:0001' }),
  bindMigration(definition, { id: KILLED, after: definition.after, checksum: 'v1:0002' }),
];

/** A change that leaves no trace, in two forms; the workers' processes and the test itself load it. */
export const KILLED_HISTORIES = {
  set: after(backfill({ ...terms, set: { n: sql`n + 1` } })),
  batch: after(
    backfill({
      ...terms,
      batch: ({ op, rows: chosen }) => op.execute(sql`update thing set n = n + 1 where ${chosen}`),
    }),
  ),
} as const satisfies Readonly<Record<string, readonly Migration[]>>;
