import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RDSDataClient } from '@aws-sdk/client-rds-data';
import { asc, eq, relations, sql } from 'drizzle-orm';
import { type AwsDataApiPgDatabase, drizzle } from 'drizzle-orm/aws-data-api/pg';
import { migrate } from 'drizzle-orm/aws-data-api/pg/migrator';
import {
  bigint,
  boolean,
  date,
  doublePrecision,
  integer,
  jsonb,
  numeric,
  pgTable,
  serial,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalService, localService, NAMES } from '../local/data-api/local-service.ts';

const authors = pgTable('authors', {
  id: serial().primaryKey(),
  name: text().notNull().unique(),
});
const articles = pgTable('articles', {
  id: uuid().defaultRandom().primaryKey(),
  authorId: integer().references(() => authors.id),
  title: text().notNull(),
  published: boolean().notNull().default(false),
  words: bigint({ mode: 'number' }),
  rating: doublePrecision(),
  price: numeric({ precision: 10, scale: 2 }),
  facts: jsonb().$type<{ readonly pages: number }>(),
  tags: text().array(),
  day: date(),
  createdAt: timestamp(),
});
const schema = {
  authors,
  articles,
  authorsRelations: relations(authors, ({ many }) => ({ articles: many(articles) })),
  articlesRelations: relations(articles, ({ one }) => ({
    author: one(authors, { fields: [articles.authorId], references: [authors.id] }),
  })),
};

/** What `drizzle-kit generate` would have written for the tables above. */
const MIGRATIONS = [
  [
    'create table "authors" ("id" serial primary key not null, "name" text not null, constraint "authors_name_unique" unique("name"));',
    `create table "articles" (
      "id" uuid primary key default gen_random_uuid() not null, "authorId" integer references "authors"("id"),
      "title" text not null, "published" boolean default false not null, "words" bigint, "rating" double precision,
      "price" numeric(10, 2), "facts" jsonb, "tags" text[], "day" date, "createdAt" timestamp);`,
  ],
  ['create index "articles_author" on "articles" ("authorId");'],
] as const;

function writeMigrations(folder: string, migrations: readonly (readonly string[])[]): void {
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const entries = migrations.map((statements, idx) => {
    const tag = `000${idx}_step`;
    writeFileSync(join(folder, `${tag}.sql`), statements.join('--> statement-breakpoint\n'));
    return { idx, version: '7', when: 1_700_000_000_000 + idx, tag, breakpoints: true };
  });
  writeFileSync(
    join(folder, 'meta/_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
}

describe('drizzle-orm/aws-data-api on the local Data API', () => {
  let service: LocalService;
  let folder: string;
  let client: RDSDataClient;
  let db: AwsDataApiPgDatabase<typeof schema>;
  beforeAll(async () => {
    service = await localService();
    await service.postgres.createDatabase('drizzle');
    ({ client } = await service.start());
    db = drizzle(client, { ...NAMES, database: 'drizzle', schema });
    folder = mkdtempSync(join(tmpdir(), 'forerun-drizzle-'));
    writeMigrations(folder, MIGRATIONS);
    await migrate(db, { migrationsFolder: folder });
  });
  beforeEach(async () => {
    await db.execute(sql`truncate authors, articles restart identity`);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await service[Symbol.asyncDispose]();
  });

  it('migrates once, and does nothing the second time', async () => {
    await migrate(db, { migrationsFolder: folder });
    const { rows } = await db.execute(sql`select count(*) as applied from drizzle.__drizzle_migrations`);
    expect(rows).toStrictEqual([{ applied: 2 }]);
  });

  it('keeps nothing of migrations that fail, as its users expect of PostgreSQL', async () => {
    const broken = join(folder, 'broken');
    const later = [...MIGRATIONS, ['create table "half" ("id" integer);', 'create table nonsense (;']];
    writeMigrations(broken, later);
    await expect(migrate(db, { migrationsFolder: broken })).rejects.toMatchObject({
      cause: { name: 'DatabaseErrorException', message: expect.stringContaining('42601') },
    });
    const { rows } = await db.execute(sql`select to_regclass('half')::text as half`);
    expect(rows).toStrictEqual([{ half: null }]);
  });

  it('writes and reads back a value of each type', async () => {
    const written = {
      title: "it's",
      published: true,
      words: 4_294_967_296,
      rating: 4.5,
      price: '19.90',
      facts: { pages: 3 },
      tags: ['a,b', 'c"d'],
      day: '2026-01-31',
      createdAt: new Date('2026-01-31T12:34:56.789Z'),
    };
    const [returned] = await db.insert(articles).values(written).returning();
    expect(returned).toMatchObject(written);
    const [read] = await db
      .select()
      .from(articles)
      .where(eq(articles.id, returned?.id ?? ''));
    expect(read).toStrictEqual(returned);
  });

  it('writes and reads back nulls', async () => {
    const [row] = await db.insert(articles).values({ title: 'bare', words: null, facts: null }).returning();
    expect(row).toMatchObject({ words: null, facts: null, tags: null, createdAt: null, authorId: null });
  });

  it('updates, deletes, upserts and joins', async () => {
    await db.insert(authors).values([{ name: 'Ada' }, { name: 'Bo' }]);
    await db.insert(articles).values({ title: 'first', authorId: 1 });
    await db.update(articles).set({ title: 'changed' }).where(eq(articles.authorId, 1));
    await db
      .insert(authors)
      .values({ name: 'Ada' })
      .onConflictDoUpdate({ target: authors.name, set: { name: 'Ada L.' } });
    await db.delete(authors).where(eq(authors.name, 'Bo'));
    const joined = await db
      .select({ name: authors.name, title: articles.title })
      .from(authors)
      .leftJoin(articles, eq(articles.authorId, authors.id))
      .orderBy(asc(authors.id));
    expect(joined).toStrictEqual([{ name: 'Ada L.', title: 'changed' }]);
  });

  it('reads relations as nested objects', async () => {
    await db.insert(authors).values({ name: 'Ada' });
    await db.insert(articles).values([
      { title: 'first', authorId: 1 },
      { title: 'second', authorId: 1 },
    ]);
    const found = await db.query.authors.findMany({
      with: { articles: { columns: { title: true }, orderBy: asc(articles.title) } },
    });
    expect(found).toStrictEqual([
      { id: 1, name: 'Ada', articles: [{ title: 'first' }, { title: 'second' }] },
    ]);
  });

  it('commits a transaction, and undoes one that throws', async () => {
    await db.transaction(async (tx) => {
      await tx.insert(authors).values({ name: 'kept' });
    });
    const undone = db.transaction(async (tx) => {
      await tx.insert(authors).values({ name: 'lost' });
      tx.rollback();
    });
    await expect(undone).rejects.toThrow('Rollback');
    expect(await db.select({ name: authors.name }).from(authors)).toStrictEqual([{ name: 'kept' }]);
  });

  it('goes on after a nested transaction failed', async () => {
    await db.transaction(async (tx) => {
      await tx.insert(authors).values({ name: 'Ada' });
      const nested = tx.transaction(async (inner) => {
        await inner.insert(authors).values({ name: 'Bo' });
        await inner.insert(authors).values({ name: 'Ada' });
      });
      await expect(nested).rejects.toMatchObject({ cause: { name: 'DatabaseErrorException' } });
      await tx.insert(authors).values({ name: 'Cy' });
    });
    const names = await db.select({ name: authors.name }).from(authors).orderBy(asc(authors.name));
    expect(names).toStrictEqual([{ name: 'Ada' }, { name: 'Cy' }]);
  });

  it('sees the SQLSTATE of a broken constraint', async () => {
    await db.insert(authors).values({ name: 'Ada' });
    await expect(db.insert(authors).values({ name: 'Ada' })).rejects.toMatchObject({
      cause: { name: 'DatabaseErrorException', message: expect.stringContaining('SQLState: 23505') },
    });
  });

  it('is refused where it compares a uuid with untyped text, as on AWS', async () => {
    await expect(
      db.execute(sql`select 1 from articles where id = ${'0e37df36-f698-11e6-8dd4-cb9ced3df976'}`),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('42883') } });
  });

  it('is refused an interval result, as on AWS', async () => {
    await expect(db.execute(sql`select interval '1 day'`)).rejects.toMatchObject({
      cause: { name: 'UnsupportedResultException' },
    });
  });
});
