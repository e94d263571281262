import type { LogLine } from '../../local/lambda/start-lambda.ts';
import type { Happening } from './happening.ts';

/** One line that the runner wrote, as far as the demo reads it. */
interface RunnerLine {
  readonly note?: string;
  readonly migration?: string;
  readonly backfill?: string;
  readonly state?: string;
  readonly outcome?: string;
  readonly steps?: readonly { readonly migration: string; readonly outcome: string }[];
  readonly error?: { readonly code: string; readonly place: { readonly migration?: string } } | null;
  readonly fenced?: boolean;
  readonly ahead?: readonly string[] | null;
  readonly compatible?: string;
}

export type Run = Extract<Happening, { type: 'run' }>;

/** Reads the runner's JSON lines and tells what they mean: migrations as they end, and runs. */
export function watchRuns(
  countCalls: () => number,
  tell: (happening: Happening) => void,
  isRollingBack: (() => boolean) | null = null,
): { begin(deploy: number): void; line(line: LogLine): void; runs(): readonly Run[] } {
  let deploy = 0;
  let runs: Run[] = [];
  let callsBefore = 0;
  let open: { migration: string; statements: number } | null = null;

  const closeMigration = (failed: boolean): void => {
    if (open !== null) tell({ type: 'migration', deploy, ...open, failed });
    open = null;
  };
  const end = (run: Omit<Run, 'type' | 'deploy' | 'during' | 'dataApiCalls'>): void => {
    const calls = countCalls();
    // In the demo a deploy asks once, so whatever comes later belongs to the rollback.
    const during = (isRollingBack?.() ?? runs.length > 0) ? 'rollback' : 'deploy';
    const told: Run = { type: 'run', deploy, during, ...run, dataApiCalls: calls - callsBefore };
    callsBefore = calls;
    runs.push(told);
    tell(told);
  };

  return {
    begin(next) {
      deploy = next;
      runs = [];
      callsBefore = countCalls();
    },
    line({ line, functionName }) {
      const said = parse(line);
      const by = functionName.includes('Worker') ? 'worker' : 'runner';
      // A migration whose statements were counted came before; the next one or the run's end would tell of it too late.
      if (said.backfill !== undefined) closeMigration(false);
      if (said.note === 'backfill' && said.backfill !== undefined) {
        tell({ type: 'backfill', deploy, backfill: said.backfill, state: said.state ?? 'unknown', by });
      } else if (said.note === 'handed-on' && said.backfill !== undefined) {
        tell({ type: 'backfill', deploy, backfill: said.backfill, state: 'handed on', by: 'worker' });
      }
      if (said.note === 'began' && said.migration !== undefined) {
        closeMigration(false);
        open = { migration: said.migration, statements: 0 };
      } else if (said.note === 'statement' && open !== null) {
        open.statements += 1;
      } else if (said.note === 'ended') {
        closeMigration(said.error?.place.migration === open?.migration);
        const applied = (said.steps ?? []).filter(({ outcome }) => outcome === 'applied');
        end({
          action: 'up',
          outcome: said.outcome ?? 'unknown',
          applied: applied.map(({ migration }) => migration),
          error: said.error?.code ?? null,
        });
      } else if (said.note === 'settled') {
        end({
          action: 'settle',
          outcome: 'not-run',
          applied: [],
          fenced: said.fenced === true,
          ahead: said.ahead ?? [],
          compatible: said.compatible ?? 'unknown',
        });
      }
    },
    runs: () => runs,
  };
}

function parse(line: string): RunnerLine {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
