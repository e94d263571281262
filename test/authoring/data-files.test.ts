import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeployResult } from '../../local/cloudformation/start-cloudformation.ts';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { openStage, openTheatre, type Stage } from '../deploy/stage.ts';

let postgres: LocalPostgres;
let stage: Stage;
let seeded: DeployResult;

beforeAll(async () => {
  postgres = await openTheatre();
  stage = await openStage(postgres);
  seeded = await stage.deploy('seed', SEED);
});

afterAll(async () => {
  await stage.close();
  await postgres.stop();
});

const SEED: Readonly<Record<string, string>> = {
  '0001_shop.ts': `import { migration } from 'forerun';
import shop from './shop.sql';

export default migration({
  after: 'base',
  up: ({ op }) => op.execute(shop),
  down: ({ op }) => op.execute('drop table items'),
});
`,
  'shop.sql': `-- The shop; all of it.
create type mood as enum ('sad', 'happy');
create table items (
  id bigint primary key, name text not null, price numeric(30, 2), tags text[], doc jsonb, mood mood,
  since timestamptz, open time, raw bytea, ref uuid, live boolean
);
create function total() returns bigint language plpgsql as $body$
begin
  -- :not_a_placeholder; 'nor this'
  return (select count(*) from items where '12:30'::time is not null and '{"a":1}'::jsonb ? 'a');
end;
$body$;
insert into items (id, name, doc) values (1, 'ü😀: ''x'';', '{"a":[1,2]}'), (2, E'a\\nb', null);
update items set tags = (array['a', 'b', 'c'])[1:2] where id = 1`,
  '0002_rows.ts': `import { bigint, boolean, bytea, enumType, jsonb, migration, numeric, table, text, time, timestamptz, uuid } from 'forerun';
import rows from './items.csv';

const items = table('items', {
  id: bigint(), name: text(), price: numeric().nullable(), tags: text().array().nullable(), doc: jsonb().nullable(),
  mood: enumType('mood', ['sad', 'happy']).nullable(), since: timestamptz().nullable(), open: time().nullable(),
  raw: bytea().nullable(), ref: uuid().nullable(), live: boolean().nullable(),
});

export default migration({
  after: '0001_shop',
  tables: { items },
  up: ({ op }) => op.bulkInsert(items, rows),
  down: ({ op }) => op.execute('delete from items where id > 2'),
});
`,
  'items.csv': `\uFEFFid,name,price,tags,doc,mood,since,open,raw,ref,live\r
9007199254740993,"a, ""b""\r
c",12345678901234567890.12,"{x,NULL,""y z""}","{""n"": 12345678901234567890}",happy,2026-01-31 12:30:45.123456+01,12:30,\\x00ff,123e4567-e89b-12d3-a456-426614174000,t\r
3,"",,,,,,,,,\r
`,
};

test('an imported script and imported rows reach the database as they are', async () => {
  expect(seeded.reason).toBeUndefined();
  expect(
    await stage.rows(
      `select id::text, name, price::text, tags::text, doc::text, mood::text, (since at time zone 'utc')::text as since,
       open::text, raw::text, ref::text, live from items order by items.id`,
    ),
  ).toEqual([
    row({ id: '1', name: "ü😀: 'x';", tags: '{a,b}', doc: '{"a": [1, 2]}' }),
    row({ id: '2', name: 'a\nb' }),
    row({ id: '3', name: '' }),
    {
      id: '9007199254740993',
      name: 'a, "b"\nc',
      price: '12345678901234567890.12',
      tags: '{x,NULL,"y z"}',
      doc: '{"n": 12345678901234567890}',
      mood: 'happy',
      since: '2026-01-31 11:30:45.123456',
      open: '12:30:00',
      raw: String.raw`\x00ff`,
      ref: '123e4567-e89b-12d3-a456-426614174000',
      live: true,
    },
  ]);
  expect(await stage.rows('select total() as n')).toEqual([{ n: 4 }]);
});

test('a script that fails names its file and line, and nothing of it stays', async () => {
  const result = await stage.deploy('broken', {
    ...SEED,
    '0003_more.ts': `import { irreversible, migration } from 'forerun';
import more from './more.sql';
export default migration({ after: '0002_rows', up: ({ op }) => op.execute(more), down: irreversible('a test') });
`,
    'more.sql':
      "create table more (id int);\n\n-- twice\ninsert into items (id, name) values (1, 'again');\nselect 1;\n",
  });
  expect(result.reason).toContain('0003_more failed at statement 2 (more.sql line 4, SQLSTATE 23505)');
  expect(result.reason).toContain('more.sql line 4');
  expect(await stage.rows("select to_regclass('more') is null as gone")).toEqual([{ gone: true }]);
});

test('a row that its column cannot take is named by its number, never by its value', async () => {
  const result = await stage.deploy('wrong', {
    ...SEED,
    '0003_wrong.ts': (SEED['0002_rows.ts'] ?? '')
      .replace("after: '0001_shop'", "after: '0002_rows'")
      .replace('./items.csv', './wrong.csv'),
    'wrong.csv': 'id,name\n4,four\nhunter2,five\n',
  });
  expect(result.reason).toContain('Row 2 of wrong.csv for items');
  expect(result.reason).not.toContain('hunter2');
});

function row(values: Readonly<Record<string, string>>): Readonly<Record<string, string | null>> {
  const none = { price: null, tags: null, doc: null, mood: null, since: null, open: null };
  return { ...none, raw: null, ref: null, live: null, ...values };
}
