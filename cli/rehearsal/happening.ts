/** What the rehearsal tells, one at a time; `--json` prints these as they are. */
export type Happening =
  | { readonly type: 'deploy'; readonly deploy: number; readonly title: string }
  | {
      readonly type: 'resource';
      readonly deploy: number;
      readonly stack: string;
      readonly logicalId: string;
      readonly resourceType: string;
      readonly status: string;
      readonly reason: string | null;
      /** The construct that made it; null for the stack itself. */
      readonly path: string | null;
      /** Since the deploy began. */
      readonly milliseconds: number;
    }
  | {
      readonly type: 'migration';
      readonly deploy: number;
      readonly migration: string;
      readonly statements: number;
      readonly failed: boolean;
    }
  | {
      readonly type: 'run';
      readonly deploy: number;
      readonly action: 'up' | 'settle';
      /** A rollback asks the old release again; its runs come after the one that the deploy was about. */
      readonly during: 'deploy' | 'rollback';
      readonly outcome: string;
      readonly applied: readonly string[];
      /** Code of what kept a run from its goal; null where nothing did. */
      readonly error?: string | null;
      /** As counted by the local Data API. */
      readonly dataApiCalls: number;
      /** After a rollback: whether no earlier run can commit any more. */
      readonly fenced?: boolean;
      /** After a rollback: what the database has and the release does not. */
      readonly ahead?: readonly string[];
      /** After a rollback: whether the release works on that database. */
      readonly compatible?: string;
    }
  /** A backfill came into a state, or was left to the worker. */
  | {
      readonly type: 'backfill';
      readonly deploy: number;
      readonly backfill: string;
      readonly state: string;
      readonly by: 'runner' | 'worker';
    }
  /** A role was refused something for the first time in this deploy. */
  | {
      readonly type: 'denied';
      readonly deploy: number;
      readonly roleArn: string;
      readonly action: string;
      readonly resource: string;
      /** Nothing that comes later can help: the rehearsal ends here. */
      readonly ends: boolean;
    }
  | {
      readonly type: 'end-of-deploy';
      readonly deploy: number;
      /** `DENIED` where the rehearsal ended before CloudFormation came to rest. */
      readonly status: string;
      readonly reason: string | null;
      readonly asTold: boolean;
    }
  | { readonly type: 'status'; readonly status: unknown }
  | {
      readonly type: 'rows';
      readonly table: string;
      readonly rows: readonly Readonly<Record<string, unknown>>[];
    }
  | {
      readonly type: 'end';
      readonly asTold: boolean;
      readonly wrong: readonly string[];
      readonly seconds: number;
    };

export type Tell = (happening: Happening) => void;
