import type { Plugin } from 'esbuild';

/** Lets `import … from 'forerun'` mean the given module, whether or not the package is installed beside the migrations. */
export function importingForerunFrom(path: string, options: { readonly external: boolean }): Plugin {
  return {
    name: 'forerun',
    setup(build) {
      build.onResolve({ filter: /^forerun$/ }, () => ({ path, external: options.external }));
    },
  };
}
