// What a data file is for the compiler once the bundler has read it. It stands outside of `dist` in the package, because
// a reference to a declaration file keeps pointing at its source.

declare module '*.sql' {
  /** The statements of the file, for `op.execute`. */
  const script: {
    readonly file: string;
    readonly statements: readonly { readonly line: number; readonly sql: string }[];
  };
  export default script;
}

declare module '*.csv' {
  /** The rows of the file by the names in its first line, for `op.bulkInsert`; null where a field is empty and bare. */
  const rows: readonly Readonly<Record<string, string | null>>[];
  export default rows;
}
