export { Migrations } from './migrations.ts';
export type { MigrationsProps, RunOn } from './migrations-props.ts';
