import {
  DataSource,
  EntitySchema,
  type MigrationInterface,
  QueryFailedError,
  type QueryRunner,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalService, localService, NAMES } from '../local/data-api/local-service.ts';

interface Author {
  id?: number;
  name: string;
  articles?: Article[];
}
interface Article {
  id?: string;
  title: string;
  published?: boolean;
  price?: string | null;
  facts?: { readonly pages: number } | null;
  createdAt?: Date | null;
  author?: Author | null;
}

const authorSchema = new EntitySchema<Author>({
  name: 'author',
  columns: {
    id: { type: Number, primary: true, generated: true },
    name: { type: String, unique: true },
  },
  relations: { articles: { type: 'one-to-many', target: 'article', inverseSide: 'author' } },
});
const articleSchema = new EntitySchema<Article>({
  name: 'article',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    title: { type: 'text' },
    published: { type: Boolean, default: false },
    price: { type: 'numeric', precision: 10, scale: 2, nullable: true },
    facts: { type: 'jsonb', nullable: true },
    createdAt: { type: 'timestamp', nullable: true },
  },
  relations: {
    author: { type: 'many-to-one', target: 'author', inverseSide: 'articles', nullable: true },
  },
});

class Tables1700000000000 implements MigrationInterface {
  readonly name = 'Tables1700000000000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table author (id serial primary key, name varchar not null unique)`);
    await runner.query(`create table article (
      id uuid primary key default gen_random_uuid(), title text not null, published boolean not null default false,
      price numeric(10, 2), facts jsonb, "createdAt" timestamp, "authorId" integer references author(id))`);
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table article');
    await runner.query('drop table author');
  }
}
class Broken1700000000001 implements MigrationInterface {
  readonly name = 'Broken1700000000001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table half (id integer)');
    await runner.query('select 1/0');
  }
  async down(): Promise<void> {}
}

/** The driver's rows refer to themselves, so they are taken apart before they are compared. */
async function tableName(source: DataSource, table: string): Promise<unknown> {
  const [row] = await source.query<{ readonly name: string | null }[]>(
    `select to_regclass('${table}')::text as name`,
  );
  return row?.name;
}

describe('typeorm with typeorm-aurora-data-api-driver on the local Data API', () => {
  let service: LocalService;
  let source: DataSource;
  const sourceFor = async (
    database: string,
    migrations: (new () => MigrationInterface)[],
    enableUuidHack = true,
  ): Promise<DataSource> => {
    await service.postgres.createDatabase(database);
    const { api } = await service.start();
    const made = new DataSource({
      type: 'aurora-postgres',
      region: 'eu-west-1',
      resourceArn: NAMES.resourceArn,
      secretArn: NAMES.secretArn,
      database,
      uuidExtension: 'pgcrypto',
      // The driver's own answer to text that is never compared with a uuid.
      formatOptions: { castParameters: true, enableUuidHack },
      entities: [authorSchema, articleSchema],
      migrations,
      serviceConfigOptions: {
        endpoint: api.url,
        credentials: { accessKeyId: 'AKIDTYPEORM', secretAccessKey: 'none' },
      },
    });
    return made.initialize();
  };
  beforeAll(async () => {
    service = await localService();
    source = await sourceFor('typeorm', [Tables1700000000000]);
    await source.runMigrations();
  });
  beforeEach(async () => {
    await source.query('truncate author, article restart identity');
  });
  afterAll(async () => {
    await source.destroy();
    await service[Symbol.asyncDispose]();
  });

  it('migrates once, undoes the migration, and does it again', async () => {
    expect(await source.runMigrations()).toStrictEqual([]);
    await source.undoLastMigration();
    expect(await tableName(source, 'author')).toBeNull();
    expect(await source.runMigrations()).toHaveLength(1);
  });

  it('keeps nothing of a migration that fails', async () => {
    const other = await sourceFor('typeorm_broken', [Broken1700000000001]);
    await expect(other.runMigrations()).rejects.toThrow('SQLState: 22012');
    expect(await tableName(other, 'half')).toBeNull();
    await other.destroy();
  });

  it('saves, finds and changes entities with values of each type', async () => {
    const repository = source.getRepository(articleSchema);
    const saved = await repository.save({
      title: "it's",
      price: '19.90',
      facts: { pages: 3 },
      createdAt: new Date('2026-01-31T12:34:56Z'),
    });
    const read = await repository.findOneByOrFail({ title: "it's" });
    expect(read).toMatchObject({
      id: saved.id,
      published: false,
      price: '19.90',
      facts: { pages: 3 },
      createdAt: new Date('2026-01-31T12:34:56Z'),
    });
    read.published = true;
    await repository.save(read);
    expect(await repository.countBy({ published: true })).toBe(1);
    await repository.remove(read);
    expect(await repository.count()).toBe(0);
  });

  it('is refused a search by uuid without that option, as on AWS', async () => {
    const strict = await sourceFor('typeorm_strict', [Tables1700000000000], false);
    await strict.runMigrations();
    const search = strict
      .getRepository(articleSchema)
      .findOneBy({ id: '0e37df36-f698-11e6-8dd4-cb9ced3df976' });
    await expect(search).rejects.toThrow('SQLState: 42883');
    await strict.destroy();
  });

  it('reads relations, and builds queries with parameters', async () => {
    const author = await source.getRepository(authorSchema).save({ name: 'Ada' });
    await source.getRepository(articleSchema).save([
      { title: 'first', author },
      { title: 'second', author },
    ]);
    const found = await source
      .getRepository(authorSchema)
      .createQueryBuilder('author')
      .leftJoinAndSelect('author.articles', 'article')
      .where('article.title like :start and author.name = :name', { start: 's%', name: 'Ada' })
      .getMany();
    expect(found).toMatchObject([{ id: author.id, articles: [{ title: 'second' }] }]);
  });

  it('commits a transaction, and undoes one that throws', async () => {
    await source.transaction(async (manager) => {
      await manager.getRepository(authorSchema).save({ name: 'kept' });
    });
    const undone = source.transaction(async (manager) => {
      await manager.getRepository(authorSchema).save({ name: 'lost' });
      await manager.query('select 1/0');
    });
    await expect(undone).rejects.toThrow('SQLState: 22012');
    expect(await source.getRepository(authorSchema).find()).toMatchObject([{ name: 'kept' }]);
  });

  it('sees the SQLSTATE of a broken constraint', async () => {
    const repository = source.getRepository(authorSchema);
    await repository.insert({ name: 'Ada' });
    const twice = await repository.insert({ name: 'Ada' }).catch((error: unknown) => error);
    expect(twice).toMatchObject({
      name: 'DatabaseErrorException',
      message: expect.stringContaining('SQLState: 23505'),
    });
    expect(twice).not.toBeInstanceOf(QueryFailedError);
  });
});
