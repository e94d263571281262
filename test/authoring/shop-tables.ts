import {
  bigint,
  boolean,
  char,
  citext,
  column,
  date,
  double,
  enumType,
  integer,
  interval,
  jsonb,
  numeric,
  table,
  text,
  timestamptz,
  uuid,
  varchar,
} from 'forerun';

/** Tables for the query tests, with their SQL in `SHOP_SCHEMA`. */
export const items = table('items', {
  id: bigint(),
  ref: uuid(),
  name: varchar(20),
  code: char(4).nullable(),
  email: citext().nullable(),
  stock: integer().defaulted(),
  price: numeric(10, 2),
  weight: double().nullable(),
  active: boolean().defaulted(),
  mood: enumType('app.mood', ['sad', 'happy']).defaulted(),
  tags: text().array().defaulted(),
  doc: jsonb().nullable(),
  day: date().nullable(),
  at: timestamptz().defaulted(),
  lasts: interval().nullable(),
  size: column('positive').nullable(),
});

const orders = table('app.orders', {
  id: uuid(),
  item_id: bigint(),
  name: text().nullable(),
  amount: integer(),
  at: timestamptz().defaulted(),
});

export const shop = { items, 'app.orders': orders };

export const SHOP_SCHEMA = [
  'create extension citext',
  'create schema app',
  "create type app.mood as enum ('sad', 'happy')",
  'create domain positive as integer check (value > 0)',
  `create table items (
    id bigint primary key,
    ref uuid not null,
    name varchar(20) not null,
    code char(4),
    email citext,
    stock integer not null default 0,
    price numeric(10, 2) not null,
    weight double precision,
    active boolean not null default true,
    mood app.mood not null default 'sad',
    tags text[] not null default '{}',
    doc jsonb,
    day date,
    at timestamptz not null default now(),
    lasts interval,
    size positive)`,
  `create table app.orders (
    id uuid primary key,
    item_id bigint not null,
    name text,
    amount integer not null,
    at timestamptz not null default now())`,
];
