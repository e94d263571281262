export { Migrations } from './migrations.ts';
export { acknowledgeFindings } from './acknowledge-findings.ts';
export { MigrationsAlarms, type MigrationsAlarmsProps } from './alarms.ts';
export { MigrationsDashboard, type MigrationsDashboardProps } from './dashboard.ts';
export type { MigrationsProps, RunOn } from './migrations-props.ts';
export type { Attributes, MetricName, RunEventDetail } from '../lambda/contract.ts';
