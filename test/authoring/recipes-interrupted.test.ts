import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  addCheck,
  addEnumValue,
  addForeignKey,
  addIndex,
  addNotNull,
  beginColumnRename,
  finishColumnRename,
  migration,
  type MigrationDefinition,
  type UsedOperation,
} from 'forerun';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from '../lifecycle/workplace.ts';
import { catalogOf } from './catalog.ts';
import { historyOf } from './history-of.ts';

let place: Workplace;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});
afterEach(() => {
  place.dataApi.faults.clear();
});

const rename = { table: 'articles', from: 'slug', to: 'handle' };
const alone = (after: string, ...operations: readonly UsedOperation[]): MigrationDefinition =>
  migration({ after, transaction: false, operations });

const history = historyOf({
  '0001_rules': alone(
    'base',
    addEnumValue.with({ type: 'mood', value: 'curious' }),
    addNotNull.with({ table: 'articles', column: 'slug' }),
    addCheck.with({ table: 'articles', name: 'articles_price', check: 'price >= 0' }),
    addIndex.with({ table: 'articles', name: 'articles_author_id', columns: ['author_id'] }),
    addForeignKey.with({
      table: 'articles',
      name: 'articles_author',
      columns: ['author_id'],
      references: { table: 'users', columns: ['id'] },
    }),
  ),
  '0002_begin': alone('0001_rules', beginColumnRename.with(rename)),
  '0003_finish': alone('0002_begin', finishColumnRename.with(rename)),
});

/** A request that got lost can arrive no later than this; nothing holds one back here. */
const limits = { ...DEFAULT_LIMITS, inFlightMs: 1 };

async function shop(): Promise<FreshDatabase> {
  const database = await place.freshDatabase();
  await database.query(`
    create type mood as enum ('sad', 'happy');
    create table users (id bigint primary key, name text);
    create table articles (id bigint primary key, author_id bigint, slug text default 'none', price numeric, mood mood);
    insert into users select n, 'user ' || n from generate_series(1, 5) n;
    insert into articles select n, 1 + n % 5, 'a' || n, n, 'happy' from generate_series(1, 5100) n`);
  expect((await database.up([])).error).toBeNull();
  return database;
}

const contentOf = async (database: FreshDatabase) => [
  await catalogOf(database),
  await database.query('select * from articles order by id'),
  await database.query('select id from forerun.migration order by id'),
  await database.query('select * from forerun.statement'),
];

test.each(['up', 'down'] as const)(
  'an answer lost at any call changes nothing of what the recipes do: %s',
  async (direction) => {
    const go = async (database: FreshDatabase) =>
      direction === 'up' ? database.up(history, { limits }) : database.down(history, 'base', { limits });
    const prepared = await shop();
    if (direction === 'down') await prepared.up(history);
    const undisturbed = await place.freshDatabase(prepared);
    const { dataApiCalls } = await go(undisturbed);
    const wanted = await contentOf(undisturbed);
    expect(dataApiCalls).toBeGreaterThan(20);
    for (let nth = 1; nth <= dataApiCalls; nth += 1) {
      const database = await place.freshDatabase(prepared);
      const fault = place.dataApi.faults.next({ kind: 'drop-after', nth });
      const first = await go(database);
      await fault.struck;
      place.dataApi.faults.clear();
      const last = first.error === null ? first : await go(database);
      expect({ nth, error: last.error, content: await contentOf(database) }).toEqual({
        nth,
        error: null,
        content: wanted,
      });
    }
  },
  300_000,
);
