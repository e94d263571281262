import type { OperationContext } from '../operation.ts';
import { quoteIdentifier, quoteName } from '../quote-name.ts';
import { bareName, besideTable } from './names.ts';
import { setNotNull } from './not-null-steps.ts';
import { block, quoteText } from './quote-text.ts';

/** A column under its old and its new name. */
export interface Rename {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

/** Rows that are filled in one statement: their locks are held for a moment only. */
const ROWS_A_BATCH = 5_000;

/** The trigger that keeps both columns equal, and its function; unquoted. */
function syncName({ table, from, to }: Rename): string {
  return `${bareName(table).slice(0, 24)}_${from.slice(0, 16)}_${to.slice(0, 16)}_twin`;
}

/**
 * Adds one of the two columns, with the type of the other, and the trigger, in one moment: no row is written in between that
 * would have one column only. A default belongs to the old column, because an insert that names the new one must win.
 */
export function openTwin(rename: Rename, added: 'from' | 'to'): string {
  const { table, from, to } = rename;
  const [source, twin] = added === 'to' ? [from, to] : [to, from];
  const name = besideTable(table, syncName(rename));
  return block(`
declare
  kind text;
  old_default text;
  fills_itself boolean;
begin
  select format_type(a.atttypid, a.atttypmod)
      || case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation else '' end,
      pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '' or a.attgenerated <> ''
    into strict kind, old_default, fills_itself
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = ${quoteText(quoteName(table))}::regclass and a.attname = ${quoteText(source)} and not a.attisdropped;
  if fills_itself then
    raise exception 'the column % is an identity or generated, and two columns cannot share that', ${quoteText(source)};
  end if;
  execute format('alter table %s add column %I %s', ${quoteText(quoteName(table))}, ${quoteText(twin)}, kind);
  execute ${quoteText(`create function ${name}() returns trigger language plpgsql as ${quoteText(syncBody(rename))}`)};
  execute ${quoteText(`create trigger ${quoteIdentifier(syncName(rename))} before insert or update on ${quoteName(table)} for each row execute function ${name}()`)};
  if ${added === 'from'} and old_default is not null then
    execute format('alter table %s alter column %I set default %s, alter column %I drop default',
      ${quoteText(quoteName(table))}, ${quoteText(from)}, old_default, ${quoteText(to)});
  end if;
end`);
}

/** Text is compared, because not every type knows equality. */
function syncBody({ from, to }: Rename): string {
  const [a, b] = [quoteIdentifier(from), quoteIdentifier(to)];
  return `
begin
  if tg_op = 'INSERT' then
    if new.${b} is not null then new.${a} := new.${b}; else new.${b} := new.${a}; end if;
  elsif new.${a}::text is distinct from old.${a}::text then
    new.${b} := new.${a};
  elsif new.${b}::text is distinct from old.${b}::text then
    new.${a} := new.${b};
  elsif new.${b} is null then
    new.${b} := new.${a};
  elsif new.${a} is null then
    new.${a} := new.${b};
  end if;
  return new;
end`;
}

/**
 * Fills the column that was added, batch by batch, each committed by itself. Every batch is the same statement, and what it
 * did is recorded, so an interrupted run finds its place again; rows that are written meanwhile are filled by the trigger.
 */
export async function fillTwin(
  { op, progress }: OperationContext,
  rename: Rename,
  added: 'from' | 'to',
): Promise<void> {
  const { table, from, to } = rename;
  const [source, twin] = (added === 'to' ? [from, to] : [to, from]).map((name) =>
    quoteIdentifier(name ?? ''),
  );
  const rows = quoteName(table);
  const batch = `update ${rows} set ${twin} = ${source} where ctid = any (array(select ctid from ${rows} where ${twin} is null and ${source} is not null limit ${ROWS_A_BATCH}))`;
  let filled = 0;
  for (;;) {
    const { affected } = await op.execute(batch);
    if (affected === 0) break;
    filled += affected;
    progress(`${table}: rows filled ${filled}`);
  }
  if (await forbidsNull(op, table, added === 'to' ? from : to)) {
    await setNotNull(op, table, added === 'to' ? to : from);
  }
}

async function forbidsNull(op: OperationContext['op'], table: string, column: string): Promise<boolean> {
  const [row] = await op.query<{ strict: boolean }>(
    `select attnotnull as strict from pg_attribute where attrelid = cast(:table as regclass) and attname = :column`,
    { table: quoteName(table), column },
  );
  return row?.strict === true;
}

/** Removes the trigger, and with it one of the columns; refused while something hangs on it that would go with it. */
export function closeTwin(rename: Rename, dropped: 'from' | 'to'): string {
  const { table, from, to } = rename;
  const [gone, kept] = (dropped === 'from' ? [from, to] : [to, from]).map((name) => quoteText(name));
  const rows = quoteText(quoteName(table));
  return block(`
declare
  old pg_attribute;
  old_default text;
  hanging text;
begin
  select * into strict old from pg_attribute where attrelid = ${rows}::regclass and attname = ${gone} and not attisdropped;
  select string_agg(distinct pg_describe_object(classid, objid, objsubid), ', ') into hanging from pg_depend d
    where refclassid = 'pg_class'::regclass and refobjid = old.attrelid and refobjsubid = old.attnum
      and classid <> 'pg_attrdef'::regclass
      and not exists (select from pg_constraint c where d.classid = 'pg_constraint'::regclass and c.oid = d.objid and c.contype = 'n');
  if hanging is not null then
    raise exception 'the column % still carries: %; give the other column the same, then drop them', ${gone}, hanging;
  end if;
  if ${dropped === 'from'} then
    if old.attnotnull and not (select attnotnull from pg_attribute where attrelid = old.attrelid and attname = ${kept}) then
      raise exception 'the column % forbids nulls and the new one does not', ${gone};
    end if;
    select pg_get_expr(adbin, adrelid) into old_default from pg_attrdef where adrelid = old.attrelid and adnum = old.attnum;
  end if;
  execute ${quoteText(`drop trigger ${quoteIdentifier(syncName(rename))} on ${quoteName(table)}`)};
  execute ${quoteText(`drop function ${besideTable(table, syncName(rename))}()`)};
  execute format('alter table %s drop column %I', ${rows}, ${gone});
  if old_default is not null then
    execute format('alter table %s alter column %I set default %s', ${rows}, ${kept}, old_default);
  end if;
end`);
}
