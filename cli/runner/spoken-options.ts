/** Asked for by what takes something back or overrules the journal. */
export const CONFIRM_OPTION = { confirm: { type: 'string' } } as const;

export const CONFIRM_HELP = `  --confirm  name of the database that is meant; without it the runner says which one it
             would work on, and does nothing`;

export const REASON_OPTION = { reason: { type: 'string' } } as const;

export const REASON_HELP = `  --reason   why; it stays in the journal, and is shown with what was asked`;

export const BY_OPTION = { by: { type: 'string' } } as const;

export const BY_HELP = `  --by       who asks; kept beside it, and checked by nobody`;
